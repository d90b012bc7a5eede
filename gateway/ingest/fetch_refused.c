#include "ingest/fetch_refused.h"

#include "base/clock.h"
#include "base/log.h"
#include "ingest/desk.h"
#include "ingest/fetch_verdict.h"

/* The claim will be dead by the same refusal. */
static bool is_told_by_claim(const struct fetch *fetch)
{
	return slice_present(fetch_verdict_refusal(fetch));
}

static bool can_be_claim(const struct fetch *fetch, const struct intake_item *item)
{
	return fetch->desk->source->instance->source.claim && item->key.length > 0 &&
	       item->key.length <= LG_CLAIM_KEY_MAX;
}

/* The row whose own key is the item's; `count`: it is another's. */
static size_t row_of(const struct fetch *fetch, const struct intake_item *item)
{
	size_t row = 0;

	if (fetch->claims[0].kind != CLAIM_STUB)
		return fetch->count;
	while (row < fetch->count && !slice_equal(fetch->claims[row].key, item->key))
		row++;
	return row;
}

/* A claim under this key is there: it is dead when the errand is done. */
static bool remember(struct fetch *fetch, size_t row, struct lg_slice reason)
{
	if (!fetch->refusals)
		fetch->refusals = arena_zalloc(&fetch->arena,
					       fetch->count * sizeof(*fetch->refusals));
	if (fetch->refusals)
		fetch->refusals[row] = arena_copy(&fetch->arena, reason);
	return !fetch->arena.failed;
}

static bool keep(struct fetch *fetch, const struct intake_item *item)
{
	struct intake *intake = &fetch->intake;
	struct claim_stub *stub = arena_new(&fetch->request.arena, struct claim_stub);

	if (!stub)
		return false;
	stub->kind = CLAIM_STUB;
	stub->key = item->key;
	stub->due_ms = fetch->request.received_ms;
	stub->refusal = item->reason;
	*intake->last_stub = stub;
	intake->last_stub = &stub->next;
	intake->submission.claims = &intake->claims;
	intake->submission.bytes += stub->key.length;
	return true;
}

bool fetch_refused_keep(struct fetch *fetch)
{
	if (is_told_by_claim(fetch))
		return true;
	for (const struct intake_item *i = fetch->intake.items; i; i = i->next) {
		size_t row = row_of(fetch, i);

		if (i->verdict != LG_REFUSED || !can_be_claim(fetch, i))
			continue;
		if (row < fetch->count ? !remember(fetch, row, i->reason) : !keep(fetch, i))
			return false;
	}
	return true;
}

/* The key is the vendor's id of the lead; what the lead says is nowhere in it. */
static void tell(struct fetch *fetch, const struct intake_item *item)
{
	struct desk *desk = fetch->desk;

	if (!bucket_take(&desk->refused_lines, 1, clock_monotonic_ms())) {
		desk->refused_untold++;
		return;
	}
	log_warning("claim.lead-refused", LOG_SLICE("source", desk->source->instance->name),
		    LOG_TEXT("kind", claim_kind_name(fetch->claims[0].kind)),
		    LOG_SLICE("key", slice_cut(item->key, 0, LG_CLAIM_KEY_MAX)),
		    LOG_SLICE("reason", item->reason), LOG_INT("untold", desk->refused_untold));
	desk->refused_untold = 0;
}

void fetch_refused_tell(struct fetch *fetch)
{
	if (is_told_by_claim(fetch))
		return;
	for (const struct intake_item *i = fetch->intake.items; i; i = i->next)
		if (i->verdict == LG_REFUSED && row_of(fetch, i) == fetch->count)
			tell(fetch, i);
}
