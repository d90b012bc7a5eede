#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define CONTENTS 20
/* Of which some come once more in the same transaction, first, middle and last ones. */
#define TWICE 4
#define STEP 6

/* A partner's or a campaign's id may stand at many leads. */
static void make_contents(struct post posts[CONTENTS + TWICE], char messages[CONTENTS][16])
{
	for (size_t i = 0; i < CONTENTS; i++) {
		snprintf(messages[i], 16, "number %zu", i);
		posts[i] = (struct post){.name = "Ada Lovelace",
					 .email = "ada@engine.example",
					 .message = messages[i],
					 .delivery = "campaign-1"};
	}
	for (size_t i = 0; i < TWICE; i++)
		posts[CONTENTS + i] = posts[i * STEP];
}

static bool same_receipt(const struct capture *capture, const uint8_t receipt[UUID_BYTES])
{
	return capture->verdict == CAPTURE_REPEATED &&
	       memcmp(capture->receipt, receipt, UUID_BYTES) == 0;
}

static void store_contents(struct kit *kit, const struct post posts[CONTENTS + TWICE],
			   uint8_t receipts[CONTENTS][UUID_BYTES])
{
	struct submission *submission = kit_submit(kit, posts, CONTENTS + TWICE);
	const struct capture *captures = submission->captures;

	for (size_t i = 0; i < CONTENTS; i++) {
		assert_int_equal(captures[i].verdict, i ? CAPTURE_TOUCHED : CAPTURE_CREATED);
		memcpy(receipts[i], captures[i].receipt, UUID_BYTES);
	}
	for (size_t i = 0; i < TWICE; i++)
		assert_true(same_receipt(&captures[CONTENTS + i], receipts[i * STEP]));
	kit_free(submission);
}

/* In one transaction, and then each by itself. */
static void store_again(struct kit *kit, const struct post *posts,
			uint8_t receipts[CONTENTS][UUID_BYTES])
{
	struct submission *submission = kit_submit(kit, posts, CONTENTS);

	for (size_t i = 0; i < CONTENTS; i++) {
		struct capture alone = kit_post(kit, posts[i]);
		assert_true(same_receipt(&submission->captures[i], receipts[i]));
		assert_true(same_receipt(&alone, receipts[i]));
	}
	kit_free(submission);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), CONTENTS);
}

static void each_of_many_contents_is_known_for_ever(void **state)
{
	struct kit *kit = *state;
	struct post posts[CONTENTS + TWICE];
	char messages[CONTENTS][16];
	uint8_t receipts[CONTENTS][UUID_BYTES];
	struct outbox_stats before, after;

	kit_open(kit);
	make_contents(posts, messages);
	store_contents(kit, posts, receipts);
	store_again(kit, posts, receipts);
	outbox_stats(kit->outbox, &before);
	kit_close(kit);
	kit_open(kit);
	outbox_stats(kit->outbox, &after);
	assert_int_equal(after.index_keys, before.index_keys);
	store_again(kit, posts, receipts);
}

/* One more is still of the lead that the provider means, whoever it says that it is. */
static void further_contents_touch_the_lead(void **state)
{
	struct kit *kit = *state;
	struct post posts[CONTENTS + TWICE];
	char messages[CONTENTS][16];
	uint8_t receipts[CONTENTS][UUID_BYTES];
	struct post post = {.email = "bob@engine.example", .delivery = "campaign-1"};

	kit_open(kit);
	make_contents(posts, messages);
	store_contents(kit, posts, receipts);
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_TOUCHED);
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_REPEATED);
	/* An Idempotency-Key stands for one content only. */
	post.idempotent = true;
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_REPEATED);
	post.message = "other";
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_CONFLICT);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM lead"), 1);
}

/* Its event was old and went, while its lead lives on: it is stored once more, not each time. */
static void what_was_pruned_comes_in_once(void **state)
{
	struct kit *kit = *state;
	struct chore prune = {.kind = CHORE_PRUNE, .before_ms = clock_wall_ms() - 1000};
	struct post post = {.email = "ada@engine.example", .delivery = "campaign-1"};

	kit_open(kit);
	post.at_ms = prune.before_ms - 1000;
	kit_post(kit, post);
	post.at_ms = 0;
	kit_post(kit, (struct post){.email = post.email, .message = "later"});
	kit_post(kit, (struct post){.email = "bob@engine.example"});
	assert_true(outbox_do_now(kit->outbox, &prune));
	assert_int_equal(prune.count, 1);
	struct capture again = kit_post(kit, post);
	assert_int_equal(again.verdict, CAPTURE_TOUCHED);
	struct capture once_more = kit_post(kit, post);
	assert_true(same_receipt(&once_more, again.receipt));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(each_of_many_contents_is_known_for_ever),
		STORE_TEST(further_contents_touch_the_lead),
		STORE_TEST(what_was_pruned_comes_in_once),
	};
	return RUN(tests);
}
