/* What a sink's options say of which events it takes and what they become: for
 * its lane, and for commands that say what the lane would do. */
#ifndef SINK_RULES_H
#define SINK_RULES_H

#include "lead/event.h"
#include "sink/filter.h"
#include "sink/lane.h"
#include "sink/mapping.h"

struct run_rules {
	unsigned int types;	 /* bits 1 << EVENT_… */
	bool tests;		 /* leads that are tests too */
	struct filter *when;	 /* NULL: all of these */
	struct mapping *mapping; /* NULL: events go as they are */
	const struct sink_settings *settings;
};

/* Fills it for a sink, whose settings outlive it. False with a reason; rules_fini
 * in any case. One thread at a time. */
bool rules_init(struct run_rules *rules, const struct instance *instance,
		const struct sink_settings *settings, struct error *error);
void rules_fini(struct run_rules *rules);

/* Whether a sink wants an event, and if not, for which of its options. */
enum rules_verdict {
	RULES_WANTED,
	RULES_TYPE,   /* not this type of event */
	RULES_TEST,   /* no tests */
	RULES_WHEN,   /* `when` says no */
	RULES_FAILED, /* `when` failed, and nobody knows */
};

/* Of an event that is neither held nor discarded. `error` is the reason of RULES_FAILED,
 * and quotes nothing of the lead. */
enum rules_verdict rules_judge(const struct run_rules *rules, enum event_type type,
			       struct lg_slice body, struct error *error);

#endif
