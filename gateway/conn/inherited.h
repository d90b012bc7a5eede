/* Listening sockets that the process was started with (socket activation):
 * whoever started it keeps them too, so that nobody who connects is turned away
 * while one process ends and the next begins.
 *
 * A socket is lent to one listener at a time and never closed. The table is
 * the process's; the thread that opens listeners fills and asks it, and a
 * listener gives back on its own thread. */
#ifndef CONN_INHERITED_H
#define CONN_INHERITED_H

#include "base/error.h"
#include "conn/bind_address.h"

#define INHERITED_MAX 64
#define INHERITED_NAME_BYTES 256 /* sd_listen_fds_with_names(3): at most 255 */

struct inherited;

/* Takes a descriptor up: a listening stream socket of IPv4, IPv6 or unix.
 * Before any listener is opened. False with a sentence. */
bool inherited_add(int fd, const char *name, struct error *error);

/* Lends the first that fits the address, by its name ("systemd:NAME") or
 * because it is bound there, and that nobody has; one that takes IPv4 beside the IPv6
 * that is asked for only when no other fits. NULL: none. */
struct inherited *inherited_lend(const struct bind_address *address);
int inherited_fd(const struct inherited *inherited);
void inherited_give_back(struct inherited *inherited);

/* The name of the index-th that no listener has, in any order; NULL after the
 * last. */
const char *inherited_idle(size_t index);

/* Forgets all, for tests; descriptors stay open. */
void inherited_forget(void);

#endif
