#include "ingest/keep.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"

struct entry {
	struct list link;
	size_t source_length, key_length, value_length;
	char bytes[]; /* one after the other */
};

struct keep {
	pthread_mutex_t lock;
	struct list entries;
};

static struct lg_slice source_of(const struct entry *entry)
{
	return slice_of(entry->bytes, entry->source_length);
}

static struct lg_slice key_of(const struct entry *entry)
{
	return slice_of(entry->bytes + entry->source_length, entry->key_length);
}

static struct lg_slice value_of(const struct entry *entry)
{
	return slice_of(entry->bytes + entry->source_length + entry->key_length,
			entry->value_length);
}

static struct entry *find(struct keep *keep, struct lg_slice source, struct lg_slice key)
{
	LIST_EACH(link, &keep->entries) {
		struct entry *entry = container_of(link, struct entry, link);
		if (slice_equal(source_of(entry), source) && slice_equal(key_of(entry), key))
			return entry;
	}
	return NULL;
}

static void drop(struct entry *entry)
{
	list_remove(&entry->link);
	alloc_free(entry);
}

static bool add(struct keep *keep, struct lg_slice source, const struct state_note *note)
{
	struct entry *entry = alloc_malloc(sizeof(*entry) + source.length + note->key.length +
					   note->value.length);

	if (!entry)
		return false;
	entry->source_length = source.length;
	entry->key_length = note->key.length;
	entry->value_length = note->value.length;
	memcpy(entry->bytes, source.data, source.length);
	memcpy(entry->bytes + source.length, note->key.data, note->key.length);
	if (note->value.length)
		memcpy(entry->bytes + source.length + note->key.length, note->value.data,
		       note->value.length);
	list_append(&keep->entries, &entry->link);
	return true;
}

static bool load(void *context, struct lg_slice source, const struct state_note *note)
{
	return add(context, source, note);
}

struct keep *keep_open(struct reader *reader, struct error *error)
{
	struct keep *keep = alloc_zalloc(sizeof(*keep));

	if (!keep) {
		error_set(error, "not enough memory");
		return NULL;
	}
	pthread_mutex_init(&keep->lock, NULL);
	list_init(&keep->entries);
	if (!reader_state_notes(reader, load, keep, error))
		keep_close(&keep);
	return keep;
}

void keep_close(struct keep **pointer)
{
	struct keep *keep = *pointer;

	*pointer = NULL;
	if (!keep)
		return;
	LIST_EACH_SAFE(link, &keep->entries)
		drop(container_of(link, struct entry, link));
	pthread_mutex_destroy(&keep->lock);
	alloc_free(keep);
}

struct lg_slice keep_get(struct keep *keep, struct lg_slice source, struct lg_slice key,
			 struct arena *arena)
{
	struct lg_slice value = {0};

	pthread_mutex_lock(&keep->lock);
	const struct entry *entry = find(keep, source, key);
	if (entry)
		value = arena_copy(arena, value_of(entry));
	pthread_mutex_unlock(&keep->lock);
	return value;
}

bool keep_has_room(struct keep *keep, struct lg_slice source, struct lg_slice key, size_t most)
{
	size_t count = 0;
	bool known = false;

	pthread_mutex_lock(&keep->lock);
	LIST_EACH(link, &keep->entries) {
		const struct entry *entry = container_of(link, struct entry, link);
		if (!slice_equal(source_of(entry), source))
			continue;
		count++;
		known |= slice_equal(key_of(entry), key);
	}
	pthread_mutex_unlock(&keep->lock);
	return known || count < most;
}

void keep_take(struct keep *keep, struct lg_slice source, const struct state_note *notes)
{
	pthread_mutex_lock(&keep->lock);
	for (const struct state_note *n = notes; n; n = n->next) {
		struct entry *old = find(keep, source, n->key);
		if (old)
			drop(old);
		if (slice_present(n->value) && !add(keep, source, n))
			log_warning("state.memory", LOG_SLICE("source", source));
	}
	pthread_mutex_unlock(&keep->lock);
}

void keep_forget(struct keep *keep, struct lg_slice source)
{
	pthread_mutex_lock(&keep->lock);
	LIST_EACH_SAFE(link, &keep->entries) {
		struct entry *entry = container_of(link, struct entry, link);
		if (slice_equal(source_of(entry), source))
			drop(entry);
	}
	pthread_mutex_unlock(&keep->lock);
}
