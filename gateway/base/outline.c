#include "base/outline.h"

bool outline_equal(const struct outline *a, const struct outline *b)
{
	if (a->kind != b->kind || a->count != b->count || !slice_equal(a->name, b->name) ||
	    !slice_equal(a->text, b->text))
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!outline_equal(&a->items[i], &b->items[i]))
			return false;
	return true;
}
