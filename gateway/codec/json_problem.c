#include "codec/json_problem.h"

#include "base/utf8.h"
#include "codec/json.h"

struct scan {
	const char *at, *end;
	const char *wrong; /* NULL: nothing yet; else what would be right at `at` */
};

static bool scan_value(struct scan *scan, int depth);

static bool scan_fail(struct scan *scan, const char *wrong)
{
	scan->wrong = wrong;
	return false;
}

static int scan_peek(const struct scan *scan)
{
	return scan->at < scan->end ? (unsigned char)*scan->at : -1;
}

static bool scan_take(struct scan *scan, char c)
{
	if (scan_peek(scan) != c)
		return false;
	scan->at++;
	return true;
}

static void scan_blank(struct scan *scan)
{
	while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) && *scan->at)
		scan->at++;
}

static bool scan_digits(struct scan *scan, const char *wrong)
{
	const char *from = scan->at;

	while (scan_peek(scan) >= '0' && scan_peek(scan) <= '9')
		scan->at++;
	return scan->at > from || scan_fail(scan, wrong);
}

static bool scan_number(struct scan *scan)
{
	scan_take(scan, '-');
	if (scan_take(scan, '0')) {
		if (scan_peek(scan) >= '0' && scan_peek(scan) <= '9')
			return scan_fail(scan,
					 "a number does not begin with 0 before other digits");
	} else if (!scan_digits(scan, "expected a digit")) {
		return false;
	}
	if (scan_take(scan, '.') && !scan_digits(scan, "expected a digit after the decimal point"))
		return false;
	if (scan_take(scan, 'e') || scan_take(scan, 'E')) {
		if (!scan_take(scan, '+'))
			scan_take(scan, '-');
		return scan_digits(scan, "expected a digit in the exponent");
	}
	return true;
}

/* The four digits after \u, or -1. */
static long scan_hex4(struct scan *scan)
{
	long code = 0;

	for (int i = 0; i < 4; i++) {
		int c = scan_peek(scan);

		if (c >= '0' && c <= '9')
			code = code * 16 + c - '0';
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			code = code * 16 + (c | 32) - 'a' + 10;
		else
			return -1;
		scan->at++;
	}
	return code;
}

static bool scan_unicode_escape(struct scan *scan)
{
	const char *from = scan->at - 2; /* the backslash */
	long code = scan_hex4(scan), low;

	if (code < 0)
		return scan_fail(scan, "expected four hexadecimal digits after \\u");
	if (code < 0xd800 || code > 0xdfff)
		return true;
	if (code < 0xdc00 && scan_take(scan, '\\') && scan_take(scan, 'u')) {
		low = scan_hex4(scan);
		if (low >= 0xdc00 && low <= 0xdfff)
			return true;
	}
	scan->at = from;
	return scan_fail(scan, "a \\u escape of half a surrogate pair stands for no character");
}

static bool scan_escape(struct scan *scan)
{
	int c = scan_peek(scan);

	if (c == 'u') {
		scan->at++;
		return scan_unicode_escape(scan);
	}
	if (c <= 0 || !strchr("\"\\/bfnrt", c))
		return scan_fail(scan, "expected one of \" \\ / b f n r t u after a backslash");
	scan->at++;
	return true;
}

/* The inside of a string and its closing quote. */
static bool scan_string(struct scan *scan)
{
	while (scan->at < scan->end) {
		struct lg_slice rest = slice_of(scan->at, (size_t)(scan->end - scan->at));
		int32_t point = utf8_next(&rest);

		if (point == UTF8_INVALID)
			return scan_fail(scan, "this byte is not UTF-8");
		if (point < 0x20)
			return scan_fail(scan, "a control character in a string must be escaped");
		scan->at = rest.data;
		if (point == '"')
			return true;
		if (point == '\\' && !scan_escape(scan))
			return false;
	}
	return scan_fail(scan, "expected the closing quote of a string");
}

static bool scan_word(struct scan *scan, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0)
		return scan_fail(scan, "expected a value: an object, an array, a string in double "
				       "quotes, a number, true, false or null");
	scan->at += length;
	return true;
}

static bool scan_member(struct scan *scan, int depth)
{
	if (!scan_take(scan, '"'))
		return scan_fail(scan, "expected a member name in double quotes");
	if (!scan_string(scan))
		return false;
	scan_blank(scan);
	if (!scan_take(scan, ':'))
		return scan_fail(scan, "expected a colon after the member name");
	scan_blank(scan);
	return scan_value(scan, depth + 1);
}

static bool scan_object(struct scan *scan, int depth)
{
	scan_blank(scan);
	if (scan_take(scan, '}'))
		return true;
	for (;;) {
		if (!scan_member(scan, depth))
			return false;
		scan_blank(scan);
		if (scan_take(scan, '}'))
			return true;
		if (!scan_take(scan, ','))
			return scan_fail(scan, "expected a comma or the closing brace }");
		scan_blank(scan);
	}
}

static bool scan_array(struct scan *scan, int depth)
{
	scan_blank(scan);
	if (scan_take(scan, ']'))
		return true;
	for (;;) {
		if (!scan_value(scan, depth + 1))
			return false;
		scan_blank(scan);
		if (scan_take(scan, ']'))
			return true;
		if (!scan_take(scan, ','))
			return scan_fail(scan, "expected a comma or the closing bracket ]");
		scan_blank(scan);
	}
}

static bool scan_value(struct scan *scan, int depth)
{
	int c = scan_peek(scan);

	if ((c == '{' || c == '[') && depth == JSON_DEPTH_MAX)
		return scan_fail(scan, "nested deeper than 64 levels");
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(scan);
	switch (c) {
	case '{': scan->at++; return scan_object(scan, depth);
	case '[': scan->at++; return scan_array(scan, depth);
	case '"': scan->at++; return scan_string(scan);
	case 't': return scan_word(scan, "true");
	case 'f': return scan_word(scan, "false");
	default: return scan_word(scan, "null");
	}
}

bool json_problem_find(struct lg_slice bytes, struct json_problem *problem)
{
	/* An absent slice has no address to count from. */
	const char *data = bytes.length ? bytes.data : "";
	struct scan scan = {data, data + bytes.length, NULL};

	if (slice_starts(bytes, "\xef\xbb\xbf"))
		scan.at += 3;
	scan_blank(&scan);
	if (scan.at == scan.end) {
		scan_fail(&scan, "expected a JSON value, found nothing");
	} else if (scan_value(&scan, 0)) {
		scan_blank(&scan);
		if (scan.at < scan.end)
			scan_fail(&scan, "expected nothing more after the value");
	}
	if (!scan.wrong)
		return false;
	*problem = (struct json_problem){(size_t)(scan.at - data), scan.wrong};
	return true;
}

void json_problem_place(struct lg_slice bytes, size_t offset, size_t *line, size_t *column)
{
	size_t at = slice_starts(bytes, "\xef\xbb\xbf") ? 3 : 0;

	*line = *column = 1;
	for (; at < offset && at < bytes.length; at++) {
		if (bytes.data[at] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)bytes.data[at] & 0xc0) != 0x80) {
			++*column;
		}
	}
}
