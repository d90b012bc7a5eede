/* How many descriptors the process may have, and whether that is enough for what
 * is configured. Main thread. */
#ifndef SUPERVISE_DESCRIPTORS_H
#define SUPERVISE_DESCRIPTORS_H

#include "supervise/settings.h"

/* Raises the soft limit to the hard one, before anything is opened: every
 * connection is a descriptor, and the soft limit of a shell is made for
 * select(2). */
void descriptors_raise(void);

/* Warns, with numbers, when the configured connections and the reserve do not
 * fit into the limit. */
void descriptors_check(const struct settings *settings);

#endif
