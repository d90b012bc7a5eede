#include "conn/listener.h"

#include "base/list.h"
#include "base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* So many in one go, then the other connections of the loop have their turn. */
#define ACCEPT_BATCH 64
#define RETRY_MS 100
/* A queue that is filled while it is emptied is not emptied for ever. */
#define EMPTY_MOST 4096

/* What an address option means. */
struct endpoint {
	struct sockaddr_storage socket;
	socklen_t length;
	bool both; /* "*": IPv4 through the IPv6 socket */
};

static void set_v6(struct endpoint *endpoint, const struct address *address, uint16_t port)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	memcpy(&v6.sin6_addr, address->bytes, sizeof(v6.sin6_addr));
	memcpy(&endpoint->socket, &v6, sizeof(v6));
	endpoint->length = sizeof(v6);
}

static void set_v4(struct endpoint *endpoint, const struct address *address, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};

	memcpy(&v4.sin_addr, address->bytes + 12, sizeof(v4.sin_addr));
	memcpy(&endpoint->socket, &v4, sizeof(v4));
	endpoint->length = sizeof(v4);
}

static bool parse_endpoint(struct lg_slice text, struct endpoint *endpoint, struct error *error)
{
	struct address address = {0};
	struct lg_slice host, port_text;
	uint64_t port;
	size_t colon = text.length;

	*endpoint = (struct endpoint){0};
	while (colon > 0 && text.data[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return error_set(error, "the address \"%.*s\" has no port: write ADDRESS:PORT",
				 SLICE_ARGS(text));
	host = slice_cut(text, 0, colon - 1);
	port_text = slice_cut(text, colon, text.length);
	if (!slice_to_u64(port_text, &port) || port > UINT16_MAX)
		return error_set(error, "the address \"%.*s\" has no port from 0 to 65535",
				 SLICE_ARGS(text));

	bool brackets = slice_starts(host, "[") && slice_ends(host, "]");
	endpoint->both = slice_is(host, "*");
	if (brackets)
		host = slice_cut(host, 1, host.length - 2);
	if (!endpoint->both &&
	    (!address_parse(host, &address) || brackets != (slice_find(host, ':') >= 0)))
		return error_set(
			error,
			"the address \"%.*s\" is none of 192.0.2.1:PORT, [2001:db8::1]:PORT "
			"and *:PORT",
			SLICE_ARGS(text));
	if (endpoint->both || brackets)
		set_v6(endpoint, &address, (uint16_t)port);
	else
		set_v4(endpoint, &address, (uint16_t)port);
	return true;
}

/* A machine without IPv6 still listens on every address that it has. */
static int open_socket(struct endpoint *endpoint)
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = socket(endpoint->socket.ss_family, type, 0);

	if (fd >= 0 || errno != EAFNOSUPPORT || !endpoint->both)
		return fd;
	struct sockaddr_in6 v6;
	memcpy(&v6, &endpoint->socket, sizeof(v6));
	set_v4(endpoint, &(struct address){0}, ntohs(v6.sin6_port));
	return socket(AF_INET, type, 0);
}

static bool set_options(int fd, const struct endpoint *endpoint)
{
	int on = 1, v6_only = !endpoint->both;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return false;
	/* Accepted sockets inherit it (Linux), which saves a call for each. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		return false;
	return endpoint->socket.ss_family != AF_INET6 ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) == 0;
}

static bool bind_and_listen(int fd, const struct endpoint *endpoint, int backlog)
{
	return set_options(fd, endpoint) &&
	       bind(fd, (const struct sockaddr *)&endpoint->socket, endpoint->length) == 0 &&
	       listen(fd, backlog) == 0;
}

static bool say_why(struct error *error, struct lg_slice address, int code)
{
	if (code == EADDRINUSE)
		return error_set(error,
				 "cannot listen on %.*s: the port is taken by another process",
				 SLICE_ARGS(address));
	if (code == EADDRNOTAVAIL)
		return error_set(error, "cannot listen on %.*s: this machine has no such address",
				 SLICE_ARGS(address));
	return error_set(error, "cannot listen on %.*s: %s", SLICE_ARGS(address), strerror(code));
}

static void on_retry(struct loop_timer *timer)
{
	struct listener *listener = container_of(timer, struct listener, retry);

	if (!loop_watch_set(&listener->watch, LOOP_READ))
		loop_timer_set(timer, RETRY_MS);
}

/* No descriptor, no memory: the queue keeps them while we wait for some to be
 * closed. A level-triggered watch would spin. */
static void pause_accepting(struct listener *listener, int code)
{
	if (!listener->starved)
		log_warning("listener.paused", LOG_TEXT("why", strerror(code)),
			    LOG_INT("port", listener_port(listener)));
	listener->starved = true;
	if (loop_timer_set(&listener->retry, RETRY_MS))
		loop_watch_set(&listener->watch, 0);
}

static void accept_some(struct listener *listener, int most)
{
	for (int i = 0; i < most && listener->fd >= 0; i++) {
		struct sockaddr_storage socket;
		socklen_t length = sizeof(socket);
		struct address peer;
		int fd = accept4(listener->fd, (struct sockaddr *)&socket, &length,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		listener->starved &= fd < 0;
		if (fd >= 0 && address_from_socket((struct sockaddr *)&socket, &peer))
			listener->accepted(listener, fd, &peer);
		else if (fd >= 0)
			close(fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			return pause_accepting(listener, errno);
		else if (errno != EINTR && errno != ECONNABORTED)
			return; /* EAGAIN, or the trouble of one peer (accept(2)): asked again */
	}
}

static void on_ready(struct loop_watch *watch, int events)
{
	(void)events;
	accept_some(container_of(watch, struct listener, watch), ACCEPT_BATCH);
}

bool listener_open(struct listener *listener, struct loop *loop, struct lg_slice address,
		   int backlog, struct error *error)
{
	struct endpoint endpoint;

	*listener = (struct listener){.fd = -1};
	if (!parse_endpoint(address, &endpoint, error))
		return false;
	int fd = open_socket(&endpoint);
	if (fd < 0)
		return say_why(error, address, errno);
	if (!bind_and_listen(fd, &endpoint, backlog)) {
		int code = errno;
		close(fd);
		return say_why(error, address, code);
	}
	listener->fd = fd;
	loop_watch_init(&listener->watch, loop, fd, on_ready);
	loop_timer_init(&listener->retry, loop, on_retry);
	return true;
}

bool listener_start(struct listener *listener,
		    void (*accepted)(struct listener *listener, int fd, const struct address *peer),
		    void *context)
{
	listener->accepted = accepted;
	listener->context = context;
	listener->started = true;
	return loop_watch_set(&listener->watch, LOOP_READ);
}

bool listener_adopt(struct listener *listener, struct listener *from, int backlog,
		    void (*accepted)(struct listener *listener, int fd, const struct address *peer),
		    void *context)
{
	struct loop *loop = from->watch.loop;

	loop_watch_fini(&from->watch);
	loop_timer_fini(&from->retry);
	*listener = (struct listener){.fd = from->fd};
	from->fd = -1;
	loop_watch_init(&listener->watch, loop, listener->fd, on_ready);
	loop_timer_init(&listener->retry, loop, on_retry);
	listen(listener->fd, backlog);
	return listener_start(listener, accepted, context);
}

void listener_empty(struct listener *listener)
{
	if (listener->started)
		accept_some(listener, EMPTY_MOST);
}

void listener_close(struct listener *listener)
{
	if (listener->fd < 0)
		return;
	if (listener->started) {
		loop_watch_fini(&listener->watch);
		loop_timer_fini(&listener->retry);
	}
	close(listener->fd);
	listener->fd = -1;
}

int listener_port(const struct listener *listener)
{
	struct sockaddr_storage socket = {0};
	socklen_t length = sizeof(socket);
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (listener->fd < 0 || getsockname(listener->fd, (struct sockaddr *)&socket, &length) != 0)
		return 0;
	if (socket.ss_family == AF_INET) {
		memcpy(&v4, &socket, sizeof(v4));
		return ntohs(v4.sin_port);
	}
	memcpy(&v6, &socket, sizeof(v6));
	return ntohs(v6.sin6_port);
}
