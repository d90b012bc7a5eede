#include "merge_row.h"

#include "lead/identity.h"

static const struct merge_row fill_rows[] = {
	{"person.email=a@x.org", "person.email=a@x.org", "{}", "person.email=a@x.org"},
	{"person.email=a@x.org", "person.full_name=Jane\norganization.employees=5",
	 "{\"filled\":{\"person.full_name\":\"Jane\",\"organization.employees\":5}}",
	 "person.email=a@x.org\nperson.full_name=Jane\norganization.employees=5"},
	{"person.full_name=Jane", "person.full_name=Joe",
	 "{\"kept\":{\"person.full_name\":\"Joe\"}}", "person.full_name=Jane"},
	{"is_test=true", "is_test=false", "{\"kept\":{\"is_test\":false}}", "is_test=true"},
	/* second addresses */
	{"person.email=a@x.org\nperson.email_flags=free",
	 "person.email=b@x.org\nperson.email_flags=role",
	 "{\"added\":{\"person.other_emails\":[\"b@x.org\"]}}",
	 "person.email=a@x.org\nperson.email_flags=free\nperson.other_emails=b@x.org"},
	{"person.email=a@x.org\nperson.other_emails=b@x.org", "person.email=b@x.org", "{}",
	 "person.email=a@x.org\nperson.other_emails=b@x.org"},
	{"person.full_name=Jane", "person.email=b@x.org\nperson.email_flags=role",
	 "{\"filled\":{\"person.email\":\"b@x.org\"}}",
	 "person.full_name=Jane\nperson.email=b@x.org\nperson.email_flags=role"},
	{"person.phone=+1", "person.phone=+2\nperson.phone_type=mobile",
	 "{\"added\":{\"person.other_phones\":[\"+2\"]},\"kept\":{\"person.phone_type\":\"mobile\"}"
	 "}",
	 "person.phone=+1\nperson.other_phones=+2"},
	{"person.phone=+1", "person.phone=+2\nraw.person.phone_type=mobile",
	 "{\"added\":{\"person.other_phones\":[\"+2\"]},\"kept\":{\"raw.person.phone_type\":"
	 "\"mobile\"}}",
	 "person.phone=+1\nperson.other_phones=+2"},
	{"person.phone=+1", "person.phone=+1\nperson.phone_type=mobile",
	 "{\"filled\":{\"person.phone_type\":\"mobile\"}}",
	 "person.phone=+1\nperson.phone_type=mobile"},
	{"person.full_name=Jane", "person.phone=+1\nperson.phone_type=mobile",
	 "{\"filled\":{\"person.phone\":\"+1\",\"person.phone_type\":\"mobile\"}}",
	 "person.full_name=Jane\nperson.phone=+1\nperson.phone_type=mobile"},
	{"person.email=a@x.org", "person.other_emails=a@x.org\nperson.other_emails=c@x.org",
	 "{\"added\":{\"person.other_emails\":[\"c@x.org\"]}}",
	 "person.email=a@x.org\nperson.other_emails=c@x.org"},
	/* raw goes with its value */
	{"person.email=a@x.org", "person.phone=+1\nraw.person.phone=(1)",
	 "{\"filled\":{\"person.phone\":\"+1\",\"raw.person.phone\":\"(1)\"}}",
	 "person.email=a@x.org\nperson.phone=+1\nraw.person.phone=(1)"},
	{"person.phone=+1\nraw.person.phone=(1)", "person.phone=+2\nraw.person.phone=(2)",
	 "{\"added\":{\"person.other_phones\":[\"+2\"]},\"kept\":{\"raw.person.phone\":\"(2)\"}}",
	 "person.phone=+1\nraw.person.phone=(1)\nperson.other_phones=+2"},
	{"person.phone=+1\nraw.person.phone=(1)", "person.phone=+1\nraw.person.phone=(1)", "{}",
	 "person.phone=+1\nraw.person.phone=(1)"},
	{"person.email=a@x.org", "raw.person.phone=call me",
	 "{\"filled\":{\"raw.person.phone\":\"call me\"}}",
	 "person.email=a@x.org\nraw.person.phone=call me"},
	{"person.phone=+1", "raw.person.phone=call me",
	 "{\"kept\":{\"raw.person.phone\":\"call me\"}}", "person.phone=+1"},
	{"raw.person.phone=call me", "person.phone=+1\nraw.person.phone=(1)",
	 "{\"filled\":{\"person.phone\":\"+1\"},\"overwritten\":{\"raw.person.phone\":{\"from\":"
	 "\"call me\",\"to\":\"(1)\"}}}",
	 "person.phone=+1\nraw.person.phone=(1)"},
	/* where it came from */
	{"source.name=a\nclient.ip=::1",
	 "source.name=b\nclient.ip=::2\nclient.user_agent=x\n"
	 "occurred_at=2026-01-01T00:00:00.000Z\nscreening.verdict=held",
	 "{\"kept\":{\"occurred_at\":\"2026-01-01T00:00:00.000Z\",\"source.name\":\"b\",\"client."
	 "ip\":"
	 "\"::2\",\"client.user_agent\":\"x\",\"screening.verdict\":\"held\"}}",
	 "source.name=a\nclient.ip=::1\nidentity.first_seen=2026-01-01T00:00:00.000Z\n"
	 "identity.last_seen=2026-01-01T00:00:00.000Z"},
	/* lists */
	{"inquiry.products=a", "inquiry.products=a\ninquiry.products=b\ninquiry.products=c",
	 "{\"added\":{\"inquiry.products\":[\"b\",\"c\"]}}",
	 "inquiry.products=a\ninquiry.products=b\ninquiry.products=c"},
	{"profile=n,i,", "profile=n,i,\nprofile=n,j,u",
	 "{\"added\":{\"person.profiles\":[{\"network\":\"n\",\"id\":\"j\",\"url\":\"u\"}]}}",
	 "profile=n,i,\nprofile=n,j,u"},
	/* of those that say not whose they are the first stays */
	{"profile=linkedin,,https://linkedin.com/authwall?trk=x1",
	 "profile=linkedin,,https://linkedin.com/authwall?trk=x2\nprofile=x,,https://x.com/i/a",
	 "{\"added\":{\"person.profiles\":[{\"network\":\"x\",\"url\":\"https://x.com/i/a\"}]},"
	 "\"kept\":{\"person.profiles\":{\"network\":\"linkedin\",\"url\":"
	 "\"https://linkedin.com/authwall?trk=x2\"}}}",
	 "profile=linkedin,,https://linkedin.com/authwall?trk=x1\nprofile=x,,https://x.com/i/a"},
	{"profile=linkedin,,https://linkedin.com/authwall?trk=x1",
	 "profile=linkedin,,https://linkedin.com/authwall?trk=x1\n"
	 "profile=linkedin,,https://linkedin.com/in/eve",
	 "{\"added\":{\"person.profiles\":[{\"network\":\"linkedin\",\"url\":"
	 "\"https://linkedin.com/in/eve\"}]}}",
	 "profile=linkedin,,https://linkedin.com/authwall?trk=x1\n"
	 "profile=linkedin,,https://linkedin.com/in/eve"},
	{"profile=linkedin,,https://linkedin.com/in/eve",
	 "profile=linkedin,,https://linkedin.com/authwall",
	 "{\"added\":{\"person.profiles\":[{\"network\":\"linkedin\",\"url\":"
	 "\"https://linkedin.com/authwall\"}]}}",
	 "profile=linkedin,,https://linkedin.com/in/eve\n"
	 "profile=linkedin,,https://linkedin.com/authwall"},
	{"id=me\nidentity.possible_duplicates=x",
	 "identity.possible_duplicates=me\n"
	 "identity.possible_duplicates=y",
	 "{\"added\":{\"identity.possible_duplicates\":[\"y\"]}}",
	 "id=me\nidentity.possible_duplicates=x\nidentity.possible_duplicates=y"},
	/* fields that nobody knows */
	{"extra.a=1", "extra.a=1\nextra.b=2", "{\"filled\":{\"extra.b\":\"2\"}}",
	 "extra.a=1\nextra.b=2"},
	{"extra.a=1", "extra.a=2", "{\"kept\":{\"extra.a\":\"2\"}}", "extra.a=1"},
	{"extra.a=1", "extra.b=2\nextra.b=3", "{\"filled\":{\"extra.b\":[\"2\",\"3\"]}}",
	 "extra.a=1\nextra.b=2\nextra.b=3"},
	{"extra.a=1", "extra.a=1\nextra.a=2\nextra.a=3", "{\"kept\":{\"extra.a\":[\"2\",\"3\"]}}",
	 "extra.a=1"},
	/* status */
	{"status.stage=qualified\nstatus.temperature=warm\nstatus.intent=hard\nstatus.score=40",
	 "status.stage=new\nstatus.temperature=cold\nstatus.intent=soft\nstatus.score=0", "{}",
	 "status.stage=qualified\nstatus.temperature=warm\nstatus.intent=hard\nstatus.score=40"},
	{"status.temperature=cold\nstatus.intent=soft",
	 "status.temperature=hot\nstatus.intent=hard",
	 "{\"overwritten\":{\"status.temperature\":{\"from\":\"cold\",\"to\":\"hot\"},"
	 "\"status.intent\":{\"from\":\"soft\",\"to\":\"hard\"}}}",
	 "status.temperature=hot\nstatus.intent=hard"},
	{"status.stage=new\nstatus.score=1", "status.stage=working\nstatus.score=9",
	 "{\"kept\":{\"status.stage\":\"working\",\"status.score\":9}}",
	 "status.stage=new\nstatus.score=1"},
	/* attribution */
	{"attribution.first.gclid=1\nattribution.last.gclid=1\nattribution.last.utm_source=a",
	 "attribution.first.utm_source=b\nattribution.last.utm_source=b\n"
	 "attribution.last.at=2026-01-01T00:00:00.000Z",
	 "{\"filled\":{\"attribution.last.at\":\"2026-01-01T00:00:00.000Z\"},\"overwritten\":{"
	 "\"attribution.last.utm_source\":{\"from\":\"a\",\"to\":\"b\"},\"attribution.last.gclid\":"
	 "{"
	 "\"from\":\"1\"}}}",
	 "attribution.first.gclid=1\nattribution.last.utm_source=b\n"
	 "attribution.last.at=2026-01-01T00:00:00.000Z"},
	{"attribution.first.gclid=1\nattribution.last.gclid=1", "person.full_name=Jane",
	 "{\"filled\":{\"person.full_name\":\"Jane\"}}",
	 "attribution.first.gclid=1\nattribution.last.gclid=1\nperson.full_name=Jane"},
	{"attribution.last.gclid=1\nattribution.last.at=2026-02-01T00:00:00.000Z",
	 "attribution.last.gclid=0\nattribution.last.at=2026-01-01T00:00:00.000Z",
	 "{\"kept\":{\"attribution.last.at\":\"2026-01-01T00:00:00.000Z\",\"attribution.last."
	 "gclid\":"
	 "\"0\"}}",
	 "attribution.last.gclid=1\nattribution.last.at=2026-02-01T00:00:00.000Z"},
};

static void fill_fills_blanks_and_drops_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fill_rows); i++)
		expect_merge(&fill_rows[i], MERGE_FILL);
}

static void latest_overwrites_and_drops_nothing(void **state)
{
	static const struct merge_row rows[] = {
		{"person.full_name=Jane", "person.email=a@x.org",
		 "{\"filled\":{\"person.email\":\"a@x.org\"}}",
		 "person.full_name=Jane\nperson.email=a@x.org"},
		{"person.email=a@x.org\nperson.email_flags=free", "person.email=b@x.org",
		 "{\"added\":{\"person.other_emails\":[\"a@x.org\"]},\"overwritten\":{\"person."
		 "email\":{"
		 "\"from\":\"a@x.org\",\"to\":\"b@x.org\"}}}",
		 "person.email=b@x.org\nperson.other_emails=a@x.org"},
		/* what was a second address is the first one now */
		{"person.email=a@x.org\nperson.other_emails=b@x.org\nperson.other_emails=c@x.org",
		 "person.email=b@x.org",
		 "{\"added\":{\"person.other_emails\":[\"a@x.org\"]},\"overwritten\":{\"person."
		 "email\":{"
		 "\"from\":\"a@x.org\",\"to\":\"b@x.org\"}}}",
		 "person.email=b@x.org\nperson.other_emails=c@x.org\nperson.other_emails=a@x.org"},
		{"person.phone=+1\nperson.phone_type=fixed", "person.phone=+1", "{}",
		 "person.phone=+1\nperson.phone_type=fixed"},
		{"person.phone=+1\nperson.phone_type=fixed",
		 "person.phone=+1\nperson.phone_type=mobile",
		 "{\"overwritten\":{\"person.phone_type\":{\"from\":\"fixed\",\"to\":\"mobile\"}}}",
		 "person.phone=+1\nperson.phone_type=mobile"},
		{"person.phone=+1\nperson.phone_type=fixed\nraw.person.phone=(1)",
		 "person.phone=+2",
		 "{\"added\":{\"person.other_phones\":[\"+1\"]},\"overwritten\":{\"person.phone\":{"
		 "\"from\":"
		 "\"+1\",\"to\":\"+2\"},\"raw.person.phone\":{\"from\":\"(1)\"},\"person.phone_"
		 "type\":{"
		 "\"from\":\"fixed\"}}}",
		 "person.phone=+2\nperson.other_phones=+1"},
		{"extra.a=1\nextra.a=2\nextra.b=3", "extra.a=4",
		 "{\"overwritten\":{\"extra.a\":{\"from\":[\"1\",\"2\"],\"to\":\"4\"}}}",
		 "extra.b=3\nextra.a=4"},
		{"source.name=a\nstatus.temperature=hot", "source.name=b\nstatus.temperature=cold",
		 "{\"kept\":{\"source.name\":\"b\"}}", "source.name=a\nstatus.temperature=hot"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_merge(&rows[i], MERGE_LATEST);
}

static void link_takes_nothing_and_drops_nothing(void **state)
{
	static const struct merge_row rows[] = {
		{"person.email=a@x.org",
		 "person.email=b@x.org\nperson.full_name=Jane\nextra.a=1\ninquiry.products=p\n"
		 "profile=n,i,\nraw.person.phone=call "
		 "me\nattribution.last.gclid=1\nstatus.intent=hard",
		 "{\"kept\":{\"person.other_emails\":\"b@x.org\",\"raw.person.phone\":\"call me\","
		 "\"person.full_name\":\"Jane\",\"inquiry.products\":\"p\",\"person.profiles\":{"
		 "\"network\":"
		 "\"n\",\"id\":\"i\"},\"attribution.last.gclid\":\"1\",\"status.intent\":\"hard\","
		 "\"extra.a\":\"1\"}}",
		 "person.email=a@x.org"},
	};

	(void)state;
	expect_merge(&rows[0], MERGE_LINK);
}

#define T1 "1700000000000"
#define T1_TEXT "2023-11-14T22:13:20.000Z"
#define T2 "1700000001000"
#define T2_TEXT "2023-11-14T22:13:21.000Z"
#define STATEMENT(state, time)                                                                  \
	"{\"purpose\":\"news\",\"channels\":[\"email\"],\"state\":\"" state "\",\"at\":\"" time \
	"\"}"

static void consent_never_widens(void **state)
{
	static const struct merge_row rows[] = {
		{"", "consent=news|email|granted|" T1,
		 "{\"added\":{\"consent\":[" STATEMENT("granted", T1_TEXT) "]}}",
		 "consent=news|email|granted|" T1},
		/* a refusal is added, whenever it was said */
		{"consent=news|email|granted|" T2, "consent=news|email|withdrawn|" T1,
		 "{\"added\":{\"consent\":[" STATEMENT("withdrawn", T1_TEXT) "]}}",
		 "consent=news|email|granted|" T2 "\nconsent=news|email|withdrawn|" T1},
		/* a grant behind a refusal counts when it was said later */
		{"consent=news|email|denied|" T1, "consent=news|email|granted|" T2,
		 "{\"added\":{\"consent\":[" STATEMENT("granted", T2_TEXT) "]}}",
		 "consent=news|email|denied|" T1 "\nconsent=news|email|granted|" T2},
		{"consent=news|email|denied|" T2, "consent=news|email|granted|" T1,
		 "{\"kept\":{\"consent\":" STATEMENT("granted", T1_TEXT) "}}",
		 "consent=news|email|denied|" T2},
		{"consent=news|email|withdrawn|" T1, "consent=news|email|granted|" T1,
		 "{\"kept\":{\"consent\":" STATEMENT("granted", T1_TEXT) "}}",
		 "consent=news|email|withdrawn|" T1},
		{"consent=news|email|withdrawn|" T1, "consent=news|email|pending|" T1,
		 "{\"kept\":{\"consent\":" STATEMENT("pending", T1_TEXT) "}}",
		 "consent=news|email|withdrawn|" T1},
		/* without a time it is later than nothing */
		{"consent=news|email|denied|" T1, "consent=news|email|granted",
		 "{\"kept\":{\"consent\":{\"purpose\":\"news\",\"channels\":[\"email\"],\"state\":"
		 "\"granted\"}}}",
		 "consent=news|email|denied|" T1},
		{"consent=news|email|denied", "consent=news|email|granted|" T1,
		 "{\"kept\":{\"consent\":" STATEMENT("granted", T1_TEXT) "}}",
		 "consent=news|email|denied"},
		/* a refusal of all channels, in any spelling */
		{"consent=News||denied|" T2, "consent=news|email|granted|" T1,
		 "{\"kept\":{\"consent\":" STATEMENT("granted", T1_TEXT) "}}",
		 "consent=News||denied|" T2},
		{"consent=news|sms, Email|denied|" T2, "consent=news|email|granted|" T1,
		 "{\"kept\":{\"consent\":" STATEMENT("granted", T1_TEXT) "}}",
		 "consent=news|sms, Email|denied|" T2},
		/* other purposes and channels are other matters */
		{"consent=news|sms|denied|" T2, "consent=news|email|granted|" T1,
		 "{\"added\":{\"consent\":[" STATEMENT("granted", T1_TEXT) "]}}",
		 "consent=news|sms|denied|" T2 "\nconsent=news|email|granted|" T1},
		{"consent=ads|email|denied|" T2, "consent=news|email|granted|" T1,
		 "{\"added\":{\"consent\":[" STATEMENT("granted", T1_TEXT) "]}}",
		 "consent=ads|email|denied|" T2 "\nconsent=news|email|granted|" T1},
		/* what was said last already is not said twice */
		{"consent=news|email|granted|" T1, "consent=news|email|granted|" T2,
		 "{\"kept\":{\"consent\":" STATEMENT("granted", T2_TEXT) "}}",
		 "consent=news|email|granted|" T1},
		{"consent=news|email|granted|" T1 "\nconsent=news|email|denied|" T1,
		 "consent=news|email|granted|" T2,
		 "{\"added\":{\"consent\":[" STATEMENT("granted", T2_TEXT) "]}}",
		 "consent=news|email|granted|" T1 "\nconsent=news|email|denied|" T1
		 "\nconsent=news|email|granted|" T2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		expect_merge(&rows[i], MERGE_FILL);
		expect_merge(&rows[i], MERGE_LATEST);
	}
}

static size_t count_consents(const struct lead *lead, int32_t state)
{
	size_t count = 0;

	for (const struct lead_consent *it = lead->consents; it; it = it->next)
		count += it->state == state;
	return count;
}

static void a_full_list_still_takes_refusals(void **state)
{
	struct buffer changes;
	struct arena arena;
	struct lead *known;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	buffer_init(&changes, 1 << 20);
	known = unit_lead(&arena, "");
	for (int64_t i = 0; i < unit_limits.list_items; i++) {
		struct lg_consent consent = {.size = sizeof(consent), .state = LG_CONSENT_GRANTED};

		consent.purpose = arena_printf(&arena, "purpose %d", (int)i);
		assert_true(lead_add_consent(known, &consent));
	}
	assert_true(lead_merge(known, unit_lead(&arena, "consent=news||granted|" T1), MERGE_FILL, 0,
			       &changes));
	assert_non_null(strstr(changes.data, "\"kept\":{\"consent\":{\"purpose\":\"news\""));
	assert_int_equal(count_consents(known, LG_CONSENT_GRANTED), unit_limits.list_items);
	buffer_clear(&changes);
	assert_true(lead_merge(known, unit_lead(&arena, "consent=news||withdrawn|" T1), MERGE_FILL,
			       0, &changes));
	assert_non_null(strstr(changes.data, "\"from\":{\"purpose\":\"purpose 0\""));
	assert_int_equal(count_consents(known, LG_CONSENT_GRANTED), unit_limits.list_items - 1);
	assert_int_equal(count_consents(known, LG_CONSENT_WITHDRAWN), 1);
	buffer_fini(&changes);
	arena_fini(&arena);
}

static void touches_are_counted(void **state)
{
	struct buffer changes;
	struct arena arena;
	struct lead *known;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	buffer_init(&changes, 1 << 20);
	known = unit_lead(&arena,
			  "identity.touches=4\nidentity.first_seen=2026-03-01T00:00:00.000Z\n"
			  "identity.last_seen=2026-03-02T00:00:00.000Z\nidentity.matched_by=email");
	assert_true(lead_merge(known, unit_lead(&arena, "captured_at=2026-04-01T00:00:00.000Z"),
			       MERGE_FILL, 1u << IDENTITY_EMAIL | 1u << IDENTITY_PHONE, &changes));
	expect_slice("changes", buffer_slice(&changes), "{\"matched_by\":[\"email\",\"phone\"]}");
	expect_slice("touches", lead_get(known, LG_TOUCHES), "5");
	expect_slice("first", lead_get(known, LG_FIRST_SEEN), "2026-03-01T00:00:00.000Z");
	expect_slice("last", lead_get(known, LG_LAST_SEEN), "2026-04-01T00:00:00.000Z");
	expect_slice("matched", known->list[LG_MATCHED_BY]->next->text, "phone");
	assert_null(known->list[LG_MATCHED_BY]->next->next);
	buffer_clear(&changes);
	/* another record with touches of its own, older than this one */
	assert_true(lead_merge(known,
			       unit_lead(&arena, "identity.touches=3\n"
						 "identity.first_seen=2026-01-01T00:00:00.000Z\n"
						 "identity.last_seen=2026-02-01T00:00:00.000Z"),
			       MERGE_FILL, 1u << IDENTITY_PROFILE, &changes));
	expect_slice("touches", lead_get(known, LG_TOUCHES), "8");
	expect_slice("first", lead_get(known, LG_FIRST_SEEN), "2026-01-01T00:00:00.000Z");
	expect_slice("last", lead_get(known, LG_LAST_SEEN), "2026-04-01T00:00:00.000Z");
	buffer_fini(&changes);
	arena_fini(&arena);
}

static void what_does_not_fit_is_kept_in_changes(void **state)
{
	struct buffer changes;
	struct arena arena;
	struct lead *known;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	buffer_init(&changes, 1 << 20);
	known = unit_lead(&arena, "person.email=a@x.org");
	for (int i = 0; i < 50; i++)
		lead_add(known, LG_OTHER_EMAILS, arena_printf(&arena, "a%d@x.org", i));
	for (int i = 0; i < 100; i++)
		lead_add_extra(known, LG_SLICE("n"), LG_SLICE("v"));
	assert_true(lead_merge(known, unit_lead(&arena, "person.email=b@x.org\nextra.m=w"),
			       MERGE_FILL, 0, &changes));
	expect_slice("changes", buffer_slice(&changes),
		     "{\"kept\":{\"person.other_emails\":\"b@x.org\",\"extra.m\":\"w\"}}");
	buffer_fini(&changes);
	arena_fini(&arena);
}

static void a_full_list_has_room_for_the_address_that_gives_way(void **state)
{
	struct buffer changes;
	struct arena arena;
	struct lead *known;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	buffer_init(&changes, 1 << 20);
	known = unit_lead(&arena, "person.email=a@x.org");
	for (int i = 0; i < 50; i++)
		lead_add(known, LG_OTHER_EMAILS, arena_printf(&arena, "a%d@x.org", i));
	assert_true(lead_merge(known, unit_lead(&arena, "person.email=a7@x.org"), MERGE_LATEST, 0,
			       &changes));
	expect_slice("changes", buffer_slice(&changes),
		     "{\"added\":{\"person.other_emails\":[\"a@x.org\"]},\"overwritten\":{"
		     "\"person.email\":{\"from\":\"a@x.org\",\"to\":\"a7@x.org\"}}}");
	buffer_fini(&changes);
	arena_fini(&arena);
}

static void duplicates_are_linked_once(void **state)
{
	struct arena arena;
	struct lead *lead;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	lead = unit_lead(&arena, "");
	assert_true(lead_link_duplicate(lead, LG_SLICE("x")));
	assert_true(lead_link_duplicate(lead, LG_SLICE("x")));
	assert_true(lead_link_duplicate(lead, LG_SLICE("y")));
	expect_slice("first", lead->list[LG_POSSIBLE_DUPLICATES]->text, "x");
	expect_slice("second", lead->list[LG_POSSIBLE_DUPLICATES]->next->text, "y");
	assert_null(lead->list[LG_POSSIBLE_DUPLICATES]->next->next);
	for (int i = 0; i < 48; i++)
		assert_true(lead_link_duplicate(lead, arena_printf(&arena, "%d", i)));
	assert_false(lead_link_duplicate(lead, LG_SLICE("z")));
	assert_true(lead_link_duplicate(lead, LG_SLICE("y")));
	arena_fini(&arena);
}

static void failing_memory_is_reported(void **state)
{
	struct arena theirs;
	struct lead *touch;
	int64_t n = 0;

	(void)state;
	arena_init(&theirs, 16 << 10, 0);
	touch = unit_lead(&theirs,
			  "person.email=b@x.org\nperson.phone=+2\nraw.person.phone=(2)\n"
			  "extra.a=1\nconsent=p|c|granted|1|t\nprofile=n,i,u\n"
			  "inquiry.products=x\nattribution.last.gclid=1\nstatus.intent=hard");
	do {
		struct arena arena;
		struct buffer changes;
		struct lead *known;
		bool merged;

		arena_init(&arena, 1024, 0);
		buffer_init(&changes, 1 << 20);
		known = unit_lead(&arena, "person.email=a@x.org");
		alloc_fail_at(++n);
		merged = lead_merge(known, touch, MERGE_FILL, 1u << IDENTITY_EMAIL, &changes);
		assert_int_equal(merged, !alloc_failed());
		buffer_fini(&changes);
		arena_fini(&arena);
	} while (alloc_failed());
	alloc_fail_at(0);
	assert_true(n > 3);
	arena_fini(&theirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fill_fills_blanks_and_drops_nothing),
		cmocka_unit_test(latest_overwrites_and_drops_nothing),
		cmocka_unit_test(link_takes_nothing_and_drops_nothing),
		cmocka_unit_test(consent_never_widens),
		cmocka_unit_test(a_full_list_still_takes_refusals),
		cmocka_unit_test(touches_are_counted),
		cmocka_unit_test(what_does_not_fit_is_kept_in_changes),
		cmocka_unit_test(a_full_list_has_room_for_the_address_that_gives_way),
		cmocka_unit_test(duplicates_are_linked_once),
		cmocka_unit_test(failing_memory_is_reported),
	};

	field_setup();
	return RUN(tests);
}
