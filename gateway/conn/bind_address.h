/* What the address of a listener means. Pure, but for bind_address_is_of; any
 * thread. */
#ifndef CONN_BIND_ADDRESS_H
#define CONN_BIND_ADDRESS_H

#include <sys/socket.h>

#include "base/error.h"
#include "base/slice.h"

enum bind_kind {
	BIND_IP,
	BIND_UNIX,   /* unix:/run/leadgate/http.sock */
	BIND_SYSTEMD /* systemd:NAME: a socket that the process was started with */
};

struct bind_address {
	enum bind_kind kind;
	struct sockaddr_storage socket; /* of BIND_IP and BIND_UNIX */
	socklen_t length;
	bool both;	      /* "*": IPv4 through the IPv6 socket */
	struct lg_slice name; /* the path or the name: a part of the text */
};

/* "127.0.0.1:8080", "[::1]:8080" (IPv6 alone, also "[::]"), "*:8080" (every
 * address of both families), "unix:/PATH", "systemd:NAME". False with a
 * sentence. */
bool bind_address_parse(struct lg_slice text, struct bind_address *address, struct error *error);

/* "*" becomes every IPv4 address, for a machine without IPv6. */
void bind_address_without_v6(struct bind_address *address);

/* Whether a socket is bound just there. Port 0 is nobody's. */
bool bind_address_is_of(const struct bind_address *address, int fd);
/* The same, or the socket takes IPv4 too where the address asks for IPv6 alone: one
 * that others have made does so unless they have said that it shall not. */
bool bind_address_is_met_by(const struct bind_address *address, int fd);

#endif
