/* What reloads leave behind: older generations with requests under way, lanes that end,
 * removed addresses with connections. Who waits for all that to drain is answered here.
 * Inner part of reload.c. Main thread. */
#ifndef SUPERVISE_RELOAD_DRAINS_H
#define SUPERVISE_RELOAD_DRAINS_H

#include "supervise/reload.h"

struct reload_drains {
	struct gateway *gateway;
	struct list tickets;	 /* of who waits, who owns them */
	struct loop_timer timer; /* looks at what nobody reports */
};

void reload_drains_init(struct reload_drains *drains, struct gateway *gateway);
/* Who waits still hears nothing any more. */
void reload_drains_fini(struct reload_drains *drains);

/* One more who waits. `done` is called from within the call, or later. */
void reload_drains_await(struct reload_drains *drains, struct reload_ticket *ticket);

/* Answers whoever has waited long enough. To be called when something may have drained. */
void reload_drains_look(struct reload_drains *drains);

/* How many generations older than `number` have requests under way. */
int64_t reload_drains_older(const struct reload_drains *drains, int64_t number);

/* Adds what is waited for, as {"error":"…"}. */
void reload_drains_say(const struct reload_drains *drains, struct buffer *answer);

#endif
