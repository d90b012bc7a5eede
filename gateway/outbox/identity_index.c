#include "outbox/identity_index.h"

#include "base/clock.h"
#include "outbox/identity_scan.h"
#include "outbox/index_loader.h"

#define NO_MEMORY "there is not enough memory for the index of persons"

struct filling {
	struct identity_index *index;
	struct index_loader *persons, *recent;
	const struct outbox_patience *patience;
};

void identity_index_init(struct identity_index *index, const struct dedup_settings *dedup,
			 unsigned int key_kinds)
{
	*index = (struct identity_index){
		.key_kinds = key_kinds,
		.window_ms = dedup->submission_window_ms,
	};
	index_init(&index->persons);
	recent_init(&index->recent, index->window_ms, clock_monotonic_ms());
}

void identity_index_fini(struct identity_index *index)
{
	index_fini(&index->persons);
	recent_fini(&index->recent);
}

static bool load(struct index_loader *loader, const struct index_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!index_loader_add(loader, entries[i].hash, entries[i].seq))
			return false;
	return true;
}

static bool take_stretch(void *arg, const struct identity_stretch *stretch, struct error *error)
{
	struct filling *filling = arg;
	const struct outbox_patience *patience = filling->patience;

	filling->index->leads += stretch->leads;
	filling->index->rows += stretch->rows;
	if (!load(filling->persons, stretch->persons, stretch->person_count) ||
	    !load(filling->recent, stretch->recent, stretch->recent_count))
		return error_set(error, NO_MEMORY);
	if (patience && !patience->goes_on(patience->arg, OUTBOX_READS))
		return error_set(error, OUTBOX_GIVEN_UP);
	return true;
}

bool identity_index_read(struct identity_index *index, sqlite3 *db,
			 const struct outbox_patience *patience, struct error *error)
{
	const struct identity_scan_rules rules = {
		.key_kinds = index->key_kinds,
		.recent_from_ms = clock_wall_ms() - index->window_ms,
		.after_seq = index->last_seq,
	};
	struct filling filling = {
		.index = index,
		.persons = index_loader_new(&index->persons),
		.recent = index_loader_new(recent_young(&index->recent)),
		.patience = patience,
	};
	bool done = false;

	if (!filling.persons || !filling.recent)
		error_set(error, NO_MEMORY);
	else if (identity_scan(db, &rules, take_stretch, &filling, &index->last_seq, error))
		done = (index_loader_finish(filling.persons) &&
			index_loader_finish(filling.recent)) ||
		       error_set(error, NO_MEMORY);
	index_loader_free(&filling.persons);
	index_loader_free(&filling.recent);
	return done;
}

bool identity_index_holds(const struct identity_index *index, sqlite3 *db)
{
	sqlite3_stmt *select = NULL;
	bool holds = false;

	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM identity WHERE seq <= ?", -1, &select,
			       NULL) == SQLITE_OK) {
		sqlite3_bind_int64(select, 1, index->last_seq);
		holds = sqlite3_step(select) == SQLITE_ROW &&
			sqlite3_column_int64(select, 0) == index->rows;
	}
	sqlite3_finalize(select);
	return holds;
}
