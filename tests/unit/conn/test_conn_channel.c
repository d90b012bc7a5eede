#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "peer.h"

#include <sys/socket.h>
#include <unistd.h>

/* A channel of lower-case letters: the peer sends each byte with bit 7 set, after
 * it has said "#", or "?" to be refused with "no\n", or "&" to be refused at once.
 * Each byte on the way out has bit 7 set. */
static int letters_open(struct conn *conn)
{
	struct peer *peer = conn->context;
	char byte;
	ssize_t size = recv(conn->fd, &byte, 1, 0);

	assert_ptr_equal(conn->channel_data, peer);
	conn->failure = CONN_PEER_LEFT;
	if (size < 0)
		return CONN_AGAIN;
	if (size == 0 || byte == '&')
		return CONN_FAILED;
	if (byte == '?') {
		buffer_add_literal(conn_out(conn), "no\n");
		conn->channel = &conn_channel_plain;
		return CONN_FAILED;
	}
	conn->blocked = peer->blocks;
	peer->blocks = false;
	return conn->blocked ? CONN_AGAIN : 0;
}

static ssize_t letters_receive(struct conn *conn, char *room, size_t size)
{
	ssize_t got = conn_channel_plain.receive(conn, room, size);

	for (ssize_t i = 0; i < got; i++)
		room[i] = (char)(room[i] & 0x7f);
	return got;
}

static ssize_t letters_send(struct conn *conn, const char *data, size_t size)
{
	char byte = (char)(*data | 0x80);

	assert_true(size > 0);
	return conn_channel_plain.send(conn, &byte, 1);
}

static void letters_shutdown(struct conn *conn)
{
	assert_int_equal(send(conn->fd, "!", 1, 0), 1);
	shutdown(conn->fd, SHUT_WR);
}

static void letters_free(struct conn *conn)
{
	struct peer *peer = conn->channel_data;

	peer->freed++;
}

static struct lg_slice letters_alpn(const struct conn *conn)
{
	(void)conn;
	return LG_SLICE("letters");
}

static const struct conn_channel letters = {
	.open = letters_open,
	.receive = letters_receive,
	.send = letters_send,
	.shutdown = letters_shutdown,
	.free = letters_free,
	.alpn = letters_alpn,
	.room_bytes = 100,
	.is_tls = true,
};

static void letters_init(struct peer *peer)
{
	peer->settings.timeout_ms[CONN_HANDSHAKE] = 10000;
	peer->channel = &letters;
	peer_init(peer);
}

static void speaks_through_a_channel(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	letters_init(&peer);
	assert_false(slice_present(conn_alpn(peer.conn)));
	peer_turn(&peer);
	assert_int_equal(peer.conn->state, CONN_HANDSHAKE);
	/* What comes with the end of the handshake is read in the same turn. */
	peer_say(&peer, "#\xef\xee");
	peer_turn(&peer);
	assert_int_equal(peer.conn->state, CONN_IDLE);
	assert_int_equal(buffer_length(&peer.conn->in), 2);
	assert_true(conn_is_tls(peer.conn));
	assert_true(slice_is(conn_alpn(peer.conn), "letters"));
	peer_say(&peer, "\xe5\x8a");
	for (int i = 0; i < 6; i++)
		peer_turn(&peer);
	peer_expect(&peer, "\xbc\xef\xee\xe5\xbe\x8a");
	shutdown(peer.fd, SHUT_WR);
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_PEER_CLOSED);
	assert_int_equal(peer.freed, 1);
	peer_fini(&peer);
}

static void shuts_a_channel_down(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	letters_init(&peer);
	peer_say(&peer, "#\xa1\x8a");
	for (int i = 0; i < 4; i++)
		peer_turn(&peer);
	assert_int_equal(peer.conn->state, CONN_LINGER);
	peer_expect(&peer, "\xbc\xa1\xbe\x8a!");
	shutdown(peer.fd, SHUT_WR);
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_REFUSED);
	assert_int_equal(peer.freed, 1);
	peer_fini(&peer);
}

static void ends_with_a_channel_that_fails(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	letters_init(&peer);
	peer_say(&peer, "&");
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_PEER_LEFT);
	peer_fini(&peer);
}

static void says_why_a_channel_fails(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	letters_init(&peer);
	peer_say(&peer, "?");
	peer_turn(&peer);
	peer_expect(&peer, "no\n");
	shutdown(peer.fd, SHUT_WR);
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_PEER_LEFT);
	peer_fini(&peer);
}

static void waits_for_a_channel_that_must_send(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer.blocks = true;
	letters_init(&peer);
	peer_say(&peer, "##");
	event_base_loop(loop_base(peer.loop), EVLOOP_NONBLOCK);
	event_base_loop(loop_base(peer.loop), EVLOOP_NONBLOCK);
	peer_turn(&peer);
	assert_false(peer.blocks);
	assert_int_equal(peer.conn->state, CONN_IDLE);
	assert_int_equal(peer.conn->watch.events, LOOP_READ);
	peer_fini(&peer);
}

static void ends_a_slow_handshake(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer.settings.timeout_ms[CONN_HANDSHAKE] = 10;
	peer.channel = &letters;
	peer_init(&peer);
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_HANDSHAKE_TIMEOUT);
	peer_fini(&peer);
}

/* It came before the drain, so its request is served. */
static void drains_after_the_handshake(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	letters_init(&peer);
	peer_turn(&peer);
	peer.conn->received_bytes = 1;
	conn_group_drain(&peer.group);
	peer_turn(&peer);
	assert_false(peer.drained);
	peer_say(&peer, "#\xef\x8a");
	peer_turn(&peer);
	loop_run(peer.loop);
	assert_int_equal(peer.lines, 1);
	peer_expect_reason(&peer, CONN_DRAINED);
	peer_fini(&peer);
}

static void drains_silent_peers_at_once(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	letters_init(&peer);
	conn_group_drain(&peer.group);
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_DRAINED);
	peer_fini(&peer);
}

/* Its first bytes may be on their way, as those of an idle connection may. */
static void leaves_silent_peers_their_grace(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer.settings.drain_grace_ms = 10000;
	letters_init(&peer);
	peer_turn(&peer);
	conn_group_drain(&peer.group);
	peer_turn(&peer);
	assert_non_null(peer.conn);
	assert_int_equal(conn_group_busy(&peer.group), 1);
	peer_say(&peer, "#");
	peer_turn(&peer);
	assert_int_equal(peer.conn->state, CONN_IDLE);
	peer_say(&peer, "\xef\x8a");
	peer_turn(&peer);
	assert_int_equal(peer.lines, 1);
	peer_fini(&peer);
}

static void ends_silence_after_the_grace(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer.settings.drain_grace_ms = 10;
	letters_init(&peer);
	peer_turn(&peer);
	conn_group_drain(&peer.group);
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_DRAINED);
	peer_fini(&peer);
}

/* Of two handshakes where one may be, the older one goes. */
static void bounds_handshakes(void **state)
{
	struct peer first = peer_with(10000, 10000), second = peer_with(10000, 10000);

	(void)state;
	first.settings.handshakes = 1;
	letters_init(&first);
	peer_turn(&first);
	second.loop = first.loop;
	second.quota = first.quota;
	second.channel = &letters;
	peer_connect(&second);
	conn_group_send(&first.group, second.conn);
	peer_turn(&first);
	peer_expect_reason(&first, CONN_FULL_HANDSHAKES);
	assert_null(first.conn);
	assert_int_equal(second.conn->state, CONN_HANDSHAKE);
	peer_say(&second, "#");
	peer_turn(&first);
	assert_int_equal(second.conn->state, CONN_IDLE);
	peer_fini(&first);
	assert_null(second.conn);
	close(second.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks_through_a_channel),
		cmocka_unit_test(shuts_a_channel_down),
		cmocka_unit_test(ends_with_a_channel_that_fails),
		cmocka_unit_test(says_why_a_channel_fails),
		cmocka_unit_test(waits_for_a_channel_that_must_send),
		cmocka_unit_test(ends_a_slow_handshake),
		cmocka_unit_test(drains_after_the_handshake),
		cmocka_unit_test(drains_silent_peers_at_once),
		cmocka_unit_test(leaves_silent_peers_their_grace),
		cmocka_unit_test(ends_silence_after_the_grace),
		cmocka_unit_test(bounds_handshakes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
