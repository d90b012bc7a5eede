#include "conn/tls_names.h"

#include "base/alloc.h"
#include "base/slice.h"

#include <stdint.h>
#include <stdlib.h>

struct tls_name {
	char text[TLS_NAME_BYTES]; /* lower case, without the root's dot */
	size_t number;
};

static bool is_host_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* To the form that is compared. False: it is no host name. */
static bool fold(struct lg_slice host, char out[TLS_NAME_BYTES])
{
	if (slice_ends(host, "."))
		host.length--;
	if (host.length == 0 || host.length >= TLS_NAME_BYTES)
		return false;
	for (size_t i = 0; i < host.length; i++) {
		char c = host.data[i];
		out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		if (!is_host_byte(out[i]))
			return false;
	}
	out[host.length] = '\0';
	return true;
}

/* "*.com" would be everybody's. */
static bool fold_pattern(struct lg_slice name, char out[TLS_NAME_BYTES])
{
	char rest[TLS_NAME_BYTES];

	if (!slice_starts(name, "*."))
		return fold(name, out);
	if (!fold(slice_cut(name, 2, name.length), rest) || strlen(rest) + 2 >= TLS_NAME_BYTES ||
	    rest[0] == '.' || !strchr(rest, '.'))
		return false;
	out[0] = '*';
	out[1] = '.';
	memcpy(out + 2, rest, strlen(rest) + 1);
	return true;
}

bool tls_names_add(struct tls_names *names, struct lg_slice name, size_t number)
{
	char text[TLS_NAME_BYTES];

	if (!fold_pattern(name, text))
		return true;
	if (names->count == names->capacity) {
		size_t capacity = names->capacity ? names->capacity * 2 : 4;
		struct tls_name *items = alloc_realloc(names->items,
						       capacity * sizeof(*names->items));
		if (!items)
			return false;
		names->items = items;
		names->capacity = capacity;
	}
	struct tls_name *item = &names->items[names->count++];
	memcpy(item->text, text, strlen(text) + 1);
	item->number = number;
	return true;
}

static int compare(const void *left, const void *right)
{
	const struct tls_name *a = left, *b = right;
	int order = strcmp(a->text, b->text);

	return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

void tls_names_sort(struct tls_names *names)
{
	if (names->count > 0)
		qsort(names->items, names->count, sizeof(*names->items), compare);
}

void tls_names_fini(struct tls_names *names)
{
	alloc_free(names->items);
	*names = (struct tls_names){0};
}

/* The first of equal ones, which has the lowest number. */
static size_t look_up(const struct tls_names *names, const char *text)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(names->items[middle].text, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == names->count || strcmp(names->items[low].text, text) != 0)
		return TLS_NAME_NONE;
	return names->items[low].number;
}

size_t tls_names_find(const struct tls_names *names, struct lg_slice host)
{
	char text[TLS_NAME_BYTES];

	if (!fold(host, text))
		return TLS_NAME_NONE;
	size_t found = look_up(names, text);
	char *dot = strchr(text, '.');
	if (found != TLS_NAME_NONE || !dot || dot == text)
		return found;
	dot[-1] = '*';
	return look_up(names, dot - 1);
}
