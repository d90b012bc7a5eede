/* What is between us and systemd, by libsystemd. Main thread. */
#ifndef SUPERVISE_SYSTEMD_H
#define SUPERVISE_SYSTEMD_H

#include "base/error.h"

/* Takes up the sockets that the process was started with (LISTEN_FDS,
 * sd_listen_fds_with_names(3)), for listeners to borrow (conn/inherited.h); the
 * variables are removed, so that no child takes them for its own. None is no
 * mistake. Before any listener is opened, and again does nothing. False with a
 * sentence. */
bool systemd_take_sockets(struct error *error);

/* Names in the log the sockets that no listener has: whoever connects there
 * would wait in vain. */
void systemd_log_idle_sockets(void);

#endif
