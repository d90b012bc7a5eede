#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/h2_frame.h"

#include <nghttp2/nghttp2.h>

#define SEEN_MAX 8

/* What a reader has found, with its answers after the last byte. */
struct findings {
	struct h2_frame frames[SEEN_MAX];
	size_t count;
	bool is_head, is_data;
	uint32_t blocks;
};

static void feed(struct h2_frame_reader *reader, struct lg_slice bytes, struct findings *findings)
{
	size_t at = 0;

	while (h2_frame_next(reader, bytes, &at)) {
		assert_true(findings->count < SEEN_MAX);
		findings->frames[findings->count++] = reader->frame;
	}
	assert_int_equal(at, bytes.length);
	findings->is_head = h2_frame_is_head(reader);
	findings->is_data = h2_frame_is_data(reader);
	findings->blocks = reader->blocks;
}

static void check_equal(const struct findings *a, const struct findings *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert_int_equal(a->frames[i].length, b->frames[i].length);
		assert_int_equal(a->frames[i].type, b->frames[i].type);
		assert_int_equal(a->frames[i].flags, b->frames[i].flags);
		assert_int_equal(a->frames[i].stream, b->frames[i].stream);
	}
	assert_int_equal(a->is_head, b->is_head);
	assert_int_equal(a->is_data, b->is_data);
	assert_int_equal(a->blocks, b->blocks);
}

static const char conversation[] = H2_PREFACE
	"\0\0\0\x04\0\0\0\0\0"	     /* SETTINGS */
	"\0\0\x03\x01\0\x80\0\0\x01" /* HEADERS, its reserved bit set */
	"abc"			     /* */
	"\0\0\x02\x09\x04\0\0\0\x01" /* CONTINUATION, END_HEADERS */
	"de"			     /* */
	"\0\0\x05\0\x01\0\0\0\x01"   /* DATA, END_STREAM */
	"hello"			     /* */
	"\0\x01\0\x42\0\0\0\0\0";    /* a type that nobody knows, 256 bytes to come */

static const struct lg_slice whole = {conversation, sizeof(conversation) - 1};

static void finds_frames(void **state)
{
	struct h2_frame_reader reader;
	struct findings found = {0};

	(void)state;
	h2_frame_reader_init(&reader);
	feed(&reader, whole, &found);
	assert_int_equal(found.count, 5);
	assert_int_equal(found.frames[0].type, NGHTTP2_SETTINGS);
	assert_int_equal(found.frames[1].type, NGHTTP2_HEADERS);
	assert_int_equal(found.frames[1].stream, 1);
	assert_int_equal(found.frames[1].length, 3);
	assert_int_equal(found.frames[2].flags, NGHTTP2_FLAG_END_HEADERS);
	assert_int_equal(found.frames[3].length, 5);
	assert_int_equal(found.frames[4].length, 256);
	assert_int_equal(found.frames[4].type, 0x42);
	assert_true(found.is_head);
	/* A head and its continuation are one thing that must come in time. */
	assert_int_equal(found.blocks, 4);
}

static void finds_the_same_however_bytes_come(void **state)
{
	struct findings at_once = {0};
	struct h2_frame_reader reader;

	(void)state;
	h2_frame_reader_init(&reader);
	feed(&reader, whole, &at_once);
	for (size_t first = 0; first <= whole.length; first++)
		for (size_t second = first; second <= whole.length; second++) {
			struct findings found = {0};

			h2_frame_reader_init(&reader);
			feed(&reader, slice_cut(whole, 0, first), &found);
			feed(&reader, slice_cut(whole, first, second - first), &found);
			feed(&reader, slice_cut(whole, second, whole.length), &found);
			check_equal(&found, &at_once);
		}
}

/* What the connection waits for after each byte. */
static void knows_what_is_missing(void **state)
{
	static const struct {
		size_t length;
		bool is_head, is_data;
	} steps[] = {
		{10, true, false},  /* in the preface */
		{24, false, false}, /* behind it */
		{25, true, false},  /* in a frame's header */
		{33, false, false}, /* behind SETTINGS */
		{43, true, false},  /* in the payload of HEADERS */
		{45, true, false},  /* CONTINUATION must follow */
		{56, false, false}, /* the head is whole */
		{67, false, true},  /* in DATA */
		{70, false, false}, /* behind it */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct h2_frame_reader reader;
		struct findings found = {0};

		h2_frame_reader_init(&reader);
		feed(&reader, slice_cut(whole, 0, steps[i].length), &found);
		assert_int_equal(found.is_head, steps[i].is_head);
		assert_int_equal(found.is_data, steps[i].is_data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_frames),
		cmocka_unit_test(finds_the_same_however_bytes_come),
		cmocka_unit_test(knows_what_is_missing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
