/* The admin listener: health, readiness, metrics and lists over HTTP, on the
 * main thread's loop. It only reads. */
#ifndef SUPERVISE_ADMIN_H
#define SUPERVISE_ADMIN_H

#include "http/change.h"
#include "supervise/gateway.h"

/* Opens it at admin.address on the gateway's loop; sets gateway->admin. Without
 * an address nobody can connect, until a reload gives one. */
bool admin_open(struct gateway *gateway, struct error *error);

/* What other settings change of it; NULL with a sentence. */
struct http_change *admin_change(struct gateway *gateway, const struct settings *settings,
				 struct error *error);

#endif
