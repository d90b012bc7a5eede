/* The admin listener: health, readiness, metrics and lists over HTTP, on the
 * main thread's loop. It only reads. */
#ifndef SUPERVISE_ADMIN_H
#define SUPERVISE_ADMIN_H

#include "supervise/gateway.h"

/* Opens it at admin.address on the gateway's loop; sets gateway->admin. True
 * without an address. */
bool admin_open(struct gateway *gateway, struct error *error);

#endif
