#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/list.h"
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 60000
#define PARKED_MAX 64

struct release {
	struct letter letter;
	size_t index;
};

/* malloc and not alloc_malloc: a sweep fails the server's memory, not ours. */
struct fixture {
	struct loop *loops[FIXTURE_MAX_LOOPS];
	pthread_t threads[FIXTURE_MAX_LOOPS];
	size_t loop_count;
	struct http_server *server;
	struct mailbox mailbox;
	struct loop_mailbox releases; /* on the first loop */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct http_request *parked[PARKED_MAX];
	size_t parked_count;
	bool holding, lets_go;
	struct lg_slice proxies[1];
	char *big;
};

struct http_limits fixture_limits(void)
{
	return (struct http_limits){
		.head_bytes = 1024,
		.body_bytes = 1 << 20,
		.buffered_bytes = 64 << 20,
		.headers = 20,
		.head_timeout_ms = 30000,
		.body_timeout_ms = 30000,
		.minimum_rate_bytes = 1,
		.write_timeout_ms = 30000,
		.idle_timeout_ms = 30000,
		.connections = 1000,
		.connections_per_address = 1000,
		.proxy_header_bytes = 4096,
		.pipelined = 16,
		.linger_ms = 1000,
		.linger_bytes = 1 << 20,
		.streams = 16,
		.stream_window_bytes = 65536,
		.connection_window_bytes = 1 << 20,
		.frame_bytes = 16384,
		.header_table_bytes = 4096,
		.continuations = 2,
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
}

static void show(struct http_request *request, void *arg)
{
	struct http_header headers[] = {{LG_SLICE("Content-Type"), LG_SLICE("text/plain")},
					{LG_SLICE("X-Broken"), LG_SLICE("a\r\nb: c")},
					{LG_SLICE("TE"), LG_SLICE("trailers")},
					{LG_SLICE("Proxy-Connection"), LG_SLICE("close")},
					{LG_SLICE("Upgrade"), LG_SLICE("x")},
					{LG_SLICE("X-Behind"), LG_SLICE("kept")}};
	struct http_response response = {.status = 200, .headers = headers, .header_count = 1};

	(void)arg;
	if (slice_is(request->path, "/broken"))
		response.header_count = sizeof(headers) / sizeof(headers[0]);
	if (slice_is(request->path, "/reset"))
		response.status = 205;
	response.body = arena_printf(&request->arena, "%.*s %.*s %.*s %.*s %.*s %zu %.*s\n",
				     SLICE_ARGS(request->method), SLICE_ARGS(request->path),
				     slice_present(request->query) ? (int)request->query.length : 1,
				     slice_present(request->query) ? request->query.data : "-",
				     SLICE_ARGS(request->host), SLICE_ARGS(request->client_address),
				     request->loop_index, SLICE_ARGS(request->body));
	http_respond(request, &response);
}

static void park(struct http_request *request, void *arg)
{
	struct fixture *fixture = arg;

	pthread_mutex_lock(&fixture->lock);
	if (fixture->parked_count < PARKED_MAX)
		fixture->parked[fixture->parked_count++] = request;
	pthread_cond_signal(&fixture->changed);
	pthread_mutex_unlock(&fixture->lock);
}

static void hold(struct http_request *request, void *arg)
{
	struct fixture *fixture = arg;

	pthread_mutex_lock(&fixture->lock);
	fixture->holding = true;
	pthread_cond_broadcast(&fixture->changed);
	while (!fixture->lets_go)
		pthread_cond_wait(&fixture->changed, &fixture->lock);
	fixture->holding = fixture->lets_go = false;
	pthread_mutex_unlock(&fixture->lock);
	show(request, arg);
}

void fixture_wait_held(struct fixture *fixture)
{
	pthread_mutex_lock(&fixture->lock);
	while (!fixture->holding)
		pthread_cond_wait(&fixture->changed, &fixture->lock);
	pthread_mutex_unlock(&fixture->lock);
}

void fixture_let_go(struct fixture *fixture)
{
	pthread_mutex_lock(&fixture->lock);
	fixture->lets_go = true;
	pthread_cond_broadcast(&fixture->changed);
	pthread_mutex_unlock(&fixture->lock);
}

static void answer_big(struct http_request *request, void *arg)
{
	struct fixture *fixture = arg;
	struct http_response response = {.status = 200,
					 .body = slice_of(fixture->big, FIXTURE_BIG_BYTES)};

	http_respond(request, &response);
}

static bool route(void *arg, struct http_request *request, struct http_route *route)
{
	*route = (struct http_route){show, arg, 100000};
	if (slice_is(request->path, "/later"))
		route->handle = park;
	else if (slice_is(request->path, "/hold"))
		route->handle = hold;
	else if (slice_is(request->path, "/big"))
		route->handle = answer_big;
	else if (slice_is(request->path, "/small"))
		route->body_limit_bytes = 10;
	if (!slice_is(request->path, "/early"))
		return true;
	http_respond_problem(request, 403, "not <you>", 0);
	return false;
}

static void on_release(struct loop_mailbox *box, struct letter *letter)
{
	struct fixture *fixture = container_of(box, struct fixture, releases);
	struct release *release = container_of(letter, struct release, letter);
	struct http_request *request;

	pthread_mutex_lock(&fixture->lock);
	request = fixture->parked[release->index];
	fixture->parked_count--;
	for (size_t i = release->index; i < fixture->parked_count; i++)
		fixture->parked[i] = fixture->parked[i + 1];
	pthread_mutex_unlock(&fixture->lock);
	free(release);
	struct http_response response = {.status = 200, .body = request->query};
	http_respond(request, &response);
}

static void *run(void *arg)
{
	loop_run(arg);
	return NULL;
}

static bool open_server(struct fixture *fixture, const struct http_limits *limits,
			const char *trusted_proxy)
{
	struct http_service service = {route, fixture};
	struct http_listen listen = {.address = LG_SLICE("127.0.0.1:0"),
				     .backlog = 64,
				     .probe_path = LG_SLICE("/probe")};
	struct error error = {0};

	if (trusted_proxy) {
		fixture->proxies[0] = slice_from(trusted_proxy);
		listen.trusted_proxies = (struct lg_list){fixture->proxies, 1};
	}
	fixture->server = http_server_open(fixture->loops, fixture->loop_count, &listen, 1, limits,
					   &service, &error);
	return fixture->server != NULL;
}

static void free_fixture(struct fixture *fixture)
{
	http_server_close(&fixture->server);
	if (fixture->releases.mailbox)
		loop_mailbox_fini(&fixture->releases);
	mailbox_fini(&fixture->mailbox);
	for (size_t i = 0; i < FIXTURE_MAX_LOOPS; i++)
		loop_free(&fixture->loops[i]);
	pthread_mutex_destroy(&fixture->lock);
	pthread_cond_destroy(&fixture->changed);
	free(fixture->big);
	free(fixture);
}

struct fixture *fixture_start(const struct http_limits *limits, size_t loops,
			      const char *trusted_proxy)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->loop_count = loops;
	fixture->big = calloc(1, FIXTURE_BIG_BYTES);
	assert_non_null(fixture->big);
	pthread_mutex_init(&fixture->lock, NULL);
	pthread_cond_init(&fixture->changed, NULL);
	assert_true(mailbox_init(&fixture->mailbox));
	for (size_t i = 0; i < loops; i++)
		if (!(fixture->loops[i] = loop_new()))
			goto fail;
	if (!loop_mailbox_init(&fixture->releases, fixture->loops[0], &fixture->mailbox,
			       on_release) ||
	    !open_server(fixture, limits, trusted_proxy))
		goto fail;
	for (size_t i = 0; i < loops; i++)
		assert_int_equal(pthread_create(&fixture->threads[i], NULL, run, fixture->loops[i]),
				 0);
	return fixture;
fail:
	free_fixture(fixture);
	return NULL;
}

void fixture_stop(struct fixture *fixture)
{
	for (size_t i = 0; i < fixture->loop_count; i++)
		loop_stop(fixture->loops[i]);
	for (size_t i = 0; i < fixture->loop_count; i++)
		pthread_join(fixture->threads[i], NULL);
	free_fixture(fixture);
}

struct http_server *fixture_server(struct fixture *fixture)
{
	return fixture->server;
}

void fixture_wait_parked(struct fixture *fixture, size_t count)
{
	struct timespec until;
	int result = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_MS / 1000;
	pthread_mutex_lock(&fixture->lock);
	while (fixture->parked_count < count && result == 0)
		result = pthread_cond_timedwait(&fixture->changed, &fixture->lock, &until);
	pthread_mutex_unlock(&fixture->lock);
	assert_int_equal(result, 0);
}

size_t fixture_parked(struct fixture *fixture)
{
	pthread_mutex_lock(&fixture->lock);
	size_t count = fixture->parked_count;
	pthread_mutex_unlock(&fixture->lock);
	return count;
}

void fixture_release(struct fixture *fixture, size_t index)
{
	struct release *release = calloc(1, sizeof(*release));

	assert_non_null(release);
	release->index = index;
	mailbox_send(&fixture->mailbox, &release->letter);
}

/* ---- the client --------------------------------------------------------------- */

void client_connect(struct client *client, struct fixture *fixture)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)http_server_port(fixture->server, 0)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	buffer_init(&client->got, SIZE_MAX);
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(client->fd >= 0);
	assert_int_equal(connect(client->fd, (struct sockaddr *)&to, sizeof(to)), 0);
}

void client_close(struct client *client)
{
	close(client->fd);
	buffer_fini(&client->got);
}

/* A server that has closed already is seen when its answer is read. */
void client_send(struct client *client, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t sent = send(client->fd, at, size, MSG_NOSIGNAL);
		if (sent < 0)
			return;
		at += sent;
		size -= (size_t)sent;
	}
}

void client_half_close(struct client *client)
{
	shutdown(client->fd, SHUT_WR);
}

/* Bytes read; 0 at the end, -1 after a reset. */
static ssize_t read_some(struct client *client)
{
	struct pollfd poll_fd = {.fd = client->fd, .events = POLLIN};
	char bytes[65536];

	if (poll(&poll_fd, 1, PATIENCE_MS) != 1)
		fail_msg("nothing came; so far: %.*s", SLICE_ARGS(buffer_slice(&client->got)));
	ssize_t size = recv(client->fd, bytes, sizeof(bytes), 0);
	if (size > 0)
		buffer_add(&client->got, bytes, (size_t)size);
	return size;
}

size_t client_count(const struct client *client, const char *text)
{
	struct lg_slice rest = buffer_slice(&client->got);
	size_t count = 0, length = strlen(text);
	const char *hit;

	while ((hit = memmem(rest.data, rest.length, text, length))) {
		rest = slice_cut(rest, (size_t)(hit - rest.data) + length, rest.length);
		count++;
	}
	return count;
}

bool client_has(const struct client *client, const char *text)
{
	return client_count(client, text) > 0;
}

bool client_gets(struct client *client, const char *text)
{
	while (!client_has(client, text))
		if (read_some(client) <= 0)
			return false;
	return true;
}

void client_expect(struct client *client, const char *text, size_t times)
{
	while (client_count(client, text) < times)
		if (read_some(client) <= 0)
			fail_msg("the end came before \"%s\"; so far: %.*s", text,
				 SLICE_ARGS(buffer_slice(&client->got)));
	assert_int_equal(client_count(client, text), times);
}

bool client_read_end(struct client *client)
{
	ssize_t size;

	while ((size = read_some(client)) > 0)
		;
	return size == 0;
}

void client_forget(struct client *client)
{
	buffer_clear(&client->got);
}

/* ---- counters --------------------------------------------------------------------- */

int64_t fixture_counter(const char *name, const char *reason)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "reason=\"%s\"", reason);
	int row = counter_register(COUNTER_COUNTER, name, labels, "");
	assert_int_not_equal(row, COUNTER_NONE);
	return counter_read(row);
}

void fixture_wait_counter(const char *name, const char *reason, int64_t value)
{
	for (int i = 0; i < PATIENCE_MS && fixture_counter(name, reason) != value; i++)
		clock_sleep_ms(1);
	assert_int_equal(fixture_counter(name, reason), value);
}
