/* Any bytes as an email address: one that is read stays as it is when it is read
 * again, is valid UTF-8 with an ASCII domain, and has an identity. */
#include "base/error.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "lead/email.h"
#include "lead/name.h"

static void check_email(struct arena *arena, struct lg_slice email)
{
	char out[EMAIL_IDENTITY_BYTES];
	struct lg_slice again = email_normalize(arena, email), identity;
	ptrdiff_t at = slice_find(email, '@');

	ALWAYS(slice_equal(again, email) && again.data == email.data);
	ALWAYS(email.length <= EMAIL_MAX_BYTES && utf8_valid(email));
	ALWAYS(at > 0 && utf8_ascii(slice_cut(email, (size_t)at, SIZE_MAX)));
	identity = email_identity(email, out);
	ALWAYS(slice_find(identity, '@') > 0);
	email_role(email);
	email_free(email);
	email_disposable(email);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice text = slice_of((const char *)data, size), email;
	struct arena arena;

	arena_init(&arena, 4096, 0);
	email = email_normalize(&arena, text);
	ALWAYS(!arena.failed);
	if (slice_present(email))
		check_email(&arena, email);
	/* A name agrees with itself when it has a part, and never with nothing. */
	ALWAYS(!name_agrees(text, slice_of(NULL, 0)));
	name_agrees(text, email);
	arena_fini(&arena);
	return 0;
}
