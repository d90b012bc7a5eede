#include "lead/number.h"

#include "unit.h"

static void whole_numbers(void **state)
{
	static const struct {
		const char *input, *number;
	} rows[] = {
		{"0", "0"},
		{"50", "50"},
		{" 50 ", "50"},
		{"007", "7"},
		{"000", "0"},
		{"1,200", "1200"},
		{"1.200", "1200"},
		{"1 200", "1200"},
		{"1'200", "1200"},
		{"12,345,678", "12345678"},
		{"999999999", "999999999"},
		{"1000000000", NULL},
		{"1,20", NULL},
		{"1,2000", NULL},
		{"1200,300", NULL},
		{"1,200.300", NULL},
		{",200", NULL},
		{"200,", NULL},
		{"1,,200", NULL},
		{"50-100", NULL},
		{"50+", NULL},
		{"-5", NULL},
		{"1.5", NULL},
		{"1e3", NULL},
		{"", NULL},
		{"fifty", NULL},
		{"0x10", NULL},
		{"\xd9\xa5", NULL},
	};
	char out[NUMBER_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good = number_normalize(slice_from(rows[i].input), out);

		expect_slice(rows[i].input, good ? slice_from(out) : slice_of(NULL, 0),
			     rows[i].number);
	}
	assert_false(number_normalize(slice_of("1\0", 2), out));
}

static void truth_values(void **state)
{
	static const struct {
		const char *input, *value;
	} rows[] = {
		{"true", "true"}, {"True", "true"}, {"1", "true"},    {"yes", "true"},
		{"ON", "true"},	  {" y ", "true"},  {"t", "true"},    {"false", "false"},
		{"0", "false"},	  {"No", "false"},  {"off", "false"}, {"n", "false"},
		{"f", "false"},	  {"", NULL},	    {"2", NULL},      {"maybe", NULL},
		{"truex", NULL},
	};
	char out[NUMBER_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good = number_normalize_boolean(slice_from(rows[i].input), out);

		expect_slice(rows[i].input, good ? slice_from(out) : slice_of(NULL, 0),
			     rows[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(truth_values),
	};

	return RUN(tests);
}
