#include "conn/listen_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

/* Of answers that a peer has made no room for. */
#define UNSENT_BYTES 65536

/* A machine without IPv6 still listens on every address that it has. */
static int open_socket(struct bind_address *address)
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = socket(address->socket.ss_family, type, 0);

	if (fd >= 0 || errno != EAFNOSUPPORT || !address->both)
		return fd;
	bind_address_without_v6(address);
	return socket(AF_INET, type, 0);
}

/* Accepted sockets inherit these (Linux), which saves calls for each. The kernel
 * would take megabytes for a peer that does not read: all that it asks for would
 * be answered, and lie there. */
bool listen_socket_tune(int fd)
{
	int on = 1, unsent_bytes = UNSENT_BYTES;

	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
	       setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes,
			  sizeof(unsent_bytes)) == 0;
}

static bool set_options(int fd, const struct bind_address *address)
{
	int on = 1, v6_only = !address->both;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    !listen_socket_tune(fd))
		return false;
	return address->socket.ss_family != AF_INET6 ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) == 0;
}

static bool say_why(struct error *error, struct lg_slice address, int code)
{
	if (code == EADDRINUSE)
		return error_set(error,
				 "cannot listen on %.*s: the port is taken, by another process or "
				 "by another address of ours",
				 SLICE_ARGS(address));
	if (code == EADDRNOTAVAIL)
		return error_set(error, "cannot listen on %.*s: this machine has no such address",
				 SLICE_ARGS(address));
	return error_set(error, "cannot listen on %.*s: %s", SLICE_ARGS(address), strerror(code));
}

int listen_socket_new(struct bind_address *address, struct lg_slice text, struct error *error)
{
	int fd = open_socket(address);

	if (fd < 0)
		say_why(error, text, errno);
	return fd;
}

bool listen_socket_bind(int fd, const struct bind_address *address, struct lg_slice text,
			struct error *error)
{
	return (set_options(fd, address) &&
		bind(fd, (const struct sockaddr *)&address->socket, address->length) == 0) ||
	       say_why(error, text, errno);
}

bool listen_socket_listen(int fd, int backlog, struct lg_slice text, struct error *error)
{
	return listen(fd, backlog) == 0 || say_why(error, text, errno);
}

int listen_socket_port(int fd)
{
	struct sockaddr_storage socket = {0};
	socklen_t length = sizeof(socket);
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (getsockname(fd, (struct sockaddr *)&socket, &length) != 0)
		return 0;
	switch (socket.ss_family) {
	case AF_INET: memcpy(&v4, &socket, sizeof(v4)); return ntohs(v4.sin_port);
	case AF_INET6: memcpy(&v6, &socket, sizeof(v6)); return ntohs(v6.sin6_port);
	default: return 0;
	}
}
