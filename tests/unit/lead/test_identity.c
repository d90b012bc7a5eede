#include "lead/identity.h"

#include "unit.h"

static const uint8_t secret[IDENTITY_SECRET_BYTES] = "a secret of thirty-two bytes...";

#define EMAIL (1u << IDENTITY_EMAIL)
#define PHONE (1u << IDENTITY_PHONE)
#define PROFILE (1u << IDENTITY_PROFILE)
#define ALL (EMAIL | PHONE | PROFILE)

static const struct {
	const char *known, *touch;
	unsigned int shared;
	bool same;
} persons[] = {
	/* one strong key, nothing against it */
	{"person.email=a@x.org", "person.email=a@x.org", EMAIL, true},
	{"person.email=a@x.org", "person.email=A+tag@x.org", EMAIL, true},
	{"person.email=j.doe@gmail.com", "person.email=jdoe+1@googlemail.com", EMAIL, true},
	{"person.phone=+16502530000", "person.phone=+16502530000", PHONE, true},
	{"profile=linkedin,jane,", "profile=linkedin,jane,", PROFILE, true},
	{"profile=linkedin,,https://x.y/j", "profile=linkedin,,https://x.y/j", PROFILE, true},
	{"person.email=a@x.org\nperson.phone=+16502530000", "person.phone=+16502530000", PHONE,
	 true},
	{"person.phone=+16502530000", "person.phone=+16502530000\nperson.email=a@x.org", PHONE,
	 true},
	{"person.email=a@x.org\nperson.full_name=Jane Doe",
	 "person.email=a@x.org\nperson.full_name=John Roe", EMAIL, true},
	/* a test is nobody, but for another test */
	{"person.email=a@x.org\nis_test=true", "person.email=a@x.org", EMAIL, false},
	{"person.email=a@x.org\nis_test=true", "person.email=a@x.org\nis_test=true", EMAIL, true},
	/* two colleagues with one office number */
	{"person.email=a@x.org\nperson.phone=+16502530000\nperson.full_name=Jane Doe",
	 "person.email=b@x.org\nperson.phone=+16502530000\nperson.full_name=John Roe", PHONE,
	 false},
	{"person.email=a@x.org\nperson.phone=+16502530000",
	 "person.email=b@x.org\nperson.phone=+16502530000", PHONE, false},
	{"person.email=a@x.org\nperson.phone=+16502530000\nperson.full_name=Jane Doe",
	 "person.email=b@x.org\nperson.phone=+16502530000", PHONE, false},
	/* a second address of one person */
	{"person.email=a@x.org\nperson.phone=+16502530000\nperson.full_name=Jane Doe",
	 "person.email=b@x.org\nperson.phone=+16502530000\nperson.full_name=DOE, jane", PHONE,
	 true},
	{"person.email=a@x.org\nperson.phone=+16502530000\nperson.given_name=Jane\n"
	 "person.family_name=Doe",
	 "person.email=b@x.org\nperson.phone=+16502530000\nperson.full_name=Jane Doe", PHONE, true},
	/* a family's email, two phones */
	{"person.email=a@x.org\nperson.phone=+16502530000",
	 "person.email=a@x.org\nperson.phone=+16502530001", EMAIL, false},
	{"person.email=a@x.org\nperson.phone=+16502530000\nperson.full_name=Jane Doe",
	 "person.email=a@x.org\nperson.phone=+16502530001\nperson.full_name=Jane Doe", EMAIL, true},
	/* other addresses count */
	{"person.email=a@x.org\nperson.other_emails=b@x.org", "person.email=b@x.org", EMAIL, true},
	{"person.email=a@x.org\nperson.other_emails=b@x.org\nperson.phone=+16502530000",
	 "person.email=b@x.org\nperson.phone=+16502530000", EMAIL | PHONE, true},
	{"person.phone=+16502530000\nperson.other_phones=+16502530001",
	 "person.phone=+16502530001\nperson.email=a@x.org", PHONE, true},
	/* role addresses are weak: they neither match nor part */
	{"person.email=info@x.org", "person.email=info@x.org", EMAIL, false},
	{"person.email=info@x.org\nperson.phone=+16502530000",
	 "person.email=sales@x.org\nperson.phone=+16502530000", PHONE, true},
	{"person.email=info@x.org\nperson.phone=+16502530000",
	 "person.email=a@x.org\nperson.phone=+16502530000", PHONE, true},
	{"person.email=info@x.org\nperson.phone=+16502530000",
	 "person.email=info@x.org\nperson.phone=+16502530001", EMAIL, false},
	/* profiles differ only within a network */
	{"person.email=a@x.org\nprofile=linkedin,jane,", "person.email=a@x.org\nprofile=xing,j,",
	 EMAIL, true},
	{"person.email=a@x.org\nprofile=linkedin,jane,",
	 "person.email=a@x.org\nprofile=linkedin,joe,", EMAIL, false},
	/* a URL in another spelling is the same profile */
	{"profile=linkedin,,https://www.linkedin.com/in/eve/",
	 "profile=linkedin,,https://linkedin.com/in/Eve", PROFILE, true},
	{"person.email=a@x.org\nprofile=linkedin,,https://www.linkedin.com/in/eve/",
	 "person.email=a@x.org\nprofile=linkedin,,http://de.linkedin.com/in/eve?trk=x",
	 EMAIL | PROFILE, true},
	{"person.email=a@x.org\nprofile=linkedin,,https://linkedin.com/in/eve",
	 "person.email=a@x.org\nprofile=linkedin,,https://linkedin.com/in/eva", EMAIL, false},
	{"profile=facebook,,https://facebook.com/profile.php?id=1",
	 "profile=facebook,,https://facebook.com/profile.php?id=2", 0, false},
	/* with id and URL either is enough */
	{"person.email=a@x.org\nprofile=linkedin,7,https://linkedin.com/in/eve",
	 "person.email=a@x.org\nprofile=linkedin,,https://linkedin.com/in/eve", EMAIL | PROFILE,
	 true},
	{"profile=linkedin,7,https://linkedin.com/in/eve",
	 "profile=linkedin,,https://linkedin.com/in/eve", PROFILE, true},
	{"profile=linkedin,7,https://linkedin.com/in/eve",
	 "profile=linkedin,7,https://linkedin.com/in/eve-2", PROFILE, true},
	{"person.email=a@x.org\nprofile=linkedin,7,https://linkedin.com/in/eve",
	 "person.email=a@x.org\nprofile=linkedin,8,https://linkedin.com/in/eva", EMAIL, false},
	/* an id and a URL say nothing of each other */
	{"person.email=a@x.org\nprofile=linkedin,7,",
	 "person.email=a@x.org\nprofile=linkedin,,https://linkedin.com/in/eve", EMAIL, true},
	{"profile=linkedin,7,", "profile=linkedin,,https://linkedin.com/in/eve", 0, false},
	/* what an older gateway took for a profile */
	{"person.email=a@x.org\nprofile=linkedin,,n/a",
	 "person.email=a@x.org\nprofile=linkedin,,https://linkedin.com/in/eve", EMAIL, true},
	{"profile=linkedin,,n/a", "profile=linkedin,,n/a", 0, false},
	/* nor is the page that a network shows everybody */
	{"profile=linkedin,,https://linkedin.com/in/me",
	 "profile=linkedin,,https://linkedin.com/in/me", 0, false},
	{"person.email=a@x.org\nprofile=linkedin,,https://linkedin.com/authwall?a=1",
	 "person.email=a@x.org\nprofile=linkedin,,https://linkedin.com/in/eve", EMAIL, true},
	/* nothing shared */
	{"person.email=a@x.org", "person.email=b@x.org", 0, false},
	{"person.email=a@x.org", "person.phone=+16502530000", 0, false},
	{"person.full_name=Jane Doe", "person.full_name=Jane Doe", 0, false},
	{"", "", 0, false},
};

static void persons_are_recognised(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	for (size_t i = 0; i < COUNT(persons); i++) {
		struct lead *known = unit_lead(&arena, persons[i].known);
		struct lead *touch = unit_lead(&arena, persons[i].touch);

		if (identity_shared(known, touch) != persons[i].shared ||
		    identity_shared(touch, known) != persons[i].shared ||
		    identity_same_person(known, touch) != persons[i].same ||
		    identity_same_person(touch, known) != persons[i].same)
			fail_msg("%s\n-- and --\n%s", persons[i].known, persons[i].touch);
	}
	arena_fini(&arena);
}

/* Leads share a value exactly where they share a key. */
static void keys_are_shared_with_values(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	for (size_t i = 0; i < COUNT(persons); i++) {
		struct identity_keys a, b;
		unsigned int shared = 0;

		identity_person(unit_lead(&arena, persons[i].known), secret, ALL, &a);
		identity_person(unit_lead(&arena, persons[i].touch), secret, ALL, &b);
		for (size_t x = 0; x < a.count; x++)
			for (size_t y = 0; y < b.count; y++)
				if (a.keys[x].hash == b.keys[y].hash)
					shared |= 1u << a.keys[x].kind;
		assert_int_equal(shared, persons[i].shared);
	}
	arena_fini(&arena);
}

static void strong_keys_come_first(void **state)
{
	struct identity_keys keys;
	struct arena arena;
	struct lead *lead;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	lead = unit_lead(&arena, "person.email=info@x.org\nperson.other_emails=a@x.org\n"
				 "person.phone=+1\nprofile=n,i,https://n.org/i\n"
				 "person.other_phones=+2");
	identity_person(lead, secret, ALL, &keys);
	assert_int_equal(keys.count, 6);
	assert_int_equal(keys.keys[0].kind, IDENTITY_PHONE);
	assert_int_equal(keys.keys[1].kind, IDENTITY_PROFILE);
	assert_int_equal(keys.keys[2].kind, IDENTITY_EMAIL);
	assert_int_equal(keys.keys[2].flags, 0);
	assert_int_equal(keys.keys[3].kind, IDENTITY_PHONE);
	assert_int_equal(keys.keys[4].kind, IDENTITY_PROFILE);
	assert_int_equal(keys.keys[5].kind, IDENTITY_EMAIL);
	assert_int_equal(keys.keys[5].flags, IDENTITY_WEAK);
	identity_person(lead, secret, PHONE, &keys);
	assert_int_equal(keys.count, 2);
	identity_person(lead, secret, 0, &keys);
	assert_int_equal(keys.count, 0);
	arena_fini(&arena);
}

static void keys_are_bounded_and_unlike(void **state)
{
	struct identity_keys keys;
	struct arena arena;
	struct lead *lead;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	lead = unit_lead(&arena, "person.email=a@x.org");
	lead_add(lead, LG_OTHER_EMAILS, LG_SLICE("a+1@x.org"));
	identity_person(lead, secret, ALL, &keys);
	assert_int_equal(keys.count, 1);
	for (int i = 0; i < 40; i++)
		lead_add(lead, LG_OTHER_PHONES, arena_printf(&arena, "+1650253%04d", i));
	identity_person(lead, secret, ALL, &keys);
	assert_int_equal(keys.count, IDENTITY_KEYS_MAX);
	arena_fini(&arena);
}

static void hashes_depend_on_everything(void **state)
{
	uint8_t other_secret[IDENTITY_SECRET_BYTES];
	uint64_t hash = identity_hash(secret, IDENTITY_DELIVERY, LG_SLICE("form"), LG_SLICE("key"));

	(void)state;
	memcpy(other_secret, secret, sizeof(secret));
	other_secret[31] ^= 1;
	assert_true(hash ==
		    identity_hash(secret, IDENTITY_DELIVERY, LG_SLICE("form"), LG_SLICE("key")));
	assert_true(hash != identity_hash(other_secret, IDENTITY_DELIVERY, LG_SLICE("form"),
					  LG_SLICE("key")));
	assert_true(hash !=
		    identity_hash(secret, IDENTITY_SUBMISSION, LG_SLICE("form"), LG_SLICE("key")));
	assert_true(hash !=
		    identity_hash(secret, IDENTITY_DELIVERY, LG_SLICE("forms"), LG_SLICE("key")));
	assert_true(hash !=
		    identity_hash(secret, IDENTITY_DELIVERY, LG_SLICE("form"), LG_SLICE("kez")));
	assert_true(identity_hash(secret, IDENTITY_DELIVERY, LG_SLICE("ab"), LG_SLICE("c")) !=
		    identity_hash(secret, IDENTITY_DELIVERY, LG_SLICE("a"), LG_SLICE("bc")));
}

/* SHA-256 of the secret, 04, "form", 00, "key" by another implementation. */
static void hashes_are_stable(void **state)
{
	(void)state;
	assert_true(identity_hash(secret, IDENTITY_DELIVERY, LG_SLICE("form"), LG_SLICE("key")) ==
		    UINT64_C(0x3b67e0f9ef5af8ad));
	/* Of a test 04 is 84. */
	assert_true(identity_test_hash(secret, IDENTITY_DELIVERY, LG_SLICE("form"),
				       LG_SLICE("key")) == UINT64_C(0x2a487b8f8bcb0f69));
}

/* SHA-256 of the eight bytes from the highest on and the digest, by another implementation. */
static void hashes_of_contents_are_stable(void **state)
{
	uint8_t digest[IDENTITY_DIGEST_BYTES] = "0123456789abcde";

	(void)state;
	assert_true(identity_content_hash(UINT64_C(0x3b67e0f9ef5af8ad), digest) ==
		    UINT64_C(0x41747dd5e600cf75));
	digest[15] = 1;
	assert_true(identity_content_hash(UINT64_C(0x3b67e0f9ef5af8ad), digest) !=
		    UINT64_C(0x41747dd5e600cf75));
}

#define BASE "person.email=a@x.org\nperson.full_name=Jane\ninquiry.message=hi\n"

static const struct {
	const char *lines;
	bool same; /* as BASE */
} contents[] = {
	{BASE, true},
	{"inquiry.message=hi\nperson.full_name=Jane\nperson.email=a@x.org", true},
	{BASE "client.ip=::1\nclient.user_agent=x\nclient.page_url=y", true},
	{BASE "attribution.last.gclid=1\nattribution.first.gclid=1", true},
	{BASE "captured_at=1\noccurred_at=2\nid=x\nsource.name=f", true},
	{BASE "status.stage=new\nidentity.touches=1\nscreening.verdict=held", true},
	{BASE "person.email_flags=free", true},
	{BASE "raw.person.email=A@x.org", true},
	{BASE "person.phone=+1", false},
	{BASE "raw.person.phone=call me", false},
	{BASE "extra.a=1", false},
	{BASE "inquiry.products=x", false},
	{BASE "profile=n,i,u", false},
	{BASE "consent=p|email|granted|1|t", false},
	{BASE "source.external_id=7", false},
	{BASE "is_test=true", false},
	{"person.email=a@x.org\nperson.full_name=Janehi", false},
	{"person.email=a@x.org\nperson.given_name=Jane\ninquiry.message=hi", false},
	{"", false},
};

static void digests_tell_contents_apart(void **state)
{
	uint8_t digests[COUNT(contents)][IDENTITY_DIGEST_BYTES];
	struct arena arena;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	for (size_t i = 0; i < COUNT(contents); i++) {
		identity_digest(unit_lead(&arena, contents[i].lines), digests[i]);
		for (size_t j = 0; j < i; j++) {
			bool equal = memcmp(digests[i], digests[j], sizeof(digests[i])) == 0;

			if (equal != (contents[i].same && contents[j].same))
				fail_msg("%s\n-- and --\n%s", contents[i].lines, contents[j].lines);
		}
	}
	arena_fini(&arena);
}

static void expect_digests(struct arena *arena, const char *a, const char *b, bool equal)
{
	uint8_t one[IDENTITY_DIGEST_BYTES], other[IDENTITY_DIGEST_BYTES];

	identity_digest(unit_lead(arena, a), one);
	identity_digest(unit_lead(arena, b), other);
	if ((memcmp(one, other, sizeof(one)) == 0) != equal)
		fail_msg("%s\n-- and --\n%s", a, b);
}

static void details_count_in_a_digest(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	expect_digests(&arena, "consent=p|email|granted|1|t", "consent=p|email|granted|2|t", true);
	expect_digests(&arena, "consent=p|email|granted|1|t", "consent=p|email|denied|1|t", false);
	expect_digests(&arena, "consent=p|email|granted|1|t", "consent=p|sms|granted|1|t", false);
	expect_digests(&arena, "consent=p|email|granted|1|t", "consent=p|email|granted|1|u", false);
	expect_digests(&arena, "extra.a=1\nextra.b=2", "extra.b=1\nextra.a=2", false);
	expect_digests(&arena, "extra.ab=c", "extra.a=bc", false);
	expect_digests(&arena, "profile=n,i,u", "profile=n,iu,", false);
	expect_digests(&arena, "inquiry.products=a\ninquiry.products=b", "inquiry.products=ab",
		       false);
	arena_fini(&arena);
}

/* Longer than what is digested at once: each byte still counts. */
static void long_contents_are_digested_whole(void **state)
{
	static char text[60000];
	uint8_t first[IDENTITY_DIGEST_BYTES], other[IDENTITY_DIGEST_BYTES];
	struct arena arena;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t at = 0; at < sizeof(text); at += 4999) {
		struct lead *lead;

		arena_init(&arena, 16 << 10, 0);
		lead = unit_lead(&arena, "");
		lead_set(lead, LG_MESSAGE, slice_of(text, sizeof(text)));
		identity_digest(lead, first);
		text[at]++;
		lead_set(lead, LG_MESSAGE, slice_of(text, sizeof(text)));
		identity_digest(lead, other);
		assert_memory_not_equal(first, other, sizeof(first));
		arena_fini(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(persons_are_recognised),
		cmocka_unit_test(keys_are_shared_with_values),
		cmocka_unit_test(strong_keys_come_first),
		cmocka_unit_test(keys_are_bounded_and_unlike),
		cmocka_unit_test(hashes_depend_on_everything),
		cmocka_unit_test(hashes_are_stable),
		cmocka_unit_test(hashes_of_contents_are_stable),
		cmocka_unit_test(digests_tell_contents_apart),
		cmocka_unit_test(details_count_in_a_digest),
		cmocka_unit_test(long_contents_are_digested_whole),
	};

	field_setup();
	return RUN(tests);
}
