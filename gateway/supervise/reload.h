/* A new configuration without an end of the old one: it is read, checked and
 * opened beside the generation that serves, then the loops change over, each in
 * its next round, then what is left of the old one is drained. Whatever goes
 * wrong before the change leaves everything as it was, and is told whole.
 *
 * One reload at a time; however many are asked for meanwhile, one more follows.
 * It reads the file that the process was started with. Main thread. */
#ifndef SUPERVISE_RELOAD_H
#define SUPERVISE_RELOAD_H

#include "supervise/gateway.h"

/* Somebody who waits. Lines of JSON are added to `answer`, then `done` is
 * called once, from within the call or later. */
struct reload_ticket {
	struct list link;
	struct buffer *answer;
	void (*done)(struct reload_ticket *ticket);
	int64_t generation; /* reload_await_drain: this one and younger may live */
};

/* Sets gateway->reload. `config_path` outlives it. False: no memory or no
 * descriptor. */
bool reload_open(struct gateway *gateway, const char *config_path, struct error *error);
void reload_close(struct reload **reload);
/* Gives up addresses that a reload has bound which did not come to its change any
 * more. The loops have stopped. */
void reload_deafen(struct reload *reload);

/* Reloads, or has one more reload follow the one that is under way. `ticket` may
 * be NULL; it is answered when the loops have changed over, or when it failed:
 *   {"change":"kept","kind":"sink","name":"archive"}   an item a line, then
 *   {"generation":7}   or   {"error":"…","configuration":true} */
void reload_ask(struct reload *reload, struct reload_ticket *ticket);

/* Answers {"drained":7} when no older generation than the ticket's has a request
 * under way and no lane is ending. */
void reload_await_drain(struct reload *reload, struct reload_ticket *ticket);

/* Takes a ticket back before it was answered; afterwards does no harm. */
void reload_forget(struct reload_ticket *ticket);

/* What a drain waits for, as {"error":"…"}. */
void reload_say_waiting(const struct reload *reload, struct buffer *answer);

#endif
