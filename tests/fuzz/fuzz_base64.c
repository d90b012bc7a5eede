/* Any bytes as base64 and as hex: what is taken has one spelling, and what is
 * written is taken. */
#include <stdlib.h>

#include "base/error.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "fuzz.h"

static void round_trip(struct lg_slice bytes, bool url)
{
	size_t room = bytes.length / 3 * 4 + 4;
	char *text = malloc(room);
	uint8_t *back = malloc(bytes.length + 1);
	ptrdiff_t length, again;

	ALWAYS(text && back);
	length = base64_encode(bytes, url, text, room);
	ALWAYS(length >= 0);
	again = base64_decode(slice_of(text, (size_t)length), back, bytes.length);
	ALWAYS(again >= 0 && slice_equal(slice_of((const char *)back, (size_t)again), bytes));
	free(text);
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice bytes = slice_of((const char *)data, size);
	uint8_t *out = malloc(size + 1);
	ptrdiff_t length;

	ALWAYS(out);
	length = base64_decode(bytes, out, size);
	if (length >= 0)
		round_trip(slice_of((const char *)out, (size_t)length), false);
	length = hex_decode(bytes, out, size);
	ALWAYS(length < 0 || (size_t)length == size / 2);
	round_trip(bytes, false);
	round_trip(bytes, true);
	free(out);
	return 0;
}
