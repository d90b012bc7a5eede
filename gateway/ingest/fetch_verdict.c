#include "ingest/fetch_verdict.h"

#include "base/log.h"
#include "base/random.h"
#include "ingest/desk.h"

/* A claim whose attempts fail is given up by its age, but not before so many. */
#define ATTEMPTS_MIN 3
#define REASON_BYTES_MAX 256

static bool is_kind(const struct fetch *fetch, enum claim_kind kind)
{
	return fetch->claims[0].kind == kind;
}

static bool changes_blob(const struct fetch *fetch)
{
	switch (fetch->verdict.verdict) {
	case LG_ERRAND_DONE: return is_kind(fetch, CLAIM_POLL);
	case LG_ERRAND_PARK:
	case LG_ERRAND_DEAD: return false;
	default: return true;
	}
}

const char *fetch_verdict_problem(const struct fetch *fetch)
{
	struct lg_slice blob = fetch->verdict.blob;

	if (!changes_blob(fetch))
		return NULL;
	if (blob.length > LG_CLAIM_BLOB_MAX)
		return "the plugin's blob is longer than 16384 bytes";
	if (source_holds_secret(fetch->desk->source, blob))
		return "the plugin's blob holds a secret of the source";
	return NULL;
}

/* What a claim brought and the gateway cannot store: then it is no lead, and somebody
 * should know. */
struct lg_slice fetch_verdict_refusal(const struct fetch *fetch)
{
	struct lg_slice reason = {0};

	if (!is_kind(fetch, CLAIM_STUB) || fetch->verdict.verdict != LG_ERRAND_DONE)
		return reason;
	for (const struct intake_item *i = fetch->intake.items; i; i = i->next) {
		if (i->capture || i->stub)
			return (struct lg_slice){0};
		if (i->verdict == LG_REFUSED)
			reason = i->reason;
	}
	return reason;
}

/* Full jitter below a ceiling that doubles. */
static int64_t delay_ms(const struct errand_settings *settings, int64_t attempt)
{
	int64_t ceiling_ms = settings->retry_first_ms;

	while (attempt-- > 1 && ceiling_ms < settings->retry_max_ms)
		ceiling_ms *= 2;
	if (ceiling_ms > settings->retry_max_ms)
		ceiling_ms = settings->retry_max_ms;
	return 1 + (int64_t)random_below((uint64_t)ceiling_ms);
}

/* What an answer or a plugin asks for is obeyed within bounds. */
static int64_t asked_ms(const struct fetch *fetch, int64_t wanted_ms)
{
	int64_t most_ms = fetch->desk->source->settings.errands.retry_after_max_ms;

	return wanted_ms < 0 ? 0 : wanted_ms < most_ms ? wanted_ms : most_ms;
}

/* The row's blob does not get past a page with a lead that makes the row dead: who begins
 * the errand again, after a crash or a failed call, is to meet that lead again. */
static struct lg_slice row_blob(const struct fetch *fetch)
{
	return fetch->refusals ? (struct lg_slice){0} : fetch->verdict.blob;
}

static void end_retry(struct fetch *fetch, struct claim_end *end)
{
	const struct errand_settings *settings = &fetch->desk->source->settings.errands;
	int64_t now_ms = fetch->request.received_ms;
	int64_t wait_ms = delay_ms(settings, end->attempts);
	int64_t wanted_ms = asked_ms(fetch, fetch->verdict.retry_after);

	end->due_ms = now_ms + (wanted_ms > wait_ms ? wanted_ms : wait_ms);
	end->blob = row_blob(fetch);
	if (!is_kind(fetch, CLAIM_POLL) && end->attempts >= ATTEMPTS_MIN &&
	    now_ms - fetch->claims[0].at_ms > settings->retry_for_ms)
		end->state = CLAIM_DEAD;
}

static void end_done(struct fetch *fetch, struct claim_end *end)
{
	struct lg_slice refused = fetch_verdict_refusal(fetch);

	end->attempts = 0;
	end->error = (struct lg_slice){0};
	end->state = is_kind(fetch, CLAIM_BACKFILL) ? CLAIM_GONE : CLAIM_DONE;
	end->refusals = fetch->refusals;
	if (slice_present(refused)) {
		end->state = CLAIM_DEAD;
		end->error = refused;
	} else if (is_kind(fetch, CLAIM_POLL)) {
		end->state = CLAIM_WAITING;
		end->due_ms = fetch->request.received_ms +
			      fetch->desk->source->settings.errands.poll_ms;
		end->blob = fetch->verdict.blob;
	}
}

static void make_end(struct fetch *fetch)
{
	struct claim_end *end = &fetch->intake.claims.end;
	const struct lg_verdict *verdict = &fetch->verdict;

	*end = (struct claim_end){
		.numbers = fetch->numbers,
		.count = fetch->count,
		.state = CLAIM_WAITING,
		.attempts = fetch->claims[0].attempts + 1,
		.error = slice_present(verdict->reason)
				 ? slice_cut(verdict->reason, 0, REASON_BYTES_MAX)
				 : LG_SLICE("the source's plugin gave no reason"),
	};
	switch (verdict->verdict) {
	case LG_ERRAND_DONE: end_done(fetch, end); break;
	case LG_ERRAND_MORE:
		end->attempts = fetch->claims[0].attempts;
		end->due_ms = fetch->claims[0].due_ms;
		end->error = (struct lg_slice){0};
		end->blob = row_blob(fetch);
		break;
	case LG_ERRAND_PARK: end->state = CLAIM_PARKED; break;
	case LG_ERRAND_DEAD:
		end->state = is_kind(fetch, CLAIM_POLL) ? CLAIM_PARKED : CLAIM_DEAD;
		break;
	default: end_retry(fetch, end); break;
	}
}

/* Personal data is nowhere in it: a plugin's reason has none, and a row is a number. */
static void tell_end(const struct fetch *fetch, const char *event, size_t row,
		     struct lg_slice reason)
{
	log_warning(event, LOG_SLICE("source", fetch->desk->source->instance->name),
		    LOG_TEXT("kind", claim_kind_name(fetch->claims[row].kind)),
		    LOG_INT("number", fetch->claims[row].number), LOG_SLICE("reason", reason));
}

static void note_done(const struct fetch *fetch)
{
	source_count(fetch->desk->source, fetch->refusals ? SOURCE_FETCH_DEAD : SOURCE_FETCHED);
	for (size_t i = 0; fetch->refusals && i < fetch->count; i++)
		if (slice_present(fetch->refusals[i]))
			tell_end(fetch, "claim.dead", i, fetch->refusals[i]);
}

static void note_end(const struct fetch *fetch)
{
	const struct claim_end *end = &fetch->intake.claims.end;
	const struct source *source = fetch->desk->source;
	bool parked = end->state == CLAIM_PARKED;

	if (fetch->verdict.verdict == LG_ERRAND_DONE && end->state != CLAIM_DEAD) {
		note_done(fetch);
		return;
	}
	source_count(source, parked			? SOURCE_FETCH_PARKED
			     : end->state == CLAIM_DEAD ? SOURCE_FETCH_DEAD
							: SOURCE_FETCH_RETRIED);
	if (parked || end->state == CLAIM_DEAD)
		tell_end(fetch, parked ? "claim.parked" : "claim.dead", 0, end->error);
}

void fetch_verdict_end(struct fetch *fetch)
{
	make_end(fetch);
	if (!fetch->goes_on)
		note_end(fetch);
}

void fetch_verdict_tell(struct fetch *fetch)
{
	const struct lg_verdict *verdict = &fetch->verdict;
	int64_t pause_ms = asked_ms(fetch, verdict->pause);

	if (verdict->verdict == LG_ERRAND_DONE || verdict->verdict == LG_ERRAND_MORE)
		desk_relief(fetch->desk);
	else if (verdict->verdict == LG_ERRAND_PARK || pause_ms ||
		 (verdict->verdict == LG_ERRAND_RETRY && fetch->vendors_trouble))
		desk_trouble(fetch->desk, pause_ms);
}
