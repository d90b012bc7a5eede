#include "unit.h"

#include "base/suggestion.h"

static struct lg_slice nearest(const char *word, const char *const *names)
{
	struct suggestion suggestion;

	suggestion_init(&suggestion, slice_from(word));
	for (; *names; names++)
		suggestion_try(&suggestion, slice_from(*names));
	return suggestion.nearest;
}

static const char *const names[] = {"status", "stages", "person", "on", "max_size", NULL};

static void finds_the_nearest_name(void **state)
{
	(void)state;
	assert_slice_is(nearest("statsu", names), "status");
	assert_slice_is(nearest("stage", names), "stages");
	assert_slice_is(nearest("PERSON", names), "person");
	assert_slice_is(nearest("max-sise", names), "max_size");
	assert_slice_is(nearest("no", names), "on");
}

static void the_first_of_equals_wins(void **state)
{
	static const char *const equals[] = {"cat", "bat", "hat", NULL};

	(void)state;
	assert_slice_is(nearest("rat", equals), "cat");
	assert_slice_is(nearest("hat", equals), "hat");
}

static void what_is_far_is_not_suggested(void **state)
{
	static const char longest[] = "a_name_that_is_longer_than_any_word_that_is_looked_at";
	const char *const far[] = {longest, "x", NULL};

	(void)state;
	assert_null(nearest("weather", names).data);
	assert_null(nearest("", names).data);
	assert_null(nearest("y", far).data);
	assert_null(nearest(longest, far).data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_nearest_name),
		cmocka_unit_test(the_first_of_equals_wins),
		cmocka_unit_test(what_is_far_is_not_suggested),
	};
	return RUN(tests);
}
