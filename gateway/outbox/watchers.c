#include "outbox/watchers.h"

#include <string.h>

#define EVERY_COMMIT 0

void watchers_init(struct watchers *watchers)
{
	memset(watchers, 0, sizeof(*watchers));
	pthread_mutex_init(&watchers->mutex, NULL);
}

void watchers_fini(struct watchers *watchers)
{
	pthread_mutex_destroy(&watchers->mutex);
}

void watchers_announce(struct watchers *watchers, int64_t last_seq, int64_t sink_epoch)
{
	bool to_all = sink_epoch != watchers->announced_epoch;

	if (last_seq == watchers->announced_seq && !to_all)
		return;
	watchers->announced_seq = last_seq;
	watchers->announced_epoch = sink_epoch;
	pthread_mutex_lock(&watchers->mutex);
	for (size_t i = 0; i < watchers->count; i++) {
		struct watcher *watcher = &watchers->all[i];
		bool reached = watcher->awaited_seq <= last_seq;
		if (reached && watcher->awaited_seq != EVERY_COMMIT)
			watcher->awaited_seq = INT64_MAX;
		if (reached || to_all)
			mailbox_poke(watcher->mailbox);
	}
	pthread_mutex_unlock(&watchers->mutex);
}

bool watchers_add(struct watchers *watchers, struct mailbox *mailbox)
{
	pthread_mutex_lock(&watchers->mutex);
	bool room = watchers->count < OUTBOX_WATCHERS;
	if (room)
		watchers->all[watchers->count++] = (struct watcher){mailbox, EVERY_COMMIT};
	pthread_mutex_unlock(&watchers->mutex);
	return room;
}

void watchers_await(struct watchers *watchers, const struct mailbox *mailbox, int64_t seq)
{
	pthread_mutex_lock(&watchers->mutex);
	for (size_t i = 0; i < watchers->count; i++)
		if (watchers->all[i].mailbox == mailbox)
			watchers->all[i].awaited_seq = seq;
	pthread_mutex_unlock(&watchers->mutex);
}

void watchers_remove(struct watchers *watchers, const struct mailbox *mailbox)
{
	pthread_mutex_lock(&watchers->mutex);
	for (size_t i = 0; i < watchers->count; i++) {
		if (watchers->all[i].mailbox != mailbox)
			continue;
		watchers->all[i] = watchers->all[--watchers->count];
		break;
	}
	pthread_mutex_unlock(&watchers->mutex);
}
