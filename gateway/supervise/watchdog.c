#include "supervise/watchdog.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/log.h"
#include "supervise/notify.h"

/* The word is given this often within the manager's time. */
#define WORDS 4
/* A part that was silent for this share of the time is stuck. */
#define SILENCE 2
#define NAME_BYTES 32

struct watchdog {
	const struct gateway *gateway;
	struct loop_timer timer;
	int64_t period_ms; /* of the manager */
	bool silent;	   /* the word is not given now */
};

/* The part that is silent for longest and for how long. */
static int64_t longest_silence(const struct gateway *gateway, char name[NAME_BYTES])
{
	int64_t longest_ms = outbox_busy_ms(gateway->outbox);

	snprintf(name, NAME_BYTES, "writer");
	for (size_t i = 0; i < gateway->worker_count; i++) {
		int64_t silent_ms = worker_silent_ms(&gateway->workers[i]);
		if (silent_ms <= longest_ms)
			continue;
		longest_ms = silent_ms;
		snprintf(name, NAME_BYTES, "loop-%zu", i);
	}
	return longest_ms;
}

static void look(struct watchdog *watchdog)
{
	char name[NAME_BYTES];
	int64_t silent_ms = longest_silence(watchdog->gateway, name);

	if (silent_ms < watchdog->period_ms / SILENCE) {
		watchdog->silent = false;
		notify_alive();
		return;
	}
	if (!watchdog->silent)
		log_error("watchdog.silent", LOG_TEXT("thread", name), LOG_INT("for_ms", silent_ms),
			  LOG_TEXT("reason", "it is stuck, so the service manager is not told "
					     "that we are alive"));
	watchdog->silent = true;
}

static void on_timer(struct loop_timer *timer)
{
	struct watchdog *watchdog = container_of(timer, struct watchdog, timer);

	look(watchdog);
	loop_timer_set(timer, watchdog->period_ms / WORDS);
}

bool watchdog_open(struct gateway *gateway, struct error *error)
{
	int64_t period_ms = notify_watchdog_ms();
	struct watchdog *watchdog;

	if (period_ms < WORDS)
		return true;
	watchdog = alloc_zalloc(sizeof(*watchdog));
	if (!watchdog)
		return error_set(error, "not enough memory");
	*watchdog = (struct watchdog){.gateway = gateway, .period_ms = period_ms};
	loop_timer_init(&watchdog->timer, gateway->loop, on_timer);
	gateway->watchdog = watchdog;
	for (size_t i = 0; i < gateway->worker_count; i++)
		if (!worker_beat(&gateway->workers[i], period_ms / WORDS))
			return error_set(error, "not enough memory");
	return loop_timer_set(&watchdog->timer, 0) || error_set(error, "not enough memory");
}

void watchdog_close(struct watchdog **pointer)
{
	struct watchdog *watchdog = *pointer;

	*pointer = NULL;
	if (!watchdog)
		return;
	loop_timer_fini(&watchdog->timer);
	alloc_free(watchdog);
}
