#include "kit.h"

#include <dirent.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "lead/event.h"
#include "lead/field.h"
#include "lead/record.h"

/* A submission and all that it points at. */
struct bundle {
	struct submission submission; /* first */
	struct arena arena;
};

void kit_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("Bail out! ", stdout);
	vprintf(format, args);
	putchar('\n');
	fflush(stdout);
	va_end(args);
	abort();
}

void kit_init(struct kit *kit)
{
	static const struct lg_slice keys[] = {{"email", 5}, {"phone", 5}, {"profile", 7}};
	static bool set_up;
	const char *tmp = getenv("TMPDIR");

	memset(kit, 0, sizeof(*kit));
	if (!set_up)
		field_setup();
	set_up = true;
	log_setup(2, LOG_LOGFMT, LG_LOG_WARNING);
	snprintf(kit->folder, sizeof(kit->folder), "%s/leadgate-test.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(kit->folder))
		kit_fail("no folder for the test: %s", kit->folder);
	snprintf(kit->path, sizeof(kit->path), "%s/lead gate?.db", kit->folder);
	kit->store = (struct store_settings){
		.path = slice_from(kit->path),
		.max_size_bytes = INT64_C(1) << 30,
		.warn_percent = 80,
		.wal_bytes = 1 << 20,
		.page_bytes = 4096,
		.queue_submissions = 100000,
		.queue_bytes = INT64_C(1) << 30,
		.batch_captures = 1000,
	};
	kit->dedup = (struct dedup_settings){
		.keys = {keys, 3},
		.person_window_ms = INT64_C(365) * 86400000,
		.submission_window_ms = 300000,
		.weak_after = 3,
	};
	kit->limits = (struct lead_limits){.extra_fields = 100,
					   .extra_name_bytes = 128,
					   .extra_value_bytes = 65536,
					   .list_items = 50,
					   .raw_bytes = 1024,
					   .record_bytes = 262144};
	if (!mailbox_init(&kit->replies))
		kit_fail("no mailbox");
}

void kit_fini(struct kit *kit)
{
	DIR *folder = opendir(kit->folder);
	char file[PATH_MAX];

	outbox_close(&kit->outbox);
	mailbox_fini(&kit->replies);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		snprintf(file, sizeof(file), "%s/%s", kit->folder, entry->d_name);
		if (entry->d_name[0] != '.' && unlink(file) != 0)
			kit_fail("%s cannot be removed", file);
	}
	if (folder)
		closedir(folder);
	rmdir(kit->folder);
}

bool kit_try_open(struct kit *kit, struct error *error)
{
	kit->outbox = outbox_open(&kit->store, &kit->dedup, &kit->limits, error);
	return kit->outbox;
}

struct outbox *kit_open_patiently(struct kit *kit, const struct outbox_patience *patience,
				  struct error *error)
{
	return outbox_open_patiently(&kit->store, &kit->dedup, &kit->limits, patience, error);
}

void kit_open(struct kit *kit)
{
	struct error error = {""};

	if (!kit_try_open(kit, &error))
		kit_fail("the store does not open: %s", error.text);
}

void kit_close(struct kit *kit)
{
	outbox_close(&kit->outbox);
}

static void set(struct lead *lead, int field, const char *text)
{
	if (text && !lead_set(lead, field, slice_from(text)))
		kit_fail("field %d does not take %s", field, text);
}

static void make_keys(struct kit *kit, struct capture *capture, const struct post *post)
{
	const uint8_t *secret = outbox_secret(kit->outbox);
	struct lg_slice scope = slice_from(post->source ? post->source : "form");

	identity_person(capture->lead, secret, outbox_key_kinds(kit->outbox), &capture->person);
	capture->submission.kind = IDENTITY_SUBMISSION;
	capture->submission.hash = identity_hash(
		secret, IDENTITY_SUBMISSION, scope,
		slice_of((const char *)capture->digest, IDENTITY_DIGEST_BYTES));
	if (!post->delivery)
		return;
	capture->has_delivery_key = true;
	capture->delivery.kind = IDENTITY_DELIVERY;
	capture->delivery.flags = post->idempotent ? IDENTITY_IDEMPOTENCY : 0;
	capture->delivery.hash = identity_hash(secret, IDENTITY_DELIVERY, scope,
					       slice_from(post->delivery));
}

static void make_capture(struct kit *kit, struct arena *arena, struct capture *capture,
			 const struct post *post)
{
	struct lead *lead = capture->lead = lead_new(arena, &kit->limits);
	struct buffer record, event;
	char id[UUID_TEXT_BYTES], at[CLOCK_RFC3339_BYTES];

	set(lead, LG_FULL_NAME, post->name);
	set(lead, LG_EMAIL, post->email);
	set(lead, LG_PHONE, post->phone);
	set(lead, LG_MESSAGE, post->message);
	if (post->extra &&
	    !lead_add_extra(lead, slice_from(post->extra_name), slice_from(post->extra)))
		kit_fail("the field %s is not taken", post->extra_name);
	identity_digest(lead, capture->digest);
	capture->at_ms = post->at_ms ? post->at_ms : clock_wall_ms();
	capture->trapped = post->trapped;
	capture->policy = post->policy;
	uuid_new(capture->at_ms, capture->lead_id);
	uuid_new(capture->at_ms, capture->event_id);
	uuid_format(capture->lead_id, id);
	clock_format(capture->at_ms, at);
	set(lead, LG_ID, id);
	set(lead, LG_CAPTURED_AT, at);
	capture->occurred_ms = post->occurred_ms;
	clock_format(post->occurred_ms ? post->occurred_ms : capture->at_ms, at);
	set(lead, LG_OCCURRED_AT, at);
	set(lead, LG_SOURCE_NAME, post->source ? post->source : "form");
	set(lead, LG_VERDICT, post->trapped ? "trap" : "clean");
	lead_status_new(lead);
	make_keys(kit, capture, post);
	buffer_init(&record, SIZE_MAX);
	buffer_init(&event, SIZE_MAX);
	record_encode(lead, &record);
	event_encode(&event, capture->event_id, EVENT_CREATED, capture->at_ms,
		     buffer_slice(&record), slice_of(NULL, 0));
	capture->event_json = arena_copy(arena, buffer_slice(&event));
	buffer_fini(&record);
	buffer_fini(&event);
}

struct submission *kit_make(struct kit *kit, const struct post *posts, size_t count)
{
	struct bundle *bundle = calloc(1, sizeof(*bundle));

	arena_init(&bundle->arena, 8192, 0);
	bundle->submission.reply = &kit->replies;
	bundle->submission.count = count;
	bundle->submission.captures = arena_zalloc(&bundle->arena, count * sizeof(struct capture));
	for (size_t i = 0; i < count; i++) {
		struct capture *capture = &bundle->submission.captures[i];
		make_capture(kit, &bundle->arena, capture, &posts[i]);
		bundle->submission.bytes += capture->event_json.length;
	}
	if (bundle->arena.failed)
		kit_fail("not enough memory for a submission");
	return &bundle->submission;
}

void kit_free(struct submission *submission)
{
	struct bundle *bundle = (struct bundle *)(void *)submission;

	arena_fini(&bundle->arena);
	free(bundle);
}

struct letter *kit_reply(struct kit *kit)
{
	static __thread struct letter *rest;

	while (!rest) {
		if (!mailbox_wait(&kit->replies, 300000))
			kit_fail("no answer for minutes");
		rest = mailbox_take(&kit->replies);
	}
	struct letter *letter = rest;
	rest = letter->next;
	return letter;
}

struct submission *kit_submit(struct kit *kit, const struct post *posts, size_t count)
{
	struct submission *submission = kit_make(kit, posts, count);

	if (!outbox_submit(kit->outbox, submission))
		kit_fail("the store takes no submission");
	if (kit_reply(kit) != &submission->letter)
		kit_fail("another answer came");
	return submission;
}

struct capture kit_post(struct kit *kit, struct post post)
{
	struct submission *submission = kit_submit(kit, &post, 1);
	struct capture capture = submission->captures[0];

	if (submission->status != SUBMISSION_STORED)
		kit_fail("a submission has status %d", (int)submission->status);
	kit_free(submission);
	return capture;
}

static sqlite3 *open_beside(struct kit *kit)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(kit->path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		kit_fail("%s: %s", kit->path, sqlite3_errmsg(db));
	sqlite3_busy_timeout(db, 60000);
	/* As the gateway does: the last one to close must not delete the log. */
	int persist = 1;
	sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	return db;
}

int64_t kit_count(struct kit *kit, const char *sql)
{
	sqlite3 *db = open_beside(kit);
	sqlite3_stmt *select = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &select, NULL) != SQLITE_OK ||
	    sqlite3_step(select) != SQLITE_ROW)
		kit_fail("%s: %s", sql, sqlite3_errmsg(db));
	int64_t value = sqlite3_column_int64(select, 0);
	sqlite3_finalize(select);
	sqlite3_close(db);
	return value;
}

void kit_sql(struct kit *kit, const char *sql)
{
	sqlite3 *db = open_beside(kit);

	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		kit_fail("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

const char *kit_record(struct kit *kit, const uint8_t lead_id[UUID_BYTES])
{
	static char text[65536];
	struct error error = {""};
	struct journal_event event;
	struct arena arena;
	struct reader *reader = reader_open(kit->store.path, &error);

	arena_init(&arena, 4096, 0);
	if (!reader || !reader_lead(reader, &arena, lead_id, &event, &error))
		kit_fail("a lead cannot be read: %s", error.text);
	slice_to_text(event_body_lead(event.body), text, sizeof(text));
	arena_fini(&arena);
	reader_close(&reader);
	return text;
}
