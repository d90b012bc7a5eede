/* malloc and its kin, with a place where tests make an allocation fail.
 *
 * A sweep fails each allocation of a piece of code in turn:
 *
 *   int64_t n = 0;
 *   do {
 *           alloc_fail_at(++n);
 *           … run it; whatever it answers, it must neither crash nor leak …
 *   } while (alloc_failed());
 *   alloc_fail_at(0);
 *
 * Any thread; the count is the process's. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As in the C library; NULL when there is no memory. */
void *alloc_malloc(size_t size) __attribute__((malloc));
void *alloc_zalloc(size_t size) __attribute__((malloc)); /* cleared */
void *alloc_realloc(void *memory, size_t size);
void alloc_free(void *memory);

/* Lets the n-th allocation from now on fail, and only that one; 0: none. */
void alloc_fail_at(int64_t n);
/* Whether that allocation has come since. */
bool alloc_failed(void);

#endif
