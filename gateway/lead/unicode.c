#include "lead/unicode.h"

#include "base/utf8.h"

#include <pthread.h>
#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

/* Enough for any name, address or domain; longer texts use the arena. */
#define SHORT_UNITS 512

/* No character below U+0300 combines with another, so text without any above is
 * in NFC. In UTF-8 those begin with a byte from 0xCC on. */
static bool surely_nfc(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] >= 0xCC)
			return false;
	return true;
}

struct lg_slice unicode_nfc(struct arena *arena, struct lg_slice text)
{
	UErrorCode code = U_ZERO_ERROR;
	const UNormalizer2 *nfc;
	int32_t units = 0, composed_units, bytes = 0;
	/* NFC grows a text in UTF-16 at most threefold. */
	int32_t capacity = (int32_t)text.length * 3 + 1;
	UChar *source, *composed;
	char *out;

	if (surely_nfc(text))
		return text;
	nfc = unorm2_getNFCInstance(&code);
	source = arena_alloc(arena, (text.length + 1) * sizeof(UChar));
	if (!source)
		return slice_of(NULL, 0);
	u_strFromUTF8WithSub(source, (int32_t)text.length + 1, &units, text.data,
			     (int32_t)text.length, 0xFFFD, NULL, &code);
	if (U_SUCCESS(code) && unorm2_spanQuickCheckYes(nfc, source, units, &code) == units)
		return text;
	composed = arena_alloc(arena, (size_t)capacity * sizeof(UChar));
	if (!composed)
		return slice_of(NULL, 0);
	composed_units = unorm2_normalize(nfc, source, units, composed, capacity, &code);
	out = arena_alloc(arena, (size_t)capacity * 3);
	if (!out)
		return slice_of(NULL, 0);
	u_strToUTF8(out, capacity * 3, &bytes, composed, composed_units, &code);
	if (U_FAILURE(code)) {
		arena->failed = true;
		return slice_of(NULL, 0);
	}
	return slice_of(out, (size_t)bytes);
}

static int32_t to_utf16(struct lg_slice text, UChar out[SHORT_UNITS])
{
	UErrorCode code = U_ZERO_ERROR;
	int32_t units = 0;

	if (text.length >= SHORT_UNITS)
		return -1;
	u_strFromUTF8WithSub(out, SHORT_UNITS, &units, text.data, (int32_t)text.length, 0xFFFD,
			     NULL, &code);
	return U_SUCCESS(code) ? units : -1;
}

static ptrdiff_t to_utf8(const UChar *text, int32_t units, char *out, size_t capacity)
{
	UErrorCode code = U_ZERO_ERROR;
	int32_t bytes = 0;

	u_strToUTF8(out, (int32_t)capacity, &bytes, text, units, &code);
	return U_SUCCESS(code) ? bytes : -1;
}

static ptrdiff_t lower_ascii(struct lg_slice text, char *out, size_t capacity)
{
	if (text.length > capacity)
		return -1;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];

		out[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
	return (ptrdiff_t)text.length;
}

ptrdiff_t unicode_lower(struct lg_slice text, char *out, size_t capacity)
{
	UErrorCode code = U_ZERO_ERROR;
	UChar source[SHORT_UNITS], lower[SHORT_UNITS];
	int32_t units;

	if (utf8_ascii(text))
		return lower_ascii(text, out, capacity);
	units = to_utf16(text, source);
	if (units < 0)
		return -1;
	units = u_strToLower(lower, SHORT_UNITS, source, units, "", &code);
	return U_SUCCESS(code) ? to_utf8(lower, units, out, capacity) : -1;
}

static ptrdiff_t fold_wide(struct lg_slice text, char *out, size_t capacity)
{
	UErrorCode code = U_ZERO_ERROR;
	const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&code);
	UChar source[SHORT_UNITS], folded[SHORT_UNITS];
	int32_t units = to_utf16(text, source), kept = 0, at = 0;

	if (units < 0 || U_FAILURE(code))
		return -1;
	units = u_strFoldCase(folded, SHORT_UNITS, source, units, U_FOLD_CASE_DEFAULT, &code);
	units = unorm2_normalize(nfkd, folded, units, source, SHORT_UNITS, &code);
	if (U_FAILURE(code))
		return -1;
	while (at < units) {
		int32_t begin = at;
		UChar32 c;

		U16_NEXT(source, at, units, c);
		if (u_charType(c) == U_NON_SPACING_MARK)
			continue;
		while (begin < at)
			source[kept++] = source[begin++];
	}
	return to_utf8(source, kept, out, capacity);
}

ptrdiff_t unicode_fold(struct lg_slice text, char *out, size_t capacity)
{
	return utf8_ascii(text) ? lower_ascii(text, out, capacity) : fold_wide(text, out, capacity);
}

static UIDNA *uts46;
static pthread_once_t uts46_once = PTHREAD_ONCE_INIT;

static void uts46_open(void)
{
	UErrorCode code = U_ZERO_ERROR;

	uts46 = uidna_openUTS46(UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
					UIDNA_NONTRANSITIONAL_TO_ASCII |
					UIDNA_NONTRANSITIONAL_TO_UNICODE,
				&code);
}

ptrdiff_t unicode_domain(struct lg_slice text, char *out, size_t capacity)
{
	UErrorCode code = U_ZERO_ERROR;
	UIDNAInfo info = UIDNA_INFO_INITIALIZER;
	int32_t bytes;

	pthread_once(&uts46_once, uts46_open);
	if (!uts46)
		return -1;
	bytes = uidna_nameToASCII_UTF8(uts46, text.data, (int32_t)text.length, out,
				       (int32_t)capacity, &info, &code);
	return U_SUCCESS(code) && info.errors == 0 ? bytes : -1;
}
