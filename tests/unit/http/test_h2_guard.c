#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "http/h2_guard.h"

#include <nghttp2/nghttp2.h>

struct flood {
	struct h2_frame frame;
	enum conn_reason reason;
	uint32_t for_request; /* how many more with each request */
};

/* The fixture allows ten of everything in a minute. */
static const struct flood floods[] = {
	{{.type = NGHTTP2_RST_STREAM, .stream = 1, .length = 4}, CONN_H2_RESETS, 0},
	{{.type = NGHTTP2_SETTINGS}, CONN_H2_SETTINGS, 0},
	{{.type = NGHTTP2_SETTINGS, .flags = NGHTTP2_FLAG_ACK}, CONN_H2_SETTINGS, 0},
	{{.type = NGHTTP2_PING, .length = 8}, CONN_H2_PINGS, 0},
	{{.type = NGHTTP2_DATA, .stream = 1}, CONN_H2_EMPTY_DATA, 1},
	/* Each request has an end besides. */
	{{.type = NGHTTP2_DATA, .flags = NGHTTP2_FLAG_END_STREAM}, CONN_H2_EMPTY_DATA, 1 + 1},
	{{.type = NGHTTP2_PRIORITY, .stream = 1, .length = 5}, CONN_H2_PRIORITIES, 2},
	{{.type = NGHTTP2_PRIORITY_UPDATE, .length = 5}, CONN_H2_PRIORITIES, 2},
	{{.type = NGHTTP2_WINDOW_UPDATE, .length = 4}, CONN_H2_WINDOW_UPDATES, 4},
	{{.type = NGHTTP2_GOAWAY, .length = 8}, CONN_H2_OTHER_FRAMES, 0},
	{{.type = 0x77, .length = 1}, CONN_H2_OTHER_FRAMES, 0},
};
#define FLOODS (sizeof(floods) / sizeof(floods[0]))

static const struct h2_frame headers = {.type = NGHTTP2_HEADERS, .stream = 1};

/* How many pass before one does not. */
static uint32_t passed(struct h2_guard *guard, const struct flood *flood, int64_t now_ms)
{
	enum conn_reason reason;
	uint32_t count = 0;

	while (h2_guard_frame(guard, &flood->frame, now_ms, &reason))
		count++;
	assert_int_equal(reason, flood->reason);
	return count;
}

static void ends_floods(void **state)
{
	struct http_limits limits = fixture_limits();
	enum conn_reason reason;

	(void)state;
	for (size_t i = 0; i < FLOODS; i++) {
		struct h2_guard guard;

		h2_guard_init(&guard, &limits);
		assert_int_equal(passed(&guard, &floods[i], 0), 10);
		/* Another interval, another budget. */
		assert_int_equal(passed(&guard, &floods[i], 60000), 10);
		for (int r = 0; r < 3; r++)
			assert_true(h2_guard_frame(&guard, &headers, 120000, &reason));
		assert_int_equal(passed(&guard, &floods[i], 120000),
				 10 + 3 * floods[i].for_request);
	}
}

static void bounds_one_head(void **state)
{
	const struct h2_frame continuation = {.type = NGHTTP2_CONTINUATION, .stream = 1};
	const struct h2_frame data = {.type = NGHTTP2_DATA, .flags = NGHTTP2_FLAG_END_STREAM};
	struct http_limits limits = fixture_limits();
	struct h2_guard guard;
	enum conn_reason reason;

	(void)state;
	h2_guard_init(&guard, &limits);
	for (int i = 0; i < 100; i++) {
		assert_true(h2_guard_frame(&guard, &headers, 0, &reason));
		assert_true(h2_guard_frame(&guard, &continuation, 0, &reason));
		assert_true(h2_guard_frame(&guard, &continuation, 0, &reason));
		/* The end of a body may be empty. */
		assert_true(h2_guard_frame(&guard, &data, 0, &reason));
	}
	assert_false(h2_guard_frame(&guard, &continuation, 0, &reason));
	assert_int_equal(reason, CONN_H2_CONTINUATIONS);
}

static void refuses_a_heap_of_settings(void **state)
{
	const struct h2_frame settings = {.type = NGHTTP2_SETTINGS, .length = 33 * 6};
	struct http_limits limits = fixture_limits();
	struct h2_guard guard;
	enum conn_reason reason;

	(void)state;
	h2_guard_init(&guard, &limits);
	assert_false(h2_guard_frame(&guard, &settings, 0, &reason));
	assert_int_equal(reason, CONN_H2_SETTINGS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_floods),
		cmocka_unit_test(bounds_one_head),
		cmocka_unit_test(refuses_a_heap_of_settings),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
