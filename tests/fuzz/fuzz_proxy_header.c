/* The first byte says which versions are taken. The result must not depend on
 * where the bytes are cut. */
#include "fuzz.h"

#include "base/error.h"
#include "conn/proxy_header.h"

#define LIMIT 600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header whole, part;

	if (size == 0)
		return 0;
	enum proxy_versions versions = (enum proxy_versions)(PROXY_V1 + data[0] % 3);
	struct lg_slice bytes = slice_of((const char *)data + 1, size - 1);
	enum proxy_result result = proxy_header_parse(versions, LIMIT, bytes, &whole);
	if (result == PROXY_WHOLE)
		ALWAYS(whole.length <= bytes.length && whole.length <= LIMIT);
	if (result == PROXY_BROKEN)
		ALWAYS(whole.problem);
	for (size_t length = 0; length < bytes.length && length <= LIMIT; length++) {
		enum proxy_result early = proxy_header_parse(versions, LIMIT,
							     slice_cut(bytes, 0, length), &part);
		if (early == PROXY_MORE)
			continue;
		ALWAYS(early == result);
		ALWAYS(part.length == whole.length && part.has_source == whole.has_source);
		ALWAYS(memcmp(&part.source, &whole.source, sizeof(part.source)) == 0);
	}
	return 0;
}
