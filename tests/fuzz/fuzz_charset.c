/* Any bytes in any character set, whose label is their first line, are UTF-8. */
#include "base/error.h"
#include "base/utf8.h"
#include "codec/charset.h"
#include "codec/form.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice rest = slice_of((const char *)data, size), label = {NULL, 0}, text;
	struct arena arena;
	struct form form;

	slice_split(&rest, '\n', &label);
	arena_init(&arena, 4096, 0);
	text = charset_decode(&arena, label, rest);
	ALWAYS(slice_present(text) == charset_known(label));
	ALWAYS(!slice_present(text) || utf8_valid(text));
	if (slice_present(text)) {
		ALWAYS(form_parse_in(&arena, rest, label, size + 1, &form));
		for (size_t i = 0; i < form.count; i++)
			ALWAYS(utf8_valid(form.pairs[i].name) && utf8_valid(form.pairs[i].value));
	}
	arena_fini(&arena);
	return 0;
}
