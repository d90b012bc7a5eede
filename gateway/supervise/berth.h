/* Where a sink's lane lies: the place that outlives lanes and generations. It
 * goes by the sink's name. A lane whose section is the same in the next
 * generation is adopted and goes on; another one is stopped, and its successor
 * begins when it has ended, where it ended. Nobody waits meanwhile.
 *
 * Two lanes never serve one sink at once. So a lane that hangs in its plugin
 * beyond its deadline holds its successor up, which is named in the log once
 * and shown by `leadgate sinks`: it goes on when the plugin's call returns, or
 * with the next start of the process. Main thread. */
#ifndef SUPERVISE_BERTH_H
#define SUPERVISE_BERTH_H

#include "base/list.h"
#include "base/loop.h"
#include "supervise/generation.h"

/* One sink by one generation's word. */
struct tenant {
	struct generation *generation; /* a reference; NULL: nobody */
	struct sink_section *section;
};

struct berth {
	struct list link;
	char name[64];
	struct lane *lane;     /* NULL: none */
	struct tenant present; /* whose lane it is */
	struct tenant next;    /* who comes when it has ended */
	bool stopping;	       /* the lane was told to end */
	bool hang_said;
	int64_t hangs_from_ms; /* monotonic: it has had all the time it may take */
	int64_t retry_from_ms; /* monotonic: a lane could not be started before */
};

/* Keeps a sink from having a lane. */
struct berth_bar {
	struct list link;
	struct lg_slice sink;
};

struct berths {
	struct list all;
	struct list bars;
	struct outbox *outbox;
	struct lg_slice store_path;
	struct loop_timer timer;	      /* looks while somebody is ending or cannot begin */
	void (*moved)(struct berths *berths); /* a lane has begun or ended */
};

void berths_init(struct berths *berths, struct loop *loop, void (*moved)(struct berths *berths));
/* What lanes work on; before the first berths_adopt. The path outlives them. */
void berths_open(struct berths *berths, struct outbox *outbox, struct lg_slice store_path);

/* Makes the berths that a generation's sinks need; false when memory ran out,
 * and then there are no more than before. */
bool berths_prepare(struct berths *berths, const struct settings *settings);
/* Takes back what was prepared for a generation that does not come. */
void berths_sweep(struct berths *berths);

/* Keeps, stops and starts lanes as a generation wants it; berths_prepare first.
 * With `error` a lane that cannot be started fails it (at the process's start);
 * without, it is logged and tried again. */
bool berths_adopt(struct berths *berths, struct generation *generation, struct error *error);

/* From now on no lane of the sink begins: what it would read of the journal is
 * being changed. The bar and the name are the caller's until berths_unbar, after
 * which a lane that is wanted begins by itself. */
void berths_bar(struct berths *berths, struct berth_bar *bar, struct lg_slice sink);
void berths_unbar(struct berth_bar *bar);

/* The lane of a sink; NULL: none now. */
struct lane *berths_lane(const struct berths *berths, struct lg_slice name);

/* The first lane that still has to end for its successor, or because its sink
 * was removed; NULL: none. */
const struct berth *berths_ending(const struct berths *berths);

/* Tells all lanes to end, shortly before `until_ms` (monotonic) without an answer to
 * what is under way, and waits for them as long as `patient` says so, or for two
 * seconds, whichever is longer; it is asked between short waits. False: a lane hangs
 * in its plugin. */
bool berths_stop(struct berths *berths, int64_t until_ms, bool (*patient)(void *arg), void *arg);
/* Lanes that have not ended. */
size_t berths_count(const struct berths *berths);
void berths_fini(struct berths *berths);

#endif
