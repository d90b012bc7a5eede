#include "unit.h"

#include <stdio.h>

#include "expr/expr.h"

static struct error error;

static const char *const paths[] = {
	"id",
	"is_test",
	"person.email",
	"person.country",
	"person.phone",
	"organization.employees",
	"inquiry.products[]",
	"status.stage",
	"consent[].state",
	"consent[].purpose",
	"extra.*",
	"person.phone",
	"status.since",
};
static const struct expr_names names = {paths, sizeof(paths) / sizeof(paths[0])};

static void assert_accepted(const char *text)
{
	if (!expr_check(slice_from(text), &names, &error))
		fail_msg("%s: %s", text, error.text);
}

/* The whole error when `wanted` begins with a digit, otherwise a part. */
static void assert_refused(const char *text, const char *wanted)
{
	error.text[0] = 0;
	if (expr_check(slice_from(text), &names, &error))
		fail_msg("%s: accepted", text);
	if (wanted[0] >= '0' && wanted[0] <= '9' ? strcmp(error.text, wanted) != 0
						 : !strstr(error.text, wanted))
		fail_msg("%s: '%s', not '%s'", text, error.text, wanted);
}

static void takes_expressions(void **state)
{
	static const char *const texts[] = {
		"true",
		"person.country == 'US' and (organization.employees or 0) >= 50",
		"not (is_test or id == nil)",
		"- 5 + - -3 ~= 0x1F",
		"1e3 + 1.5e-3 < 0.5 // 1 % 2 ^ 2",
		"'a\\n\\t\\\\\\'\\u{20AC}' .. \"b\\\"\"",
		"matches_any(person.country, {'US', 'CA',\n 'MX'})",
		"min(1, 2) + max(3, (4))",
		"inquiry.products[1] == extra['any name'] or extra.any.thing[5]",
		"consent[1].state == 'granted'",
		"consent[length(consent)].anything",
		"(person or organization).whatever",
		"{}",
		"#inquiry.products > 0",
		"\t\r\n id \n",
		"person['email']",
		"person [ 'email' ]",
		"'--' .. '[[' .. ';'",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_accepted(texts[i]);
}

static void says_where_and_what_would_be_right(void **state)
{
	(void)state;
	assert_refused("", "1:1: the expression is empty");
	assert_refused("  \n ", "1:1: the expression is empty");
	assert_refused("is_test and statsu.stage",
		       "1:13: unknown name 'statsu'; did you mean 'status'?");
	assert_refused("person.emial == 'x'",
		       "1:8: unknown name 'person.emial'; did you mean 'person.email'?");
	assert_refused("email == 'x'", "1:1: unknown name 'email'; did you mean 'person.email'?");
	assert_refused("person.shoe_size > 40",
		       "1:8: unknown name 'person.shoe_size'; known are email, country, phone");
	assert_refused("weather", "1:1: unknown name 'weather'; known are id, is_test, person, "
				  "organization, inquiry, status, consent, extra");
	assert_refused("consent[1].sate", "1:12: unknown name 'consent[].sate'; did you mean "
					  "'consent[].state'?");
	assert_refused("person[1]", "1:8: 'person' is no list");
	assert_refused("person['emial']", "did you mean 'person.email'?");
	assert_refused("person [ 'emial' ]", "did you mean 'person.email'?");
	assert_refused("lowr(id)", "1:1: unknown function 'lowr'; did you mean 'lower'?");
	assert_refused("lower == 1", "1:1: 'lower' is a function: write lower(…)");
	assert_refused("id ==", "1:6: the expression ends too early; a value is missing");
	assert_refused("'é' ==\n  \t== 1", "2:4: '==' does not belong here; expected a value");
	assert_refused("'é' = 1", "1:5: '=' sets nothing here; equality is written '=='");
	assert_refused("(id", "1:4: the expression ends too early; ')' is missing");
	assert_refused("id id", "1:4: 'id' does not belong here; expected an operator or the end");
	assert_refused("id)", "1:3: ')' does not belong here; expected an operator or the end");
	assert_refused("min(1 2)", "1:7: '2' does not belong here; expected ',' or ')'");
	assert_refused("id.and", "odd ones are written a['odd name']");
}

static void knows_the_habits_of_other_languages(void **state)
{
	(void)state;
	assert_refused("id != 1", "'!=' is written '~='");
	assert_refused("id <> 1", "'<>' is written '~='");
	assert_refused("!id", "'!' is written 'not'");
	assert_refused("id && id", "'&&' is written 'and'");
	assert_refused("id || id", "'||' is written 'or'");
	assert_refused("id ? 1 : 2", "(condition and yes or no)");
	assert_refused("id == \xE2\x80\x98x\xE2\x80\x99", "quotes are written");
	assert_refused("id == \xE2\x82\xAC", "'\xE2\x82\xAC' has no place");
}

static void refuses_all_but_an_expression(void **state)
{
	static const char *const texts[] = {
		"1) os.exit(",
		"1; os.exit()",
		"1 return 2",
		"function() end",
		"(function() while true do end end)()",
		"while true do end",
		"for i = 1, 2 do end",
		"goto x",
		"local x",
		"x = 1",
		"{x = 1}",
		"{1; 2}",
		"id -- comment",
		"id --[[ comment ]]",
		"[[long]]",
		"[==[long]==]",
		"person[[[x]]]",
		"...",
		"('x'):rep(1000)",
		"id:lower()",
		"::label::",
		"id.lower('x')",
		"id('x')",
		"id'x'",
		"id{1}",
		"(lower)('x')",
		"lower'x'",
		"lower{1}",
		"lower('x')('y')",
		"lower('x').y",
		"{1}[1]",
		"'x'.y",
		"_ENV",
		"_ENV.lower('x')",
		"_G",
		"__index",
		"1 & 2",
		"1 | 2",
		"~1",
		"1 << 2",
		"1 >> 2",
		"'a\nb'",
		"'open",
		"\"open'",
		"'\\z  x'",
		"'\\x41'",
		"'\\065'",
		"'\\q'",
		"'\\",
		"'\\u{110000}'",
		"'\\u{D800}'",
		"'\\u{}'",
		"'\\u{41'",
		"1..2",
		"1.",
		".5",
		"0x",
		"0x1.8p3",
		"1e",
		"3abc",
		"5.5.5",
		"id,",
		"min(1,)",
		"{1,}",
		",",
		"`id`",
		"@id",
		"$id",
		"id\x01",
		"\xEF\xBB\xBFid",
		"\xFF",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (expr_check(slice_from(texts[i]), NULL, &error))
			fail_msg("%s: accepted", texts[i]);
		if (strncmp(error.text, "1:", 2) != 0)
			fail_msg("%s: no place in '%s'", texts[i], error.text);
	}
	assert_false(expr_check(LG_SLICE("id\0id"), NULL, &error));
}

static void repeat(char *out, const char *part, int times)
{
	for (out += strlen(out); times > 0; times--)
		out = stpcpy(out, part);
}

static void bounds_depth_and_length(void **state)
{
	char text[EXPR_TEXT_BYTES + 16] = "";

	(void)state;
	repeat(text, "(", 15);
	repeat(text, "1", 1);
	repeat(text, ")", 15);
	assert_accepted(text);
	text[0] = 0;
	repeat(text, "(", 4000);
	assert_refused(text, "nested deeper than 32 levels");
	text[0] = 0;
	repeat(text, "{", 4000);
	assert_refused(text, "nested deeper");
	text[0] = 0;
	repeat(text, "not ", 1000);
	assert_refused(text, "nested deeper");
	text[0] = 0;
	repeat(text, "- ", 1000);
	assert_refused(text, "nested deeper");
	strcpy(text, "extra");
	repeat(text, "[extra", 1000);
	assert_refused(text, "nested deeper");
	strcpy(text, "1");
	repeat(text, "..1", 65);
	assert_refused(text, "malformed number");
	strcpy(text, "1");
	repeat(text, " .. 1", 64);
	assert_accepted(text);
	repeat(text, " .. 1", 1);
	assert_refused(text, "more than 64 texts");
	strcpy(text, "extra");
	repeat(text, ".a", 2000);
	assert_refused(text, "longer than 256 bytes");
	memset(text, ' ', sizeof(text));
	text[EXPR_TEXT_BYTES + 1] = 0;
	assert_refused(text, "longer than 8192 bytes");
}

static void what_lua_cannot_hold_is_an_error(void **state)
{
	char text[EXPR_TEXT_BYTES] = "min(1";

	(void)state;
	repeat(text, ",1", 300);
	repeat(text, ")", 1);
	assert_refused(text, "function or expression needs too many registers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_expressions),
		cmocka_unit_test(says_where_and_what_would_be_right),
		cmocka_unit_test(knows_the_habits_of_other_languages),
		cmocka_unit_test(refuses_all_but_an_expression),
		cmocka_unit_test(bounds_depth_and_length),
		cmocka_unit_test(what_lua_cannot_hold_is_an_error),
	};
	return RUN(tests);
}
