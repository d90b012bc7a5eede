#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Allocations until the one that fails; 0 in service, so that the price of
 * the place is one load. */
static _Atomic(int64_t) countdown;
static atomic_bool failed;

static bool refused(void)
{
	if (__builtin_expect(atomic_load_explicit(&countdown, memory_order_relaxed) <= 0, 1))
		return false;
	if (atomic_fetch_sub(&countdown, 1) != 1)
		return false;
	atomic_store(&failed, true);
	return true;
}

void *alloc_malloc(size_t size)
{
	return refused() ? NULL : malloc(size);
}

void *alloc_zalloc(size_t size)
{
	return refused() ? NULL : calloc(1, size);
}

void *alloc_realloc(void *memory, size_t size)
{
	return refused() ? NULL : realloc(memory, size);
}

void alloc_free(void *memory)
{
	free(memory);
}

void alloc_fail_at(int64_t n)
{
	atomic_store(&failed, false);
	atomic_store(&countdown, n);
}

bool alloc_failed(void)
{
	return atomic_load(&failed);
}
