#include "conn/conn_deadline.h"

#include "base/error.h"

/* How often the rate of bodies is looked at. */
#define RATE_TICK_MS 1000

static const enum conn_reason timeout_reasons[CONN_STATE_COUNT] = {
	[CONN_IDLE] = CONN_IDLE_TIMEOUT,   [CONN_HANDSHAKE] = CONN_HANDSHAKE_TIMEOUT,
	[CONN_HEAD] = CONN_HEAD_TIMEOUT,   [CONN_BODY] = CONN_BODY_TIMEOUT,
	[CONN_WRITE] = CONN_WRITE_TIMEOUT,
};

/* What came while the grace ran out is still read in this round of the loop. */
static void expire(struct conn *conn, enum conn_state state)
{
	bool drained = state == CONN_IDLE && conn->group->draining;

	if (drained && conn_has_unread(conn))
		conn_move(conn, state);
	else
		conn_expire(conn, drained ? CONN_DRAINED : timeout_reasons[state]);
}

/* A state's time is one number, so its list is in the order of deadlines and
 * only heads need to be looked at. Each step ends a connection or moves it. */
static void expire_state(struct conn_group *group, enum conn_state state, int64_t now_ms)
{
	struct list *first;

	while ((first = list_first(&group->states[state]))) {
		struct conn *conn = container_of(first, struct conn, node);
		if (conn->deadline_ms > now_ms) {
			conn_deadline_arm(group, conn->deadline_ms);
			return;
		}
		expire(conn, state);
		ALWAYS(list_first(&group->states[state]) != first || conn->deadline_ms > now_ms);
	}
}

static bool is_too_slow(const struct conn *conn, int64_t now_ms)
{
	const struct conn_settings *settings = &conn->group->settings;
	int64_t elapsed_ms = now_ms - conn->since_ms;

	return elapsed_ms >= settings->rate_grace_ms &&
	       (int64_t)conn->received_bytes < settings->minimum_rate_bytes * elapsed_ms / 1000;
}

static void check_rates(struct conn_group *group, int64_t now_ms)
{
	struct list *bodies = &group->states[CONN_BODY];

	if (group->settings.minimum_rate_bytes <= 0)
		return;
	LIST_EACH_SAFE(node, bodies) {
		struct conn *conn = container_of(node, struct conn, node);
		if (is_too_slow(conn, now_ms))
			conn_expire(conn, CONN_TOO_SLOW);
	}
	if (!list_empty(bodies))
		conn_deadline_arm(group, now_ms + RATE_TICK_MS);
}

/* While the server drains, who has not begun a handshake when the grace ends will not. */
static void end_silence(struct conn_group *group, int64_t now_ms)
{
	if (now_ms < group->silence_ends_ms) {
		conn_deadline_arm(group, group->silence_ends_ms);
		return;
	}
	group->silence_ends_ms = INT64_MAX;
	LIST_EACH_SAFE(node, &group->states[CONN_HANDSHAKE]) {
		struct conn *conn = container_of(node, struct conn, node);
		if (conn_is_silent(conn))
			conn_close(conn, CONN_DRAINED);
	}
}

static void on_timer(struct loop_timer *timer)
{
	struct conn_group *group = container_of(timer, struct conn_group, timer);
	int64_t now_ms = loop_now_ms(group->loop);

	group->armed_ms = INT64_MAX;
	for (int state = 0; state < CONN_CLOSED; state++)
		expire_state(group, (enum conn_state)state, now_ms);
	check_rates(group, now_ms);
	if (group->silence_ends_ms != INT64_MAX)
		end_silence(group, now_ms);
}

/* Without memory for a timer the next connection that moves arms it. */
void conn_deadline_arm(struct conn_group *group, int64_t due_ms)
{
	if (due_ms >= group->armed_ms)
		return;
	if (loop_timer_set(&group->timer, due_ms - loop_now_ms(group->loop)))
		group->armed_ms = due_ms;
}

/* Keeps a state's list in the order of deadlines: both terms grow with since_ms,
 * and whoever comes into the state later gets a deadline that is later still. */
static int64_t new_deadline(const struct conn *conn, int64_t timeout_ms, int64_t now_ms)
{
	int64_t from_now_ms = now_ms + timeout_ms;
	int64_t clipped_ms = conn->deadline_ms < from_now_ms ? conn->deadline_ms : from_now_ms;
	int64_t whole_ms = conn->since_ms + timeout_ms;

	return whole_ms > clipped_ms ? whole_ms : clipped_ms;
}

void conn_deadline_begin(struct conn *conn)
{
	struct conn_group *group = conn->group;
	int64_t timeout_ms = group->settings.timeout_ms[conn->state];

	conn->deadline_ms = timeout_ms > 0 ? conn->since_ms + timeout_ms : INT64_MAX;
	conn_deadline_arm(group, conn->deadline_ms);
	if (conn->state == CONN_BODY && group->settings.minimum_rate_bytes > 0)
		conn_deadline_arm(group, conn->since_ms + group->settings.rate_grace_ms);
}

void conn_deadline_renew(struct conn_group *group)
{
	const struct conn_settings *settings = &group->settings;
	int64_t now_ms = loop_now_ms(group->loop);

	for (int state = 0; state < CONN_CLOSED; state++) {
		if (settings->timeout_ms[state] <= 0)
			continue;
		LIST_EACH(node, &group->states[state]) {
			struct conn *conn = container_of(node, struct conn, node);
			conn->deadline_ms = new_deadline(conn, settings->timeout_ms[state], now_ms);
			conn_deadline_arm(group, conn->deadline_ms);
		}
	}
	if (!list_empty(&group->states[CONN_BODY]) && settings->minimum_rate_bytes > 0)
		conn_deadline_arm(group, now_ms + settings->rate_grace_ms);
}

void conn_deadline_end_silence(struct conn_group *group)
{
	group->silence_ends_ms = loop_now_ms(group->loop) + group->settings.drain_grace_ms;
	conn_deadline_arm(group, group->silence_ends_ms);
}

void conn_deadline_init(struct conn_group *group)
{
	group->armed_ms = group->silence_ends_ms = INT64_MAX;
	loop_timer_init(&group->timer, group->loop, on_timer);
}

void conn_deadline_fini(struct conn_group *group)
{
	loop_timer_fini(&group->timer);
}
