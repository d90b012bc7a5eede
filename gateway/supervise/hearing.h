/* When each source was heard last, for those whose silence is an alert. By their
 * counters, so that a lead costs nothing more. Main thread. */
#ifndef SUPERVISE_HEARING_H
#define SUPERVISE_HEARING_H

#include "supervise/alert.h"
#include "supervise/settings.h"

struct hearing {
	struct list all; /* by name */
};

void hearing_init(struct hearing *hearing);
void hearing_fini(struct hearing *hearing);

/* Looks at the sources of the settings that say `alert_silent`, and tells the
 * alerts what it has found; between alerts_begin and alerts_end. Of a source
 * that is new to it the journal is asked. */
void hearing_listen(struct hearing *hearing, const struct settings *settings, struct reader *reader,
		    struct alerts *alerts);

#endif
