#include "codec/charset.h"

#include <stdint.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>

#include "base/utf8.h"

/* A label, and what ICU calls the set; NULL: UTF-8. Only what browsers can be
 * told to send: the rest of ICU's sets, UTF-7 among them, have been used to hide
 * text from whoever looks at it. What the standard reads as a larger set (Latin-1
 * as windows-1252) is read so here. */
static const struct {
	const char *label, *name;
} sets[] = {
	{"utf-8", NULL},
	{"utf8", NULL},
	{"us-ascii", "windows-1252"},
	{"ascii", "windows-1252"},
	{"iso-8859-1", "windows-1252"},
	{"iso8859-1", "windows-1252"},
	{"iso_8859-1", "windows-1252"},
	{"latin1", "windows-1252"},
	{"windows-1252", "windows-1252"},
	{"cp1252", "windows-1252"},
	{"x-cp1252", "windows-1252"},
	{"iso-8859-2", "iso-8859-2"},
	{"latin2", "iso-8859-2"},
	{"iso-8859-3", "iso-8859-3"},
	{"iso-8859-4", "iso-8859-4"},
	{"iso-8859-5", "iso-8859-5"},
	{"iso-8859-6", "iso-8859-6"},
	{"iso-8859-7", "iso-8859-7"},
	{"iso-8859-8", "iso-8859-8"},
	{"iso-8859-9", "windows-1254"},
	{"iso-8859-10", "iso-8859-10"},
	{"iso-8859-13", "iso-8859-13"},
	{"iso-8859-14", "iso-8859-14"},
	{"iso-8859-15", "iso-8859-15"},
	{"windows-1250", "windows-1250"},
	{"windows-1251", "windows-1251"},
	{"windows-1253", "windows-1253"},
	{"windows-1254", "windows-1254"},
	{"windows-1255", "windows-1255"},
	{"windows-1256", "windows-1256"},
	{"windows-1257", "windows-1257"},
	{"windows-1258", "windows-1258"},
	{"windows-874", "windows-874"},
	{"tis-620", "windows-874"},
	{"koi8-r", "koi8-r"},
	{"koi8-u", "koi8-u"},
	{"macintosh", "macintosh"},
	{"shift_jis", "shift_jis"},
	{"euc-jp", "euc-jp"},
	{"euc-kr", "euc-kr"},
	{"big5", "big5"},
	{"gbk", "gb18030"},
	{"gb2312", "gb18030"},
	{"gb18030", "gb18030"},
};
#define SETS (sizeof(sets) / sizeof(sets[0]))

/* No byte of any set becomes more than one character of the basic plane, and four
 * bytes of UTF-8 need two bytes at least. */
#define GROWTH 3

/* A row, or SETS. */
static size_t find(struct lg_slice label)
{
	size_t row = 0;

	label = slice_trim(label);
	while (row < SETS && !slice_equal_nocase(label, slice_from(sets[row].label)))
		row++;
	return row;
}

bool charset_known(struct lg_slice label)
{
	return find(label) < SETS;
}

static bool is_ascii(struct lg_slice text)
{
	unsigned char seen = 0;

	for (size_t i = 0; i < text.length; i++)
		seen |= (unsigned char)text.data[i];
	return seen < 0x80;
}

static struct lg_slice repair(struct arena *arena, struct lg_slice bytes)
{
	char *out = arena_alloc(arena, bytes.length * GROWTH + 1), *to = out;

	if (!out)
		return slice_of(NULL, 0);
	while (bytes.length > 0) {
		struct lg_slice piece = bytes;

		if (utf8_next(&bytes) == UTF8_INVALID)
			piece = LG_SLICE("\xef\xbf\xbd");
		else
			piece.length -= bytes.length;
		memcpy(to, piece.data, piece.length);
		to += piece.length;
	}
	return slice_of(out, (size_t)(to - out));
}

/* Left to itself ICU has U+001A for some. */
static void substitute(const void *context, UConverterToUnicodeArgs *args, const char *bytes,
		       int32_t length, UConverterCallbackReason reason, UErrorCode *code)
{
	static const UChar replacement = 0xfffd;

	(void)context;
	(void)bytes;
	(void)length;
	if (reason > UCNV_IRREGULAR)
		return;
	*code = U_ZERO_ERROR;
	ucnv_cbToUWriteUChars(args, &replacement, 1, 0, code);
}

static struct lg_slice convert(struct arena *arena, const char *name, struct lg_slice bytes)
{
	size_t capacity = bytes.length * GROWTH + 1;
	UErrorCode code = U_ZERO_ERROR;
	UConverter *from;
	int32_t length;
	char *out;

	if (capacity > INT32_MAX)
		return slice_of(NULL, 0);
	out = arena_alloc(arena, capacity);
	if (!out)
		return slice_of(NULL, 0);
	from = ucnv_open(name, &code);
	ucnv_setToUCallBack(from, substitute, NULL, NULL, NULL, &code);
	length = ucnv_toAlgorithmic(UCNV_UTF8, from, out, (int32_t)capacity, bytes.data,
				    (int32_t)bytes.length, &code);
	ucnv_close(from);
	return U_SUCCESS(code) ? slice_of(out, (size_t)length) : slice_of(NULL, 0);
}

struct lg_slice charset_decode(struct arena *arena, struct lg_slice label, struct lg_slice bytes)
{
	size_t row = find(label);

	if (row == SETS)
		return slice_of(NULL, 0);
	if (bytes.length == 0)
		return LG_SLICE("");
	if (!sets[row].name)
		return utf8_valid(bytes) ? bytes : repair(arena, bytes);
	/* Shift_JIS alone has other characters for two bytes of ASCII; browsers and
	 * ICU do not. */
	return is_ascii(bytes) ? bytes : convert(arena, sets[row].name, bytes);
}
