#include "lead/phone.h"

#include "lead/phone_library.h"
#include "lead/phone_table.h"
#include "unit.h"

/* NULL: cannot be read. */
#define COMMON_ROWS 24 /* the table must answer them */

static const struct {
	const char *text, *region, *e164;
} rows[] = {
	{"(650) 253-0000", "US", "+16502530000"},
	{"650-253-0000", "US", "+16502530000"},
	{"650.253.0000", "CA", "+16502530000"},
	{"6502530000", "US", "+16502530000"},
	{"1 650 253 0000", "US", "+16502530000"},
	{"+1 (650) 253-0000", "DE", "+16502530000"},
	{"001 650 253 0000", "DE", "+16502530000"},
	{"+16502530000", "ZZ", "+16502530000"},
	{"030 1234567", "DE", "+49301234567"},
	{"030/1234567", "DE", "+49301234567"},
	{"+49 (0)30 1234567", "US", "+49301234567"},
	{"011 49 30 1234567", "US", "+49301234567"},
	{"0049 30 1234567", "FR", "+49301234567"},
	{"0171 1234567", "DE", "+491711234567"},
	{"01 42 68 53 00", "FR", "+33142685300"},
	{"33 1 42 68 53 00", "FR", "+33142685300"},
	{"020 7946 0958", "GB", "+442079460958"},
	{"+44 20 7946 0958", "US", "+442079460958"},
	{"07700 900123", "GB", "+447700900123"},
	{"06 1234 5678", "IT", "+390612345678"},
	{"+39 06 1234 5678", "US", "+390612345678"},
	{"312 345 6789", "IT", "+393123456789"},
	{"06 1 234 5679", "HU", "+3612345679"},
	{"098765 43210", "IN", "+919876543210"},
	{"090-1234-5678", "JP", "+819012345678"},
	{"8 (912) 345-67-89", "RU", "+79123456789"},
	{"90-1234-5678", "JP", "+819012345678"},
	{"11 91234-5678", "BR", "+5511912345678"},
	{"011 15 2345 6789", "AR", "+5491123456789"},
	{"+52 1 55 1234 5678", "US", "+525512345678"},
	{"612345678", "ES", "+34612345678"},
	{"0412 345 678", "AU", "+61412345678"},
	{"138 0013 8000", "CN", "+8613800138000"},
	{"6123 4567", "SG", "+6561234567"},
	{"650-253-0000 ext. 12", "US", "+16502530000"},
	{"650-253-0000 x12", "US", "+16502530000"},
	{"tel:+1-650-253-0000", "US", "+16502530000"},
	{"1-800-FLOWERS", "US", "+18003569377"},
	{"\xef\xbc\x8b\xef\xbc\x91 650 253 0000", "US", "+16502530000"},
	{"Phone: 650-253-0000", "US", "+16502530000"},
	{"\xd9\xa6\xd9\xa5\xd9\xa0 253 0000", "US", "+16502530000"},
	{"253-0000", "US", NULL},
	{"650253000", "US", NULL},
	{"65025300000", "US", NULL},
	{"+1650253000", "US", NULL},
	{"650 253 0000", "ZZ", NULL},
	{"+999 123456789", "US", NULL},
	{"+0 123456789", "US", NULL},
	{"call me", "US", NULL},
	{"", "US", NULL},
	{"+", "US", NULL},
	{"12", "US", NULL},
	{"n/a", "US", NULL},
	{"00000000000000000000000000000000000", "US", NULL},
	{"jane@example.com", "US", NULL},
	/* what only fills the box */
	{"00000000", "DE", NULL},
	{"0000 0000", "DE", NULL},
	{"000-000-0000", "US", NULL},
	{"111 111 1111", "US", NULL},
	{"+39 0000000", "US", NULL},
	{"99999999", "SG", NULL},
	{"123456", "DE", NULL},
	{"0123456", "DE", NULL},
	{"+49 1234567", "US", NULL},
	{"123-456-7890", "US", NULL},
	{"01 23 45 67 89", "FR", NULL},
	{"+39 0123456789", "US", NULL},
	/* and what only looks so */
	{"234567", "DE", "+49234567"},
	{"99999998", "SG", "+6599999998"},
	{"030 111111", "DE", "+4930111111"},
	{"+49 1234", "US", "+491234"},
	{"+49 1235678", "US", "+491235678"},
	{"+39 012345678 8", "US", "+390123456788"},
	{"222 222 2223", "US", "+12222222223"},
	/* what would lose another 0 with each reading */
	{"+53008-253-00 0", "US", NULL},
	{"+5308253000", "US", "+538253000"},
	{"+538253000", "US", "+538253000"},
};

static void numbers_become_e164(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lg_slice text = slice_from(rows[i].text);
		char out[PHONE_E164_BYTES];
		bool good = phone_normalize(text, rows[i].region, out);

		expect_slice(rows[i].text, good ? slice_from(out) : slice_of(NULL, 0),
			     rows[i].e164);
		good = phone_library_normalize(text, rows[i].region, out);
		expect_slice(rows[i].text, good ? slice_from(out) : slice_of(NULL, 0),
			     rows[i].e164);
	}
}

static void the_table_answers_common_forms(void **state)
{
	char out[PHONE_E164_BYTES];

	(void)state;
	for (size_t i = 0; i < COMMON_ROWS; i++)
		if (phone_table_normalize(slice_from(rows[i].text), rows[i].region, out) != 1)
			fail_msg("handed over: %s", rows[i].text);
}

static void the_table_hands_over_what_it_does_not_know(void **state)
{
	static const char *const texts[] = {
		"650-253-0000 ext. 12",
		"650-253-0000 x12",
		"1-800-FLOWERS",
		"tel:+1-650-253-0000",
		"++16502530000",
		"+ 1 650 253 0000",
		"650+2530000",
		"6502530000#",
		"*650253000",
		"253-0000",
		"12345",
		"123456789012345678",
		"",
		"650\t253 0000",
		"650,253,0000",
		"(650) 253-0000                                                           ",
	};
	char out[PHONE_E164_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (phone_table_normalize(slice_from(texts[i]), "US", out) != -1)
			fail_msg("answered: %s", texts[i]);
	assert_int_equal(phone_table_normalize(LG_SLICE("6502530000"), "", out), -1);
	assert_int_equal(phone_table_normalize(LG_SLICE("6502530000"), "us", out), -1);
	assert_int_equal(phone_table_normalize(LG_SLICE("6502530000"), "USA", out), -1);
}

static void the_table_is_of_this_library(void **state)
{
	char fingerprint[PHONE_FINGERPRINT_BYTES];

	(void)state;
	assert_true(phone_setup());
	assert_true(phone_library_fingerprint(fingerprint));
	assert_string_equal(fingerprint, phone_table_fingerprint());
	assert_true(strlen(fingerprint) >= 6);
}

static void regions_are_known_to_both(void **state)
{
	size_t known = 0;

	(void)state;
	for (char a = 'A'; a <= 'Z'; a++)
		for (char b = 'A'; b <= 'Z'; b++) {
			char region[3] = {a, b, '\0'};

			assert_int_equal(phone_table_region_known(region),
					 phone_library_region_known(region));
			known += phone_region_known(region);
		}
	assert_true(known > 200);
	assert_false(phone_region_known("us"));
	assert_false(phone_region_known(""));
	assert_false(phone_region_known("USA"));
}

/* xorshift: the same numbers in every run. */
static uint64_t seed = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static char regions[26 * 26][3];
static size_t region_count;

static void find_regions(void)
{
	for (char a = 'A'; a <= 'Z'; a++)
		for (char b = 'A'; b <= 'Z'; b++) {
			char region[3] = {a, b, '\0'};

			if (phone_table_region_known(region))
				memcpy(regions[region_count++], region, sizeof(region));
		}
}

/* Beginnings that mean something: codes, trunk and international prefixes. */
static size_t draw_prefix(char *digits)
{
	static const char *const prefixes[] = {"",   "0",  "1",	  "8",	  "00",	 "011", "06",
					       "01", "02", "001", "0011", "810", "119", "15"};
	uint64_t kind = draw(4);

	if (kind == 0)
		return 0;
	if (kind == 1)
		return (size_t)sprintf(digits, "%u", (unsigned int)(1 + draw(999)));
	if (kind == 2)
		return (size_t)sprintf(digits, "%s", prefixes[draw(COUNT(prefixes))]);
	return (size_t)sprintf(digits, "%s%u", prefixes[draw(COUNT(prefixes))],
			       (unsigned int)(1 + draw(999)));
}

static struct lg_slice draw_number(char text[64])
{
	char digits[32];
	size_t count = draw_prefix(digits), total = count + 4 + draw(9), length = 0;

	while (count < total)
		digits[count++] = (char)('0' + draw(10));
	if (draw(3) == 0)
		text[length++] = '+';
	for (size_t i = 0; i < count && length < 60; i++) {
		text[length++] = digits[i];
		if (draw(5) == 0)
			text[length++] = " -.()/"[draw(6)];
	}
	return slice_of(text, length);
}

static void expect_to_last(const char *e164)
{
	char again[PHONE_E164_BYTES];

	assert_true(phone_normalize(slice_from(e164), "ZZ", again));
	assert_string_equal(again, e164);
}

static void the_table_agrees_with_the_library(void **state)
{
	size_t answered = 0, readable = 0;

	(void)state;
	for (int i = 0; i < 40000; i++) {
		char text[64], table[PHONE_E164_BYTES] = "", library[PHONE_E164_BYTES] = "";
		const char *region = regions[draw(region_count)];
		struct lg_slice number = draw_number(text);
		bool good = phone_library_normalize(number, region, library);

		readable += good;
		if (good)
			expect_to_last(library);
		if (phone_table_normalize(number, region, table) != 1)
			continue;
		answered++;
		if (!good || strcmp(table, library) != 0)
			fail_msg("%.*s in %s: %s, the library says %s", SLICE_ARGS(number), region,
				 table, good ? library : "no");
	}
	/* An empty table would agree, too. */
	assert_true(answered > readable * 8 / 10);
	assert_true(answered > 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_of_this_library),
		cmocka_unit_test(numbers_become_e164),
		cmocka_unit_test(the_table_answers_common_forms),
		cmocka_unit_test(the_table_hands_over_what_it_does_not_know),
		cmocka_unit_test(regions_are_known_to_both),
		cmocka_unit_test(the_table_agrees_with_the_library),
	};

	find_regions();
	return RUN(tests);
}
