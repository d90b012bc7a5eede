/* Ranges of the journal under random play, against one letter a seq. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/stretch.h"

#define END 300
#define FLYING 12

static struct run *run(int number)
{
	return (struct run *)(uintptr_t)number;
}

static struct stretch *at(struct list *link)
{
	return container_of(link, struct stretch, link);
}

/* 'o', 'f', 'd' for each seq that a range covers, '.' for the unread rest. */
static void draw(const struct stretches *stretches, char picture[END])
{
	int64_t next = 0;

	memset(picture, '.', END);
	LIST_EACH(link, (struct list *)(uintptr_t)&stretches->all) {
		struct stretch *stretch = at(link);
		if (next)
			assert_int_equal(stretch->first_seq, next); /* nothing lies between */
		assert_true(stretch->first_seq <= stretch->last_seq);
		assert_int_equal(stretch->stage == STRETCH_OPEN, stretch->run == NULL);
		if (stretch->stage == STRETCH_OPEN)
			assert_true(link->next != &stretches->all &&
				    at(link->next)->stage != STRETCH_OPEN);
		for (int64_t seq = stretch->first_seq; seq <= stretch->last_seq; seq++)
			picture[seq] = "ofd"[stretch->stage];
		next = stretch->last_seq + 1;
	}
	if (next)
		assert_int_equal(stretches->cursor, next - 1);
}

static void test_keeps_all_in_order(void **state)
{
	struct stretches stretches;
	struct stretch *a, *b, *c;
	char picture[END];

	(void)state;
	assert_true(stretches_init(&stretches, 3, 10));
	assert_null(stretches_open(&stretches, 0));
	a = stretches_take(&stretches, 11, 14, run(1));
	b = stretches_take(&stretches, 17, 18, run(2));
	draw(&stretches, picture);
	assert_memory_equal(picture + 11, "ffffooff.", 9);
	assert_int_equal(stretches_open(&stretches, 0)->first_seq, 15);
	b->stage = STRETCH_DONE;
	assert_null(stretches_done(&stretches));
	a->stage = STRETCH_DONE;
	assert_ptr_equal(stretches_done(&stretches), a);
	assert_null(stretches_done_after(&stretches, a));
	c = stretches_take(&stretches, 15, 16, run(3));
	assert_null(stretches_open(&stretches, 0));
	c->stage = STRETCH_DONE;
	assert_ptr_equal(stretches_done_after(&stretches, a), c);
	assert_ptr_equal(stretches_done_after(&stretches, c), b);
	stretches_drop(&stretches, a);
	stretches_reopen(&stretches, c);
	assert_true(stretches_open_first(&stretches));
	stretches_reopen(&stretches, b); /* all of it is unread again */
	assert_true(list_empty(&stretches.all));
	assert_int_equal(stretches.cursor, 14);
	stretches_fini(&stretches);
}

static struct stretch *pick(struct stretches *stretches)
{
	struct stretch *found = NULL;
	int seen = 0;

	LIST_EACH(link, &stretches->all)
		if (at(link)->stage != STRETCH_OPEN && rand() % ++seen == 0)
			found = at(link);
	return found;
}

/* Takes a part of an open range or of the rest. */
static bool take(struct stretches *stretches, char *model)
{
	struct stretch *from = rand() % 2 ? stretches_open(stretches, rand() % END) : NULL;
	int64_t low = from ? from->first_seq : stretches->cursor + 1;
	int64_t high = from ? from->last_seq : stretches->cursor + 1 + rand() % 8;
	int64_t first, last;

	if (high >= END)
		return false;
	first = low + rand() % (high - low + 1);
	last = first + rand() % (high - first + 1);
	if (!from)
		memset(model + low, 'o', (size_t)(first - low));
	memset(model + first, 'f', (size_t)(last - first + 1));
	stretches_take(stretches, first, last, run(1));
	return true;
}

/* What is open at the end is the unread rest. */
static void trim(char *model)
{
	for (int seq = END - 1; seq > 0 && (model[seq] == 'o' || model[seq] == '.'); seq--)
		model[seq] = '.';
}

static void test_random_play(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 200; round++) {
		struct stretches stretches;
		char model[END], picture[END];
		int taken = 0;

		assert_true(stretches_init(&stretches, FLYING, 0));
		memset(model, '.', END);
		for (int i = 0; i < 200; i++) {
			struct stretch *one = pick(&stretches);
			int play = rand() % 5;

			if (play < 2 && taken < FLYING) {
				taken += take(&stretches, model);
			} else if (one && play == 2) {
				memset(model + one->first_seq, 'o',
				       (size_t)(one->last_seq - one->first_seq + 1));
				stretches_reopen(&stretches, one);
				trim(model);
				taken--;
			} else if (one && play == 4) {
				if (one->first_seq == one->last_seq)
					continue;
				memset(model + one->last_seq, 'o', 1);
				stretches_cut(&stretches, one, one->last_seq - 1);
				trim(model);
			} else if (one) {
				memset(model + one->first_seq, 'd',
				       (size_t)(one->last_seq - one->first_seq + 1));
				one->stage = STRETCH_DONE;
			}
			while ((one = stretches_done(&stretches))) {
				memset(model + one->first_seq, '.',
				       (size_t)(one->last_seq - one->first_seq + 1));
				stretches_drop(&stretches, one);
				taken--;
			}
			draw(&stretches, picture);
			assert_memory_equal(picture, model, END);
		}
		stretches_fini(&stretches);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_all_in_order),
		cmocka_unit_test(test_random_play),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stretch", tests, NULL, NULL);
}
