#include "outbox/drafts.h"

#include <string.h>

#include "base/alloc.h"
#include "base/slice.h"

enum column { COLUMN_SEQ, COLUMN_TYPE, COLUMN_LEAD, COLUMN_AT, COLUMN_BODY, COLUMN_KEYS };
static const char declaration[] = "CREATE TABLE draft (seq, type, lead, at, body, keys)";

/* What SQLite sees of the drafts, one a connection. */
struct table {
	sqlite3_vtab base; /* first */
	struct drafts *drafts;
};

static struct drafts *drafts_of(const sqlite3_vtab_cursor *cursor)
{
	return ((struct table *)(void *)cursor->pVtab)->drafts;
}

static int table_connect(sqlite3 *db, void *drafts, int argc, const char *const *argv,
			 sqlite3_vtab **out, char **message)
{
	struct table *table = NULL;
	int rc = sqlite3_declare_vtab(db, declaration);

	(void)argc;
	(void)argv;
	(void)message;
	if (rc == SQLITE_OK && !(table = alloc_zalloc(sizeof(*table))))
		rc = SQLITE_NOMEM;
	if (rc != SQLITE_OK)
		return rc;
	table->drafts = drafts;
	*out = &table->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *table)
{
	alloc_free(table);
	return SQLITE_OK;
}

/* There is one way to read it: all, in their order. */
static int table_plan(sqlite3_vtab *table, sqlite3_index_info *plan)
{
	(void)table;
	plan->estimatedRows = DRAFTS_MAX;
	return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
	(void)table;
	*out = alloc_zalloc(sizeof(**out));
	return *out ? SQLITE_OK : SQLITE_NOMEM;
}

static int cursor_close(sqlite3_vtab_cursor *cursor)
{
	alloc_free(cursor);
	return SQLITE_OK;
}

static int cursor_rewind(sqlite3_vtab_cursor *cursor, int plan, const char *plan_text, int argc,
			 sqlite3_value **argv)
{
	(void)plan;
	(void)plan_text;
	(void)argc;
	(void)argv;
	drafts_of(cursor)->at = 0;
	return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *cursor)
{
	drafts_of(cursor)->at++;
	return SQLITE_OK;
}

static int cursor_at_end(sqlite3_vtab_cursor *cursor)
{
	return drafts_of(cursor)->at >= drafts_of(cursor)->count;
}

static void give_text(sqlite3_context *out, struct lg_slice text)
{
	sqlite3_result_text64(out, text.data, text.length, SQLITE_STATIC, SQLITE_UTF8);
}

static int cursor_column(sqlite3_vtab_cursor *cursor, sqlite3_context *out, int column)
{
	const struct drafts *drafts = drafts_of(cursor);
	const struct draft *draft = &drafts->all[drafts->at];

	switch (column) {
	case COLUMN_SEQ: sqlite3_result_int64(out, draft->seq); break;
	case COLUMN_TYPE: give_text(out, draft->type); break;
	case COLUMN_LEAD:
		sqlite3_result_blob64(out, draft->lead_id, UUID_BYTES, SQLITE_STATIC);
		break;
	case COLUMN_AT: sqlite3_result_int64(out, draft->at_ms); break;
	case COLUMN_BODY: give_text(out, draft->body); break;
	case COLUMN_KEYS:
		sqlite3_result_blob64(out, draft->keys, draft->keys_length, SQLITE_STATIC);
		break;
	default: return SQLITE_ERROR;
	}
	return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid)
{
	const struct drafts *drafts = drafts_of(cursor);

	*rowid = drafts->all[drafts->at].seq;
	return SQLITE_OK;
}

/* Without xCreate it is there as soon as it is known, and in no schema. */
static const sqlite3_module module = {
	.iVersion = 1,
	.xConnect = table_connect,
	.xBestIndex = table_plan,
	.xDisconnect = table_disconnect,
	.xDestroy = table_disconnect,
	.xOpen = cursor_open,
	.xClose = cursor_close,
	.xFilter = cursor_rewind,
	.xNext = cursor_next,
	.xEof = cursor_at_end,
	.xColumn = cursor_column,
	.xRowid = cursor_rowid,
};

bool drafts_init(struct drafts *drafts, sqlite3 *db, struct error *error)
{
	*drafts = (struct drafts){.all = alloc_zalloc(DRAFTS_MAX * sizeof(struct draft))};
	if (!drafts->all)
		return error_set(error, "there is not enough memory to write the store");
	if (sqlite3_create_module(db, "draft", &module, drafts) == SQLITE_OK)
		return true;
	error_set(error, "%s", sqlite3_errmsg(db));
	drafts_fini(drafts);
	return false;
}

void drafts_fini(struct drafts *drafts)
{
	alloc_free(drafts->all);
	*drafts = (struct drafts){.all = NULL};
}

bool drafts_full(const struct drafts *drafts)
{
	return drafts->count == DRAFTS_MAX;
}

struct draft *drafts_add(struct drafts *drafts)
{
	ALWAYS(!drafts_full(drafts));
	return &drafts->all[drafts->count++];
}

const struct draft *drafts_find(const struct drafts *drafts, int64_t seq)
{
	if (drafts->count == 0 || seq < drafts->all[0].seq ||
	    seq - drafts->all[0].seq >= (int64_t)drafts->count)
		return NULL;
	return &drafts->all[seq - drafts->all[0].seq];
}

void drafts_clear(struct drafts *drafts)
{
	drafts->count = 0;
}
