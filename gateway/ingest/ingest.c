#include "ingest/ingest.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "base/list.h"
#include "base/log.h"
#include "http/refusal.h"
#include "ingest/fetcher.h"
#include "ingest/intake.h"
#include "ingest/keep.h"

/* A sender who is turned away comes back after this long: about the time in
 * which a queue drains, or in which an operator makes room. */
#define RETRY_AFTER_BUSY_S 2
#define RETRY_AFTER_FULL_S 30

#define REASON_MEMORY http_refusal_label(HTTP_REFUSED_NO_MEMORY)
#define DETAIL_MEMORY "the gateway is short of memory"

/* So many leads of one round are not kept back any longer. */
#define HAND_OVER_LEADS 32

/* At most this many warnings of plugins a second and loop. */
#define SLOW_LINES_PER_S 1
#define SLOW_LINES_BURST 10

static void on_letter(struct loop_mailbox *box, struct letter *letter);
static void on_hand_over(struct loop_task *task);

/* The same rows for every loop. */
static void register_stages(struct ingest_loop *loop)
{
	loop->receive_stage = histogram_register_stage("receive");
	loop->prepare_stage = histogram_register_stage("prepare");
	loop->reply_stage = histogram_register_stage("reply");
	loop->requests = histogram_register("leadgate_request_seconds", "",
					    "Time from a whole request to its answer, of "
					    "requests whose leads were stored");
}

struct ingest_loop *ingest_loop_new(struct loop *loop)
{
	struct ingest_loop *l = alloc_zalloc(sizeof(*l));

	if (!l)
		return NULL;
	l->loop = loop;
	buffer_init(&l->record, SIZE_MAX);
	buffer_init(&l->event, SIZE_MAX);
	l->newest = &l->admitted;
	register_stages(l);
	bucket_init(&l->slow_lines, SLOW_LINES_PER_S, SLOW_LINES_BURST, clock_monotonic_ms());
	if (!mailbox_init(&l->mailbox))
		goto fail;
	if (!loop_mailbox_init(&l->box, loop, &l->mailbox, on_letter)) {
		mailbox_fini(&l->mailbox);
		goto fail;
	}
	loop_task_init(&l->hand_over, loop, on_hand_over);
	return l;
fail:
	alloc_free(l);
	return NULL;
}

void ingest_loop_free(struct ingest_loop **loop)
{
	struct ingest_loop *l = *loop;

	*loop = NULL;
	if (!l)
		return;
	loop_task_fini(&l->hand_over);
	loop_mailbox_fini(&l->box);
	mailbox_fini(&l->mailbox);
	buffer_fini(&l->record);
	buffer_fini(&l->event);
	alloc_free(l);
}

void ingest_services_add(struct lg_services *services)
{
	intake_request_services(services);
	intake_lead_services(services);
	intake_reply_services(services);
	intake_claim_services(services);
	intake_csv_services(services);
	fetch_services(services);
	import_services(services);
}

struct source *ingest_source_at(const struct ingest *ingest, struct lg_slice path)
{
	for (size_t i = 0; i < ingest->source_count; i++)
		if (source_takes_requests(&ingest->sources[i]) &&
		    slice_equal(ingest->sources[i].settings.path, path))
			return &ingest->sources[i];
	return NULL;
}

/* A lead that seemed to be taken and never came would be looked for everywhere else. */
bool intake_is_open(struct intake *intake)
{
	const struct instance *instance = intake->source->instance;

	if (!intake->closed_by)
		return true;
	if (!intake->closed_said && bucket_take(&intake->loop->slow_lines, 1, clock_monotonic_ms()))
		log_warning("plugin.out-of-turn", LOG_SLICE("source", instance->name),
			    LOG_TEXT("plugin", instance->library->plugin.name),
			    LOG_TEXT("call", intake->closed_by),
			    LOG_TEXT("reason", "nothing that is added here is stored"));
	intake->closed_said = true;
	return false;
}

struct intake_item *intake_add(struct intake *intake)
{
	struct intake_item *item;

	if (!intake_is_open(intake) || intake->item_count >= intake->item_limit)
		return NULL;
	item = arena_new(&intake->request->arena, struct intake_item);
	if (!item)
		return NULL;
	item->handle.services = intake->handle.services;
	item->intake = intake;
	*intake->last = item;
	intake->last = &item->next;
	intake->item_count++;
	return item;
}

int64_t intake_watch(struct intake *intake, const char *call, int64_t started_us)
{
	int64_t now_us = clock_monotonic_us();

	if (now_us - started_us <= intake->ingest->slow_us)
		return now_us;
	source_count(intake->source, SOURCE_SLOW);
	if (bucket_take(&intake->loop->slow_lines, 1, now_us / 1000))
		log_warning("plugin.slow", LOG_SLICE("source", intake->source->instance->name),
			    LOG_TEXT("call", call), LOG_INT("us", now_us - started_us));
	return now_us;
}

static void answer_no_memory(struct intake *intake)
{
	log_warning("intake.memory", LOG_SLICE("source", intake->source->instance->name));
	intake_refuse(intake, SOURCE_BUSY, REASON_MEMORY, 503, DETAIL_MEMORY, RETRY_AFTER_BUSY_S);
}

/* A whole request that the plugin did not take. */
static void answer_refusal(struct intake *intake)
{
	struct lg_slice detail = intake->refusal_detail;

	if (intake->refusal == 0) {
		log_warning("plugin.failed", LOG_SLICE("source", intake->source->instance->name));
		intake_refuse(intake, SOURCE_FAILED, "plugin-failed", 500,
			      "the source could not read this request", 0);
		return;
	}
	intake_refuse(intake, SOURCE_REFUSED, "refused", intake->refusal,
		      slice_present(detail) ? detail.data : "", 0);
}

void intake_init(struct intake *intake, struct ingest *ingest, struct ingest_loop *loop,
		 struct source *source, struct http_request *request)
{
	intake->handle.services = source->instance->host.services;
	intake->request = request;
	intake->ingest = ingest;
	intake->loop = loop;
	intake->source = source;
	intake->item_limit = (size_t)source->settings.items;
	intake->last = &intake->items;
	intake->claims.source = source->instance->name;
	intake->last_stub = &intake->claims.stubs;
	intake->last_note = &intake->claims.notes;
}

void ingest_call_begin(struct ingest_loop *loop, struct source *source)
{
	/* The time first: see fetcher_called. */
	atomic_store(&loop->called_ms, clock_monotonic_ms());
	atomic_store(&loop->called, source);
	source_enter(source);
}

void ingest_call_end(struct ingest_loop *loop, struct source *source)
{
	source_leave(source);
	atomic_store(&loop->called, NULL);
}

bool intake_has_work(const struct intake *intake)
{
	return intake->submission.count > 0 || intake->submission.claims;
}

/* What is kept is what was committed last, whichever loop hears of it first. */
static void on_noted(struct claim_work *work)
{
	const struct intake *intake = container_of(work, struct intake, claims);

	keep_take(intake->ingest->keep, work->source, work->notes);
}

static void add_claims(struct intake *intake)
{
	struct submission *submission = &intake->submission;

	for (const struct claim_stub *stub = intake->claims.stubs; stub; stub = stub->next)
		submission->bytes += stub->key.length + stub->blob.length;
	intake->claims.noted = on_noted;
	if (intake->claims.stubs || intake->claims.notes)
		submission->claims = &intake->claims;
}

bool intake_prepare_all(struct intake *intake)
{
	struct submission *submission = &intake->submission;

	add_claims(intake);
	if (!intake->items)
		return true;
	submission->captures = arena_alloc(&intake->request->arena,
					   intake->item_count * sizeof(struct capture));
	if (!submission->captures)
		return false;
	for (struct intake_item *item = intake->items; item; item = item->next) {
		struct capture *capture = &submission->captures[submission->count];

		if (!item->lead)
			continue;
		/* An item that was refused may have begun to fill it, or nobody yet. */
		*capture = (struct capture){0};
		if (!intake_prepare(intake, item, capture))
			return false;
		if (!item->capture)
			continue;
		submission->count++;
		submission->bytes += capture->event_json.length;
	}
	return true;
}

static void hand_over(struct ingest_loop *loop)
{
	struct letter *oldest = loop->admitted;

	loop->admitted = NULL;
	loop->newest = &loop->admitted;
	loop->admitted_count = 0;
	outbox_send(loop->outbox, oldest);
}

static void on_hand_over(struct loop_task *task)
{
	hand_over(container_of(task, struct ingest_loop, hand_over));
}

/* What one round of the loop has brought goes to the writer together: it wakes
 * once, and not for the first of them alone. A long round goes in parts, or else
 * the writer waits for the round, and the loop then for the writer. */
static void hand_over_later(struct ingest_loop *loop, struct outbox *outbox, struct letter *letter)
{
	letter->next = NULL;
	*loop->newest = letter;
	loop->newest = &letter->next;
	loop->outbox = outbox; /* one a process */
	if (++loop->admitted_count >= HAND_OVER_LEADS)
		hand_over(loop);
	else
		loop_task_post(&loop->hand_over);
}

/* Claims are the source's debt: what it cannot fetch must not grow without end. */
static bool has_room_for_claims(const struct intake *intake)
{
	const struct source *source = intake->source;

	return intake->stub_count == 0 || counter_read(source->counters[SOURCE_CLAIMS_WAITING]) <
						  source->settings.errands.claims;
}

static void submit(struct intake *intake, int64_t prepared_us)
{
	struct outbox *outbox = intake->ingest->outbox;
	const char *reason = NULL;
	bool ready;

	intake->submission.reply = &intake->loop->mailbox;
	intake->submission.sent_us = prepared_us;
	if (!has_room_for_claims(intake)) {
		intake_refuse(intake, SOURCE_BUSY, "claims", 503,
			      "too many claims wait to be fetched", RETRY_AFTER_FULL_S);
		return;
	}
	if (outbox_admit(outbox, &intake->submission)) {
		hand_over_later(intake->loop, outbox, &intake->submission.letter);
		return;
	}
	ready = outbox_ready(outbox, &reason);
	if (ready)
		intake_refuse(intake, SOURCE_BUSY, source_counter_word(SOURCE_NO_QUEUE), 503,
			      "more leads are waiting than the gateway may hold",
			      RETRY_AFTER_BUSY_S);
	else
		intake_refuse(intake, SOURCE_BUSY, source_counter_word(SOURCE_NO_ROOM), 503, reason,
			      RETRY_AFTER_FULL_S);
}

void ingest_handle(struct ingest *ingest, struct ingest_loop *loop, struct source *source,
		   struct http_request *request)
{
	struct intake *intake = arena_new(&request->arena, struct intake);
	int64_t started_us = clock_monotonic_us(), received_us, prepared_us;
	int32_t outcome;

	if (!intake) {
		source_count(source, SOURCE_BUSY);
		request->reason = REASON_MEMORY;
		http_respond_problem(request, 503, DETAIL_MEMORY, RETRY_AFTER_BUSY_S);
		return;
	}
	intake_init(intake, ingest, loop, source, request);
	intake->started_us = started_us;
	source_enter(source);
	outcome = source->instance->source.receive(source->instance->state, &intake->handle);
	source_leave(source);
	received_us = intake_watch(intake, "receive", started_us);
	histogram_add_us(loop->receive_stage, received_us - started_us);
	if (outcome != LG_OK || intake->refusal) {
		answer_refusal(intake);
		return;
	}
	if (!intake_prepare_all(intake)) {
		answer_no_memory(intake);
		return;
	}
	prepared_us = clock_monotonic_us();
	histogram_add_us(loop->prepare_stage, prepared_us - received_us);
	if (intake_has_work(intake))
		submit(intake, prepared_us);
	else
		intake_answer(intake);
}

static void count_late(struct intake *intake)
{
	for (int i = 0; i <= SOURCE_IGNORED; i++)
		counter_add(intake->source->counters[i], intake->uncounted[i]);
}

void intake_conclude_all(struct intake *intake)
{
	if (intake->reads)
		count_late(intake);
	for (struct intake_item *item = intake->items; item; item = item->next)
		if (item->capture || item->stub)
			intake_conclude(item);
	if (intake->stub_count && intake->ingest->fetcher)
		fetcher_poke(intake->ingest->fetcher);
}

/* The request is gone with its answer, so the times were kept before. */
static void answer_stored(struct intake *intake)
{
	const struct ingest_loop *loop = intake->loop;
	int64_t started_us = intake->started_us, stored_us = intake->submission.stored_us;

	intake_conclude_all(intake);
	intake_answer(intake);
	int64_t now_us = clock_monotonic_us();
	histogram_add_us(loop->reply_stage, now_us - stored_us);
	histogram_add_us(loop->requests, now_us - started_us);
}

/* The writer has given a submission back. */
static void on_letter(struct loop_mailbox *box, struct letter *letter)
{
	struct submission *submission = container_of(letter, struct submission, letter);
	struct intake *intake = container_of(submission, struct intake, submission);
	const char *reason = NULL;

	(void)box;
	if (intake->stored) {
		intake->stored(intake);
		return;
	}
	switch (submission->status) {
	case SUBMISSION_STORED: answer_stored(intake); return;
	case SUBMISSION_FULL:
		outbox_ready(intake->ingest->outbox, &reason);
		intake_refuse(intake, SOURCE_BUSY, source_counter_word(SOURCE_NO_ROOM), 503,
			      reason ? reason : "the store has no room", RETRY_AFTER_FULL_S);
		return;
	case SUBMISSION_FAILED:
		intake_refuse(intake, SOURCE_FAILED, "store-failed", 503,
			      "the store refused this lead", RETRY_AFTER_FULL_S);
		return;
	}
	error_abort("the writer answered with an unknown status %d", (int)submission->status);
}
