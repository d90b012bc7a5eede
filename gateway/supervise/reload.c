#include "supervise/reload.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/counter.h"
#include "base/file.h"
#include "base/log.h"
#include "supervise/admin.h"
#include "supervise/descriptors.h"
#include "supervise/difference.h"
#include "supervise/notify.h"
#include "supervise/reload_drains.h"
#include "supervise/reload_text.h"

struct reload {
	struct gateway *gateway;
	const char *config_path;
	struct loop_mailbox box; /* shares that come home */
	struct list asked;	 /* tickets of the reload that follows */
	struct list served;	 /* of the one whose generation the loops change to */
	struct reload_drains drains;
	struct buffer plan; /* what the reload under way says */
	/* Of the listeners for leads and of the admin listener: made before the
	 * change, begun when all loops have the new generation. */
	struct http_change *changes[2];
	size_t changes_out;
	int access_fd;		/* of the access log, opened beforehand; -1: none */
	struct mailbox mailbox; /* they come home to it */
	struct loop_mailbox changes_box;
	bool changing, again; /* the loops change over; another reload follows */
	bool moves;	      /* addresses are to be named in the log */
	int done, failed;     /* counters */
};

static void run(struct reload *reload);

/* ---- answers ----------------------------------------------------------------------- */

static void answer_all(struct list *tickets, struct lg_slice text)
{
	LIST_EACH_SAFE(link, tickets) {
		struct reload_ticket *ticket = container_of(link, struct reload_ticket, link);

		list_remove(link);
		buffer_add_slice(ticket->answer, text);
		ticket->done(ticket);
	}
}

static void move_all(struct list *to, struct list *from)
{
	LIST_EACH_SAFE(link, from) {
		list_remove(link);
		list_append(to, link);
	}
}

/* ---- failing ------------------------------------------------------------------------- */

static void fail(struct reload *reload, struct list *tickets, struct lg_slice text,
		 bool of_configuration)
{
	struct buffer line;

	reload_text_log_errors(text);
	log_notice("reload.kept", LOG_INT("generation", reload->gateway->generation->number));
	if (!reload->gateway->draining)
		notify_ready();
	counter_inc(reload->failed);
	buffer_init(&line, SIZE_MAX);
	reload_text_error(&line, text, of_configuration);
	answer_all(tickets, buffer_slice(&line));
	buffer_fini(&line);
}

/* ---- changing over ----------------------------------------------------------------------- */

static void show_lanes(struct gateway *gateway)
{
	for (size_t i = 0; i < gateway->settings->sink_count; i++)
		gateway->lanes[i] = berths_lane(&gateway->berths,
						gateway->settings->sinks[i].instance->name);
}

static void on_moved(struct berths *berths)
{
	struct gateway *gateway = container_of(berths, struct gateway, berths);

	show_lanes(gateway);
	reload_drains_look(&gateway->reload->drains);
}

/* From here on nothing fails. */
static void change_over(struct reload *reload, struct generation *next)
{
	struct gateway *gateway = reload->gateway;
	struct generation *old = gateway->generation;

	next->number = old->number + 1;
	list_append(&gateway->generations, &next->link);
	gateway->generation = next;
	gateway->settings = next->settings;
	gateway->lanes = next->lanes;
	log_set_level(next->settings->core.log_level);
	descriptors_check(next->settings);
	access_log_change(gateway->access_log, &next->settings->access_log, reload->access_fd);
	reload->access_fd = -1;
	reload->changing = true;
	generation_fetch(next, gateway->fetcher, gateway->keep, &gateway->home);
	generation_hand_out(next, gateway->workers);
	berths_adopt(&gateway->berths, next, NULL);
	show_lanes(gateway);
	generation_unref(&old);
}

static void run_again(struct reload *reload)
{
	reload->again = false;
	run(reload);
}

static void finish(struct reload *reload)
{
	int64_t number = reload->gateway->generation->number;

	reload->changing = false;
	if (reload->moves)
		gateway_log_addresses(reload->gateway);
	counter_inc(reload->done);
	log_notice("reload.done", LOG_INT("generation", number));
	if (!reload->gateway->draining)
		notify_ready();
	reload_text_number(&reload->plan, "generation", number);
	answer_all(&reload->served, buffer_slice(&reload->plan));
	if (reload->again)
		run_again(reload);
}

static void begin_changes(struct reload *reload)
{
	for (size_t i = 0; i < sizeof(reload->changes) / sizeof(reload->changes[0]); i++) {
		http_change_begin(reload->changes[i], &reload->mailbox);
		reload->changes[i] = NULL;
		reload->changes_out++;
	}
}

/* All loops serve the newest generation: its addresses may change, or, where it is the
 * first, the next may come that was asked for too early. */
static void go_on(struct reload *reload)
{
	if (reload->changing && reload->changes[0])
		begin_changes(reload);
	else if (!reload->changing && reload->again)
		run_again(reload);
}

static void on_share(struct loop_mailbox *box, struct letter *letter)
{
	struct reload *reload = container_of(box, struct reload, box);

	generation_take_home(container_of(letter, struct worker_share, letter));
	if (generation_is_taken(reload->gateway->generation))
		go_on(reload);
	reload_drains_look(&reload->drains);
}

static void on_change(struct loop_mailbox *box, struct letter *letter)
{
	struct reload *reload = container_of(box, struct reload, changes_box);

	http_change_end(http_change_of(letter));
	if (--reload->changes_out == 0)
		finish(reload);
}

/* ---- preparing ------------------------------------------------------------------------------ */

/* Compared before what cannot change is taken over. */
static bool plan(struct reload *reload, const struct settings *next, struct arena *arena,
		 struct difference *difference)
{
	buffer_clear(&reload->plan);
	if (!difference_make(arena, reload->gateway->settings, next, difference))
		return false;
	for (size_t i = 0; i < difference->count; i++)
		reload_text_item(&reload->plan, &difference->items[i]);
	return !reload->plan.failed;
}

static void free_changes(struct reload *reload)
{
	http_change_free(&reload->changes[0]);
	http_change_free(&reload->changes[1]);
}

/* Binds what is new; a mistake is shown where it stands in the configuration. */
static bool prepare_listeners(struct reload *reload, struct settings *next, struct error *error)
{
	struct gateway *gateway = reload->gateway;

	reload->changes[0] = http_change_new(gateway->server, next->listens, next->listen_count,
					     &next->http, error);
	if (!reload->changes[0]) {
		settings_error(next, "listen", error->text);
		return false;
	}
	reload->changes[1] = admin_change(gateway, next, error);
	if (reload->changes[1])
		return true;
	settings_error(next, "admin", error->text);
	free_changes(reload);
	return false;
}

static bool prepare_access_log(struct reload *reload, struct settings *next, struct error *error)
{
	if (access_log_prepare(&next->access_log, &reload->access_fd, error))
		return true;
	settings_error(next, "access_log", error->text);
	return false;
}

static void drop_access_log(struct reload *reload)
{
	if (reload->access_fd >= 0)
		close(reload->access_fd);
	reload->access_fd = -1;
}

/* The listeners last: nothing fails after them. */
static bool prepare(struct reload *reload, struct generation *next, struct error *error)
{
	struct gateway *gateway = reload->gateway;

	settings_keep_fixed(next->settings, gateway->first->settings);
	return generation_open(next, gateway->outbox, gateway->addresses,
			       &gateway->first->settings->lead, gateway->worker_count, error) &&
	       (berths_prepare(&gateway->berths, next->settings) ||
		error_set(error, "not enough memory")) &&
	       prepare_access_log(reload, next->settings, error) &&
	       prepare_listeners(reload, next->settings, error);
}

/* Whether one may be done now; otherwise a reason. */
static bool may_run(const struct reload *reload, const char **reason)
{
	if (reload->gateway->draining)
		*reason = "the gateway is stopping";
	else if (reload_drains_older(&reload->drains, reload->gateway->generation->number) >=
		 reload->gateway->settings->core.generations)
		*reason = "too many older generations have requests under way";
	else
		return true;
	return false;
}

/* What was read without a mistake is put to use, or given up. */
static void put_to_use(struct reload *reload, struct generation *next, struct list *tickets)
{
	struct difference difference;
	struct error error = {0};
	struct arena arena;

	arena_init(&arena, 4096, 0);
	if (!plan(reload, next->settings, &arena, &difference)) {
		fail(reload, tickets, LG_SLICE("not enough memory"), false);
		generation_unref(&next);
	} else if (prepare(reload, next, &error)) {
		reload_text_log_changes(&difference);
		reload->moves = difference_moves(&difference);
		move_all(&reload->served, tickets);
		change_over(reload, next);
	} else {
		bool placed = buffer_length(&next->errors) > 0;

		fail(reload, tickets, placed ? buffer_slice(&next->errors) : slice_from(error.text),
		     placed);
		berths_sweep(&reload->gateway->berths);
		drop_access_log(reload);
		generation_unref(&next);
	}
	arena_fini(&arena);
}

/* A start may be handed a pipe. It cannot be read again, and to wait for its writer would
 * hold up the main thread for ever. */
static struct generation *load(const char *path, struct buffer *errors)
{
	struct error error = {""};

	if (file_check(path, SIZE_MAX, &error))
		return generation_load(path, settings_load_strictly, errors);
	buffer_printf(errors, "%s: error: cannot be read: %s\n", path, error.text);
	return NULL;
}

static void run(struct reload *reload)
{
	struct generation *next;
	struct list tickets;
	struct buffer errors;
	const char *reason;

	list_init(&tickets);
	move_all(&tickets, &reload->asked);
	if (!may_run(reload, &reason)) {
		fail(reload, &tickets, slice_from(reason), false);
		return;
	}
	notify_reloading();
	buffer_init(&errors, SIZE_MAX);
	next = load(reload->config_path, &errors);
	if (next)
		put_to_use(reload, next, &tickets);
	else
		fail(reload, &tickets, buffer_slice(&errors), true);
	buffer_fini(&errors);
}

void reload_ask(struct reload *reload, struct reload_ticket *ticket)
{
	if (ticket)
		list_append(&reload->asked, &ticket->link);
	/* A share comes home as taken before the loop may be handed the next. */
	if (reload->changing || !generation_is_taken(reload->gateway->generation))
		reload->again = true;
	else
		run(reload);
}

void reload_await_drain(struct reload *reload, struct reload_ticket *ticket)
{
	reload_drains_await(&reload->drains, ticket);
}

void reload_say_waiting(const struct reload *reload, struct buffer *answer)
{
	reload_drains_say(&reload->drains, answer);
}

void reload_forget(struct reload_ticket *ticket)
{
	list_remove(&ticket->link);
}

/* ---- beginning and end ------------------------------------------------------------------------ */

bool reload_open(struct gateway *gateway, const char *config_path, struct error *error)
{
	struct reload *reload = alloc_zalloc(sizeof(*reload));

	if (!reload)
		return error_set(error, "not enough memory");
	gateway->reload = reload;
	reload->gateway = gateway;
	reload->config_path = config_path;
	reload->mailbox.fd = -1;
	reload->access_fd = -1;
	list_init(&reload->asked);
	list_init(&reload->served);
	buffer_init(&reload->plan, SIZE_MAX);
	reload->done = counter_register(COUNTER_COUNTER, "leadgate_reloads_total",
					"result=\"done\"", "Reloads by how they ended");
	reload->failed = counter_register(COUNTER_COUNTER, "leadgate_reloads_total",
					  "result=\"failed\"", "Reloads by how they ended");
	berths_init(&gateway->berths, gateway->loop, on_moved);
	reload_drains_init(&reload->drains, gateway);
	if (mailbox_init(&reload->mailbox) &&
	    loop_mailbox_init(&reload->box, gateway->loop, &gateway->home, on_share) &&
	    loop_mailbox_init(&reload->changes_box, gateway->loop, &reload->mailbox, on_change))
		return true;
	return error_set(error, "not enough memory or descriptors");
}

void reload_deafen(struct reload *reload)
{
	free_changes(reload);
}

void reload_close(struct reload **reload)
{
	struct reload *r = *reload;

	*reload = NULL;
	if (!r)
		return;
	free_changes(r);
	reload_drains_fini(&r->drains);
	if (r->box.mailbox)
		loop_mailbox_fini(&r->box);
	if (r->changes_box.mailbox)
		loop_mailbox_fini(&r->changes_box);
	mailbox_fini(&r->mailbox);
	buffer_fini(&r->plan);
	alloc_free(r);
}
