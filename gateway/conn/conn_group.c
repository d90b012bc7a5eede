#include "conn/conn_group.h"

#include "base/alloc.h"
#include "conn/conn_deadline.h"
#include "conn/conn_turn.h"

/* A request may have come to one that still counts as idle; so many are tried. */
#define DISPLACE_TRIES 16
/* So many idle connections go at once when descriptors run out. */
#define ROOM_CONNECTIONS 8

static void free_closed(struct conn_group *group)
{
	LIST_EACH_SAFE(node, &group->states[CONN_CLOSED])
		conn_free(container_of(node, struct conn, node));
}

static void on_turns(evutil_socket_t fd, short what, void *context)
{
	struct conn_group *group = context;
	struct list *first;

	(void)fd;
	(void)what;
	while ((first = list_first(&group->turns)))
		conn_turn_take(container_of(first, struct conn, turn));
	free_closed(group);
}

/* An event that is made active while others are being served is served after
 * them, in the same round of the loop: so all that one round adds to a
 * connection leaves together. */
void conn_group_rouse(struct conn_group *group)
{
	event_active(&group->turns_event, EV_TIMEOUT, 0);
}

void conn_group_defer(struct conn_group *group, struct conn *conn)
{
	bool is_first = list_empty(&group->deferred);

	list_append(&group->deferred, &conn->turn);
	if (!is_first || loop_timer_set(&group->deferred_timer, 0))
		return;
	/* Without memory for a timer it is at once. */
	list_remove(&conn->turn);
	list_append(&group->turns, &conn->turn);
	conn_group_rouse(group);
}

/* Those that are deferred meanwhile wait for another round. */
static void on_deferred(struct loop_timer *timer)
{
	struct conn_group *group = container_of(timer, struct conn_group, deferred_timer);

	LIST_EACH_SAFE(node, &group->deferred) {
		list_remove(node);
		list_append(&group->turns, node);
	}
	conn_group_rouse(group);
}

void conn_group_lend(struct conn_group *group, struct buffer *buffer)
{
	if (buffer->data || group->spare_count == 0)
		return;
	size_t limit = buffer->limit;
	*buffer = group->spares[--group->spare_count];
	buffer->limit = limit;
}

void conn_group_return(struct conn_group *group, struct buffer *buffer)
{
	if (!buffer->data || buffer_length(buffer) > 0)
		return;
	if (group->spare_count == CONN_GROUP_SPARES || buffer->capacity > CONN_GROUP_SPARE_BYTES) {
		buffer_fini(buffer);
		return;
	}
	size_t limit = buffer->limit;
	buffer_clear(buffer);
	group->spares[group->spare_count++] = *buffer;
	buffer_init(buffer, limit);
}

/* Who opens a channel has a request to make: it is told later. Whoever has said nothing
 * at all yet has the grace for it, as an idle connection has. */
static void tell_drain(struct conn *conn)
{
	struct conn_group *group = conn->group;

	if (conn->state == CONN_HANDSHAKE && conn_is_silent(conn) && conn_group_has_grace(group)) {
		conn_deadline_end_silence(group);
	} else if (conn->opening && conn_is_silent(conn)) {
		conn_close(conn, CONN_DRAINED);
		return;
	}
	conn->drain_later = conn->opening;
	if (conn->opening)
		return;
	conn->protocol->drain(conn);
	conn_wake(conn);
}

void conn_group_drain_one(struct conn *conn)
{
	if (conn->state != CONN_IDLE || !conn_has_unread(conn))
		tell_drain(conn);
}

void conn_group_drain_some(struct conn_group *group, bool (*wanted)(const struct conn *conn))
{
	for (int state = 0; state < CONN_CLOSED; state++)
		LIST_EACH_SAFE(node, &group->states[state]) {
			struct conn *conn = container_of(node, struct conn, node);
			if (wanted(conn))
				conn_group_drain_one(conn);
		}
}

/* Whoever means well is through within moments, so the oldest goes. */
void conn_group_admit(struct conn_group *group)
{
	struct list *oldest = list_first(&group->states[CONN_HANDSHAKE]);

	group->handshakes++;
	if (oldest && group->settings.handshakes > 0 &&
	    group->handshakes > group->settings.handshakes)
		conn_close(container_of(oldest, struct conn, node), CONN_FULL_HANDSHAKES);
}

static bool is_any(const struct conn *conn)
{
	(void)conn;
	return true;
}

static void tell_all(struct conn_group *group)
{
	const struct conn_settings settings = group->settings;

	group->draining = true;
	if (group->on_drain)
		group->on_drain(group);
	conn_group_set(group, &settings);
	conn_group_drain_some(group, is_any);
}

static void shorten(int64_t *timeout_ms, int64_t most_ms)
{
	if (*timeout_ms == 0 || *timeout_ms > most_ms)
		*timeout_ms = most_ms;
}

void conn_group_set(struct conn_group *group, const struct conn_settings *settings)
{
	group->settings = *settings;
	if (conn_group_has_grace(group))
		shorten(&group->settings.timeout_ms[CONN_IDLE], settings->drain_grace_ms);
	for (int state = 0; state < CONN_CLOSED; state++)
		LIST_EACH(node, &group->states[state]) {
			struct conn *conn = container_of(node, struct conn, node);

			if (conn->in.limit < settings->in_bytes)
				conn->in.limit = settings->in_bytes;
		}
	conn_deadline_renew(group);
}

size_t conn_group_busy(const struct conn_group *group)
{
	size_t count = 0;

	for (int state = 0; state < CONN_CLOSED; state++)
		if (state != CONN_IDLE && state != CONN_LINGER && state != CONN_EXPEL)
			LIST_EACH(node, &group->states[state])
				count++;
	return count;
}

void conn_group_note_idle(struct conn_group *group)
{
	struct list *first = list_first(&group->states[CONN_IDLE]);

	atomic_store_explicit(&group->idle_since_ms,
			      first ? container_of(first, struct conn, node)->since_ms : INT64_MAX,
			      memory_order_relaxed);
}

/* Its protocol may say a last word, but nobody waits for the peer to hear it: who
 * does not close would keep its place. */
static void displace(struct conn *conn)
{
	conn_expire(conn, CONN_DISPLACED);
	conn_close(conn, CONN_DISPLACED);
}

/* The longest-idle one, of `crowd` or of all (NULL); NULL: none is idle. */
static struct conn *longest_idle(struct conn_group *group, struct crowd *crowd)
{
	struct list *idle = crowd ? &crowd->parts[group->index].idle : &group->states[CONN_IDLE];
	int tries = 0;

	LIST_EACH(node, idle) {
		struct conn *conn = crowd ? container_of(node, struct conn, idle)
					  : container_of(node, struct conn, node);
		if (!conn_has_unread(conn))
			return conn;
		if (++tries == DISPLACE_TRIES)
			break;
	}
	return NULL;
}

bool conn_group_displace(struct conn_group *group, struct crowd *crowd)
{
	struct conn *idle = longest_idle(group, crowd);

	if (idle)
		displace(idle);
	return idle != NULL;
}

static void make_room(struct conn_group *group)
{
	atomic_store(&group->room_asked, false);
	for (int i = 0; i < ROOM_CONNECTIONS; i++)
		if (!conn_group_displace(group, NULL))
			return;
}

void conn_group_ask_room(struct conn_group *group)
{
	if (!atomic_exchange(&group->room_asked, true))
		mailbox_send(&group->mailbox, &group->room_letter);
}

static void on_letter(struct loop_mailbox *box, struct letter *letter)
{
	struct conn_group *group = container_of(box, struct conn_group, letters);

	if (letter == &group->drain_letter)
		tell_all(group);
	else if (letter == &group->room_letter)
		make_room(group);
	else
		conn_group_add(group, container_of(letter, struct conn, letter));
}

/* Whether somebody has to go for it: one may have gone by itself since it was accepted. */
static bool needs_place(const struct conn_group *group, const struct conn *conn)
{
	return conn->displaces &&
	       (quota_is_beyond(group->quota) || (conn->crowd && crowd_is_beyond(conn->crowd)));
}

/* Those that came first have taken the longest-idle ones here, and `idle` is left, perhaps
 * one of themselves, or none (NULL): elsewhere one may be idle for longer. */
static bool hand_on(struct conn_group *group, struct conn *conn, const struct conn *idle)
{
	int64_t since_ms = idle ? idle->since_ms : INT64_MAX;
	struct conn_group *other = group->on_full ? group->on_full(group, conn, since_ms) : NULL;

	if (!other)
		return false;
	conn->handed_on++;
	conn_group_send(other, conn);
	return true;
}

void conn_group_add(struct conn_group *group, struct conn *conn)
{
	bool needed = needs_place(group, conn);
	struct crowd *crowd = conn->displaces_peer ? conn->crowd : NULL;
	struct conn *idle = needed ? longest_idle(group, crowd) : NULL;

	if (needed && hand_on(group, conn, idle))
		return;
	if (idle)
		displace(idle);
	conn_turn_start(conn, group);
	if (needed && !idle)
		conn_close(conn, conn->displaces_peer ? CONN_FULL_LISTENER : CONN_FULL);
	if (group->draining && conn->state != CONN_CLOSED)
		tell_drain(conn);
}

void conn_group_send(struct conn_group *group, struct conn *conn)
{
	mailbox_send(&group->mailbox, &conn->letter);
}

void conn_group_drain(struct conn_group *group)
{
	if (!atomic_exchange(&group->drain_asked, true))
		mailbox_send(&group->mailbox, &group->drain_letter);
}

bool conn_group_init(struct conn_group *group, struct loop *loop,
		     const struct conn_settings *settings, struct quota *quota)
{
	*group = (struct conn_group){
		.loop = loop,
		.settings = *settings,
		.quota = quota,
		.idle_since_ms = INT64_MAX,
	};
	for (int i = 0; i < CONN_STATE_COUNT; i++)
		list_init(&group->states[i]);
	list_init(&group->turns);
	list_init(&group->deferred);
	event_assign(&group->turns_event, loop_base(loop), -1, 0, on_turns, group);
	conn_deadline_init(group);
	loop_timer_init(&group->deferred_timer, loop, on_deferred);
	group->scratch = alloc_malloc(2 * CONN_GROUP_SCRATCH_BYTES);
	if (!group->scratch)
		return false;
	group->sealed = group->scratch + CONN_GROUP_SCRATCH_BYTES;
	if (!mailbox_init(&group->mailbox)) {
		alloc_free(group->scratch);
		return false;
	}
	if (!loop_mailbox_init(&group->letters, loop, &group->mailbox, on_letter)) {
		mailbox_fini(&group->mailbox);
		alloc_free(group->scratch);
		return false;
	}
	return true;
}

/* Letters that nobody opened hold connections too. */
static void take_letters(struct conn_group *group)
{
	struct letter *letter = mailbox_take(&group->mailbox);

	while (letter) {
		struct letter *next = letter->next;
		if (letter != &group->drain_letter && letter != &group->room_letter)
			conn_group_add(group, container_of(letter, struct conn, letter));
		letter = next;
	}
}

void conn_group_fini(struct conn_group *group)
{
	group->on_full = NULL; /* the others may be gone */
	take_letters(group);
	for (int state = 0; state < CONN_CLOSED; state++)
		LIST_EACH_SAFE(node, &group->states[state])
			conn_close(container_of(node, struct conn, node), CONN_STOPPED);
	free_closed(group);
	event_del(&group->turns_event);
	conn_deadline_fini(group);
	loop_timer_fini(&group->deferred_timer);
	loop_mailbox_fini(&group->letters);
	mailbox_fini(&group->mailbox);
	while (group->spare_count > 0)
		buffer_fini(&group->spares[--group->spare_count]);
	alloc_free(group->scratch);
}
