#include "unit.h"

#include <string.h>

#define PHONE "+493090000001"

static const struct post people[] = {
	{.name = "Carl One", .email = "carl@acme.example", .phone = PHONE},
	{.name = "Dora Two", .email = "dora@acme.example", .phone = PHONE},
};

/* Who shares a number is told by the name; who shares more than that needs none. */
static void one_of_two_is_known(void **state)
{
	static const struct {
		const char *field; /* what the touch brings, to find it by */
		const char *name, *email;
		size_t touched;
	} rows[] = {
		{"touch-1", "Dora Two", NULL, 1},  {"touch-2", "Carl One", NULL, 0},
		{"touch-3", "TWO, Dora", NULL, 1}, {"touch-4", NULL, NULL, 0},
		{"touch-5", "Eve Three", NULL, 0}, {"touch-6", "Carl One", "dora@acme.example", 1},
	};
	struct kit *kit = *state;
	struct capture leads[2];

	kit_open(kit);
	for (size_t i = 0; i < 2; i++) {
		leads[i] = kit_post(kit, people[i]);
		assert_int_equal(leads[i].verdict, CAPTURE_CREATED);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct post post = {.name = rows[i].name,
				    .email = rows[i].email,
				    .phone = PHONE,
				    .extra_name = rows[i].field,
				    .extra = "x"};

		assert_int_equal(kit_post(kit, post).verdict, CAPTURE_TOUCHED);
		if (!strstr(kit_record(kit, leads[rows[i].touched].lead_id), rows[i].field))
			fail_msg("%s went to the other", rows[i].field);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {STORE_TEST(one_of_two_is_known)};

	return RUN(tests);
}
