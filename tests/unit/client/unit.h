/* What every unit test of this folder includes first. */
#ifndef TESTS_UNIT_CLIENT_UNIT_H
#define TESTS_UNIT_CLIENT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above before itself */
#include <cmocka.h>

#include "base/slice.h"

#define assert_slice_is(slice, text)                                      \
	do {                                                              \
		struct lg_slice slice_ = (slice);                         \
		assert_non_null(slice_.data);                             \
		assert_int_equal(slice_.length, sizeof(text) - 1);        \
		assert_memory_equal(slice_.data, text, sizeof(text) - 1); \
	} while (0)

/* All tests of a program, printed as TAP. */
#define RUN(tests) \
	(cmocka_set_message_output(CM_OUTPUT_TAP), cmocka_run_group_tests((tests), NULL, NULL))

#endif
