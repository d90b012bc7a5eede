#include "lead/email.h"

#include "base/utf8.h"
#include "lead/text.h"
#include "lead/unicode.h"

#define DOMAIN_MAX_BYTES 253
#define LABEL_MAX_BYTES 63

/* Input methods for Chinese, Japanese and Korean type '@' as U+FF20. */
#define WIDE_AT "\xef\xbc\xa0"
/* What stands for bytes that were no UTF-8: who would get that letter? */
#define REPLACEMENT "\xef\xbf\xbd"

bool email_split(struct lg_slice email, struct lg_slice *local, struct lg_slice *domain)
{
	const char *at = email.length ? memrchr(email.data, '@', email.length) : NULL;

	if (!at)
		return false;
	*local = slice_of(email.data, (size_t)(at - email.data));
	*domain = slice_of(at + 1, email.length - local->length - 1);
	return true;
}

static bool has_piece(struct lg_slice text, const char *piece)
{
	return memmem(text.data, text.length, piece, strlen(piece)) != NULL;
}

/* atext of RFC 5322, and UTF-8 beyond ASCII (RFC 6531, section 3.3). */
static bool local_byte(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return (unsigned char)c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool local_valid(struct lg_slice local)
{
	bool dot = true; /* neither first, nor last, nor two in a row */

	if (local.length == 0 || local.length > EMAIL_LOCAL_MAX_BYTES)
		return false;
	if (!utf8_ascii(local) && (has_piece(local, WIDE_AT) || has_piece(local, REPLACEMENT)))
		return false;
	for (size_t i = 0; i < local.length; i++) {
		char c = local.data[i];

		if (c == '.' ? dot : !local_byte(c))
			return false;
		dot = c == '.';
	}
	return !dot;
}

/* One label in lower-case ASCII. */
static bool label_valid(struct lg_slice label)
{
	if (label.length == 0 || label.length > LABEL_MAX_BYTES || label.data[0] == '-' ||
	    label.data[label.length - 1] == '-')
		return false;
	for (size_t i = 0; i < label.length; i++) {
		char c = label.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

/* A host name with at least two labels that is no IPv4 address. */
static bool domain_valid(struct lg_slice domain)
{
	struct lg_slice rest = domain, label = {0};
	size_t labels = 0;

	if (domain.length > DOMAIN_MAX_BYTES)
		return false;
	while (slice_split(&rest, '.', &label)) {
		if (!label_valid(label))
			return false;
		labels++;
	}
	for (size_t i = 0; i < label.length; i++)
		if (label.data[i] < '0' || label.data[i] > '9')
			return labels >= 2;
	return false;
}

/* A label in either case that says it stands for Unicode: the prefix of RFC 5890,
 * section 2.3.2.1. Only IDNA can tell whether it does. */
static bool has_a_label(struct lg_slice domain)
{
	struct lg_slice rest = domain, label;

	while (slice_split(&rest, '.', &label))
		if (slice_equal_nocase(slice_cut(label, 0, 4), LG_SLICE("xn--")))
			return true;
	return false;
}

/* Into lower-case ASCII; -1 when it is none. A closing dot goes. */
static ptrdiff_t domain_to_ascii(struct lg_slice domain, char out[DOMAIN_MAX_BYTES + 1])
{
	ptrdiff_t length = (ptrdiff_t)domain.length;

	if (domain.length > 0 && domain.data[domain.length - 1] == '.')
		domain.length--, length--;
	if (!utf8_ascii(domain) || has_a_label(domain)) {
		length = unicode_domain(domain, out, DOMAIN_MAX_BYTES + 1);
	} else if (domain.length <= DOMAIN_MAX_BYTES) {
		for (size_t i = 0; i < domain.length; i++) {
			char c = domain.data[i];

			out[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
		}
	} else {
		length = -1;
	}
	if (length >= 0 && !domain_valid(slice_of(out, (size_t)length)))
		length = -1;
	return length;
}

/* What people copy along with an address: "Jane Doe <jane@example.com>". */
static struct lg_slice unwrap(struct lg_slice text)
{
	const char *open = text.length ? memrchr(text.data, '<', text.length) : NULL;

	if (open && text.data[text.length - 1] == '>') {
		size_t start = (size_t)(open - text.data) + 1;

		text = slice_cut(text, start, text.length - start - 1);
	}
	if (slice_equal_nocase(slice_cut(text, 0, 7), LG_SLICE("mailto:")))
		text = slice_cut(text, 7, SIZE_MAX);
	return slice_trim(text);
}

static struct lg_slice narrow_at(struct arena *arena, struct lg_slice text)
{
	const char *wide = memmem(text.data, text.length, WIDE_AT, sizeof(WIDE_AT) - 1);
	size_t before;

	if (!wide)
		return text;
	before = (size_t)(wide - text.data);
	return arena_printf(arena, "%.*s@%.*s", (int)before, text.data,
			    SLICE_ARGS(slice_cut(text, before + sizeof(WIDE_AT) - 1, SIZE_MAX)));
}

struct lg_slice email_normalize(struct arena *arena, struct lg_slice text)
{
	struct lg_slice email = text, local, domain;
	char ascii[DOMAIN_MAX_BYTES + 1];
	ptrdiff_t length;

	/* Cheap protection: an address with a name around it is not longer. */
	if (text.length > 4 * EMAIL_MAX_BYTES)
		return slice_of(NULL, 0);
	if (!utf8_ascii(text))
		email = narrow_at(arena, text);
	if (slice_present(email))
		email = text_line(arena, email, SIZE_MAX);
	if (!slice_present(email))
		return email;
	email = unwrap(email);
	if (!email_split(email, &local, &domain) || !local_valid(local))
		return slice_of(NULL, 0);
	length = domain_to_ascii(domain, ascii);
	if (length < 0 || local.length + 1 + (size_t)length > EMAIL_MAX_BYTES)
		return slice_of(NULL, 0);
	if (slice_equal(domain, slice_of(ascii, (size_t)length)))
		return email;
	return arena_printf(arena, "%.*s@%.*s", SLICE_ARGS(local), (int)length, ascii);
}

static bool is_gmail(struct lg_slice domain)
{
	return slice_is(domain, "gmail.com") || slice_is(domain, "googlemail.com");
}

/* Without a plus-tag, unless nothing else is there. */
static struct lg_slice without_tag(struct lg_slice local)
{
	ptrdiff_t plus = slice_find(local, '+');

	return plus > 0 ? slice_cut(local, 0, (size_t)plus) : local;
}

struct lg_slice email_identity(struct lg_slice email, char out[EMAIL_IDENTITY_BYTES])
{
	struct lg_slice local, domain;
	ptrdiff_t written;
	size_t length = 0;

	if (!email_split(email, &local, &domain))
		return email;
	written = unicode_lower(without_tag(local), out, EMAIL_IDENTITY_BYTES);
	if (written < 0 || (size_t)written + 1 + domain.length > EMAIL_IDENTITY_BYTES)
		return email;
	if (is_gmail(domain)) {
		domain = LG_SLICE("gmail.com");
		for (ptrdiff_t i = 0; i < written; i++)
			if (out[i] != '.')
				out[length++] = out[i];
	} else {
		length = (size_t)written;
	}
	out[length++] = '@';
	memcpy(out + length, domain.data, domain.length);
	return slice_of(out, length + domain.length);
}
