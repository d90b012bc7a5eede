#include "lead/country.h"

#include "unit.h"

#include <unicode/uloc.h>

static void countries_are_found(void **state)
{
	static const struct {
		const char *input, *code;
	} rows[] = {
		{"US", "US"},
		{"us", "US"},
		{" de ", "DE"},
		{"USA", "US"},
		{"deu", "DE"},
		{"GBR", "GB"},
		{"UK", "GB"},
		{"U.S.A.", "US"},
		{"United States", "US"},
		{"united states of america", "US"},
		{"Germany", "DE"},
		{"DEUTSCHLAND", "DE"},
		{"Great Britain", "GB"},
		{"England", "GB"},
		{"C\xc3\xb4te d\xe2\x80\x99Ivoire", "CI"},
		{"Cote d'Ivoire", "CI"},
		{"Ivory Coast", "CI"},
		{"\xc3\x96sterreich", "AT"},
		{"Oesterreich", "AT"},
		{"Espa\xc3\xb1"
		 "a",
		 "ES"},
		{"Espana", "ES"},
		{"The Netherlands", "NL"},
		{"Netherlands", "NL"},
		{"Holland", "NL"},
		{"South Korea", "KR"},
		{"Korea", "KR"},
		{"Russia", "RU"},
		{"Czechia", "CZ"},
		{"Czech Republic", "CZ"},
		{"T\xc3\xbcrkiye", "TR"},
		{"Turkey", "TR"},
		{"Viet Nam", "VN"},
		{"Vietnam", "VN"},
		{"Hong Kong", "HK"},
		{"United Arab Emirates", "AE"},
		{"UAE", "AE"},
		{"Brasil", "BR"},
		{"M\xc3\xa9xico", "MX"},
		{"Bosnia & Herzegovina", "BA"},
		{"St. Lucia", "LC"},
		{"New Zealand", "NZ"},
		{"Schweiz", "CH"},
		{"", NULL},
		{"U", NULL},
		{"ZZ", NULL},
		{"XX", NULL},
		{"AAA", NULL},
		{"Atlantis", NULL},
		{"n/a", NULL},
		{"1", NULL},
		{"Please choose", NULL},
		{"--", NULL},
		{"\xff\xff", NULL},
	};
	char out[3];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good = country_find(slice_from(rows[i].input), out);

		expect_slice(rows[i].input, good ? slice_from(out) : slice_of(NULL, 0),
			     rows[i].code);
	}
}

static void every_code_is_found_by_both_its_forms(void **state)
{
	char out[3], locale[4];

	(void)state;
	for (const char *const *code = uloc_getISOCountries(); *code; code++) {
		assert_true(country_find(slice_from(*code), out));
		assert_string_equal(out, *code);
		snprintf(locale, sizeof(locale), "_%s", *code);
		if (uloc_getISO3Country(locale)[0]) {
			assert_true(country_find(slice_from(uloc_getISO3Country(locale)), out));
			assert_string_equal(out, *code);
		}
	}
}

static void long_texts_are_no_countries(void **state)
{
	char text[4096], out[3];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_false(country_find(slice_of(text, sizeof(text)), out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(countries_are_found),
		cmocka_unit_test(every_code_is_found_by_both_its_forms),
		cmocka_unit_test(long_texts_are_no_countries),
	};

	return RUN(tests);
}
