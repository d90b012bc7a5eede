#include "lead/normalize.h"

#include "lead/identity.h"
#include "unit.h"

static const struct normalize_settings us = {.region = "US"};

/* Each pair is a lead as it was sent and as it is after normalization. */
static const struct {
	const char *sent, *normal;
} rows[] = {
	{"", ""},
	/* blank is absent, and leaves nothing */
	{"person.full_name=\nperson.email=  \nperson.phone=\t\ninquiry.message=\n", ""},
	{"person.full_name= Jane   Doe \ninquiry.message= a\r\nperson.email= jane@example.com",
	 "person.full_name=Jane Doe\ninquiry.message=a\nperson.email=jane@example.com\n"
	 "raw.person.email= jane@example.com"},
	{"person.full_name=Ja\x01ne Doe",
	 "person.full_name=Jane Doe\nraw.person.full_name=Ja\x01ne Doe"},
	/* email */
	{"person.email=Jane@Example.COM",
	 "person.email=Jane@example.com\nraw.person.email=Jane@Example.COM"},
	{"person.email=jane at example.com", "raw.person.email=jane at example.com"},
	{"person.email=info@gmail.com", "person.email=info@gmail.com\nperson.email_flags=free\n"
					"person.email_flags=role"},
	{"person.email=x@mailinator.com",
	 "person.email=x@mailinator.com\nperson.email_flags=disposable"},
	{"person.email=a@x.org\nperson.email_flags=free", "person.email=a@x.org"},
	{"referral.referrer_email=Joe@X.org",
	 "referral.referrer_email=Joe@x.org\nraw.referral.referrer_email=Joe@X.org"},
	/* phone: the person's country before the default */
	{"person.phone=(650) 253-0000",
	 "person.phone=+16502530000\nraw.person.phone=(650) 253-0000"},
	{"person.phone=+16502530000", "person.phone=+16502530000"},
	{"person.phone=030 1234567\nperson.country=Germany",
	 "person.phone=+49301234567\nperson.country=DE\nraw.person.country=Germany\n"
	 "raw.person.phone=030 1234567"},
	{"person.phone=650-253-0000\nperson.country=AQ",
	 "person.phone=+16502530000\nperson.country=AQ\nraw.person.phone=650-253-0000"},
	{"person.phone=650-253-0000\nperson.country=Atlantis",
	 "person.phone=+16502530000\nraw.person.country=Atlantis\nraw.person.phone=650-253-0000"},
	{"person.phone=call me", "raw.person.phone=call me"},
	{"person.phone=000-000-0000\nperson.other_phones=650-253-0000",
	 "person.phone=+16502530000\nraw.person.phone=650-253-0000\n"
	 "raw.person.other_phones=000-000-0000"},
	{"person.phone=6502530000 x12",
	 "person.phone=+16502530000\nraw.person.phone=6502530000 x12"},
	/* other addresses */
	{"person.email=a@x.org\nperson.other_emails=a@X.org\nperson.other_emails=b@x.org\n"
	 "person.other_emails=none\nperson.other_emails=b@x.org\nperson.other_emails=",
	 "person.email=a@x.org\nperson.other_emails=b@x.org\n"
	 "raw.person.other_emails=a@X.org\nraw.person.other_emails=none"},
	{"person.phone=+16502530001\nperson.other_phones=650-253-0000\nperson.other_phones=no",
	 "person.phone=+16502530001\nperson.other_phones=+16502530000\n"
	 "raw.person.other_phones=650-253-0000\nraw.person.other_phones=no"},
	/* the first that can be read stands in its field */
	{"person.other_phones=no\nperson.other_phones=650-253-0000\n"
	 "person.other_phones=+16502530001",
	 "person.phone=+16502530000\nperson.other_phones=+16502530001\n"
	 "raw.person.phone=650-253-0000\nraw.person.other_phones=no"},
	{"person.phone=n/a\nperson.other_phones=650-253-0000",
	 "person.phone=+16502530000\nraw.person.phone=650-253-0000\n"
	 "raw.person.other_phones=n/a"},
	{"person.phone=0000000\nperson.other_phones=+14155550179\nperson.phone_type=mobile",
	 "person.phone=+14155550179\nraw.person.phone_type=mobile\n"
	 "raw.person.other_phones=0000000"},
	{"person.phone=0000000\nperson.other_phones=no\nperson.phone_type=mobile",
	 "person.phone_type=mobile\nraw.person.phone=0000000\nraw.person.other_phones=no"},
	{"person.phone=030 1234567\nperson.other_phones=650\nperson.country=DE",
	 "person.phone=+49301234567\nperson.country=DE\nraw.person.phone=030 1234567\n"
	 "raw.person.other_phones=650"},
	{"person.phone=n/a\nperson.other_phones=-",
	 "raw.person.phone=n/a\nraw.person.other_phones=-"},
	{"person.email=none\nperson.other_emails=-\nperson.other_emails=Info@Gmail.com\n"
	 "person.other_emails=b@x.org",
	 "person.email=Info@gmail.com\nperson.email_flags=free\nperson.email_flags=role\n"
	 "person.other_emails=b@x.org\nraw.person.email=Info@Gmail.com\n"
	 "raw.person.other_emails=-\nraw.person.other_emails=none"},
	{"person.email= \nperson.other_emails=a@x.org", "person.email=a@x.org"},
	/* the rest by its type */
	{"person.language=en_US\nperson.birth_date=31.5.1990\norganization.employees=1,200",
	 "person.language=en-US\nperson.birth_date=1990-05-31\norganization.employees=1200\n"
	 "raw.person.language=en_US\nraw.person.birth_date=31.5.1990\n"
	 "raw.organization.employees=1,200"},
	{"person.language=English "
	 "please\nperson.birth_date=05/06/1990\norganization.employees=50-100",
	 "raw.person.language=English please\nraw.person.birth_date=05/06/1990\n"
	 "raw.organization.employees=50-100"},
	{"is_test=yes", "is_test=true\nraw.is_test=yes"},
	{"is_test=maybe", "raw.is_test=maybe"},
	{"occurred_at=2026-01-02T03:04:05+01:00",
	 "occurred_at=2026-01-02T02:04:05.000Z\nraw.occurred_at=2026-01-02T03:04:05+01:00"},
	{"occurred_at=yesterday", "raw.occurred_at=yesterday"},
	{"client.ip=::FFFF:192.0.2.1", "client.ip=192.0.2.1\nraw.client.ip=::FFFF:192.0.2.1"},
	{"organization.website=Example.com",
	 "organization.website=https://example.com\nraw.organization.website=Example.com"},
	{"organization.website=none", "raw.organization.website=none"},
	{"client.page_url=/pricing", "client.page_url=/pricing"},
	{"attribution.last.referrer_url=android-app://com.example",
	 "attribution.last.referrer_url=android-app://com.example"},
	{"attribution.last.landing_url=HTTPS://Example.com/?utm_source= News &x=1",
	 "attribution.last.landing_url=https://example.com/?x=1\nattribution.last.utm_source=News\n"
	 "raw.attribution.last.landing_url=HTTPS://Example.com/?utm_source= News &x=1"},
	/* kinds of inquiry */
	{"inquiry.kind=Quote", "inquiry.kind=quote"},
	{"inquiry.kind=rant", "inquiry.kind=other\nraw.inquiry.kind=rant"},
	{"inquiry.kind=other", "inquiry.kind=other"},
	/* names */
	{"person.given_name=Jane\nperson.family_name=Doe",
	 "person.full_name=Jane Doe\nperson.given_name=Jane\nperson.family_name=Doe"},
	{"person.given_name=Jane", "person.given_name=Jane"},
	{"person.full_name=J. Doe\nperson.given_name=Jane\nperson.family_name=Doe",
	 "person.full_name=J. Doe\nperson.given_name=Jane\nperson.family_name=Doe"},
	/* lists */
	{"inquiry.products= a  b \ninquiry.products=\ninquiry.products=a b\ninquiry.products=c",
	 "inquiry.products=a b\ninquiry.products=c"},
	{"profile= LinkedIn ,jane,LinkedIn.com/in/jane\nprofile=,x,\nprofile=x",
	 "profile=linkedin,jane,https://linkedin.com/in/jane\nextra.person.profiles.id=x\n"
	 "extra.person.profiles.network=x"},
	{"profile= ,,https://x.org/u", "extra.person.profiles.url=https://x.org/u"},
	/* what says nothing is no profile, and is kept */
	{"profile=linkedin,,n/a", "extra.linkedin=n/a"},
	{"profile=LinkedIn,,-\nprofile=linkedin,,none\nprofile=xing,,keine",
	 "extra.linkedin=-\nextra.linkedin=none\nextra.xing=keine"},
	{"profile=linkedin,,jane-doe", "extra.linkedin=jane-doe"},
	{"profile=linkedin,,https://n.a", "extra.linkedin=https://n.a"},
	{"profile=linkedin,,k.A.", "extra.linkedin=k.A."},
	{"profile=x,-,\nprofile=x,(N/A),\nprofile=x,\u2014,\nprofile=x,None,",
	 "extra.x=-\nextra.x=(N/A)\nextra.x=\u2014\nextra.x=None"},
	{"profile=x,n/a,x.com/jane", "profile=x,,https://x.com/jane\nextra.x=n/a"},
	{"profile=x,jane,none", "profile=x,jane,\nextra.x=none"},
	{"profile=x,-,none", "extra.x=-\nextra.x=none"},
	{"profile=x, ,\t", "extra.person.profiles.network=x"},
	{"profile=linkedin,,https://www.linkedin.com/in/",
	 "extra.linkedin=https://www.linkedin.com/in/"},
	{"profile=linkedin,,linkedin.com/authwall?a=1",
	 "profile=linkedin,,https://linkedin.com/authwall?a=1"},
	{"profile=x,eve,\nprofile=x,,x.com/eve\nprofile=X, eve,\nprofile=x,,https://x.com/eve",
	 "profile=x,eve,\nprofile=x,,https://x.com/eve"},
	{"profile=x,nadja,\nprofile=x,0,\nprofile=x,\u5c71,",
	 "profile=x,nadja,\nprofile=x,0,\nprofile=x,\u5c71,"},
	/* what the gateway sets is left alone */
	{"source.name= a \nid= x ", "source.name= a \nid= x "},
	{"extra. a = b ", "extra. a = b "},
};

static void leads_have_one_form(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lead *lead = unit_lead(&arena, rows[i].sent);
		struct lg_slice expected = unit_json(unit_lead(&arena, rows[i].normal));

		assert_true(lead_normalize(lead, &us));
		expect_slice(rows[i].sent, unit_json(lead), expected.data);
		assert_true(lead_normalize(lead, &us));
		expect_slice(rows[i].sent, unit_json(lead), expected.data);
	}
	arena_fini(&arena);
}

static void values_that_are_in_their_form_are_not_copied(void **state)
{
	struct arena arena;
	struct lead *lead;
	size_t used;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	lead = unit_lead(&arena,
			 "person.full_name=Jane Doe\nperson.email=jane@example.com\n"
			 "person.phone=+16502530000\nperson.country=US\ninquiry.message=hi\n"
			 "organization.employees=5\nclient.ip=192.0.2.1\nperson.language=en-US\n"
			 "person.birth_date=1990-05-31");
	used = arena.used_bytes;
	assert_true(lead_normalize(lead, &us));
	assert_int_equal(arena.used_bytes, used);
	arena_fini(&arena);
}

static void long_values_are_cut_and_kept(void **state)
{
	char text[2000];
	struct arena arena;
	struct lead *lead;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	memset(text, 'x', sizeof(text));
	lead = unit_lead(&arena, "");
	lead_set(lead, LG_SUBJECT, slice_of(text, sizeof(text)));
	lead_set(lead, LG_USER_AGENT, slice_of(text, 512));
	assert_true(lead_normalize(lead, &us));
	assert_int_equal(lead_get(lead, LG_SUBJECT).length, 512);
	assert_int_equal(lead_raw(lead, LG_SUBJECT)->value.length, unit_limits.raw_bytes);
	assert_int_equal(lead_get(lead, LG_USER_AGENT).length, 512);
	assert_null(lead_raw(lead, LG_USER_AGENT));
	arena_fini(&arena);
}

/* Some of them in `raw` would be all that is left. */
static void values_that_cannot_be_read_are_kept_whole(void **state)
{
	char text[2000] = "not a url ";
	struct lg_slice website = slice_of(text, sizeof(text));
	struct arena arena;
	struct lead *lead;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	memset(text + 10, 'z', sizeof(text) - 10);
	lead = unit_lead(&arena, "");
	lead_set(lead, LG_WEBSITE, website);
	for (int i = 0; i < 6; i++) {
		text[200] = (char)('a' + i);
		lead_add(lead, LG_OTHER_EMAILS, slice_of(text, 201));
	}
	text[200] = 'z';
	assert_true(lead_normalize(lead, &us));
	assert_true(lead_normalize(lead, &us));
	assert_int_equal(lead_raw(lead, LG_WEBSITE)->value.length, unit_limits.raw_bytes);
	expect_slice("name", lead->extra->next->name, "organization.website");
	assert_true(slice_equal(lead->extra->next->value, website));
	expect_slice("name", lead->extra->name, "person.other_emails");
	assert_int_equal(lead->extra->value.data[200], 'f');
	assert_null(lead->extra->next->next);
	arena_fini(&arena);
}

static void a_value_that_cannot_be_read_is_kept_once(void **state)
{
	char text[2000];
	struct arena arena;
	struct lead *lead;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	memset(text, ' ', sizeof(text));
	memcpy(text, "no url", 6);
	lead = unit_lead(&arena, "");
	lead_set(lead, LG_WEBSITE, slice_of(text, unit_limits.raw_bytes));
	assert_true(lead_normalize(lead, &us));
	assert_int_equal(lead_raw(lead, LG_WEBSITE)->value.length, unit_limits.raw_bytes);
	assert_null(lead->extra);
	arena_fini(&arena);
}

static void parts_of_a_profile_that_are_cut_are_kept(void **state)
{
	char text[3000];
	struct lg_slice network = LG_SLICE("n"), long_text = slice_of(text, sizeof(text));
	struct arena arena;
	struct lead *lead;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	memset(text, 'x', sizeof(text));
	lead = unit_lead(&arena, "");
	assert_true(lead_add_profile(lead, network, long_text, slice_of(text, 2048)));
	assert_true(lead_normalize(lead, &us));
	assert_int_equal(lead->profiles->id.length, LEAD_PROFILE_ID_BYTES);
	expect_slice("name", lead->extra->name, "person.profiles.id");
	assert_int_equal(lead->extra->value.length, sizeof(text));
	expect_slice("what is no URL", lead->extra->next->name, "n");
	assert_null(lead->extra->next->next);
	arena_fini(&arena);
}

static void a_name_with_a_comma_suggests_its_parts(void **state)
{
	struct arena arena;
	struct lead *lead;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	lead = unit_lead(&arena, "person.full_name=Doe, Jane");
	assert_true(lead_normalize(lead, &us));
	assert_true(lead_normalize(lead, &us));
	expect_slice("path", lead->suggestions->path, "person.given_name");
	expect_slice("value", lead->suggestions->value, "Jane");
	expect_slice("path", lead->suggestions->next->path, "person.family_name");
	expect_slice("value", lead->suggestions->next->value, "Doe");
	assert_null(lead->suggestions->next->next);
	lead = unit_lead(&arena, "person.full_name=Jane Doe");
	assert_true(lead_normalize(lead, &us));
	assert_null(lead->suggestions);
	arena_fini(&arena);
}

static void consents_get_a_digest_and_a_time(void **state)
{
	struct arena arena;
	struct lead *lead;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	lead = unit_lead(&arena,
			 "captured_at=2026-01-02T03:04:05.678Z\n"
			 "consent= news |email|granted||Yes,  please\nconsent=x|||1700000000000");
	assert_true(lead_normalize(lead, &us));
	expect_slice("purpose", lead->consents->purpose, "news");
	expect_slice("text", lead->consents->text, "Yes,  please");
	expect_slice("at", lead->consents->at, NULL);
	lead_status_new(lead);
	expect_slice("at", lead->consents->at, "2026-01-02T03:04:05.678Z");
	expect_slice("digest", lead->consents->text_sha256,
		     "5fdb206726a46cddb56922801640bbaa0c16b4ad1bb004690f1cbbeaf7ecf720");
	expect_slice("at", lead->consents->next->at, "2023-11-14T22:13:20.000Z");
	expect_slice("digest", lead->consents->next->text_sha256, NULL);
	arena_fini(&arena);
}

/* Forms that mean the same are one submission. */
static void spelling_does_not_change_the_digest(void **state)
{
	uint8_t one[IDENTITY_DIGEST_BYTES], other[IDENTITY_DIGEST_BYTES];
	struct arena arena;
	struct lead *lead;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	lead = unit_lead(&arena, "person.email=jane@example.com\nperson.phone=+16502530000\n"
				 "person.full_name=Jane Doe");
	assert_true(lead_normalize(lead, &us));
	identity_digest(lead, one);
	lead = unit_lead(&arena, "person.email= jane@EXAMPLE.com\nperson.phone=(650) 253-0000\n"
				 "person.full_name=Jane   Doe\nperson.gender=");
	assert_true(lead_normalize(lead, &us));
	identity_digest(lead, other);
	assert_memory_equal(one, other, sizeof(one));
	arena_fini(&arena);
}

/* Whichever box the person left without an answer. */
static void places_of_unreadable_addresses_do_not_change_the_digest(void **state)
{
	uint8_t one[IDENTITY_DIGEST_BYTES], other[IDENTITY_DIGEST_BYTES];
	struct arena arena;
	struct lead *lead;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	lead = unit_lead(&arena, "person.phone=+16502530000\nperson.other_phones=n/a");
	assert_true(lead_normalize(lead, &us));
	identity_digest(lead, one);
	lead = unit_lead(&arena, "person.phone=n/a\nperson.other_phones=+16502530000");
	assert_true(lead_normalize(lead, &us));
	identity_digest(lead, other);
	assert_memory_equal(one, other, sizeof(one));
	arena_fini(&arena);
}

/* A value that is taken out of a profile has a place though `extra` is full. */
static void full_extra_takes_what_is_no_profile(void **state)
{
	struct lead_limits limits = unit_limits;
	struct arena arena;
	struct lead *lead;

	(void)state;
	limits.extra_fields = 0;
	arena_init(&arena, 16 << 10, 0);
	lead = lead_new(&arena, &limits);
	assert_true(
		lead_add_profile(lead, LG_SLICE("linkedin"), slice_of(NULL, 0), LG_SLICE("n/a")));
	assert_true(lead_normalize(lead, &us));
	assert_null(lead->profiles);
	expect_slice("extra", lead->extra->value, "n/a");
	arena_fini(&arena);
}

static void failing_memory_is_reported(void **state)
{
	struct arena first;
	int64_t n = 0;

	(void)state;
	/* The table of countries is made once a process; it is not what is tested. */
	arena_init(&first, 4096, 0);
	assert_true(lead_normalize(unit_lead(&first, "person.country=Germany"), &us));
	arena_fini(&first);
	do {
		struct arena arena;
		struct lead *lead;
		bool good;

		arena_init(&arena, 64, 0);
		lead = unit_lead(&arena,
				 "person.email=Jane@Example.com\nperson.phone=none\n"
				 "person.full_name=Mu\xcc\x88ller, Jane\nperson.language=en_US\n"
				 "organization.website=Example.com\ninquiry.message=a\rb\n"
				 "attribution.last.landing_url=https://x.org/?gclid=1&a=2\n"
				 "person.other_emails=B@X.org\nperson.other_phones="
				 "6502530001\nprofile=N,i,u.v/w\ninquiry.kind=rant\n"
				 "profile=n,-,none\n"
				 "consent=a b|c|granted||text\nperson.country=Germany");
		alloc_fail_at(++n);
		good = lead_normalize(lead, &us);
		assert_int_equal(good, !alloc_failed());
		assert_int_equal(good, !arena.failed);
		arena_fini(&arena);
	} while (alloc_failed());
	alloc_fail_at(0);
	assert_true(n > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leads_have_one_form),
		cmocka_unit_test(values_that_are_in_their_form_are_not_copied),
		cmocka_unit_test(long_values_are_cut_and_kept),
		cmocka_unit_test(values_that_cannot_be_read_are_kept_whole),
		cmocka_unit_test(a_value_that_cannot_be_read_is_kept_once),
		cmocka_unit_test(parts_of_a_profile_that_are_cut_are_kept),
		cmocka_unit_test(a_name_with_a_comma_suggests_its_parts),
		cmocka_unit_test(consents_get_a_digest_and_a_time),
		cmocka_unit_test(spelling_does_not_change_the_digest),
		cmocka_unit_test(places_of_unreadable_addresses_do_not_change_the_digest),
		cmocka_unit_test(full_extra_takes_what_is_no_profile),
		cmocka_unit_test(failing_memory_is_reported),
	};
	struct error error;

	if (!normalize_setup(&error))
		return 1;
	return RUN(tests);
}
