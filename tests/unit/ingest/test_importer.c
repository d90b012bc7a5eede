/* Jobs of the importer at its beginning and end, without a thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingest/importer.h"

/* The thread may end between a job's letter and the turn that would have taken it. */
static void test_a_letter_that_no_turn_has_taken_comes_back(void **state)
{
	struct loop *loop = loop_new();
	struct import_job job = {.file = -1, .rejects = -1};
	struct mailbox replies;
	struct importer importer;
	struct loop_task turn;

	(void)state;
	assert_non_null(loop);
	assert_true(mailbox_init(&replies));
	job.reply = &replies;
	loop_task_init(&turn, loop, NULL);
	assert_true(importer_init(&importer, loop, NULL, NULL, &turn));
	mailbox_send(&importer.mailbox, &job.letter);
	importer_end(&importer);
	assert_ptr_equal(mailbox_take(&replies), &job.letter);
	assert_int_equal(job.end, IMPORT_INTERRUPTED);
	importer_fini(&importer);
	loop_task_fini(&turn);
	loop_free(&loop);
	mailbox_fini(&replies);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_letter_that_no_turn_has_taken_comes_back),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
