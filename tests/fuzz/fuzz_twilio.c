/* Any text as a message: what is read of it as an address or a name stands in it. */
#include "../../plugins/sources/twilio/twilio.h"
#include "base/error.h"
#include "base/slice.h"
#include "fuzz.h"

static void check_inside(struct lg_slice part, struct lg_slice text)
{
	ALWAYS(!part.data || (part.length > 0 && part.data >= text.data &&
			      part.data + part.length <= text.data + text.length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice text = slice_of((const char *)data, size);
	struct lg_slice email = message_email(text), name = message_name(text);

	check_inside(email, text);
	check_inside(name, text);
	if (email.data) {
		ptrdiff_t at = slice_find(email, '@');
		ALWAYS(at > 0 && slice_find(slice_cut(email, (size_t)at + 1, SIZE_MAX), '@') < 0);
	}
	return 0;
}
