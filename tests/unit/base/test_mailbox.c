#include "unit.h"

#include "base/clock.h"
#include "base/mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

struct note {
	struct letter letter;
	int sender, number;
};

static bool readable(const struct mailbox *mailbox)
{
	struct pollfd poll_fd = {.fd = mailbox->fd, .events = POLLIN};
	return poll(&poll_fd, 1, 0) == 1;
}

/* How often the eventfd was written since it was last read; reads it. */
static uint64_t writes(const struct mailbox *mailbox)
{
	uint64_t count = 0;
	return read(mailbox->fd, &count, sizeof(count)) > 0 ? count : 0;
}

static int numbers(struct letter *letter)
{
	int sum = 0;
	for (; letter; letter = letter->next)
		sum = sum * 10 + ((struct note *)letter)->number;
	return sum;
}

static void oldest_comes_first(void **state)
{
	struct note notes[6];
	struct mailbox mailbox;
	(void)state;
	assert_true(mailbox_init(&mailbox));
	for (int i = 0; i < 6; i++)
		notes[i].number = i + 1;
	mailbox_send(&mailbox, &notes[0].letter);
	notes[1].letter.next = &notes[2].letter;
	notes[2].letter.next = &notes[3].letter;
	notes[3].letter.next = NULL;
	mailbox_send_chain(&mailbox, &notes[1].letter);
	mailbox_send_chain(&mailbox, NULL);
	mailbox_send(&mailbox, &notes[4].letter);
	assert_int_equal(numbers(mailbox_take(&mailbox)), 12345);
	assert_null(mailbox_take(&mailbox));
	mailbox_send(&mailbox, &notes[5].letter);
	assert_int_equal(numbers(mailbox_take(&mailbox)), 6);
	mailbox_fini(&mailbox);
}

static void only_an_empty_box_is_woken(void **state)
{
	struct note notes[4];
	struct mailbox mailbox;
	(void)state;
	assert_true(mailbox_init(&mailbox));
	assert_false(readable(&mailbox));
	for (int i = 0; i < 4; i++)
		mailbox_send(&mailbox, &notes[i].letter);
	assert_int_equal(writes(&mailbox), 1);
	assert_non_null(mailbox_take(&mailbox));
	assert_false(readable(&mailbox));
	mailbox_send(&mailbox, &notes[0].letter);
	assert_true(readable(&mailbox));
	assert_non_null(mailbox_take(&mailbox));
	assert_false(readable(&mailbox));
	mailbox_fini(&mailbox);
}

static void waits_end(void **state)
{
	struct note note;
	struct mailbox mailbox;
	(void)state;
	assert_true(mailbox_init(&mailbox));
	int64_t before_ms = clock_monotonic_ms();
	assert_false(mailbox_wait(&mailbox, 0));
	assert_false(mailbox_wait(&mailbox, 20));
	assert_true(clock_monotonic_ms() >= before_ms + 20);
	mailbox_poke(&mailbox);
	assert_true(mailbox_wait(&mailbox, -1));
	assert_null(mailbox_take(&mailbox));
	assert_false(mailbox_wait(&mailbox, 0));
	mailbox_send(&mailbox, &note.letter);
	assert_true(mailbox_wait(&mailbox, -1));
	assert_true(mailbox_wait(&mailbox, INT64_MAX));
	mailbox_fini(&mailbox);
}

static void no_descriptor_is_a_failure(void **state)
{
	struct mailbox mailbox;
	struct rlimit before, none;
	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	bool made = mailbox_init(&mailbox);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(made);
	mailbox_fini(&mailbox);
}

#define SENDERS 4
#define NOTES 20000
static struct mailbox shared;
static struct note stress[SENDERS][NOTES];

/* Singles and chains by turns. */
static void *send_all(void *context)
{
	struct note *notes = context;
	for (int i = 0; i < NOTES;) {
		int chain = i % 7 == 0 ? 5 : 1;
		if (chain > NOTES - i)
			chain = NOTES - i;
		for (int j = 0; j < chain; j++)
			notes[i + j].letter.next = j + 1 < chain ? &notes[i + j + 1].letter : NULL;
		mailbox_send_chain(&shared, &notes[i].letter);
		i += chain;
	}
	return NULL;
}

/* The receiver sleeps without a limit: a lost wake-up hangs the test. */
static void nothing_is_lost_under_stress(void **state)
{
	pthread_t threads[SENDERS];
	int next[SENDERS] = {0}, all = 0;
	(void)state;
	assert_true(mailbox_init(&shared));
	for (int i = 0; i < SENDERS; i++) {
		for (int j = 0; j < NOTES; j++) {
			stress[i][j].sender = i;
			stress[i][j].number = j;
		}
		assert_int_equal(pthread_create(&threads[i], NULL, send_all, stress[i]), 0);
	}
	while (all < SENDERS * NOTES) {
		assert_true(mailbox_wait(&shared, -1));
		for (struct letter *l = mailbox_take(&shared); l; l = l->next) {
			const struct note *note = (struct note *)l;
			if (note->number != next[note->sender]++)
				fail_msg("sender %d: letters out of order", note->sender);
			all++;
		}
	}
	for (int i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	assert_null(mailbox_take(&shared));
	mailbox_fini(&shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oldest_comes_first),
		cmocka_unit_test(only_an_empty_box_is_woken),
		cmocka_unit_test(waits_end),
		cmocka_unit_test(no_descriptor_is_a_failure),
		cmocka_unit_test(nothing_is_lost_under_stress),
	};
	return RUN(tests);
}
