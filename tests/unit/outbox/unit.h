/* What every unit test of this folder includes first. */
#ifndef TESTS_UNIT_OUTBOX_UNIT_H
#define TESTS_UNIT_OUTBOX_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above before itself */
#include <cmocka.h>

#include "kit.h"

/* All tests of a program, printed as TAP. */
#define RUN(tests) \
	(cmocka_set_message_output(CM_OUTPUT_TAP), cmocka_run_group_tests((tests), NULL, NULL))

/* A fresh store for one test: `static void name(struct kit *kit)`. */
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)

static inline int store_setup(void **state)
{
	static struct kit kit;

	kit_init(&kit);
	*state = &kit;
	return 0;
}

static inline int store_teardown(void **state)
{
	kit_fini(*state);
	return 0;
}

#endif
