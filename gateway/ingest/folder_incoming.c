#include "ingest/folder_incoming.h"

#include <string.h>

#include "base/clock.h"
#include "ingest/folder_files.h"

static bool is_same(const struct folder_sighting *sighting, const struct stat *status)
{
	return sighting->size == status->st_size &&
	       sighting->modified.tv_sec == status->st_mtim.tv_sec &&
	       sighting->modified.tv_nsec == status->st_mtim.tv_nsec;
}

/* NULL: there is no room for one more. */
static struct folder_sighting *sight(struct folder_incoming *incoming, const struct stat *status)
{
	struct folder_sighting *sighting = incoming->sightings;
	const struct folder_sighting *end = sighting + incoming->count;

	while (sighting < end && sighting->inode != status->st_ino)
		sighting++;
	if (sighting == end && incoming->count == FOLDER_SIGHTINGS)
		return NULL;
	if (sighting == end)
		incoming->count++;
	if (sighting == end || !is_same(sighting, status))
		*sighting = (struct folder_sighting){
			.inode = status->st_ino,
			.size = status->st_size,
			.modified = status->st_mtim,
			.since_ms = clock_monotonic_ms(),
		};
	sighting->seen = true;
	return sighting;
}

/* By when they were put there or last written to: the clock of the filesystem. */
static bool comes_before(const struct folder_incoming *incoming,
			 const struct folder_sighting *sighting, const struct stat *status,
			 const char *name)
{
	const struct timespec *a = &status->st_ctim, *b = &incoming->arrived;

	if (!*incoming->chosen)
		return true;
	if (sighting->stuck != incoming->chosen_sighting->stuck)
		return incoming->chosen_sighting->stuck;
	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec;
	if (a->tv_nsec != b->tv_nsec)
		return a->tv_nsec < b->tv_nsec;
	return strcmp(name, incoming->chosen) < 0;
}

static bool choose_settled(void *arg, const char *name, const struct stat *status)
{
	struct folder_incoming *incoming = arg;
	struct folder_sighting *sighting = sight(incoming, status);

	if (!sighting)
		return false;
	if (clock_monotonic_ms() - sighting->since_ms < incoming->settle_ms ||
	    !comes_before(incoming, sighting, status, name))
		return true;
	slice_to_text(slice_from(name), incoming->chosen, sizeof(incoming->chosen));
	incoming->chosen_sighting = sighting;
	incoming->arrived = status->st_ctim;
	return true;
}

/* The chosen one was seen, and stays chosen where it comes to lie. */
static void forget_unseen(struct folder_incoming *incoming)
{
	struct folder_sighting *kept = incoming->sightings;

	for (size_t i = 0; i < incoming->count; i++) {
		struct folder_sighting *sighting = &incoming->sightings[i];

		if (!sighting->seen)
			continue;
		if (incoming->chosen_sighting == sighting)
			incoming->chosen_sighting = kept;
		*kept++ = *sighting;
	}
	incoming->count = (size_t)(kept - incoming->sightings);
}

bool folder_incoming_choose(struct folder_incoming *incoming, int folder, int64_t *others)
{
	*incoming->chosen = '\0';
	incoming->chosen_sighting = NULL;
	for (size_t i = 0; i < incoming->count; i++)
		incoming->sightings[i].seen = false;
	if (!folder_each(folder, choose_settled, incoming, others))
		return false;
	forget_unseen(incoming);
	return true;
}

void folder_incoming_defer(struct folder_incoming *incoming)
{
	incoming->chosen_sighting->stuck = true;
}
