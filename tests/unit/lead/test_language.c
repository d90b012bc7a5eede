#include "lead/language.h"

#include "unit.h"

static void tags_have_one_form(void **state)
{
	static const struct {
		const char *input, *tag;
	} rows[] = {
		{"en", "en"},
		{"EN", "en"},
		{"en-US", "en-US"},
		{"en_US", "en-US"},
		{"EN-us", "en-US"},
		{" de-de ", "de-DE"},
		{"zh-hant-tw", "zh-Hant-TW"},
		{"zh_Hans", "zh-Hans"},
		{"sr-LATN-RS", "sr-Latn-RS"},
		{"es-419", "es-419"},
		{"de-CH-1901", "de-CH-1901"},
		{"sl-rozaj-biske", "sl-rozaj-biske"},
		{"en-u-co-phonebk", "en-u-co-phonebk"},
		{"EN-X-Private", "en-x-private"},
		{"en_US.UTF-8", "en-US"},
		{"de_DE@euro", "de-DE"},
		{"en-US,en;q=0.9", "en-US"},
		{"fr;q=0.8", "fr"},
		{"gsw", "gsw"},
		{"iw", "he"},
		{"iw-IL", "he-IL"},
		{"in-ID", "id-ID"},
		{"ji", "yi"},
		{"inh", "inh"},
		{"", NULL},
		{"e", NULL},
		{"english", NULL},
		{"C", NULL},
		{"*", NULL},
		{"en-", NULL},
		{"-en", NULL},
		{"en--US", NULL},
		{"en_", NULL},
		{"12", NULL},
		{"en-\xc3\xa9", NULL},
		{"en-abcdefghi", NULL},
		{"en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd", NULL},
	};
	char out[LANGUAGE_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good = language_normalize(slice_from(rows[i].input), out);

		expect_slice(rows[i].input, good ? slice_from(out) : slice_of(NULL, 0),
			     rows[i].tag);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_have_one_form),
	};

	return RUN(tests);
}
