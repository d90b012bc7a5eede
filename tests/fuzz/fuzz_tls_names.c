/* Names of certificates: what is found for a host is what looking at each name
 * finds. The first line is the host, the others are names. */
#include "fuzz.h"

#include "base/error.h"
#include "base/slice.h"
#include "conn/tls_names.h"

#define NAMES_MOST 64

static struct lg_slice without_root(struct lg_slice name)
{
	return slice_ends(name, ".") ? slice_cut(name, 0, name.length - 1) : name;
}

static bool is_host(struct lg_slice host)
{
	for (size_t i = 0; i < host.length; i++) {
		char c = host.data[i];
		if (!((c >= '0' && c <= '9') || strchr("-_.", c) || (c >= 'A' && c <= 'Z') ||
		      (c >= 'a' && c <= 'z')) ||
		    c == '\0')
			return false;
	}
	return host.length > 0 && host.length < TLS_NAME_BYTES;
}

static bool names_host(struct lg_slice name, struct lg_slice host)
{
	return is_host(name) && slice_equal_nocase(name, host);
}

/* One label of the host stands for the star, and two are left. */
static bool covers_host(struct lg_slice name, struct lg_slice host)
{
	struct lg_slice rest = slice_cut(name, 2, name.length);
	ptrdiff_t dot = slice_find(host, '.');

	return slice_starts(name, "*.") && name.length < TLS_NAME_BYTES && is_host(rest) &&
	       slice_find(rest, '.') > 0 && dot > 0 &&
	       slice_equal_nocase(slice_cut(host, (size_t)dot + 1, host.length), rest);
}

static size_t look_at_each(const struct lg_slice *names, size_t count, struct lg_slice host)
{
	if (!is_host(host))
		return TLS_NAME_NONE;
	for (size_t i = 0; i < count; i++)
		if (names_host(names[i], host))
			return i;
	for (size_t i = 0; i < count; i++)
		if (covers_host(names[i], host))
			return i;
	return TLS_NAME_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice rest = slice_of((const char *)data, size), lines[NAMES_MOST];
	struct tls_names names = {0};
	size_t count = 0;

	while (count < NAMES_MOST) {
		ptrdiff_t end = slice_find(rest, '\n');
		lines[count++] = slice_cut(rest, 0, end < 0 ? rest.length : (size_t)end);
		if (end < 0)
			break;
		rest = slice_cut(rest, (size_t)end + 1, rest.length);
	}
	for (size_t i = 1; i < count; i++)
		ALWAYS(tls_names_add(&names, lines[i], i - 1));
	tls_names_sort(&names);
	size_t found = tls_names_find(&names, lines[0]);
	for (size_t i = 0; i < count; i++)
		lines[i] = without_root(lines[i]);
	ALWAYS(found == look_at_each(lines + 1, count - 1, lines[0]));
	tls_names_fini(&names);
	return 0;
}
