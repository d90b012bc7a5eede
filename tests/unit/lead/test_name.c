#include "lead/name.h"

#include "unit.h"

static void names_agree_or_not(void **state)
{
	static const struct {
		const char *a, *b;
		bool agree;
	} rows[] = {
		{"Jane Doe", "Jane Doe", true},
		{"Jane Doe", "jane doe", true},
		{"Jane Doe", "DOE, Jane", true},
		{"Jane Doe", "Jane M. Doe", true},
		{"Jane Doe", "Dr. Jane Doe", true},
		{"Jane Mary Doe", "Jane Doe-Smith", false},
		{"Jane Doe", "Jane Doe-Smith", true},
		{"Ren\xc3\xa9 M\xc3\xbcller", "Rene Muller", true},
		{"Ren\xc3\xa9 M\xc3\xbcller", "RENE\xcc\x81 MU\xcc\x88LLER", true},
		{"Gro\xc3\x9f Anna", "Anna Gross", true},
		{"Conan O'Brien", "Conan OBrien", true},
		{"Conan O\xe2\x80\x99"
		 "Brien",
		 "conan o'brien", true},
		{"Anna-Lena Schmidt", "Anna Lena Schmidt", true},
		{"\xe7\x94\xb0\xe4\xb8\xad \xe5\xa4\xaa\xe9\x83\x8e",
		 "\xe7\x94\xb0\xe4\xb8\xad\xe3\x80\x80\xe5\xa4\xaa\xe9\x83\x8e", true},
		{"\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd "
		 "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd\xd0\xbe\xd0\xb2",
		 "\xd0\x98\xd0\x92\xd0\x90\xd0\x9d\xd0\x9e\xd0\x92 "
		 "\xd0\x98\xd0\x92\xd0\x90\xd0\x9d",
		 true},
		{"Cher", "cher", true},
		{"Jane Doe", "John Doe", false},
		{"Jane Doe", "J. Doe", false},
		{"Jane Doe", "Jane", false},
		{"Jane Doe", "Doe", false},
		{"Jane Doe", "Jane Roe", false},
		{"Jane Doe", "", false},
		{"", "", false},
		{"---", "---", false},
		{"Jane Jane", "Jane", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (name_agrees(slice_from(rows[i].a), slice_from(rows[i].b)) != rows[i].agree ||
		    name_agrees(slice_from(rows[i].b), slice_from(rows[i].a)) != rows[i].agree)
			fail_msg("\"%s\" and \"%s\"", rows[i].a, rows[i].b);
}

/* Not the opposite: a part of a name neither agrees nor differs. */
static void names_differ_or_not(void **state)
{
	static const struct {
		const char *a, *b;
		bool differ;
	} rows[] = {
		{"Anna Meier", "Bernd Meier", true},  {"Anna Meier", "A. Meier", true},
		{"Anna Meier", "Dr. A. Meier", true}, {"Anna Meier", "Bernd", true},
		{"Anna Meier", "MEIER, Anna", false}, {"Anna Meier", "Anna-Lena Meier", false},
		{"Anna Meier", "anna", false},	      {"Anna Meier", "", false},
		{"Anna Meier", "---", false},	      {"", "", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (name_differs(slice_from(rows[i].a), slice_from(rows[i].b)) != rows[i].differ ||
		    name_differs(slice_from(rows[i].b), slice_from(rows[i].a)) != rows[i].differ)
			fail_msg("\"%s\" and \"%s\"", rows[i].a, rows[i].b);
}

static void a_name_is_put_together(void **state)
{
	static const struct {
		const char *lead, *name;
	} rows[] = {
		{"person.full_name=Anna Meier\nperson.given_name=A\nperson.family_name=M",
		 "Anna Meier"},
		{"person.given_name=Anna\nperson.family_name=Meier", "Anna Meier"},
		{"person.family_name=Meier", "Meier"},
		{"person.full_name=Anna", "Anna"},
		{"person.full_name=Anna\nperson.family_name=Meier", "Anna Meier"},
		{"person.full_name=Anna-Lena\nperson.family_name=Meier", "Anna-Lena Meier"},
		{"person.full_name=MEIER\nperson.family_name=Meier", "MEIER"},
		{"person.full_name=Anna\nperson.given_name=Anna\nperson.family_name=Meier",
		 "Anna Meier"},
		{"person.full_name=Anna Meier\nperson.family_name=Schmidt", "Anna Meier"},
		/* a whole name without a blank */
		{"person.full_name=\xe7\x94\xb0\xe4\xb8\xad\xe5\xa4\xaa\xe9\x83\x8e\n"
		 "person.family_name=\xe7\x94\xb0\xe4\xb8\xad",
		 "\xe7\x94\xb0\xe4\xb8\xad\xe5\xa4\xaa\xe9\x83\x8e"},
	};
	char room[NAME_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena arena;

		arena_init(&arena, 4096, 0);
		expect_slice(rows[i].lead, name_of(unit_lead(&arena, rows[i].lead), room),
			     rows[i].name);
		arena_fini(&arena);
	}
}

static void what_is_too_long_must_be_equal(void **state)
{
	char text[700], many[80];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_true(name_agrees(slice_of(text, 700), slice_of(text, 700)));
	assert_false(name_agrees(slice_of(text, 700), slice_of(text, 699)));
	assert_true(name_differs(slice_of(text, 700), slice_of(text, 699)));
	assert_false(name_differs(slice_of(text, 700), slice_of(text, 700)));
	assert_false(name_differs(slice_of(text, 700), slice_of(NULL, 0)));
	for (size_t i = 0; i < sizeof(many); i += 2) {
		many[i] = (char)('0' + (int)i);
		many[i + 1] = ' ';
	}
	assert_true(name_agrees(slice_of(many, 80), slice_of(many, 80)));
	assert_false(name_agrees(slice_of(many, 80), slice_of(many, 78)));
	assert_false(name_agrees(slice_of(NULL, 0), slice_of(NULL, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_agree_or_not),
		cmocka_unit_test(names_differ_or_not),
		cmocka_unit_test(a_name_is_put_together),
		cmocka_unit_test(what_is_too_long_must_be_equal),
	};

	field_setup();
	return RUN(tests);
}
