#include "conn/prefix_list.h"

#include "base/alloc.h"

#include <stdatomic.h>

struct prefix_list {
	atomic_size_t references;
	size_t count;
	struct address_prefix items[];
};

struct prefix_list *prefix_list_new(const struct lg_list *list, const char *option,
				    struct error *error)
{
	struct prefix_list *prefixes = alloc_zalloc(sizeof(*prefixes) +
						    list->count * sizeof(prefixes->items[0]));

	if (!prefixes) {
		error_set(error, "not enough memory");
		return NULL;
	}
	atomic_init(&prefixes->references, 1);
	for (; prefixes->count < list->count; prefixes->count++) {
		struct lg_slice text = list->items[prefixes->count];
		if (address_prefix_parse(text, &prefixes->items[prefixes->count]))
			continue;
		error_set(error,
			  "%s: \"%.*s\" is neither an address nor a prefix such as 10.0.0.0/8",
			  option, SLICE_ARGS(text));
		prefix_list_unref(&prefixes);
		return NULL;
	}
	return prefixes;
}

struct prefix_list *prefix_list_ref(struct prefix_list *prefixes)
{
	atomic_fetch_add_explicit(&prefixes->references, 1, memory_order_relaxed);
	return prefixes;
}

void prefix_list_unref(struct prefix_list **prefixes)
{
	struct prefix_list *p = *prefixes;

	*prefixes = NULL;
	if (p && atomic_fetch_sub_explicit(&p->references, 1, memory_order_acq_rel) == 1)
		alloc_free(p);
}

bool prefix_list_has(const struct prefix_list *prefixes, const struct address *address)
{
	for (size_t i = 0; i < prefixes->count; i++)
		if (address_in_prefix(address, &prefixes->items[i]))
			return true;
	return false;
}
