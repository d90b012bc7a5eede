#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "fixture.h"
#include "http/h2_frame.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <sys/socket.h>

#define CLOSED "leadgate_connections_closed_total"
#define REFUSED "leadgate_http_refused_total"

#define HELLO H2_PREFACE "\0\0\0\x04\0\0\0\0\0"
/* :scheme http, :authority a, and what is behind them. */
#define COMMON         \
	"\x86\x41\x01" \
	"a"
#define GET "\x82" COMMON
#define POST "\x83" COMMON
/* Where a request goes: a literal :path that is not kept. */
#define TO(length, path) "\x04" length path

static struct fixture *start(void)
{
	struct http_limits limits = fixture_limits();
	struct fixture *fixture = fixture_start(&limits, 1, NULL);

	assert_non_null(fixture);
	return fixture;
}

static void say_frame(struct client *client, int type, int flags, uint32_t stream,
		      const void *payload, size_t length)
{
	const unsigned char header[H2_FRAME_HEADER_LENGTH] = {
		(unsigned char)(length >> 16), (unsigned char)(length >> 8), (unsigned char)length,
		(unsigned char)type,	       (unsigned char)flags,	     0,
		(unsigned char)(stream >> 16), (unsigned char)(stream >> 8), (unsigned char)stream,
	};

	client_send(client, header, sizeof(header));
	client_send(client, payload, length);
}

/* A whole GET, from a header block that is a literal. */
#define say_get(client, stream, block)                                                           \
	say_frame((client), NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, \
		  (stream), (block), sizeof(block) - 1)
#define say_post(client, stream, block)                                                   \
	say_frame((client), NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, (stream), (block), \
		  sizeof(block) - 1)

static void meet(struct client *client, struct fixture *fixture)
{
	client_connect(client, fixture);
	client_say(client, HELLO);
}

/* How many frames of a type have come, with this first byte behind the header. */
static size_t frames(const struct client *client, int type, int stream, int last_byte)
{
	struct lg_slice bytes = buffer_slice(&client->got);
	size_t at = 0, count = 0;

	while (bytes.length - at >= H2_FRAME_HEADER_LENGTH) {
		const unsigned char *b = (const unsigned char *)bytes.data + at;
		size_t length = (size_t)b[0] << 16 | (size_t)b[1] << 8 | b[2];
		if (bytes.length - at < H2_FRAME_HEADER_LENGTH + length)
			break;
		at += H2_FRAME_HEADER_LENGTH + length;
		if (b[3] == type && b[8] == stream &&
		    (last_byte < 0 || (unsigned char)bytes.data[at - 1] == last_byte))
			count++;
	}
	return count;
}

/* Whether the server still answers on this connection, stream by stream. */
static void expect_life(struct client *client, uint32_t stream)
{
	char text[64];

	client_forget(client);
	say_get(client, stream, GET TO("\x06", "/alive"));
	snprintf(text, sizeof(text), "GET /alive - a 127.0.0.1 0 ");
	client_expect(client, text, 1);
}

static const char conversation[] = HELLO
	"\0\0\x14\x01\x04\0\0\0\x01" POST TO("\x04", "/x?y") "\x0f\x0d\x01"
							     "5"
							     "\0\x01k\x01v"
							     "\0\0\x03\0\0\0\0\0\x01"
							     "hel"
							     "\0\0\x02\0\x01\0\0\0\x01"
							     "lo";

static void answers_whatever_the_split(void **state)
{
	struct fixture *fixture = start();

	(void)state;
	for (size_t at = 0; at < sizeof(conversation); at++) {
		struct client client;

		client_connect(&client, fixture);
		client_send(&client, conversation, at);
		client_send(&client, conversation + at, sizeof(conversation) - 1 - at);
		client_expect(&client, "POST /x y a 127.0.0.1 0 hello\n", 1);
		client_close(&client);
	}
	fixture_stop(fixture);
}

static void answers_byte_by_byte(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	for (size_t at = 0; at < sizeof(conversation) - 1; at++)
		client_send(&client, conversation + at, 1);
	client_expect(&client, "POST /x y a 127.0.0.1 0 hello\n", 1);
	client_close(&client);
	fixture_stop(fixture);
}

static void read_more(struct client *client)
{
	char bytes[65536];
	ssize_t size = recv(client->fd, bytes, sizeof(bytes), 0);

	assert_true(size > 0);
	buffer_add(&client->got, bytes, (size_t)size);
}

static void sends_what_the_windows_allow(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, H2_PREFACE "\0\0\x06\x04\0\0\0\0\0"
				       "\0\x04\x7f\xff\xff\xff");
	say_get(&client, 1, GET TO("\x04", "/big"));
	/* The connection's window holds 65535 bytes of it. */
	while (frames(&client, NGHTTP2_DATA, 1, -1) < 4)
		read_more(&client);
	client_close(&client);
	fixture_stop(fixture);
}

static void answers_early(void **state)
{
	struct fixture *fixture = start();
	int64_t before = fixture_counter(REFUSED, "body-too-large");
	struct client client;

	(void)state;
	meet(&client, fixture);
	say_post(&client, 1, POST TO("\x06", "/early"));
	client_expect(&client, "not <you>", 1);
	say_post(&client, 3, POST TO("\x06", "/small"));
	say_frame(&client, NGHTTP2_DATA, 0, 3, "0123456789a", 11);
	client_expect(&client, "the body is larger than is taken here", 1);
	fixture_wait_counter(REFUSED, "body-too-large", before + 1);
	expect_life(&client, 5);
	client_close(&client);
	fixture_stop(fixture);
}

/* Whoever never says that it knows our settings may not have more requests refused
 * than others when the time for that is over. */
static void bounds_the_refusals_of_a_peer_that_knows_no_settings(void **state)
{
	struct http_limits limits = fixture_limits();
	int64_t before = fixture_counter(CLOSED, "h2-errors");
	struct client client;

	(void)state;
	limits.head_timeout_ms = 500;
	struct fixture *fixture = fixture_start(&limits, 1, NULL);
	assert_non_null(fixture);
	meet(&client, fixture);
	uint32_t stream = 1;
	for (; stream < 20000 && fixture_counter(CLOSED, "h2-errors") == before; stream += 2) {
		say_get(&client, stream, GET TO("\x06", "/later"));
		clock_sleep_ms(2);
	}
	assert_true(stream > 2 * (limits.streams + limits.stream_errors));
	assert_true(stream < 20000);
	client_close(&client);
	fixture_stop(fixture);
}

/* Their streams are gone, their places are not: the next one is refused. */
static void keeps_the_places_of_requests_under_way(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	meet(&client, fixture);
	for (uint32_t i = 0; i < 16; i++) {
		say_get(&client, 1 + 2 * i, GET TO("\x06", "/later"));
		if (i % 2 == 0)
			say_frame(&client, NGHTTP2_RST_STREAM, 0, 1 + 2 * i, "\0\0\0\x08", 4);
	}
	fixture_wait_parked(fixture, 16);
	client_forget(&client);
	say_get(&client, 33, GET TO("\x06", "/alive"));
	client_expect(&client, "\x04\x03", 1); /* RST_STREAM */
	assert_int_equal(frames(&client, NGHTTP2_RST_STREAM, 33, NGHTTP2_REFUSED_STREAM), 1);
	fixture_release(fixture, 0);
	while (fixture_parked(fixture) > 15)
		clock_sleep_ms(1);
	expect_life(&client, 35);
	/* The others outlive their connection. */
	client_close(&client);
	for (int i = 0; i < 15; i++)
		fixture_release(fixture, 0);
	while (fixture_parked(fixture) > 0)
		clock_sleep_ms(1);
	fixture_stop(fixture);
}

static void leaves_unanswered_requests_behind(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	meet(&client, fixture);
	say_get(&client, 1, GET TO("\x06", "/later"));
	fixture_wait_parked(fixture, 1);
	client_close(&client);
	/* The handler has it still, so the connection waits for the answer. */
	fixture_release(fixture, 0);
	while (http_server_connections(fixture_server(fixture)) > 0)
		clock_sleep_ms(1);
	client_connect(&client, fixture);
	client_say(&client, HELLO);
	say_get(&client, 1, GET TO("\x06", "/later"));
	fixture_wait_parked(fixture, 1);
	fixture_stop(fixture);
	client_close(&client);
}

/* The heads of requests whose bodies do not come are held as bodies are, and give
 * way; so does what was answered, whether the answer is read or not. */
static void lets_the_oldest_stream_give_way(void **state)
{
	struct http_limits limits = fixture_limits();
	int64_t before = fixture_counter(REFUSED, "busy");
	struct client slow, client;
	bool stored = false;

	(void)state;
	limits.buffered_bytes = 400; /* two heads of this size, RFC 9113, section 6.5.2 */
	struct fixture *fixture = fixture_start(&limits, 1, NULL);
	assert_non_null(fixture);
	meet(&slow, fixture);
	for (uint32_t i = 1; i <= 5; i += 2)
		say_post(&slow, i, POST TO("\x02", "/x"));
	fixture_wait_counter(REFUSED, "busy", before + 1);
	meet(&client, fixture);
	int64_t until_ms = clock_monotonic_ms() + 10000;
	for (uint32_t i = 1; !stored && clock_monotonic_ms() < until_ms; i += 2) {
		client_forget(&client);
		say_post(&client, i, POST TO("\x02", "/y"));
		say_frame(&client, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, i, "hi", 2);
		while (frames(&client, NGHTTP2_DATA, (int)i, -1) == 0)
			read_more(&client);
		stored = client_has(&client, "POST /y - a 127.0.0.1 0 hi\n");
	}
	assert_true(stored);
	expect_life(&slow, 7);
	client_close(&slow);
	client_close(&client);
	fixture_stop(fixture);
}

/* A client whose request is under way where idle connections have little time: more when it
 * was over before the request came. */
static struct fixture *start_hasty(struct client *client)
{
	struct http_limits limits = fixture_limits();

	for (limits.idle_timeout_ms = 50;; limits.idle_timeout_ms *= 2) {
		struct fixture *fixture = fixture_start(&limits, 1, NULL);

		assert_non_null(fixture);
		meet(client, fixture);
		say_get(client, 1, GET TO("\x06", "/later"));
		say_frame(client, NGHTTP2_PING, 0, 0, "at first", 8);
		if (client_gets(client, "at first"))
			return fixture;
		client_close(client);
		fixture_stop(fixture);
		assert_true(limits.idle_timeout_ms < 20000);
	}
}

/* Nobody is answered, but the connection is idle from then on. */
static void counts_the_idle_time_from_the_last_reset_request(void **state)
{
	struct client client;
	struct fixture *fixture = start_hasty(&client);
	int64_t before = fixture_counter(CLOSED, "idle-timeout");

	(void)state;
	fixture_wait_parked(fixture, 1);
	say_frame(&client, NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\x08", 4);
	say_frame(&client, NGHTTP2_PING, 0, 0, "is there", 8);
	client_expect(&client, "is there", 1);
	fixture_release(fixture, 0);
	assert_true(client_read_end(&client));
	fixture_wait_counter(CLOSED, "idle-timeout", before + 1);
	client_close(&client);
	fixture_stop(fixture);
}

/* Frames that bring no request, and of which some part is always on its way. */
static void is_idle_whatever_pieces_of_frames_come(void **state)
{
	struct http_limits limits = fixture_limits();
	int64_t before = fixture_counter(CLOSED, "idle-timeout");
	struct client client;

	(void)state;
	limits.idle_timeout_ms = 500;
	limits.pings = 100000;
	struct fixture *fixture = fixture_start(&limits, 1, NULL);
	assert_non_null(fixture);
	meet(&client, fixture);
	client_say(&client, "\0\0\x08\x06\0");
	int64_t until_ms = clock_monotonic_ms() + 10000;
	while (fixture_counter(CLOSED, "idle-timeout") == before) {
		client_say(&client, "\0\0\0\0"
				    "whatever"
				    "\0\0\x08\x06\0");
		clock_sleep_ms(10);
		assert_true(clock_monotonic_ms() < until_ms);
	}
	client_close(&client);
	fixture_stop(fixture);
}

/* Half a frame keeps no place from others either. */
static void is_displaced_between_pieces_of_a_frame(void **state)
{
	struct http_limits limits = fixture_limits();
	struct client first, second;

	(void)state;
	limits.connections = 1;
	struct fixture *fixture = fixture_start(&limits, 1, NULL);
	assert_non_null(fixture);
	meet(&first, fixture);
	client_say(&first, "\0\0\x08\x06\0\0\0\0\0"
			   "is there"
			   "\0\0\x08\x06");
	client_expect(&first, "is there", 1);
	meet(&second, fixture);
	expect_life(&second, 1);
	assert_true(client_read_end(&first));
	client_close(&first);
	client_close(&second);
	fixture_stop(fixture);
}

/* Whoever is told to go and stays keeps no place from others. */
static void is_displaced_at_once(void **state)
{
	struct http_limits limits = fixture_limits();
	int64_t before = fixture_counter(CLOSED, "displaced");
	struct client clients[4];

	(void)state;
	limits.connections = 1;
	limits.linger_ms = 60000;
	struct fixture *fixture = fixture_start(&limits, 1, NULL);
	assert_non_null(fixture);
	for (size_t i = 0; i < 4; i++) {
		meet(&clients[i], fixture);
		expect_life(&clients[i], 1);
		assert_int_equal(http_server_connections(fixture_server(fixture)), 1);
	}
	assert_int_equal(fixture_counter(CLOSED, "displaced"), before + 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(client_read_end(&clients[i]));
		assert_int_equal(frames(&clients[i], NGHTTP2_GOAWAY, 0, NGHTTP2_NO_ERROR), 1);
	}
	for (size_t i = 0; i < 4; i++)
		client_close(&clients[i]);
	fixture_stop(fixture);
}

static void drains_in_two_steps(void **state)
{
	struct fixture *fixture = start();
	int64_t before = fixture_counter(CLOSED, "drained");
	struct client idle, busy;

	(void)state;
	meet(&idle, fixture);
	expect_life(&idle, 1);
	meet(&busy, fixture);
	say_get(&busy, 1, GET TO("\x06", "/later"));
	fixture_wait_parked(fixture, 1);
	http_server_drain(fixture_server(fixture));
	assert_true(client_read_end(&idle));
	assert_int_equal(frames(&idle, NGHTTP2_GOAWAY, 0, NGHTTP2_NO_ERROR), 2);
	fixture_release(fixture, 0);
	assert_true(client_read_end(&busy));
	assert_int_equal(frames(&busy, NGHTTP2_GOAWAY, 0, NGHTTP2_NO_ERROR), 2);
	assert_true(frames(&busy, NGHTTP2_HEADERS, 1, -1) == 1);
	fixture_wait_counter(CLOSED, "drained", before + 2);
	client_close(&idle);
	client_close(&busy);
	fixture_stop(fixture);
}

/* What was sent before our GOAWAY was read is ignored (RFC 9113, section 6.8),
 * trailers as all else; what is under way is answered. */
static void bears_what_crosses_its_goaway(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	meet(&client, fixture);
	say_post(&client, 1, POST TO("\x02", "/x"));
	say_frame(&client, NGHTTP2_DATA, 0, 1, "he", 2);
	say_frame(&client, NGHTTP2_PING, 0, 0, "is there", 8);
	client_expect(&client, "is there", 1);
	http_server_drain(fixture_server(fixture));
	while (frames(&client, NGHTTP2_GOAWAY, 0, NGHTTP2_NO_ERROR) < 2)
		read_more(&client);
	say_post(&client, 3, POST TO("\x02", "/y"));
	say_frame(&client, NGHTTP2_DATA, 0, 3, "late", 4);
	say_frame(&client, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 3,
		  "\0\1k\1v", 5);
	say_frame(&client, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "llo", 3);
	client_expect(&client, "POST /x - a 127.0.0.1 0 hello\n", 1);
	assert_true(client_read_end(&client));
	client_close(&client);
	fixture_stop(fixture);
}

/* Whoever has said or was told that this is the end does no less harm by then. */
static void gives_the_worst_reason_of_an_end(void **state)
{
	static const struct {
		const char *reason;
		uint32_t stream; /* 0: PING is lawful there */
		int pings;
	} rows[] = {{"h2-pings", 0, 11}, {"h2-broken", 1, 1}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct fixture *fixture = start();
		int64_t before = fixture_counter(CLOSED, rows[i / 2].reason);
		struct client client;

		meet(&client, fixture);
		say_post(&client, 1, POST TO("\x02", "/x"));
		say_frame(&client, NGHTTP2_PING, 0, 0, "is there", 8);
		client_expect(&client, "is there", 1);
		if (i % 2 == 0)
			say_frame(&client, NGHTTP2_GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0", 8);
		else
			http_server_drain(fixture_server(fixture));
		while (i % 2 == 1 && frames(&client, NGHTTP2_GOAWAY, 0, NGHTTP2_NO_ERROR) < 2)
			read_more(&client);
		for (int n = 0; n < rows[i / 2].pings; n++)
			say_frame(&client, NGHTTP2_PING, 0, rows[i / 2].stream, "whatever", 8);
		client_read_end(&client);
		fixture_wait_counter(CLOSED, rows[i / 2].reason, before + 1);
		client_close(&client);
		fixture_stop(fixture);
	}
}

/* Nobody tells it that it is to go, for it is not idle any more. */
static void drains_whose_request_is_on_its_way(void **state)
{
	struct fixture *fixture = start();
	struct client holder, late;

	(void)state;
	meet(&late, fixture);
	expect_life(&late, 1);
	client_forget(&late);
	client_connect(&holder, fixture);
	client_say(&holder, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	fixture_wait_held(fixture);
	http_server_drain(fixture_server(fixture));
	say_get(&late, 3, GET TO("\x06", "/alive"));
	fixture_let_go(fixture);
	assert_true(client_read_end(&late));
	assert_int_equal(frames(&late, NGHTTP2_HEADERS, 3, -1), 1);
	assert_int_equal(frames(&late, NGHTTP2_GOAWAY, 0, NGHTTP2_NO_ERROR), 2);
	client_close(&holder);
	client_close(&late);
	fixture_stop(fixture);
}

static void ends_a_peer_that_does_not_read(void **state)
{
	struct http_limits limits = fixture_limits();
	int64_t before = fixture_counter(CLOSED, "write-timeout");
	struct client client;

	(void)state;
	limits.write_timeout_ms = 50;
	limits.stalls = limits.stream_errors = limits.streams = 100000;
	struct fixture *fixture = fixture_start(&limits, 1, NULL);
	assert_non_null(fixture);
	client_connect(&client, fixture);
	client_say(&client, H2_PREFACE "\0\0\x06\x04\0\0\0\0\0"
				       "\0\x04\x7f\xff\xff\xff"
				       "\0\0\x04\x08\0\0\0\0\0"
				       "\x7f\xff\0\0");
	/* Answers are given up one by one, until the kernel takes no more of them. */
	for (uint32_t i = 0; i < 5000 && fixture_counter(CLOSED, "write-timeout") == before; i++) {
		say_get(&client, 1 + 2 * i, GET TO("\x04", "/big"));
		clock_sleep_ms(2);
	}
	fixture_wait_counter(CLOSED, "write-timeout", before + 1);
	client_close(&client);
	fixture_stop(fixture);
}

/* Whoever sends nothing more makes no room either. */
static void gives_up_what_a_peer_left_no_room_for(void **state)
{
	struct fixture *fixture = start();
	int64_t before = fixture_counter(CLOSED, "peer-closed");
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, H2_PREFACE "\0\0\x06\x04\0\0\0\0\0"
				       "\0\x04\0\0\0\0");
	say_get(&client, 1, GET TO("\x06", "/alive"));
	say_get(&client, 3, GET TO("\x0a", "/later?why"));
	fixture_wait_parked(fixture, 1);
	client_half_close(&client);
	fixture_release(fixture, 0);
	assert_true(client_read_end(&client));
	assert_int_equal(frames(&client, NGHTTP2_RST_STREAM, 1, NGHTTP2_CANCEL), 1);
	assert_int_equal(frames(&client, NGHTTP2_RST_STREAM, 3, NGHTTP2_CANCEL), 1);
	fixture_wait_counter(CLOSED, "peer-closed", before + 1);
	client_close(&client);
	fixture_stop(fixture);
}

/* One conversation, wherever memory ran out; what it answers does not matter,
 * that it neither crashes nor leaks does. */
static void survives_every_failed_allocation(void **state)
{
	struct http_limits limits = fixture_limits();
	int64_t n = 0;

	(void)state;
	limits.head_timeout_ms = limits.body_timeout_ms = limits.idle_timeout_ms = 20;
	do {
		struct fixture *fixture;
		struct client client;

		alloc_fail_at(++n);
		fixture = fixture_start(&limits, 2, "127.0.0.0/8");
		if (!fixture)
			continue;
		client_connect(&client, fixture);
		client_send(&client, conversation, sizeof(conversation) - 1);
		say_get(&client, 3,
			GET TO("\x06", "/early") "\0\x06"
						 "cookie\x01"
						 "a"
						 "\0\x06"
						 "cookie\x01"
						 "b");
		client_read_end(&client);
		client_close(&client);
		fixture_stop(fixture);
	} while (alloc_failed());
	alloc_fail_at(0);
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_whatever_the_split),
		cmocka_unit_test(answers_byte_by_byte),
		cmocka_unit_test(sends_what_the_windows_allow),
		cmocka_unit_test(answers_early),
		cmocka_unit_test(bounds_the_refusals_of_a_peer_that_knows_no_settings),
		cmocka_unit_test(keeps_the_places_of_requests_under_way),
		cmocka_unit_test(leaves_unanswered_requests_behind),
		cmocka_unit_test(lets_the_oldest_stream_give_way),
		cmocka_unit_test(counts_the_idle_time_from_the_last_reset_request),
		cmocka_unit_test(is_idle_whatever_pieces_of_frames_come),
		cmocka_unit_test(is_displaced_between_pieces_of_a_frame),
		cmocka_unit_test(is_displaced_at_once),
		cmocka_unit_test(drains_in_two_steps),
		cmocka_unit_test(bears_what_crosses_its_goaway),
		cmocka_unit_test(gives_the_worst_reason_of_an_end),
		cmocka_unit_test(drains_whose_request_is_on_its_way),
		cmocka_unit_test(ends_a_peer_that_does_not_read),
		cmocka_unit_test(gives_up_what_a_peer_left_no_room_for),
		cmocka_unit_test(survives_every_failed_allocation),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
