/* Tells the service manager that the gateway is alive, as long as it is: the main
 * thread by asking, each loop by its beat, the writer by never being at one thing for
 * long. When one is stuck the word is not given, and the manager starts us anew.
 *
 * Lanes do not count: a sink's plugin may block, and its trouble is its own; the
 * metrics and the log name it. Main thread. */
#ifndef SUPERVISE_WATCHDOG_H
#define SUPERVISE_WATCHDOG_H

#include "supervise/gateway.h"

struct watchdog;

/* When the manager asks for it; before the loops are started. False: not enough
 * memory. gateway->watchdog stays NULL when nobody asks. */
bool watchdog_open(struct gateway *gateway, struct error *error);
void watchdog_close(struct watchdog **watchdog);

#endif
