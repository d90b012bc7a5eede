#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "outbox/drafts.h"

#define WHOLE_LEADS                                                                     \
	"SELECT count(*) FROM event e JOIN lead l ON l.event = e.seq AND l.id = e.lead" \
	" JOIN identity i ON i.seq = e.seq AND i.lead = e.lead AND i.at = e.at"         \
	" WHERE e.type = 'lead.created' AND length(i.keys) > 17 AND json_valid(e.body)"

static struct submission *make_person(struct kit *kit, int number)
{
	char email[32];

	snprintf(email, sizeof(email), "d%d@x.example", number);
	return kit_make(kit, &(struct post){.email = email}, 1);
}

/* All of them in one transaction; the submissions stay the caller's. */
static void submit_together(struct kit *kit, struct submission **submissions, size_t count)
{
	struct letter *oldest = NULL, **newest = &oldest;

	for (size_t i = 0; i < count; i++) {
		assert_true(outbox_admit(kit->outbox, submissions[i]));
		submissions[i]->letter.next = NULL;
		*newest = &submissions[i]->letter;
		newest = &submissions[i]->letter.next;
	}
	outbox_send(kit->outbox, oldest);
	for (size_t i = 0; i < count; i++)
		kit_reply(kit);
}

/* More than are kept back at once: all rows are there, by their seqs. */
static void many_are_written(void **state)
{
	enum { MANY = 2 * DRAFTS_MAX + 5 };
	struct kit *kit = *state;
	struct submission *submissions[MANY];

	kit_open(kit);
	for (int i = 0; i < MANY; i++)
		submissions[i] = make_person(kit, i);
	submit_together(kit, submissions, MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(submissions[i]->status, SUBMISSION_STORED);
		assert_int_equal(submissions[i]->captures[0].seq, i + 1);
		kit_free(submissions[i]);
	}
	assert_int_equal(kit_count(kit, WHOLE_LEADS), MANY);
	assert_int_equal(kit_count(kit, "SELECT max(seq) FROM event"), MANY);
}

/* What was kept back counts for those that come behind it. */
static void a_batch_sees_itself(void **state)
{
	struct kit *kit = *state;
	const struct post posts[] = {
		{.name = "Ann Lee", .email = "ann@x.example", .phone = "+15005550006"},
		{.name = "Ann Lee", .email = "ann@x.example", .phone = "+15005550006"},
		{.name = "Ann Lee", .email = "ann@x.example", .message = "more"},
		{.name = "Bob Ray", .email = "bob@x.example", .phone = "+15005550006"},
		{.name = "Cid Fox", .email = "cid@x.example"},
		{.email = "dora@x.example", .delivery = "d-1"},
		{.email = "dora@x.example", .delivery = "d-1"},
		{.email = "dora@x.example", .message = "other", .delivery = "d-1"},
		{.email = "eve@x.example", .delivery = "i-1", .idempotent = true},
		{.email = "eve@x.example",
		 .message = "other",
		 .delivery = "i-1",
		 .idempotent = true},
	};
	static const enum capture_verdict expected[] = {
		CAPTURE_CREATED, CAPTURE_REPEATED, CAPTURE_TOUCHED,  CAPTURE_CREATED,
		CAPTURE_CREATED, CAPTURE_CREATED,  CAPTURE_REPEATED, CAPTURE_TOUCHED,
		CAPTURE_CREATED, CAPTURE_CONFLICT,
	};
	enum { COUNT = sizeof(posts) / sizeof(posts[0]) };

	kit_open(kit);
	struct submission *submission = kit_submit(kit, posts, COUNT);
	const struct capture *all = submission->captures;
	assert_int_equal(submission->status, SUBMISSION_STORED);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(all[i].verdict, expected[i]);
	assert_memory_equal(all[1].receipt, all[0].receipt, UUID_BYTES);
	assert_memory_equal(all[6].receipt, all[5].receipt, UUID_BYTES);
	assert_non_null(strstr(kit_record(kit, all[0].lead_id), "\"touches\":2"));
	assert_non_null(strstr(kit_record(kit, all[3].lead_id), "possible_duplicates"));
	assert_null(strstr(kit_record(kit, all[4].lead_id), "possible_duplicates"));
	kit_free(submission);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 7);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM identity"), 7);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM lead"), 5);
}

/* It may stand anywhere among those that are kept back, or in front of them. */
static void culprits_take_nobody_with_them(void **state)
{
	enum { MANY = DRAFTS_MAX + 40 };
	static const int culprits[] = {0, 7, DRAFTS_MAX - 1, DRAFTS_MAX, MANY - 1};
	enum { CULPRITS = sizeof(culprits) / sizeof(culprits[0]) };
	struct kit *kit = *state;
	struct submission *submissions[MANY];

	kit_open(kit);
	struct capture first = kit_post(kit, (struct post){.email = "first@x.example"});
	for (int i = 0; i < MANY; i++)
		submissions[i] = make_person(kit, i);
	for (int i = 0; i < CULPRITS; i++) /* an id that is taken */
		memcpy(submissions[culprits[i]]->captures[0].lead_id, first.lead_id, UUID_BYTES);
	submit_together(kit, submissions, MANY);
	for (int i = 0, next = 0; i < MANY; i++) {
		bool culprit = next < CULPRITS && i == culprits[next];
		assert_int_equal(submissions[i]->status,
				 culprit ? SUBMISSION_FAILED : SUBMISSION_STORED);
		next += culprit;
		kit_free(submissions[i]);
	}
	assert_int_equal(kit_count(kit, WHOLE_LEADS), 1 + MANY - CULPRITS);
}

/* It fails when another one's turn makes the journal write what it kept back. */
static void a_culprit_is_not_who_comes_behind(void **state)
{
	struct kit *kit = *state;
	struct submission *submissions[3];

	kit_open(kit);
	struct capture known = kit_post(kit, (struct post){.email = "known@x.example"});
	submissions[0] = make_person(kit, 1);
	submissions[1] = make_person(kit, 2);
	submissions[2] = kit_make(
		kit, &(struct post){.email = "known@x.example", .message = "again"}, 1);
	memcpy(submissions[1]->captures[0].lead_id, known.lead_id, UUID_BYTES);
	submit_together(kit, submissions, 3);
	assert_int_equal(submissions[0]->status, SUBMISSION_STORED);
	assert_int_equal(submissions[1]->status, SUBMISSION_FAILED);
	assert_int_equal(submissions[2]->status, SUBMISSION_STORED);
	assert_int_equal(submissions[2]->captures[0].verdict, CAPTURE_TOUCHED);
	for (int i = 0; i < 3; i++)
		kit_free(submissions[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(many_are_written),
		STORE_TEST(a_batch_sees_itself),
		STORE_TEST(culprits_take_nobody_with_them),
		STORE_TEST(a_culprit_is_not_who_comes_behind),
	};
	return RUN(tests);
}
