/* Doubly linked lists whose links live in what they link. No allocation.
 * One thread at a time. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define LIST_EACH(item, head) \
	for (struct list *item = (head)->next; item != (head); item = item->next)
/* The body may remove `item`. */
#define LIST_EACH_SAFE(item, head)                                                        \
	for (struct list *item = (head)->next, *item##_next = item->next; item != (head); \
	     item = item##_next, item##_next = item->next)

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}
static inline void list_insert_before(struct list *at, struct list *item)
{
	item->prev = at->prev;
	item->next = at;
	at->prev->next = item;
	at->prev = item;
}
static inline void list_append(struct list *head, struct list *item)
{
	list_insert_before(head, item);
}
static inline void list_prepend(struct list *head, struct list *item)
{
	list_insert_before(head->next, item);
}
/* Leaves the item linked to itself, so that removing twice does no harm. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}
static inline struct list *list_first(const struct list *head)
{
	return list_empty(head) ? NULL : head->next;
}

#endif
