#include "conn/bind_address.h"

#include "conn/address.h"
#include "conn/socket_file.h"

#include <netinet/in.h>
#include <sys/un.h>

#define UNIX_START "unix:"
#define SYSTEMD_START "systemd:"

/* ---- parsing ------------------------------------------------------------------- */

static void set_v6(struct bind_address *to, const struct address *address, uint16_t port)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	memcpy(&v6.sin6_addr, address->bytes, sizeof(v6.sin6_addr));
	memcpy(&to->socket, &v6, sizeof(v6));
	to->length = sizeof(v6);
}

static void set_v4(struct bind_address *to, const struct address *address, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};

	memcpy(&v4.sin_addr, address->bytes + 12, sizeof(v4.sin_addr));
	memcpy(&to->socket, &v4, sizeof(v4));
	to->length = sizeof(v4);
}

static bool parse_ip(struct lg_slice text, struct bind_address *to, struct error *error)
{
	struct address address = {0};
	struct lg_slice host, port_text;
	uint64_t port;
	size_t colon = text.length;

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
	to->both = slice_is(host, "*");
	if (brackets)
		host = slice_cut(host, 1, host.length - 2);
	if (!to->both &&
	    (!address_parse(host, &address) || brackets != (slice_find(host, ':') >= 0)))
		return error_set(
			error,
			"the address \"%.*s\" is none of 192.0.2.1:PORT, [2001:db8::1]:PORT, "
			"*:PORT, unix:/PATH and systemd:NAME",
			SLICE_ARGS(text));
	if (to->both || brackets)
		set_v6(to, &address, (uint16_t)port);
	else
		set_v4(to, &address, (uint16_t)port);
	return true;
}

static bool parse_unix(struct lg_slice text, struct bind_address *to, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	to->kind = BIND_UNIX;
	to->name = slice_cut(text, strlen(UNIX_START), text.length);
	if (!slice_starts(to->name, "/"))
		return error_set(error,
				 "the address \"%.*s\" has no absolute path: write unix:/PATH",
				 SLICE_ARGS(text));
	if (to->name.length >= SOCKET_FILE_PATH_BYTES)
		return error_set(error, "the path of \"%.*s\" is longer than %d bytes",
				 SLICE_ARGS(text), SOCKET_FILE_PATH_BYTES - 1);
	memcpy(address.sun_path, to->name.data, to->name.length);
	memcpy(&to->socket, &address, sizeof(address));
	to->length = sizeof(address);
	return true;
}

bool bind_address_parse(struct lg_slice text, struct bind_address *address, struct error *error)
{
	*address = (struct bind_address){.kind = BIND_IP};
	if (slice_starts(text, UNIX_START))
		return parse_unix(text, address, error);
	if (!slice_starts(text, SYSTEMD_START))
		return parse_ip(text, address, error);
	address->kind = BIND_SYSTEMD;
	address->name = slice_cut(text, strlen(SYSTEMD_START), text.length);
	return address->name.length > 0 ||
	       error_set(error, "the address \"%.*s\" names no socket: write systemd:NAME",
			 SLICE_ARGS(text));
}

void bind_address_without_v6(struct bind_address *address)
{
	struct sockaddr_in6 v6;

	memcpy(&v6, &address->socket, sizeof(v6));
	set_v4(address, &(struct address){0}, ntohs(v6.sin6_port));
}

/* ---- comparing ------------------------------------------------------------------- */

static bool same_v4(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	struct sockaddr_in left, right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return left.sin_port == right.sin_port && left.sin_port != 0 &&
	       left.sin_addr.s_addr == right.sin_addr.s_addr;
}

static bool same_v6(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	struct sockaddr_in6 left, right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return left.sin6_port == right.sin6_port && left.sin6_port != 0 &&
	       memcmp(&left.sin6_addr, &right.sin6_addr, sizeof(left.sin6_addr)) == 0;
}

static bool same_path(const struct bind_address *address, const struct sockaddr_storage *socket)
{
	struct sockaddr_un other;

	memcpy(&other, socket, sizeof(other));
	return slice_equal(
		address->name,
		slice_of(other.sun_path, strnlen(other.sun_path, sizeof(other.sun_path))));
}

static bool takes_both(int fd)
{
	int v6_only = 1;
	socklen_t length = sizeof(v6_only);

	return getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, &length) == 0 && !v6_only;
}

static bool is_same_place(const struct bind_address *address, int fd)
{
	struct sockaddr_storage socket = {0};
	socklen_t length = sizeof(socket);

	if (address->kind == BIND_SYSTEMD ||
	    getsockname(fd, (struct sockaddr *)&socket, &length) != 0 ||
	    socket.ss_family != address->socket.ss_family)
		return false;
	switch (socket.ss_family) {
	case AF_UNIX: return same_path(address, &socket);
	case AF_INET: return same_v4(&address->socket, &socket);
	case AF_INET6: return same_v6(&address->socket, &socket);
	default: return false;
	}
}

static bool is_v6(const struct bind_address *address)
{
	return address->socket.ss_family == AF_INET6;
}

bool bind_address_is_of(const struct bind_address *address, int fd)
{
	return is_same_place(address, fd) && (!is_v6(address) || takes_both(fd) == address->both);
}

bool bind_address_is_met_by(const struct bind_address *address, int fd)
{
	return is_same_place(address, fd) && (!address->both || takes_both(fd));
}
