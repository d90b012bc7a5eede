#include "supervise/errand.h"

#include "base/alloc.h"
#include "base/list.h"
#include "codec/json_writer.h"

#define SINK_BYTES 256
#define TEXT_BYTES 160

struct errand {
	struct chore chore; /* first: its letter comes back from the writer */
	struct list link;
	struct berth_bar bar;	      /* while a sink is forgotten */
	struct errand_ticket *ticket; /* NULL: nobody waits */
	char sink[SINK_BYTES], text[TEXT_BYTES];
};

struct errands {
	struct gateway *gateway;
	struct mailbox mailbox;
	struct loop_mailbox letters;
	struct list under_way;
};

/* ---- words ----------------------------------------------------------------- */

static const struct {
	const char *name;
	enum chore_kind kind;
} words[] = {
	{"pause", CHORE_PAUSE},	  {"resume", CHORE_RESUME}, {"replay", CHORE_REPLAY},
	{"forget", CHORE_FORGET}, {"fetch", CHORE_CLAIMS},  {"backfill", CHORE_BACKFILL},
};
#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

bool errand_knows(struct lg_slice command)
{
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (slice_is(command, words[i].name))
			return true;
	return false;
}

static bool is_of_source(enum chore_kind kind)
{
	return kind == CHORE_CLAIMS || kind == CHORE_BACKFILL;
}

static void write_replay(struct json_writer *writer, const struct replay *replay)
{
	json_write_member_int(writer, "first_seq", replay->first_seq);
	json_write_member_int(writer, "last_seq", replay->last_seq);
	json_write_member_bool(writer, "dead", replay->dead_only);
	json_write_member_bool(writer, "again", replay->again);
}

void errand_write(struct buffer *out, const struct chore *chore)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (words[i].kind == chore->kind)
			json_write_member_text(&writer, "command", slice_from(words[i].name));
	json_write_member_text(&writer, is_of_source(chore->kind) ? "source" : "sink", chore->sink);
	json_write_member_text(&writer, "text", chore->text);
	if (chore->kind == CHORE_REPLAY)
		write_replay(&writer, &chore->replay);
	if (chore->kind == CHORE_BACKFILL)
		json_write_member_int(&writer, "since_ms", chore->before_ms);
	if (chore->kind == CHORE_CLAIMS)
		json_write_member_bool(&writer, "dead", chore->replay.dead_only);
	json_write_close(&writer, '}');
}

static bool is_true(const struct json *request, const char *name)
{
	const struct json *value = json_member(request, name);

	return value && value->kind == JSON_TRUE;
}

static bool read_number(const struct json *request, const char *name, const char *what,
			int64_t *value, struct error *error)
{
	uint64_t number;

	if (!slice_to_u64(json_member_text(request, name), &number) || number > INT64_MAX)
		return error_set(error, "%s is %s", name, what);
	*value = (int64_t)number;
	return true;
}

static bool read_seq(const struct json *request, const char *name, int64_t *seq,
		     struct error *error)
{
	return read_number(request, name, "the number of an event", seq, error);
}

bool errand_read(struct chore *chore, const struct json *request, struct error *error)
{
	struct lg_slice command = json_member_text(request, "command");

	*chore = (struct chore){.sink = json_member_text(request, "sink"),
				.text = json_member_text(request, "text")};
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (slice_is(command, words[i].name))
			chore->kind = words[i].kind;
	if (is_of_source(chore->kind))
		chore->sink = json_member_text(request, "source");
	if (!slice_present(chore->sink) || chore->sink.length >= SINK_BYTES)
		return error_set(error, "the request names no %s",
				 is_of_source(chore->kind) ? "source" : "sink");
	chore->replay.dead_only = is_true(request, "dead");
	if (chore->kind == CHORE_BACKFILL)
		return read_number(request, "since_ms", "a time in milliseconds", &chore->before_ms,
				   error);
	if (chore->kind != CHORE_REPLAY)
		return true;
	chore->replay.again = is_true(request, "again");
	return read_seq(request, "first_seq", &chore->replay.first_seq, error) &&
	       read_seq(request, "last_seq", &chore->replay.last_seq, error);
}

static const struct source *find_source(const struct settings *settings, struct lg_slice name)
{
	for (size_t i = 0; i < settings->source_count; i++)
		if (slice_equal(settings->sources[i].instance->name, name))
			return &settings->sources[i];
	return NULL;
}

void errand_complete(struct chore *chore, const struct settings *settings)
{
	chore->of_source = chore->kind == CHORE_FORGET && !find_source(settings, chore->sink);
}

static bool source_allowed(const struct chore *chore, const struct settings *settings,
			   struct error *error)
{
	const struct source *source = find_source(settings, chore->sink);

	if (!source)
		return error_set(error, "there is no source %.*s in the configuration",
				 SLICE_ARGS(chore->sink));
	if (!source_has_errands(source))
		return error_set(error, "the source %.*s fetches nothing: plugin %s makes no calls",
				 SLICE_ARGS(chore->sink), source->instance->library->plugin.name);
	if (chore->kind == CHORE_BACKFILL && !source->instance->source.backfill)
		return error_set(error, "plugin %s of source %.*s cannot bring back what was",
				 source->instance->library->plugin.name, SLICE_ARGS(chore->sink));
	return true;
}

bool errand_allowed(const struct chore *chore, const struct settings *settings, struct error *error)
{
	bool configured = false;

	if (is_of_source(chore->kind))
		return source_allowed(chore, settings, error);
	for (size_t i = 0; i < settings->sink_count; i++)
		configured |= slice_equal(settings->sinks[i].instance->name, chore->sink);
	if (configured && chore->kind == CHORE_FORGET)
		return error_set(error,
				 "the sink %.*s is configured; take it out of the configuration "
				 "first",
				 SLICE_ARGS(chore->sink));
	if (!configured && chore->kind != CHORE_FORGET)
		return error_set(error, "there is no sink %.*s in the configuration",
				 SLICE_ARGS(chore->sink));
	return true;
}

void errand_answer(struct buffer *out, const struct chore *chore)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	if (chore->done)
		json_write_member_int(&writer, "count", chore->count);
	else
		json_write_member_text(&writer, "error", slice_from(chore->error.text));
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

void errand_take_answer(struct chore *chore, struct lg_slice answer)
{
	struct arena arena;
	const struct json *json;
	uint64_t count;

	arena_init(&arena, 1024, 64 << 10);
	json = json_parse(&arena, answer, NULL);
	chore->done = slice_to_u64(json_member_text(json, "count"), &count);
	if (chore->done)
		chore->count = (int64_t)count;
	else if (slice_present(json_member_text(json, "error")))
		error_set(&chore->error, "%.*s", SLICE_ARGS(json_member_text(json, "error")));
	else
		error_set(&chore->error, "the running gateway's answer cannot be read");
	arena_fini(&arena);
}

/* ---- on their way ---------------------------------------------------------- */

/* Whoever replays or resumes wants to see the sink try, however long it was told to wait. */
static void rouse_sink(const struct gateway *gateway, const struct chore *chore)
{
	bool wanted = chore->kind == CHORE_REPLAY || chore->kind == CHORE_RESUME;
	struct lane *lane = wanted ? berths_lane(&gateway->berths, chore->sink) : NULL;

	if (chore->done && lane)
		lane_rouse(lane);
}

static void come_home(struct errands *errands, struct letter *letter)
{
	struct errand *errand = (struct errand *)(void *)letter;
	struct errand_ticket *ticket = errand->ticket;

	list_remove(&errand->link);
	if (errand->chore.kind == CHORE_FORGET)
		berths_unbar(&errand->bar);
	rouse_sink(errands->gateway, &errand->chore);
	if (errand->chore.of_source && errand->chore.done)
		keep_forget(errands->gateway->keep, errand->chore.sink);
	if (ticket) {
		ticket->errand = NULL;
		errand_answer(ticket->answer, &errand->chore);
	}
	alloc_free(errand);
	if (ticket)
		ticket->done(ticket);
}

static void on_letter(struct loop_mailbox *box, struct letter *letter)
{
	come_home(container_of(box, struct errands, letters), letter);
}

struct errands *errands_new(struct gateway *gateway)
{
	struct errands *errands = alloc_zalloc(sizeof(*errands));

	if (!errands)
		return NULL;
	errands->gateway = gateway;
	list_init(&errands->under_way);
	if (mailbox_init(&errands->mailbox)) {
		if (loop_mailbox_init(&errands->letters, gateway->loop, &errands->mailbox,
				      on_letter))
			return errands;
		mailbox_fini(&errands->mailbox);
	}
	alloc_free(errands);
	return NULL;
}

void errands_free(struct errands **pointer)
{
	struct errands *errands = *pointer;

	*pointer = NULL;
	if (!errands)
		return;
	loop_mailbox_fini(&errands->letters);
	LIST_EACH_SAFE(link, &errands->under_way) {
		struct errand *errand = container_of(link, struct errand, link);
		atomic_store(&errand->chore.cancelled, true);
	}
	while (!list_empty(&errands->under_way)) {
		mailbox_wait(&errands->mailbox, -1);
		for (struct letter *l = mailbox_take(&errands->mailbox), *next; l; l = next) {
			next = l->next;
			come_home(errands, l);
		}
	}
	mailbox_fini(&errands->mailbox);
	alloc_free(errands);
}

static bool refuse(struct errand_ticket *ticket, struct errand *errand)
{
	errand->chore.done = false;
	errand_answer(ticket->answer, &errand->chore);
	alloc_free(errand);
	return false;
}

/* The lane of a sink that was removed may still have a word to say. */
static bool lane_has_ended(const struct gateway *gateway, struct chore *chore)
{
	if (chore->kind != CHORE_FORGET || !berths_lane(&gateway->berths, chore->sink))
		return true;
	return error_set(&chore->error,
			 "the sink %.*s is ending its last batch; try again when it has",
			 SLICE_ARGS(chore->sink));
}

bool errand_begin(struct errands *errands, const struct json *request, struct errand_ticket *ticket)
{
	struct errand *errand = alloc_zalloc(sizeof(*errand));
	struct chore *chore;

	ticket->errand = NULL;
	if (!errand) {
		buffer_add_literal(ticket->answer, "{\"error\":\"there is not enough memory\"}\n");
		return false;
	}
	chore = &errand->chore;
	if (!errand_read(chore, request, &chore->error) ||
	    !errand_allowed(chore, errands->gateway->settings, &chore->error) ||
	    !lane_has_ended(errands->gateway, chore))
		return refuse(ticket, errand);
	errand_complete(chore, errands->gateway->settings);
	/* The request is gone before the chore is done. */
	slice_to_text(chore->sink, errand->sink, sizeof(errand->sink));
	slice_to_text(chore->text, errand->text, sizeof(errand->text));
	chore->sink = slice_from(errand->sink);
	chore->text = slice_present(chore->text) ? slice_from(errand->text) : chore->text;
	chore->reply = &errands->mailbox;
	errand->ticket = ticket;
	ticket->errand = errand;
	list_append(&errands->under_way, &errand->link);
	/* It takes many transactions, and a reload may want the sink again meanwhile. */
	if (chore->kind == CHORE_FORGET)
		berths_bar(&errands->gateway->berths, &errand->bar, chore->sink);
	outbox_do(errands->gateway->outbox, chore);
	return true;
}

void errand_forget(struct errand_ticket *ticket)
{
	if (ticket->errand)
		ticket->errand->ticket = NULL;
	ticket->errand = NULL;
}
