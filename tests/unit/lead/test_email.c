#include "lead/email.h"

#include "unit.h"

/* NULL: as the input. "": cannot be read. */
static const struct {
	const char *input, *expected, *identity;
} rows[] = {
	{"jane@example.com", NULL, NULL},
	{"Jane.Doe@Example.COM", "Jane.Doe@example.com", "jane.doe@example.com"},
	{"  jane@example.com ", "jane@example.com", NULL},
	{"jane@example.com.", "jane@example.com", NULL},
	{"mailto:jane@example.com", "jane@example.com", NULL},
	{"MAILTO:jane@example.com", "jane@example.com", NULL},
	{"Jane Doe <jane@example.com>", "jane@example.com", NULL},
	{"<jane@example.com>", "jane@example.com", NULL},
	{"\"Doe, Jane\" <jane@example.com>", "jane@example.com", NULL},
	{"< jane@example.com >", "jane@example.com", NULL},
	{"jane+news@example.com", NULL, "jane@example.com"},
	{"jane+a+b@example.com", NULL, "jane@example.com"},
	{"+jane@example.com", NULL, "+jane@example.com"},
	{"Jane.M.Doe@gmail.com", NULL, "janemdoe@gmail.com"},
	{"j.a.n.e+x@googlemail.com", NULL, "jane@gmail.com"},
	{"jane.doe@GMail.com", "jane.doe@gmail.com", "janedoe@gmail.com"},
	{"jane.doe@mail.gmail.com", NULL, "jane.doe@mail.gmail.com"},
	{"o'brien@example.ie", NULL, NULL},
	{"a!#$%&'*+-/=?^_`{|}~b@example.com", NULL, "a!#$%&'*@example.com"},
	{"jane@sub-domain.example.co.uk", NULL, NULL},
	{"jane@xn--mller-kva.de", NULL, NULL},
	{"jane@Xn--Mller-KVA.de", "jane@xn--mller-kva.de", NULL},
	{"jane@mail.XN--mller-kva.de", "jane@mail.xn--mller-kva.de", NULL},
	{"jane@m\xc3\xbcller.de", "jane@xn--mller-kva.de", NULL},
	{"jane@M\xc3\x9cLLER.de", "jane@xn--mller-kva.de", NULL},
	{"jane@mu\xcc\x88ller.de", "jane@xn--mller-kva.de", NULL},
	{"jane@fa\xc3\x9f.de", "jane@xn--fa-hia.de", NULL},
	{"\xe7\x94\xb0\xe4\xb8\xad@\xe4\xbe\x8b\xe3\x81\x88.jp",
	 "\xe7\x94\xb0\xe4\xb8\xad@xn--r8jz45g.jp", "\xe7\x94\xb0\xe4\xb8\xad@xn--r8jz45g.jp"},
	{"jane\xef\xbc\xa0"
	 "example.com",
	 "jane@example.com", NULL},
	{"jane@example\xe3\x80\x82"
	 "com",
	 "jane@example.com", NULL},
	{"j\xc3\xa9r\xc3\xb4me@example.fr", NULL, NULL},
	{"J\xc3\x89R\xc3\x94ME@example.fr", NULL, "j\xc3\xa9r\xc3\xb4me@example.fr"},
	{"je\xcc\x81r@example.fr", "j\xc3\xa9r@example.fr", NULL},
	{"\xe2\x80\x8bjane@example.com", "jane@example.com", NULL},
	{"1@2.co", NULL, NULL},
	{"jane@1.2.3.com", NULL, NULL},
	/* cannot be read */
	{"", "", NULL},
	{"jane", "", NULL},
	{"@example.com", "", NULL},
	{"jane@", "", NULL},
	{"jane@example", "", NULL},
	{"jane@.com", "", NULL},
	{"jane@example..com", "", NULL},
	{"jane@-example.com", "", NULL},
	{"jane@example-.com", "", NULL},
	{"jane@exa_mple.com", "", NULL},
	{"jane@192.0.2.1", "", NULL},
	{"jane@[192.0.2.1]", "", NULL},
	{"jane doe@example.com", "", NULL},
	{"jane@exam ple.com", "", NULL},
	{"jane@@example.com", "", NULL},
	{"jane@doe@example.com", "", NULL},
	{".jane@example.com", "", NULL},
	{"jane.@example.com", "", NULL},
	{"jane..doe@example.com", "", NULL},
	{"\"jane doe\"@example.com", "", NULL},
	{"jane(home)@example.com", "", NULL},
	{"jane,doe@example.com", "", NULL},
	{"jane;joe@example.com", "", NULL},
	{"jane@example.com, joe@example.com", "", NULL},
	{"jane@exa\xff.com", "", NULL},
	{"ja\xffne@example.com", "", NULL},
	{"jane@xn--a.com", "", NULL},
	{"jane@XN--a.com", "", NULL},
	{"jane@mail.xn--a.com", "", NULL},
	{"n/a", "", NULL},
	{"<>", "", NULL},
	{"a@b.c>", "", NULL},
};

static void addresses_have_one_form(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *expected = rows[i].expected ? rows[i].expected : rows[i].input;
		struct lg_slice input = slice_from(rows[i].input);
		struct lg_slice email = email_normalize(&arena, input);

		expect_slice(rows[i].input, email, expected[0] ? expected : NULL);
		if (slice_present(email))
			expect_slice(expected, email_normalize(&arena, email), expected);
		if (!rows[i].expected)
			assert_ptr_equal(email.data, input.data);
	}
	assert_false(arena.failed);
	arena_fini(&arena);
}

static void identities_ignore_tags_and_case(void **state)
{
	char out[EMAIL_IDENTITY_BYTES];
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *normal = rows[i].expected ? rows[i].expected : rows[i].input;

		if (normal[0])
			expect_slice(rows[i].input, email_identity(slice_from(normal), out),
				     rows[i].identity ? rows[i].identity : normal);
	}
	arena_fini(&arena);
}

static void lengths_are_bounded(void **state)
{
	char text[2000];
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	memset(text, 'a', sizeof(text));
	memcpy(text + 64, "@example.com", 12);
	assert_true(slice_present(email_normalize(&arena, slice_of(text, 76))));
	memcpy(text + 64, "a@example.com", 13);
	expect_slice("65 bytes", email_normalize(&arena, slice_of(text, 77)), NULL);
	/* labels of 63 bytes: 1 + 1 + 3 * 64 + 56 + 4 = 254 in all */
	memset(text, 'a', sizeof(text));
	text[1] = '@';
	for (size_t i = 1; i <= 3; i++)
		text[1 + 64 * i] = '.';
	memcpy(text + 250, ".com", 4);
	assert_int_equal(email_normalize(&arena, slice_of(text, 254)).length, 254);
	memcpy(text + 250, "a.com", 5);
	expect_slice("255 bytes", email_normalize(&arena, slice_of(text, 255)), NULL);
	text[1 + 64] = 'a';
	expect_slice("a label of 127", email_normalize(&arena, slice_of(text, 254)), NULL);
	expect_slice("2000 bytes", email_normalize(&arena, slice_of(text, 2000)), NULL);
	arena_fini(&arena);
}

static void kinds_of_addresses(void **state)
{
	static const struct {
		const char *email;
		bool role, free, disposable;
	} kinds[] = {
		{"jane@example.com", false, false, false},
		{"info@example.com", true, false, false},
		{"Info@example.com", true, false, false},
		{"sales+fair@example.com", true, false, false},
		{"infos@example.com", false, false, false},
		{"inf@example.com", false, false, false},
		{"abuse@example.com", true, false, false},
		{"www@example.com", true, false, false},
		{"no-reply@example.com", true, false, false},
		{"kontakt@example.de", true, false, false},
		{"admin@example.com", true, false, false},
		{"administrator@example.com", true, false, false},
		{"jane@gmail.com", false, true, false},
		{"jane@googlemail.com", false, true, false},
		{"s.ales@gmail.com", true, true, false},
		{"jane@126.com", false, true, false},
		{"jane@zoho.com", false, true, false},
		{"jane@gmx.de", false, true, false},
		{"jane@t-online.de", false, true, false},
		{"jane@yahoo.co.uk", false, true, false},
		{"jane@protonmail.com", false, true, false},
		{"jane@proton.me", false, true, false},
		{"jane@gmail.co", false, false, false},
		{"jane@mail.gmail.com", false, false, false},
		{"x@mailinator.com", false, false, true},
		{"x@10minutemail.com", false, false, true},
		{"x@yopmail.com", false, false, true},
		{"x@temp-mail.org", false, false, true},
		{"x@tempmail.com", false, false, true},
		{"no address", false, false, false},
		{"", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct lg_slice email = slice_from(kinds[i].email);

		if (email_role(email) != kinds[i].role || email_free(email) != kinds[i].free ||
		    email_disposable(email) != kinds[i].disposable)
			fail_msg("%s", kinds[i].email);
	}
}

static void failing_memory_is_reported(void **state)
{
	int64_t n = 0;

	(void)state;
	do {
		struct arena arena;
		struct lg_slice out;

		arena_init(&arena, 64, 0);
		alloc_fail_at(++n);
		out = email_normalize(&arena, LG_SLICE(" je\xcc\x81r\xef\xbc\xa0M\xc3\xbcller.DE"));
		assert_int_equal(slice_present(out), !arena.failed);
		arena_fini(&arena);
	} while (alloc_failed());
	alloc_fail_at(0);
	assert_true(n > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_one_form),
		cmocka_unit_test(identities_ignore_tags_and_case),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(kinds_of_addresses),
		cmocka_unit_test(failing_memory_is_reported),
	};

	return RUN(tests);
}
