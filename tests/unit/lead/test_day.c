#include "lead/day.h"

#include "unit.h"

static void days_are_read_where_they_are_certain(void **state)
{
	static const struct {
		const char *input, *day;
	} rows[] = {
		{"1990-05-31", "1990-05-31"},
		{"1990-5-1", "1990-05-01"},
		{" 1990/05/31 ", "1990-05-31"},
		{"1990.05.31", "1990-05-31"},
		{"19900531", "1990-05-31"},
		{"31.05.1990", "1990-05-31"},
		{"31. 5. 1990", "1990-05-31"},
		{"1.2.1990", "1990-02-01"},
		{"31/05/1990", "1990-05-31"},
		{"05/31/1990", "1990-05-31"},
		{"31-05-1990", "1990-05-31"},
		{"5-31-1990", "1990-05-31"},
		{"05/05/1990", "1990-05-05"},
		{"2000-02-29", "2000-02-29"},
		{"1990-05-31T23:30:00-05:00", "1990-05-31"},
		{"1990-05-31T00:30:00.000Z", "1990-05-31"},
		{"05/06/1990", NULL},
		{"5-6-1990", NULL},
		{"1900-02-29", NULL},
		{"1990-13-01", NULL},
		{"1990-00-10", NULL},
		{"1990-04-31", NULL},
		{"31.05.90", NULL},
		{"90-05-31", NULL},
		{"31 05 1990", NULL},
		{"31.05/1990", NULL},
		{"1990-05", NULL},
		{"1990", NULL},
		{"", NULL},
		{"May 31, 1990", NULL},
		{"1990-05-31x", NULL},
		{"11990-05-31", NULL},
		{"199005310", NULL},
		{"99999999", NULL},
		{"643939200", NULL},
		{"-1990-05-31", NULL},
	};
	char out[DAY_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good = day_normalize(slice_from(rows[i].input), out);

		expect_slice(rows[i].input, good ? slice_from(out) : slice_of(NULL, 0),
			     rows[i].day);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_read_where_they_are_certain),
	};

	return RUN(tests);
}
