#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static const struct post ada = {.name = "Ada Lovelace",
				.email = "ada@engine.example",
				.phone = "+15005550006",
				.message = "hello"};

static bool same_id(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, UUID_BYTES) == 0;
}

/* The lead that an event belongs to. */
static void lead_of(struct kit *kit, const struct capture *capture, uint8_t lead_id[UUID_BYTES])
{
	struct error error = {""};
	struct reader *reader = reader_open(kit->store.path, &error);

	assert_non_null(reader);
	assert_true(reader_lead_of_event(reader, capture->receipt, lead_id));
	reader_close(&reader);
}

static void new_person_is_created(void **state)
{
	struct kit *kit = *state;

	kit_open(kit);
	struct capture first = kit_post(kit, ada);
	assert_int_equal(first.verdict, CAPTURE_CREATED);
	assert_int_equal(first.seq, 1);
	assert_true(same_id(first.receipt, first.event_id));
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event WHERE type = 'lead.created'"),
			 1);
	assert_int_equal(kit_count(kit, "SELECT event FROM lead"), 1);
	assert_int_equal(outbox_last_seq(kit->outbox), 1);
	assert_non_null(strstr(kit_record(kit, first.lead_id), "\"stage\":\"new\""));
}

/* Nobody can fill somebody's record until nothing more is stored for them. */
static void full_record_takes_touches(void **state)
{
	struct kit *kit = *state;
	struct post post = ada;
	struct post colleague = {.name = "Bob", .email = "bob@engine.example", .phone = ada.phone};
	char name[32], value[1001];

	kit->limits.record_bytes = 16384;
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	kit_open(kit);
	struct capture first = kit_post(kit, post);
	post.extra_name = name;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "field-%d", i);
		post.extra = i < 20 ? value : "x"; /* to the last bytes of room */
		assert_int_equal(kit_post(kit, post).verdict, CAPTURE_TOUCHED);
	}
	assert_in_range(strlen(kit_record(kit, first.lead_id)), 16300, 16400);
	/* What the record has no room for is in the changes all the same. */
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event WHERE seq = 20 AND "
					"body LIKE '%\"kept\":%\"extra.field-18\":\"xxx%'"),
			 1);
	/* A link goes in whatever it holds. */
	assert_int_equal(kit_post(kit, colleague).verdict, CAPTURE_CREATED);
	snprintf(name, sizeof(name), "last");
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_TOUCHED);
	assert_non_null(strstr(kit_record(kit, first.lead_id), "possible_duplicates"));
}

static void double_click_is_answered_again(void **state)
{
	struct kit *kit = *state;
	struct post post = ada;

	kit_open(kit);
	struct capture first = kit_post(kit, post);
	struct capture again = kit_post(kit, post);
	assert_int_equal(again.verdict, CAPTURE_REPEATED);
	assert_int_equal(again.seq, first.seq);
	assert_true(same_id(again.receipt, first.receipt));
	/* Another source has its own forms. */
	post.source = "other";
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_TOUCHED);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 2);
}

static void double_click_ends_with_its_window(void **state)
{
	struct kit *kit = *state;
	struct post post = ada;

	kit_open(kit);
	post.at_ms = clock_wall_ms();
	kit_post(kit, post);
	post.at_ms += kit->dedup.submission_window_ms;
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_REPEATED);
	post.at_ms += 1;
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_TOUCHED);
}

/* As a file says it, which brings within a second what a person did in months. */
static void what_occurred_long_apart_is_no_double_click(void **state)
{
	const int64_t january = INT64_C(1767607200000), june = january + INT64_C(13219200000);
	struct kit *kit = *state;
	struct post post = ada;

	kit_open(kit);
	post.occurred_ms = january;
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_CREATED);
	post.occurred_ms = june;
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_TOUCHED);
	/* Each of them twice, and a little later; and one that does not say it. */
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_REPEATED);
	post.occurred_ms = january + kit->dedup.submission_window_ms;
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_REPEATED);
	post.occurred_ms = 0;
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_REPEATED);
}

static void hundred_at_once_make_one_lead(void **state)
{
	struct kit *kit = *state;
	struct submission *submissions[100];
	uint8_t receipt[UUID_BYTES];
	int created = 0, repeated = 0;

	kit_open(kit);
	for (size_t i = 0; i < 100; i++)
		submissions[i] = kit_make(kit, &ada, 1);
	for (size_t i = 0; i < 100; i++)
		assert_true(outbox_submit(kit->outbox, submissions[i]));
	for (size_t i = 0; i < 100; i++)
		kit_reply(kit);
	for (size_t i = 0; i < 100; i++) {
		const struct capture *capture = &submissions[i]->captures[0];
		assert_int_equal(submissions[i]->status, SUBMISSION_STORED);
		created += capture->verdict == CAPTURE_CREATED;
		repeated += capture->verdict == CAPTURE_REPEATED;
		if (i == 0)
			memcpy(receipt, capture->receipt, UUID_BYTES);
		assert_true(same_id(capture->receipt, receipt));
	}
	assert_int_equal(created, 1);
	assert_int_equal(repeated, 99);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 1);
	for (size_t i = 0; i < 100; i++)
		kit_free(submissions[i]);
}

static void same_in_one_submission_is_one(void **state)
{
	struct kit *kit = *state;
	struct post posts[100];

	kit_open(kit);
	for (size_t i = 0; i < 100; i++)
		posts[i] = ada;
	struct submission *submission = kit_submit(kit, posts, 100);
	assert_int_equal(submission->captures[0].verdict, CAPTURE_CREATED);
	for (size_t i = 1; i < 100; i++) {
		assert_int_equal(submission->captures[i].verdict, CAPTURE_REPEATED);
		assert_true(
			same_id(submission->captures[i].receipt, submission->captures[0].receipt));
	}
	kit_free(submission);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 1);
}

static void delivery_is_known_for_ever(void **state)
{
	struct kit *kit = *state;
	struct post post = ada;

	kit_open(kit);
	post.delivery = "provider-1";
	post.at_ms = clock_wall_ms() - INT64_C(86400000) * 400;
	struct capture first = kit_post(kit, post);
	post.at_ms = 0;
	struct capture again = kit_post(kit, post);
	assert_int_equal(again.verdict, CAPTURE_REPEATED);
	assert_true(same_id(again.receipt, first.receipt));
	/* The id of another source is another id. */
	post.source = "other";
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_CREATED);
}

static void delivery_key_switches_the_double_click_off(void **state)
{
	struct kit *kit = *state;
	struct post post = ada;

	kit_open(kit);
	post.delivery = "a";
	kit_post(kit, post);
	post.delivery = "b";
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_TOUCHED);
}

static void idempotency_key_refuses_other_content(void **state)
{
	struct kit *kit = *state;
	struct post post = ada;

	kit_open(kit);
	post.delivery = "key";
	post.idempotent = true;
	kit_post(kit, post);
	post.message = "other";
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_CONFLICT);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 1);
	post.message = ada.message;
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_REPEATED);
}

static void provider_id_with_new_content_touches(void **state)
{
	struct kit *kit = *state;
	struct post post = ada;
	uint8_t lead_id[UUID_BYTES];

	kit_open(kit);
	post.delivery = "provider-1";
	struct capture first = kit_post(kit, post);
	/* Another person by every key, but the provider says that it is one. */
	post = (struct post){
		.name = "Ada King", .email = "ada@other.example", .delivery = "provider-1"};
	struct capture second = kit_post(kit, post);
	assert_int_equal(second.verdict, CAPTURE_TOUCHED);
	lead_of(kit, &second, lead_id);
	assert_true(same_id(lead_id, first.lead_id));
	assert_int_equal(kit_post(kit, post).verdict, CAPTURE_REPEATED);
}

static void known_person_is_touched(void **state)
{
	struct kit *kit = *state;
	uint8_t lead_id[UUID_BYTES];

	kit_open(kit);
	struct capture first = kit_post(
		kit, (struct post){.name = "Ada Lovelace", .email = "ada@engine.example"});
	struct capture second = kit_post(kit, (struct post){.email = "ada@engine.example",
							    .phone = "+15005550006",
							    .name = "Countess"});
	assert_int_equal(second.verdict, CAPTURE_TOUCHED);
	assert_int_equal(second.seq, 2);
	lead_of(kit, &second, lead_id);
	assert_true(same_id(lead_id, first.lead_id));
	const char *record = kit_record(kit, first.lead_id);
	assert_non_null(strstr(record, "+15005550006"));
	assert_non_null(strstr(record, "Ada Lovelace"));
	assert_null(strstr(record, "Countess"));
	assert_int_equal(kit_count(kit, "SELECT body LIKE '%\"changes\":%Countess%' FROM event"
					" WHERE seq = 2"),
			 1);
	assert_int_equal(kit_count(kit, "SELECT event FROM lead"), 2);
	/* The phone that the touch brought is hers from now on. */
	assert_int_equal(kit_post(kit, (struct post){.phone = "+15005550006"}).verdict,
			 CAPTURE_TOUCHED);
}

static void window_of_a_person_ends(void **state)
{
	struct kit *kit = *state;
	struct post post = ada;

	kit_open(kit);
	post.at_ms = clock_wall_ms() - kit->dedup.person_window_ms - 1000;
	struct capture first = kit_post(kit, post);
	post.at_ms = 0;
	struct capture second = kit_post(kit, post);
	assert_int_equal(second.verdict, CAPTURE_CREATED);
	assert_false(same_id(second.lead_id, first.lead_id));
}

static void office_number_links_colleagues(void **state)
{
	struct kit *kit = *state;
	char first_id[UUID_TEXT_BYTES];

	kit_open(kit);
	struct capture ann = kit_post(kit, (struct post){.name = "Ann Alpha",
							 .email = "ann@firm.example",
							 .phone = "+15005550001"});
	struct capture bob = kit_post(kit, (struct post){.name = "Bob Beta",
							 .email = "bob@firm.example",
							 .phone = "+15005550001"});
	assert_int_equal(bob.verdict, CAPTURE_CREATED);
	uuid_format(ann.lead_id, first_id);
	const char *record = kit_record(kit, bob.lead_id);
	assert_non_null(strstr(record, "possible_duplicates"));
	assert_non_null(strstr(record, first_id));
	assert_null(strstr(kit_record(kit, ann.lead_id), "possible_duplicates"));
}

static void number_of_many_is_weak(void **state)
{
	struct kit *kit = *state;
	static const char *const names[] = {"Ann Alpha", "Bob Beta", "Cid Gamma", "Dee Delta"};
	static const char *const emails[] = {"ann@f.example", "bob@f.example", "cid@f.example",
					     "dee@f.example"};
	struct capture last = {.seq = 0};

	kit_open(kit);
	for (size_t i = 0; i < 4; i++) {
		last = kit_post(kit, (struct post){.name = names[i],
						   .email = emails[i],
						   .phone = "+15005550001"});
		assert_int_equal(last.verdict, CAPTURE_CREATED);
	}
	/* Three have it: the fourth is not even linked. */
	assert_null(strstr(kit_record(kit, last.lead_id), "possible_duplicates"));
	assert_int_equal(kit_post(kit, (struct post){.phone = "+15005550001"}).verdict,
			 CAPTURE_CREATED);
	/* Who has a strong key beside it is still known. */
	assert_int_equal(kit_post(kit, (struct post){.name = "Ann Alpha",
						     .email = "ann@f.example",
						     .phone = "+15005550001",
						     .message = "again"})
				 .verdict,
			 CAPTURE_TOUCHED);
}

static void role_address_never_matches(void **state)
{
	struct kit *kit = *state;

	kit_open(kit);
	kit_post(kit, (struct post){.name = "Ann Alpha", .email = "info@firm.example"});
	assert_int_equal(
		kit_post(kit, (struct post){.name = "Bob Beta", .email = "info@firm.example"})
			.verdict,
		CAPTURE_CREATED);
}

static void agreeing_names_overrule_another_address(void **state)
{
	struct kit *kit = *state;

	kit_open(kit);
	kit_post(kit, (struct post){.name = "Ann Alpha",
				    .email = "ann@home.example",
				    .phone = "+15005550001"});
	assert_int_equal(kit_post(kit, (struct post){.name = "ann  ALPHA",
						     .email = "ann@work.example",
						     .phone = "+15005550001"})
				 .verdict,
			 CAPTURE_TOUCHED);
	assert_int_equal(kit_post(kit, (struct post){.email = "ann@work.example"}).verdict,
			 CAPTURE_TOUCHED);
}

static void link_policy_keeps_leads_apart(void **state)
{
	struct kit *kit = *state;
	struct post post = ada;
	char id[UUID_TEXT_BYTES];

	kit_open(kit);
	struct capture first = kit_post(kit, post);
	uuid_format(first.lead_id, id);
	for (int i = 0; i < 5; i++) {
		char message[32];
		snprintf(message, sizeof(message), "number %d", i);
		post.message = message;
		post.policy = MERGE_LINK;
		struct capture linked = kit_post(kit, post);
		assert_int_equal(linked.verdict, CAPTURE_CREATED);
		assert_non_null(strstr(kit_record(kit, linked.lead_id), id));
	}
	/* However many were linked, it is one person: the key is not weak. */
	post.policy = MERGE_FILL;
	post.message = "last";
	struct capture touched = kit_post(kit, post);
	uint8_t lead_id[UUID_BYTES];
	assert_int_equal(touched.verdict, CAPTURE_TOUCHED);
	lead_of(kit, &touched, lead_id);
	assert_true(same_id(lead_id, first.lead_id));
}

static void trap_is_kept_apart(void **state)
{
	struct kit *kit = *state;
	struct post trap = ada;
	struct error error = {""};
	struct journal_event *events;
	struct arena arena;

	kit_open(kit);
	trap.trapped = true;
	struct capture trapped = kit_post(kit, trap);
	assert_int_equal(trapped.verdict, CAPTURE_CREATED);
	assert_int_equal(kit_post(kit, trap).verdict, CAPTURE_REPEATED);
	/* It makes nobody known, and knows nobody. */
	struct post clean = ada;
	clean.message = "a person";
	assert_int_equal(kit_post(kit, clean).verdict, CAPTURE_CREATED);
	trap.message = "again";
	assert_int_equal(kit_post(kit, trap).verdict, CAPTURE_CREATED);
	arena_init(&arena, 4096, 0);
	struct reader *reader = reader_open(kit->store.path, &error);
	assert_int_equal(reader_events(reader, &arena, 0, 10, SIZE_MAX, &events, &error), 3);
	assert_true(events[0].discarded);
	assert_int_equal(events[0].type, EVENT_HELD);
	assert_false(events[1].discarded);
	assert_int_equal(events[1].type, EVENT_CREATED);
	assert_true(events[2].discarded);
	reader_close(&reader);
	arena_fini(&arena);
}

/* A record that we cannot read is no reason to lose the next lead. */
static void unreadable_record_is_linked_only(void **state)
{
	struct kit *kit = *state;
	char id[UUID_TEXT_BYTES];

	kit_open(kit);
	log_setup(2, LOG_LOGFMT, -1); /* what is logged is meant */
	struct capture first = kit_post(kit, ada);
	kit_sql(kit, "UPDATE event SET body = replace(body, '\"person\":{', '\"person\":[')");
	struct post post = ada;
	post.message = "again";
	struct capture second = kit_post(kit, post);
	assert_int_equal(second.verdict, CAPTURE_CREATED);
	uuid_format(first.lead_id, id);
	assert_non_null(strstr(kit_record(kit, second.lead_id), id));
	assert_true(outbox_ready(kit->outbox, NULL));
	log_setup(2, LOG_LOGFMT, LG_LOG_WARNING);
}

/* Whatever order history has, a restart knows the same. */
static void restart_knows_the_same(void **state)
{
	struct kit *kit = *state;
	struct outbox_stats before, after;
	struct post posts[60];
	char texts[60][3][32];

	kit_open(kit);
	for (size_t i = 0; i < 60; i++) {
		snprintf(texts[i][0], 32, "p%zu@x.example", i % 20);
		snprintf(texts[i][1], 32, "+1500555%04zu", i % 7);
		snprintf(texts[i][2], 32, "d%zu", i % 30);
		posts[i] = (struct post){.email = texts[i][0],
					 .phone = texts[i][1],
					 .delivery = i % 3 ? NULL : texts[i][2],
					 .message = texts[i][1],
					 .trapped = i % 11 == 0,
					 .policy = i % 5 == 0 ? MERGE_LINK : MERGE_FILL};
		kit_post(kit, posts[i]);
	}
	outbox_stats(kit->outbox, &before);
	kit_close(kit);
	kit_open(kit);
	outbox_stats(kit->outbox, &after);
	assert_int_equal(after.index_keys, before.index_keys);
	assert_int_equal(after.leads, before.leads);
	assert_int_equal(after.last_seq, before.last_seq);
	for (size_t i = 0; i < 60; i++)
		assert_int_not_equal(kit_post(kit, posts[i]).seq, 0);
	assert_int_equal(outbox_last_seq(kit->outbox), after.last_seq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(new_person_is_created),
		STORE_TEST(full_record_takes_touches),
		STORE_TEST(double_click_is_answered_again),
		STORE_TEST(double_click_ends_with_its_window),
		STORE_TEST(what_occurred_long_apart_is_no_double_click),
		STORE_TEST(hundred_at_once_make_one_lead),
		STORE_TEST(same_in_one_submission_is_one),
		STORE_TEST(delivery_is_known_for_ever),
		STORE_TEST(delivery_key_switches_the_double_click_off),
		STORE_TEST(idempotency_key_refuses_other_content),
		STORE_TEST(provider_id_with_new_content_touches),
		STORE_TEST(known_person_is_touched),
		STORE_TEST(window_of_a_person_ends),
		STORE_TEST(office_number_links_colleagues),
		STORE_TEST(number_of_many_is_weak),
		STORE_TEST(role_address_never_matches),
		STORE_TEST(agreeing_names_overrule_another_address),
		STORE_TEST(link_policy_keeps_leads_apart),
		STORE_TEST(trap_is_kept_apart),
		STORE_TEST(unreadable_record_is_linked_only),
		STORE_TEST(restart_knows_the_same),
	};
	return RUN(tests);
}
