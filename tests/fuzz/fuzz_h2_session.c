/* The bytes of one connection, from the first one on, to a whole server without
 * a listener. The first byte says how large the pieces are in which the rest
 * comes, and whether a preface with SETTINGS stands before it. */
#include "fuzz.h"

#include "base/error.h"
#include "http/h2_frame.h"
#include "http/opening.h"

#include <sys/socket.h>
#include <unistd.h>

#define PIECE_MASK 0x7f
#define GREETED 0x80

static struct loop *loop;
static struct http_server *server;
static struct http_endpoint *endpoint;

static void answer(struct http_request *request, void *arg)
{
	const struct http_response response = {.status = 200, .body = request->body};

	(void)arg;
	http_respond(request, &response);
}

static bool route(void *arg, struct http_request *request, struct http_route *route)
{
	*route = (struct http_route){.handle = answer, .arg = arg, .body_limit_bytes = 100};
	if (!slice_is(request->path, "/early"))
		return true;
	http_respond_problem(request, 403, NULL, 0);
	return false;
}

static void open_server(void)
{
	const struct http_limits limits = {
		.head_bytes = 1024,
		.body_bytes = 1000,
		.buffered_bytes = 65536,
		.headers = 20,
		.head_timeout_ms = 30000,
		.body_timeout_ms = 30000,
		.write_timeout_ms = 30000,
		.idle_timeout_ms = 30000,
		.connections = 10,
		.connections_per_address = 10,
		.pipelined = 4,
		.linger_ms = 1000,
		.linger_bytes = 1000,
		.streams = 4,
		.stream_window_bytes = 1000,
		.connection_window_bytes = 65535,
		.frame_bytes = 16384,
		.header_table_bytes = 4096,
		.continuations = 4,
		.flood_interval_ms = 60000,
		.resets = 10,
		.stream_errors = 10,
		.settings = 10,
		.pings = 10,
		.empty_data = 10,
		.priorities = 10,
		.window_updates = 10,
		.other_frames = 10,
		.stalls = 2,
	};
	const struct http_listen listen = {.address = LG_SLICE("127.0.0.1:0"), .backlog = 1};
	const struct http_service service = {.route = route};
	struct error error = {0};

	loop = loop_new();
	ALWAYS(loop);
	server = http_server_open(&loop, 1, NULL, 0, &limits, &service, &error);
	ALWAYS(server);
	endpoint = http_endpoint_new(server, &listen, &error);
	ALWAYS(endpoint);
}

static void take_answers(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		loop_turn(loop);
}

/* A server that has closed has seen enough. */
static void say(int fd, const void *data, size_t length)
{
	if (length > 0 && send(fd, data, length, MSG_NOSIGNAL) > 0)
		loop_turn(loop);
	take_answers(fd);
}

static int connect_pair(void)
{
	const struct address peer = {{0}};
	enum conn_reason reason;
	int fds[2];

	ALWAYS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	ALWAYS(quota_take(server->quota, &peer, false, &reason));
	struct conn *conn = http_opening_new(endpoint, fds[0], &peer, false);
	ALWAYS(conn);
	conn->origin = endpoint;
	conn_group_add(&server->workers[0].group, conn);
	return fds[1];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char greeting[] = H2_PREFACE "\0\0\0\x04\0\0\0\0\0";

	if (size == 0)
		return 0;
	if (!server)
		open_server();
	size_t piece = (size_t)(data[0] & PIECE_MASK) * 8 + 1;
	int fd = connect_pair();
	if (data[0] & GREETED)
		say(fd, greeting, sizeof(greeting) - 1);
	for (size_t at = 1; at < size; at += piece)
		say(fd, data + at, size - at < piece ? size - at : piece);
	close(fd);
	while (http_server_connections(server) > 0)
		loop_turn(loop);
	return 0;
}
