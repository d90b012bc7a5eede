#include "ingest/fetch.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/date.h"
#include "ingest/desk.h"
#include "ingest/fetch_refused.h"
#include "ingest/fetch_verdict.h"

#define ARENA_BLOCK_BYTES 4096

static void on_stored(struct intake *intake);
static void on_answer(void *context, const struct http_answer *answer);

/* ---- making ------------------------------------------------------------------------ */

static struct lg_slice keep(struct arena *arena, struct lg_slice slice)
{
	return slice_present(slice) ? arena_copy(arena, slice) : slice_of(NULL, 0);
}

static bool copy_claims(struct fetch *fetch, const struct claim *claims, size_t count)
{
	struct arena *arena = &fetch->arena;

	fetch->claims = arena_alloc(arena, count * sizeof(*claims));
	fetch->numbers = arena_alloc(arena, count * sizeof(*fetch->numbers));
	if (!fetch->claims || !fetch->numbers)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct claim *claim = &fetch->claims[i];
		*claim = claims[i];
		claim->source = claim->error = slice_of(NULL, 0);
		claim->key = keep(arena, claim->key);
		claim->group = keep(arena, claim->group);
		claim->blob = keep(arena, claim->blob);
		fetch->numbers[i] = claim->number;
	}
	fetch->count = count;
	fetch->blob = fetch->claims[0].blob;
	return !arena->failed;
}

struct fetch *fetch_new(struct desk *desk, const struct claim *claims, size_t count)
{
	struct fetch *fetch = alloc_zalloc(sizeof(*fetch));

	if (!fetch)
		return NULL;
	arena_init(&fetch->arena, ARENA_BLOCK_BYTES, 0);
	arena_init(&fetch->request.arena, ARENA_BLOCK_BYTES, 0);
	fetch->desk = desk;
	if (!copy_claims(fetch, claims, count)) {
		arena_fini(&fetch->arena);
		arena_fini(&fetch->request.arena);
		alloc_free(fetch);
		return NULL;
	}
	list_append(&desk->fetches, &fetch->link);
	desk->fetch_count++;
	desk->row_count += count;
	return fetch;
}

void fetch_free(struct fetch **pointer)
{
	struct fetch *fetch = *pointer;
	struct desk *desk = fetch->desk;

	*pointer = NULL;
	if (fetch->exchange)
		http_exchange_cancel(&fetch->exchange);
	list_remove(&fetch->link);
	desk->fetch_count--;
	desk->row_count -= fetch->count;
	desk->recount = true;
	arena_fini(&fetch->request.arena);
	arena_fini(&fetch->arena);
	alloc_free(fetch);
	loop_task_post(desk->turn);
}

/* ---- asking the plugin --------------------------------------------------------------- */

/* The plugin's operation for this kind of errand; false: it has none. */
static bool call_operation(struct fetch *fetch, const struct lg_errand *errand, int32_t *outcome)
{
	struct source *source = fetch->desk->source;
	struct ingest_loop *loop = fetch->desk->loop;
	const struct lg_source_operations *operations = &source->instance->source;
	enum claim_kind kind = fetch->claims[0].kind;
	int32_t (*operation)(void *, struct lg_request *, const struct lg_errand *,
			     struct lg_verdict *) = operations->claim;
	int64_t started_us = clock_monotonic_us();

	if (kind == CLAIM_POLL)
		operation = operations->poll;
	else if (kind == CLAIM_BACKFILL)
		operation = operations->backfill;
	if (!operation)
		return false;
	ingest_call_begin(loop, source);
	*outcome = operation(source->instance->state, &fetch->intake.handle, errand,
			     &fetch->verdict);
	ingest_call_end(loop, source);
	intake_watch(&fetch->intake, claim_kind_name(kind), started_us);
	return true;
}

/* Retry-After (RFC 9110, section 10.2.3) in milliseconds; 0: none that can be read. */
static int64_t retry_after_ms(const struct http_answer *answer, int64_t now_ms)
{
	struct lg_slice text = slice_trim(http_answer_header(answer, "Retry-After"));
	uint64_t seconds;
	int64_t at_ms;

	if (!slice_present(text))
		return 0;
	if (slice_to_u64(text, &seconds))
		return seconds > INT32_MAX ? INT64_C(1000) * INT32_MAX : (int64_t)seconds * 1000;
	if (!time_parse_http(text, now_ms, &at_ms) || at_ms <= now_ms)
		return 0;
	return at_ms - now_ms;
}

static void describe(const struct fetch *fetch, int32_t cause, struct lg_errand *errand)
{
	const struct claim *claim = &fetch->claims[0];
	int64_t since_ms = 0;

	if (claim->kind == CLAIM_BACKFILL)
		time_parse(claim->key, &since_ms);
	*errand = (struct lg_errand){
		.size = sizeof(*errand),
		.cause = cause,
		.attempts = claim->attempts,
		.calls = fetch->calls,
		.since = since_ms,
		.part_count = (int64_t)fetch->count,
		.key = claim->key,
		.group = claim->group,
		.blob = fetch->blob,
	};
	if (!fetch->answer)
		return;
	errand->status = fetch->answer->status;
	errand->body = fetch->answer->body;
	errand->retry_after = retry_after_ms(fetch->answer, fetch->request.received_ms);
}

/* A turn begins with nothing: what the last one had was stored, or is of no more use. */
static void begin_turn(struct fetch *fetch)
{
	struct desk *desk = fetch->desk;

	arena_reset(&fetch->request.arena);
	fetch->request.received_ms = clock_wall_ms();
	memset(&fetch->intake, 0, sizeof(fetch->intake));
	intake_init(&fetch->intake, desk->ingest, desk->loop, desk->source, &fetch->request);
	fetch->intake.fetch = fetch;
	fetch->intake.stored = on_stored;
	fetch->verdict = (struct lg_verdict){.size = sizeof(fetch->verdict)};
	fetch->has_call = false;
}

static void refuse(struct fetch *fetch, int32_t verdict, const char *reason)
{
	fetch->verdict = (struct lg_verdict){
		.size = sizeof(fetch->verdict), .verdict = verdict, .reason = slice_from(reason)};
}

/* Again and again it would be the same blob, so somebody has to see to the plugin. */
static void refuse_blob(struct fetch *fetch, const char *problem)
{
	const struct instance *instance = fetch->desk->source->instance;

	log_warning("plugin.blob-refused", LOG_SLICE("source", instance->name),
		    LOG_TEXT("plugin", instance->library->plugin.name),
		    LOG_TEXT("kind", claim_kind_name(fetch->claims[0].kind)),
		    LOG_INT("number", fetch->claims[0].number), LOG_TEXT("reason", problem));
	refuse(fetch, LG_ERRAND_PARK, problem);
}

/* The plugin may point at what its next call writes, and the next call may begin while
 * the writer still reads. */
static bool keep_verdict(struct fetch *fetch)
{
	struct arena *arena = &fetch->request.arena;

	fetch->verdict.reason = keep(arena, fetch->verdict.reason);
	fetch->verdict.blob = keep(arena, fetch->verdict.blob);
	return !arena->failed;
}

static void ask(struct fetch *fetch, int32_t cause)
{
	struct lg_errand errand;
	int32_t outcome = LG_FAIL;
	const char *problem;

	begin_turn(fetch);
	describe(fetch, cause, &errand);
	if (!call_operation(fetch, &errand, &outcome))
		refuse(fetch, LG_ERRAND_PARK, "the source's plugin has no such operation");
	else if (outcome != LG_OK || fetch->intake.refusal)
		refuse(fetch, LG_ERRAND_RETRY, "the source's plugin could not go on");
	else if (!keep_verdict(fetch))
		refuse(fetch, LG_ERRAND_RETRY, "the gateway is short of memory");
	else if ((problem = fetch_verdict_problem(fetch)))
		refuse_blob(fetch, problem);
}

/* ---- what follows from the verdict ----------------------------------------------------- */

/* Nothing was written: the claim is as it was, and comes again. */
static void give_back(struct fetch *fetch)
{
	desk_trouble(fetch->desk, 0);
	fetch_free(&fetch);
}

static void store(struct fetch *fetch)
{
	struct intake *intake = &fetch->intake;
	struct submission *submission = &intake->submission;

	submission->claims = &intake->claims;
	submission->reply = &intake->loop->mailbox;
	submission->bytes += intake->claims.end.blob.length;
	if (!outbox_submit(intake->ingest->outbox, submission))
		give_back(fetch);
}

static void send_call(struct fetch *fetch)
{
	const struct lg_http_call *call = &fetch->call;
	const struct http_call request = {
		.method = slice_present(call->method) ? call->method : LG_SLICE("GET"),
		.url = call->url,
		.headers = call->headers,
		.header_count = call->header_count,
		.body = call->body,
		.timeout_ms = call->timeout > 0 ? call->timeout : 0,
	};

	fetch->exchange = http_client_send(fetch->desk->client, &request, on_answer, fetch);
	if (!fetch->exchange)
		give_back(fetch);
}

/* A page of leads, a new blob or a state: what is to be safe before the next call. */
static bool has_more_to_store(const struct fetch *fetch)
{
	return intake_has_work(&fetch->intake) || slice_present(fetch->verdict.blob);
}

/* An item that a verdict other than DONE and MORE comes with is dropped with it. */
static void drop_items(struct fetch *fetch)
{
	fetch->intake.items = NULL;
	fetch->intake.claims.stubs = NULL;
	fetch->intake.claims.notes = NULL;
	fetch->intake.stub_count = fetch->intake.note_count = 0;
	fetch->intake.submission = (struct submission){.count = 0};
}

static void check_call(struct fetch *fetch)
{
	const struct errand_settings *settings = &fetch->desk->source->settings.errands;

	if (fetch->verdict.verdict != LG_ERRAND_MORE)
		return;
	if (!fetch->has_call)
		refuse(fetch, LG_ERRAND_RETRY, "the source's plugin named no call");
	else if (fetch->calls_since_commit >= settings->calls)
		refuse(fetch, LG_ERRAND_DEAD, "it takes more calls than max_calls");
}

static void act(struct fetch *fetch)
{
	bool keeps;

	check_call(fetch);
	keeps = fetch->verdict.verdict == LG_ERRAND_DONE ||
		fetch->verdict.verdict == LG_ERRAND_MORE;
	if (!keeps)
		drop_items(fetch);
	else if (!intake_prepare_all(&fetch->intake) || !fetch_refused_keep(fetch)) {
		give_back(fetch);
		return;
	}
	fetch_verdict_tell(fetch);
	fetch->goes_on = fetch->verdict.verdict == LG_ERRAND_MORE;
	if (fetch->goes_on && !has_more_to_store(fetch)) {
		fetch_refused_tell(fetch);
		send_call(fetch);
		return;
	}
	fetch_verdict_end(fetch);
	store(fetch);
}

/* ---- letters ------------------------------------------------------------------------------ */

/* The next answer finds the blob that the verdict named. */
static bool take_blob(struct fetch *fetch)
{
	struct lg_slice blob = fetch->verdict.blob;

	if (!slice_present(blob))
		return true;
	fetch->blob = arena_copy(&fetch->arena, blob);
	return slice_present(fetch->blob);
}

static void on_stored(struct intake *intake)
{
	struct fetch *fetch = intake->fetch;

	if (intake->submission.status != SUBMISSION_STORED) {
		give_back(fetch);
		return;
	}
	intake_conclude_all(intake);
	fetch_refused_tell(fetch);
	fetch->calls_since_commit = 0;
	if (fetch->goes_on && take_blob(fetch) && !fetch->desk->closing)
		send_call(fetch);
	else
		fetch_free(&fetch);
}

static void on_answer(void *context, const struct http_answer *answer)
{
	struct fetch *fetch = context;
	bool whole = answer->result == HTTP_ANSWERED && !answer->body_cut;

	fetch->exchange = NULL;
	fetch->calls++;
	fetch->calls_since_commit++;
	source_count(fetch->desk->source, whole ? SOURCE_CALLS : SOURCE_CALLS_FAILED);
	fetch->answer = answer;
	if (whole) {
		ask(fetch, LG_CAUSE_RESPONSE);
	} else {
		begin_turn(fetch);
		fetch->verdict.reason = arena_copy(&fetch->request.arena,
						   slice_from(answer->reason));
	}
	/* The answer is gone with this function. */
	fetch->answer = NULL;
	fetch->vendors_trouble = !whole || answer->status == 429 || answer->status >= 500;
	act(fetch);
}

void fetch_begin(struct fetch *fetch)
{
	const struct claim *first = &fetch->claims[0];
	bool whole = slice_present(first->group) && first->parts > 0 &&
		     fetch->count >= (size_t)first->parts;

	fetch->answer = NULL;
	ask(fetch, whole ? LG_CAUSE_GROUP : LG_CAUSE_DUE);
	act(fetch);
}
