#include "sink/stretch.h"

#include "base/alloc.h"
#include "base/error.h"

static struct stretch *of(struct list *link)
{
	return container_of(link, struct stretch, link);
}

bool stretches_init(struct stretches *stretches, size_t flying, int64_t cursor)
{
	size_t room = 2 * flying + 2; /* an open one before each, and while one is cut */

	list_init(&stretches->all);
	list_init(&stretches->spare);
	stretches->cursor = cursor;
	stretches->pool = alloc_zalloc(room * sizeof(*stretches->pool));
	for (size_t i = 0; stretches->pool && i < room; i++)
		list_append(&stretches->spare, &stretches->pool[i].link);
	return stretches->pool != NULL;
}

void stretches_fini(struct stretches *stretches)
{
	alloc_free(stretches->pool);
	stretches->pool = NULL;
	list_init(&stretches->all);
	list_init(&stretches->spare);
}

/* An open range in front of `before`; what is empty needs none. */
static struct stretch *add(struct stretches *stretches, struct list *before, int64_t first_seq,
			   int64_t last_seq)
{
	struct stretch *stretch;

	if (first_seq > last_seq)
		return NULL;
	ALWAYS(!list_empty(&stretches->spare));
	stretch = of(list_first(&stretches->spare));
	list_remove(&stretch->link);
	stretch->first_seq = first_seq;
	stretch->last_seq = last_seq;
	stretch->stage = STRETCH_OPEN;
	stretch->run = NULL;
	list_insert_before(before, &stretch->link);
	return stretch;
}

struct stretch *stretches_open(const struct stretches *stretches, int64_t seq)
{
	LIST_EACH(link, &stretches->all) {
		struct stretch *stretch = of(link);
		if (stretch->stage == STRETCH_OPEN && stretch->last_seq > seq)
			return stretch;
	}
	return NULL;
}

bool stretches_open_first(const struct stretches *stretches)
{
	struct list *first = list_first(&stretches->all);

	return first && of(first)->stage == STRETCH_OPEN;
}

bool stretches_is_first(const struct stretches *stretches, const struct stretch *stretch)
{
	return stretches->all.next == &stretch->link;
}

static struct stretch *if_done(const struct stretches *stretches, struct list *link)
{
	bool done = link != &stretches->all && of(link)->stage == STRETCH_DONE;

	return done ? of(link) : NULL;
}

struct stretch *stretches_done(const struct stretches *stretches)
{
	return if_done(stretches, stretches->all.next);
}

struct stretch *stretches_done_after(const struct stretches *stretches,
				     const struct stretch *stretch)
{
	return if_done(stretches, stretch->link.next);
}

struct stretch *stretches_take(struct stretches *stretches, int64_t first_seq, int64_t last_seq,
			       struct run *run)
{
	struct stretch *from = stretches_open(stretches, first_seq - 1), *taken;
	struct list *after = &stretches->all;

	ALWAYS(first_seq <= last_seq);
	if (from && from->first_seq <= first_seq) {
		ALWAYS(last_seq <= from->last_seq);
		after = from->link.next;
		add(stretches, after, last_seq + 1, from->last_seq);
		if (from->first_seq < first_seq) {
			from->last_seq = first_seq - 1;
			after = from->link.next;
			taken = add(stretches, after, first_seq, last_seq);
		} else {
			from->last_seq = last_seq;
			taken = from;
		}
	} else {
		ALWAYS(first_seq > stretches->cursor);
		add(stretches, after, stretches->cursor + 1, first_seq - 1);
		taken = add(stretches, after, first_seq, last_seq);
		stretches->cursor = last_seq;
	}
	taken->stage = STRETCH_FLYING;
	taken->run = run;
	return taken;
}

void stretches_cut(struct stretches *stretches, struct stretch *stretch, int64_t last_seq)
{
	struct list *after = stretch->link.next;

	ALWAYS(last_seq >= stretch->first_seq);
	if (after == &stretches->all)
		stretches->cursor = last_seq;
	else if (of(after)->stage == STRETCH_OPEN)
		of(after)->first_seq = last_seq + 1;
	else
		add(stretches, after, last_seq + 1, stretch->last_seq);
	stretch->last_seq = last_seq;
}

void stretches_drop(struct stretches *stretches, struct stretch *stretch)
{
	list_remove(&stretch->link);
	stretch->run = NULL;
	list_append(&stretches->spare, &stretch->link);
}

void stretches_reopen(struct stretches *stretches, struct stretch *stretch)
{
	struct list *before = stretch->link.prev, *after = stretch->link.next;

	stretch->stage = STRETCH_OPEN;
	stretch->run = NULL;
	if (before != &stretches->all && of(before)->stage == STRETCH_OPEN) {
		stretch->first_seq = of(before)->first_seq;
		stretches_drop(stretches, of(before));
	}
	if (after != &stretches->all && of(after)->stage == STRETCH_OPEN) {
		stretch->last_seq = of(after)->last_seq;
		stretches_drop(stretches, of(after));
	}
	/* At the end it is unread again. */
	if (stretch->link.next == &stretches->all) {
		stretches->cursor = stretch->first_seq - 1;
		stretches_drop(stretches, stretch);
	}
}
