/* How the gateway stands, as JSON: the admin listener and the control socket
 * show the same picture. Main thread. */
#ifndef SUPERVISE_PICTURE_H
#define SUPERVISE_PICTURE_H

#include "base/buffer.h"
#include "supervise/gateway.h"

/* Whether leads are taken now; otherwise a reason. */
bool picture_ready(const struct gateway *gateway, const char **reason);

/* One object on one line: process, listeners, store, sources, sinks. */
void picture_status(const struct gateway *gateway, struct buffer *out);

/* One object a line and sink. */
void picture_sink(const struct gateway *gateway, size_t index, struct buffer *out);

#endif
