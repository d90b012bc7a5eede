/* What a sink's options say of which events it takes and what they become: for
 * its lane, and for commands that say what the lane would do. */
#ifndef SINK_RULES_H
#define SINK_RULES_H

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

#endif
