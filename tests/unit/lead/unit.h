/* What every unit test of this folder includes first. */
#ifndef TESTS_UNIT_LEAD_UNIT_H
#define TESTS_UNIT_LEAD_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above before itself */
#include <cmocka.h>

#include "base/alloc.h"
#include "lead/record.h"

#include <stdio.h>
#include <stdlib.h>

/* All tests of a program, printed as TAP. */
#define RUN(tests) \
	(cmocka_set_message_output(CM_OUTPUT_TAP), cmocka_run_group_tests((tests), NULL, NULL))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct lead_limits unit_limits = {
	.extra_fields = 100,
	.extra_name_bytes = 128,
	.extra_value_bytes = 64 << 10,
	.list_items = 50,
	.raw_bytes = 1024,
	.record_bytes = 256 << 10,
};

/* Compares a slice with a text; NULL stands for an absent slice. */
static inline void expect_slice(const char *input, struct lg_slice slice, const char *expected)
{
	if (slice_present(slice) != (expected != NULL) || (expected && !slice_is(slice, expected)))
		fail_msg("\"%s\" gave \"%.*s\", not \"%s\"", input,
			 (int)(slice.data ? slice.length : 6), slice.data ? slice.data : "absent",
			 expected ? expected : "absent");
}

static inline struct lg_slice unit_part(struct lg_slice *rest, char separator)
{
	struct lg_slice part = {0};

	slice_split(rest, separator, &part);
	return part.length ? part : slice_of(NULL, 0);
}

static inline void unit_consent(struct lead *lead, struct lg_slice text)
{
	struct lg_consent consent = {.size = sizeof(consent)};
	struct lg_slice state;
	uint64_t at = 0;

	consent.purpose = unit_part(&text, '|');
	consent.channels = unit_part(&text, '|');
	state = unit_part(&text, '|');
	consent.state = slice_is(state, "granted")   ? LG_CONSENT_GRANTED
			: slice_is(state, "denied")  ? LG_CONSENT_DENIED
			: slice_is(state, "pending") ? LG_CONSENT_PENDING
						     : LG_CONSENT_WITHDRAWN;
	slice_to_u64(unit_part(&text, '|'), &at);
	consent.at = (int64_t)at;
	consent.text = unit_part(&text, '|');
	assert_true(lead_add_consent(lead, &consent));
}

static inline bool unit_line(struct lead *lead, struct lg_slice path, struct lg_slice value)
{
	int field = field_by_path(path);

	if (field >= 0)
		return field_table[field].type == FIELD_LIST ? lead_add(lead, field, value)
							     : lead_set(lead, field, value);
	if (slice_starts(path, "extra."))
		return lead_add_extra(lead, slice_cut(path, 6, SIZE_MAX), value);
	if (slice_starts(path, "raw."))
		return lead_keep_raw(lead, field_by_path(slice_cut(path, 4, SIZE_MAX)), value);
	if (slice_is(path, "profile")) {
		struct lg_slice network = unit_part(&value, ','), id = unit_part(&value, ',');

		return lead_add_profile(lead, network, id,
					value.length ? value : slice_of(NULL, 0));
	}
	assert_true(slice_is(path, "consent"));
	unit_consent(lead, value);
	return true;
}

/* A lead from lines "path=value": a field's path, extra.NAME, raw.PATH,
 * profile=network,id,url or consent=purpose|channels|state|ms|text. */
static inline struct lead *unit_lead(struct arena *arena, const char *lines)
{
	struct lead *lead = lead_new(arena, &unit_limits);
	struct lg_slice rest = slice_from(lines), line;

	assert_non_null(lead);
	while (slice_split(&rest, '\n', &line)) {
		struct lg_slice path = {0};

		if (line.length == 0)
			continue;
		slice_split(&line, '=', &path);
		if (!unit_line(lead, path, line))
			fail_msg("cannot set %.*s", SLICE_ARGS(path));
	}
	return lead;
}

/* The record's JSON, in the lead's arena. */
static inline struct lg_slice unit_json(const struct lead *lead)
{
	struct buffer out;
	struct lg_slice json;

	buffer_init(&out, 1 << 20);
	record_encode(lead, &out);
	assert_false(out.failed);
	json = arena_copy(lead->arena, buffer_slice(&out));
	assert_true(slice_present(json));
	buffer_fini(&out);
	return json;
}

#endif
