/* UTF-8: what is called valid is read to its end and encodes to the same bytes
 * again, and a cut leaves valid text valid. */
#include "fuzz.h"

#include "base/error.h"
#include "base/utf8.h"

static size_t encode(uint32_t point, char out[4])
{
	static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
	size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

	for (size_t i = size; i-- > 1; point >>= 6)
		out[i] = (char)(0x80 | (point & 0x3F));
	out[0] = (char)(marks[size] | point);
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice text = slice_of((const char *)data, size), rest = text;
	bool valid = true;

	while (rest.length > 0) {
		const char *from = rest.data;
		char again[4];
		int32_t point = utf8_next(&rest);
		size_t taken = (size_t)(rest.data - from);
		if (point == UTF8_INVALID) {
			ALWAYS(taken == 1);
			valid = false;
			continue;
		}
		ALWAYS(point >= 0 && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF));
		ALWAYS(encode((uint32_t)point, again) == taken && memcmp(again, from, taken) == 0);
	}
	ALWAYS(utf8_next(&rest) == UTF8_END);
	ALWAYS(utf8_valid(text) == valid);
	for (size_t max = 0; max <= size && max < 64; max++) {
		struct lg_slice cut = utf8_cut(text, max);
		ALWAYS(cut.length <= max && max - cut.length <= 3);
		ALWAYS(!valid || utf8_valid(cut));
	}
	return 0;
}
