#include "supervise/reload_drains.h"

#include <stdio.h>

#include "supervise/reload_text.h"

/* How often connections of removed addresses are counted for who waits. */
#define LOOK_MS 20

int64_t reload_drains_older(const struct reload_drains *drains, int64_t number)
{
	int64_t count = 0;

	LIST_EACH(link, &drains->gateway->generations) {
		const struct generation *generation = container_of(link, struct generation, link);
		count += generation->number < number && generation->out > 0;
	}
	return count;
}

/* Addresses that were removed and have connections still. */
static size_t draining_addresses(const struct gateway *gateway)
{
	return http_server_draining(gateway->server) + http_server_draining(gateway->admin);
}

void reload_drains_look(struct reload_drains *drains)
{
	struct gateway *gateway = drains->gateway;
	bool ending = berths_ending(&gateway->berths) || draining_addresses(gateway) > 0;

	LIST_EACH_SAFE(link, &drains->tickets) {
		struct reload_ticket *ticket = container_of(link, struct reload_ticket, link);

		if (ending || reload_drains_older(drains, ticket->generation) > 0)
			continue;
		list_remove(link);
		reload_text_number(ticket->answer, "drained", ticket->generation);
		ticket->done(ticket);
	}
	if (!list_empty(&drains->tickets))
		loop_timer_set(&drains->timer, LOOK_MS);
}

static void on_timer(struct loop_timer *timer)
{
	reload_drains_look(container_of(timer, struct reload_drains, timer));
}

void reload_drains_init(struct reload_drains *drains, struct gateway *gateway)
{
	drains->gateway = gateway;
	list_init(&drains->tickets);
	loop_timer_init(&drains->timer, gateway->loop, on_timer);
}

void reload_drains_fini(struct reload_drains *drains)
{
	loop_timer_fini(&drains->timer);
}

void reload_drains_await(struct reload_drains *drains, struct reload_ticket *ticket)
{
	list_append(&drains->tickets, &ticket->link);
	reload_drains_look(drains);
}

void reload_drains_say(const struct reload_drains *drains, struct buffer *answer)
{
	const struct gateway *gateway = drains->gateway;
	const struct berth *berth = berths_ending(&gateway->berths);
	int64_t older = reload_drains_older(drains, gateway->generation->number);
	char text[160];

	if (berth)
		snprintf(text, sizeof(text), "the lane of sink %s has not ended yet", berth->name);
	else if (older > 0)
		snprintf(text, sizeof(text), "%lld older generations have requests under way",
			 (long long)older);
	else if (draining_addresses(gateway) > 0)
		snprintf(text, sizeof(text), "removed addresses have connections still");
	else
		snprintf(text, sizeof(text), "it is still under way, and goes on");
	reload_text_error(answer, slice_from(text), false);
}
