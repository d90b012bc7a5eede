/* Any bytes as a form: within its bound it is always read, and to UTF-8. */
#include "base/error.h"
#include "base/utf8.h"
#include "codec/form.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice bytes = slice_of((const char *)data, size);
	struct arena arena;
	struct form form;

	arena_init(&arena, 4096, 0);
	ALWAYS(form_parse(&arena, bytes, size + 1, &form));
	for (size_t i = 0; i < form.count; i++) {
		struct lg_pair pair = form.pairs[i];

		ALWAYS(slice_present(pair.name) && slice_present(pair.value));
		ALWAYS(utf8_valid(pair.name) && utf8_valid(pair.value));
	}
	if (form.count > 0)
		ALWAYS(!form_parse(&arena, bytes, form.count - 1, &form));
	arena_fini(&arena);
	return 0;
}
