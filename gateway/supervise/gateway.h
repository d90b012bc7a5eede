/* The running gateway's parts, for those who start, show and stop them. All of
 * it belongs to the main thread; what other threads use of it is constant while
 * they run. */
#ifndef SUPERVISE_GATEWAY_H
#define SUPERVISE_GATEWAY_H

#include "supervise/berth.h"
#include "supervise/generation.h"
#include "supervise/settings.h"
#include "supervise/worker.h"

struct access_log;
struct control;
struct monitor;
struct reload;
struct watchdog;

struct gateway {
	struct settings *settings;     /* of the generation that serves */
	struct generation *generation; /* the one that serves */
	struct generation *first;      /* what cannot change is in its memory */
	struct list generations;       /* all that are in use, oldest first */
	struct mailbox home;	       /* where shares of the loops come home */
	struct outbox *outbox;
	struct meter_table *addresses; /* rates of clients, over all generations */
	struct keep *keep;	       /* what plugins keep, over all generations */
	struct fetcher *fetcher;       /* the errand thread */
	struct worker *workers;
	size_t worker_count;
	struct berths berths;
	struct lane **lanes; /* as many as settings->sink_count; NULL: none now */
	struct http_server *server;
	struct loop *loop; /* the main thread's own */
	struct http_server *admin;
	struct control *control;
	struct reload *reload;
	struct monitor *monitor;
	struct access_log *access_log;
	struct watchdog *watchdog; /* NULL: nobody asks */
	int64_t started_ms;	   /* wall clock */
	bool draining;
	bool unhoused; /* an address could not be had: that may pass by itself */
};

/* What a stop had to leave undone. */
struct gateway_left {
	size_t connections; /* closed by us, those that were idle among them */
	size_t requests;    /* of these: with a request or its answer under way */
	size_t lanes;	    /* hang in their plugin; the errand thread counts as one */
};

/* Opens the store, the sources, the listeners and the lanes, and starts the
 * loops, on gateway->loop and for gateway->first, whose configuration was read
 * from `config_path`. `patience` is for the store, which may be another's yet; before
 * it is ours nothing is bound or accepted. False with a reason, which is also in the generation's
 * errors when it has a place in the configuration; gateway_stop takes down what
 * there is. */
bool gateway_start(struct gateway *gateway, const char *config_path,
		   const struct outbox_patience *patience, struct error *error);

/* Names addresses, sources and sinks in the log. */
void gateway_log(const struct gateway *gateway);
/* The addresses alone. */
void gateway_log_addresses(const struct gateway *gateway);

/* Stops the loops, then waits for lanes as long as `patient` says so; until_ms as
 * in berths_stop. `left` is filled in either case. False when a lane hangs in its
 * plugin and so still uses all the rest, which then stays: what was acknowledged is
 * on disk, and the process ends. The store is given up last of all that a successor
 * would find in its way. */
bool gateway_stop(struct gateway *gateway, int64_t until_ms, bool (*patient)(void *arg), void *arg,
		  struct gateway_left *left);

#endif
