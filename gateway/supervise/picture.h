/* How the gateway stands, as JSON: the admin listener and the control socket
 * show the same picture. Main thread. */
#ifndef SUPERVISE_PICTURE_H
#define SUPERVISE_PICTURE_H

#include "base/buffer.h"
#include "supervise/gateway.h"

/* Whether leads are taken now; otherwise a reason. */
bool picture_ready(const struct gateway *gateway, const char **reason);

/* What a gateway that is ready says: that, and the alerts that are raised. */
void picture_readiness(const struct gateway *gateway, struct buffer *out);

/* One object on one line: process, listeners, store, sources, sinks, alerts. */
void picture_status(const struct gateway *gateway, struct buffer *out);

/* One object a line and sink. */
void picture_sink(const struct gateway *gateway, size_t index, struct buffer *out);

#endif
