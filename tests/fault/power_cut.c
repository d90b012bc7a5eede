/* The power-cut rig: a gateway's journal under load, cut again and again.
 *
 *   power_cut [CUTS [SEED]]
 *
 * After each cut what the disk has kept is opened: nothing that was answered
 * may be missing, nothing may be there twice, and it must go on serving. Then
 * that store is loaded and cut in its turn. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../unit/outbox/kit.h"
#include "base/clock.h"
#include "cut_vfs.h"

#define POSTS_MAX 4000 /* of one line of stores */
#define POSTS_A_ROUND 40
#define IN_FLIGHT 8
#define ROUNDS_A_LINE 20 /* then a new store is begun */
#define PEOPLE 300

/* What was sent: number i always stands for the same post. */
static struct {
	struct capture first; /* the answer that was given, or would be again */
	bool answered;
} sent[POSTS_MAX];
static size_t sent_count;

static _Atomic(size_t) answered_count; /* entries of answered_log */
static size_t answered_log[POSTS_MAX];
static _Atomic(int64_t) settled_seq;

/* As they were when the power failed. */
static size_t cut_answered;
static int64_t cut_settled;

static struct kit kit;

static void power_fails(void)
{
	cut_answered = atomic_load(&answered_count);
	cut_settled = atomic_load(&settled_seq);
}

static struct submission *make_post(size_t number)
{
	static char email[64], phone[32], message[400], delivery[32];
	struct post post = {
		.name = "Some Body", .email = email, .message = message, .delivery = delivery};

	snprintf(email, sizeof(email), "p%zu@cut.example", number * 7919 % PEOPLE);
	snprintf(phone, sizeof(phone), "+1500%07zu", number * 31 % PEOPLE);
	snprintf(message, sizeof(message), "%*zu", (int)(number * 37 % 390) + 1, number);
	snprintf(delivery, sizeof(delivery), "d%zu", number);
	post.phone = number % 3 ? NULL : phone;
	return kit_make(&kit, &post, 1);
}

/* The reply's capture; the number of the post stands in its digest's place. */
struct flight {
	struct submission *submission;
	size_t number;
};

static size_t find_flight(struct flight *flights, const struct letter *letter)
{
	for (size_t i = 0; i < IN_FLIGHT; i++)
		if (flights[i].submission && &flights[i].submission->letter == letter)
			return i;
	kit_fail("an answer that nobody waits for");
}

static void note_answer(const struct flight *flight)
{
	const struct submission *submission = flight->submission;
	size_t log_at = atomic_load(&answered_count);

	if (submission->status != SUBMISSION_STORED)
		kit_fail("post %zu has status %d", flight->number, (int)submission->status);
	sent[flight->number].first = submission->captures[0];
	sent[flight->number].answered = true;
	answered_log[log_at] = flight->number;
	atomic_store(&answered_count, log_at + 1);
}

static void settle(int64_t first_seq, int64_t last_seq)
{
	static struct settled_event events[POSTS_MAX * 2];
	struct settlement settlement = {.reply = &kit.replies,
					.sink = LG_SLICE("sink"),
					.first = true,
					.first_seq = first_seq,
					.last_seq = last_seq,
					.events = events,
					.count = (size_t)(last_seq - first_seq + 1),
					.at_ms = 1};

	for (int64_t seq = first_seq; seq <= last_seq; seq++)
		events[seq - first_seq] = (struct settled_event){
			.seq = seq, .state = seq % 5 ? DELIVERY_DELIVERED : DELIVERY_DEAD};
	outbox_settle(kit.outbox, &settlement);
	if (kit_reply(&kit) != &settlement.letter || !settlement.stored)
		kit_fail("a settlement was not stored");
	atomic_store(&settled_seq, last_seq);
}

/* New posts, some at a time, then their settlement. */
static void load_store(void)
{
	struct flight flights[IN_FLIGHT];
	size_t in_flight = 0, left = POSTS_A_ROUND;

	memset(flights, 0, sizeof(flights));
	while (left > 0 || in_flight > 0) {
		for (size_t i = 0; i < IN_FLIGHT && left > 0; i++) {
			if (flights[i].submission)
				continue;
			flights[i] = (struct flight){make_post(sent_count), sent_count};
			sent_count++;
			left--;
			in_flight++;
			if (!outbox_submit(kit.outbox, flights[i].submission))
				kit_fail("the store takes nothing");
		}
		size_t i = find_flight(flights, kit_reply(&kit));
		note_answer(&flights[i]);
		kit_free(flights[i].submission);
		flights[i].submission = NULL;
		in_flight--;
	}
	int64_t last_seq = outbox_last_seq(kit.outbox);
	if (last_seq > atomic_load(&settled_seq))
		settle(atomic_load(&settled_seq) + 1, last_seq);
}

/* One by one, all that was ever sent: what was answered before the cut must be
 * answered the same; then everything is there once. */
static void verify_posts(void)
{
	bool *must = calloc(POSTS_MAX, sizeof(*must));

	for (size_t i = 0; i < cut_answered; i++)
		must[answered_log[i]] = true;
	atomic_store(&answered_count, 0);
	for (size_t number = 0; number < sent_count; number++) {
		struct submission *submission = make_post(number);
		if (!outbox_submit(kit.outbox, submission) ||
		    kit_reply(&kit) != &submission->letter)
			kit_fail("the store does not serve after the cut");
		const struct capture *now = &submission->captures[0];
		if (must[number] && now->verdict != CAPTURE_REPEATED)
			kit_fail("post %zu was answered before the cut and is missing", number);
		if (must[number] &&
		    memcmp(now->receipt, sent[number].first.receipt, UUID_BYTES) != 0)
			kit_fail("post %zu has another receipt after the cut", number);
		note_answer(&(struct flight){submission, number});
		kit_free(submission);
	}
	free(must);
}

static void verify_tables(void)
{
	struct error error = {""};
	struct reader *reader = reader_open(kit.store.path, &error);

	if (!reader)
		kit_fail("%s", error.text);
	int64_t position = reader_position(reader, LG_SLICE("sink"));
	reader_close(&reader);
	if (position < cut_settled)
		kit_fail("settled to %lld before the cut, %lld after it", (long long)cut_settled,
			 (long long)position);
	atomic_store(&settled_seq, position);
	if (kit_count(&kit,
		      "SELECT (SELECT count(*) FROM event) - (SELECT count(*) FROM identity)") ||
	    kit_count(&kit,
		      "SELECT count(*) FROM lead WHERE event NOT IN (SELECT seq FROM event)") ||
	    kit_count(&kit, "SELECT count(*) FROM event WHERE lead NOT IN (SELECT id FROM lead)"))
		kit_fail("the tables do not agree after the cut");
	if (kit_count(&kit, "SELECT count(*) FROM event") != (int64_t)sent_count)
		kit_fail("%lld events for %zu posts",
			 (long long)kit_count(&kit, "SELECT count(*) FROM event"), sent_count);
	if (kit_count(&kit, "SELECT integrity_check = 'ok' FROM pragma_integrity_check") != 1)
		kit_fail("integrity_check fails after the cut");
}

static void clear_folder(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", ".lock"};
	char file[400];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(file, sizeof(file), "%s%s", kit.path, suffixes[i]);
		unlink(file);
	}
}

static void begin_store(void)
{
	clear_folder();
	cut_vfs_watch(kit.folder);
	sent_count = 0;
	atomic_store(&answered_count, 0);
	atomic_store(&settled_seq, 0);
}

/* One cut; false when the load was over before it came. What was answered
 * after the cut is no promise: it is sent again as if it were new. */
static bool cut_once(uint64_t after, uint64_t seed, uint64_t *operations)
{
	uint64_t before = cut_vfs_operations();

	cut_vfs_arm(after, seed, power_fails);
	kit_open(&kit);
	load_store();
	kit_close(&kit);
	*operations = cut_vfs_operations() - before;
	if (!cut_vfs_fired())
		return false;
	clear_folder();
	cut_vfs_save(kit.folder);
	cut_vfs_watch(kit.folder);
	kit_open(&kit);
	verify_posts();
	verify_tables();
	kit_close(&kit);
	return true;
}

int main(int argc, char **argv)
{
	long cuts = argc > 1 ? strtol(argv[1], NULL, 10) : 500, fired = 0, round = 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : random_u64() >> 1, next = seed | 1;
	uint64_t usual = 300;

	printf("1..1\n# seed %llu\n", (unsigned long long)seed);
	cut_vfs_register();
	kit_init(&kit);
	kit.store.wal_bytes = 96 << 10;
	kit.store.batch_captures = 5;
	int64_t began_ms = clock_monotonic_ms();
	for (; fired < cuts; round++) {
		next = next * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		if (round % ROUNDS_A_LINE == 0)
			begin_store();
		fired += cut_once(1 + (next >> 33) % usual, next, &usual);
	}
	kit_fini(&kit);
	printf("ok 1 - %ld power cuts in %ld rounds lose nothing and double nothing\n", fired,
	       round);
	printf("# %lld ms\n", (long long)(clock_monotonic_ms() - began_ms));
	return 0;
}
