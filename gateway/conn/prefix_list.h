/* Addresses and prefixes that an option names, such as [127.0.0.0/8, ::1]. Counted by
 * reference and immutable; any thread. */
#ifndef CONN_PREFIX_LIST_H
#define CONN_PREFIX_LIST_H

#include <leadgate/option.h>

#include "base/error.h"
#include "conn/address.h"

struct prefix_list;

/* Copies them. NULL with a sentence that names `option`: an entry is none, or there is
 * no memory. */
struct prefix_list *prefix_list_new(const struct lg_list *list, const char *option,
				    struct error *error);
struct prefix_list *prefix_list_ref(struct prefix_list *prefixes);
/* NULL does no harm. */
void prefix_list_unref(struct prefix_list **prefixes);

bool prefix_list_has(const struct prefix_list *prefixes, const struct address *address);

#endif
