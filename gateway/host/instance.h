/* One configured use of a plugin: its settings, its handle, its counters. */
#ifndef HOST_INSTANCE_H
#define HOST_INSTANCE_H

#include <leadgate/services.h>
#include <leadgate/sink.h>
#include <leadgate/source.h>

#include "host/library.h"

struct instance {
	struct lg_host host; /* first: what the plugin holds */
	const struct library *library;
	struct lg_slice name; /* "contact-form" */
	void *settings;
	void *state; /* what `open` made */
	bool opened;
	void *carrier; /* the lane that runs a sink; NULL before and after */
	/* The operations as this gateway understands them; missing is NULL. */
	struct lg_source_operations source;
	struct lg_sink_operations sink;
	struct lg_slice description; /* "source contact-form" for messages; ends with a zero byte */
};

/* Reads the settings of a section (`others`: keys that belong to the gateway)
 * and runs the plugin's own check. All mistakes go to the document. NULL when
 * there were any. Memory belongs to the document. Main thread. */
struct instance *instance_new(struct document *document, struct fy_node *map, struct lg_slice name,
			      const struct library *library, const char *const *others,
			      const struct bind_hooks *hooks, const struct lg_services *services);

/* Calls the plugin's open and close; a sink's lane does it on its own thread. */
bool instance_open(struct instance *instance, struct error *error);
void instance_close(struct instance *instance);

/* A source whose plugin has no way to prove who sends (LG_HAS_AUTH), or whose
 * secrets are all unset, starts only when its section says `auth: none`. False
 * with a sentence that says so. True for sinks. */
bool instance_auth_check(const struct instance *instance, bool none_is_said, struct error *error);

#endif
