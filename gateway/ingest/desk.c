#include "ingest/desk.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "ingest/keep.h"

/* Claims of one group that are fetched together; more parts than this come alone. */
#define GROUP_MAX 64
/* Clocks are set: nobody sleeps for longer without looking. */
#define LOOK_MS_MAX 60000
#define HOUSE_MS 60000
/* Counting rows takes time, so it is done at most so often. */
#define COUNT_MS 1000
/* At most this many warnings of refused leads a second and source. */
#define REFUSED_LINES_PER_S 1
#define REFUSED_LINES_BURST 20

static void on_house(struct intake *intake);

struct desk *desk_new(struct ingest *ingest, struct source *source, struct ingest_loop *loop,
		      struct loop *base_loop, struct reader *reader, struct loop_task *turn,
		      struct error *error)
{
	const struct errand_settings *settings = &source->settings.errands;
	struct desk *desk = alloc_zalloc(sizeof(*desk));

	if (!desk) {
		error_set(error, "not enough memory");
		return NULL;
	}
	list_init(&desk->fetches);
	arena_init(&desk->house_request.arena, 1024, 0);
	desk->ingest = ingest;
	desk->source = source;
	desk->loop = loop;
	desk->reader = reader;
	desk->turn = turn;
	desk->recount = true;
	desk->counted_ms = -COUNT_MS;
	bucket_init(&desk->refused_lines, REFUSED_LINES_PER_S, REFUSED_LINES_BURST,
		    clock_monotonic_ms());
	desk->client_settings = *settings->client;
	desk->client_settings.timeout_ms = settings->timeout_ms;
	desk->client_settings.answer_keep_bytes = settings->answer_bytes;
	desk->client_settings.answer_max_bytes = settings->answer_bytes;
	desk->client_settings.calls_max = settings->concurrency;
	desk->client_settings.user_agent = LG_SLICE("leadgate/" PACKAGE_VERSION);
	desk->client_settings.allow_private = settings->allow_private;
	if (slice_present(settings->ca_file))
		desk->client_settings.ca_file = settings->ca_file;
	desk->client = http_client_new(base_loop, &desk->client_settings, error);
	if (!desk->client)
		desk_free(&desk);
	return desk;
}

/* A storm of refused leads may end while its last warnings are held back. */
static void tell_untold(struct desk *desk)
{
	if (desk->refused_untold)
		log_warning("claim.leads-refused",
			    LOG_SLICE("source", desk->source->instance->name),
			    LOG_INT("untold", desk->refused_untold));
	desk->refused_untold = 0;
}

void desk_free(struct desk **pointer)
{
	struct desk *desk = *pointer;

	*pointer = NULL;
	if (!desk)
		return;
	ALWAYS(list_empty(&desk->fetches) && !desk->house_under_way);
	tell_untold(desk);
	if (desk->link.next)
		list_remove(&desk->link);
	http_client_free(&desk->client);
	arena_fini(&desk->house_request.arena);
	alloc_free(desk);
}

/* ---- trouble ----------------------------------------------------------------------- */

void desk_trouble(struct desk *desk, int64_t pause_ms)
{
	const struct errand_settings *settings = &desk->source->settings.errands;
	int64_t now_ms = clock_monotonic_ms(), until_ms;

	/* Errands that were under way together fail for one reason. */
	if (now_ms >= desk->pause_until_ms) {
		desk->trouble_ms = desk->trouble_ms ? 2 * desk->trouble_ms
						    : settings->retry_first_ms;
		if (desk->trouble_ms > settings->retry_max_ms)
			desk->trouble_ms = settings->retry_max_ms;
	}
	until_ms = now_ms + (pause_ms > desk->trouble_ms ? pause_ms : desk->trouble_ms);
	if (until_ms > desk->pause_until_ms)
		desk->pause_until_ms = until_ms;
}

void desk_relief(struct desk *desk)
{
	desk->trouble_ms = 0;
}

void desk_hurry(struct desk *desk)
{
	desk->trouble_ms = desk->pause_until_ms = 0;
	desk->recount = true;
}

/* ---- house keeping ------------------------------------------------------------------ */

static bool polls(const struct desk *desk)
{
	return desk->source->settings.errands.poll_ms > 0 && desk->source->instance->source.poll;
}

/* When it opens: what was parked has another chance under the settings of now. */
static bool open_house(struct desk *desk, struct claim_work *work)
{
	struct claim_stub *stub = arena_new(&desk->house_request.arena, struct claim_stub);

	if (!stub)
		return false;
	work->unpark = true;
	stub->kind = CLAIM_POLL;
	stub->key = LG_SLICE("poll");
	stub->due_ms = desk->house_request.received_ms;
	work->drop_poll = !polls(desk);
	if (polls(desk))
		work->stubs = stub;
	return true;
}

static void keep_house(struct desk *desk, int64_t now_ms)
{
	struct intake *house = &desk->house;
	struct claim_work *work = &house->claims;

	tell_untold(desk);
	desk->house_ms = now_ms + HOUSE_MS;
	arena_reset(&desk->house_request.arena);
	memset(house, 0, sizeof(*house));
	desk->house_request.received_ms = clock_wall_ms();
	intake_init(house, desk->ingest, desk->loop, desk->source, &desk->house_request);
	house->stored = on_house;
	house->submission.claims = work;
	house->submission.reply = &desk->loop->mailbox;
	work->drop_before_ms = desk->house_request.received_ms -
			       desk->source->settings.errands.keep_ms;
	if (desk->opened || open_house(desk, work))
		desk->house_under_way = outbox_submit(desk->ingest->outbox, &house->submission);
	if (!desk->opened && !desk->house_under_way)
		desk->house_ms = now_ms + COUNT_MS;
}

static void on_house(struct intake *intake)
{
	struct desk *desk = container_of(intake, struct desk, house);

	desk->house_under_way = false;
	desk->recount = true;
	if (intake->submission.status == SUBMISSION_STORED) {
		desk->opened = true;
		if (desk->house.claims.drop_more)
			desk->house_ms = clock_monotonic_ms();
	} else if (!desk->opened) {
		desk->house_ms = clock_monotonic_ms() + COUNT_MS;
	}
	loop_task_post(desk->turn);
}

/* Gauges for whoever watches; intakes add to what waits in between. */
static int64_t recount(struct desk *desk, int64_t now_ms)
{
	const int *counters = desk->source->counters;
	int64_t by_state[CLAIM_STATES];

	if (!desk->recount)
		return LOOK_MS_MAX;
	if (now_ms - desk->counted_ms < COUNT_MS)
		return desk->counted_ms + COUNT_MS - now_ms;
	desk->counted_ms = now_ms;
	if (!reader_claims_count(desk->reader, desk->source->instance->name, by_state))
		return COUNT_MS;
	desk->recount = false;
	counter_set(counters[SOURCE_CLAIMS_WAITING], by_state[CLAIM_WAITING]);
	counter_set(counters[SOURCE_CLAIMS_PARKED], by_state[CLAIM_PARKED]);
	counter_set(counters[SOURCE_CLAIMS_DEAD], by_state[CLAIM_DEAD]);
	return LOOK_MS_MAX;
}

/* ---- what is due ---------------------------------------------------------------------- */

static bool is_same(const struct fetch *fetch, const struct claim *claim)
{
	if (slice_present(claim->group) && slice_present(fetch->claims[0].group))
		return slice_equal(claim->group, fetch->claims[0].group);
	for (size_t i = 0; i < fetch->count; i++)
		if (fetch->numbers[i] == claim->number)
			return true;
	return false;
}

static bool is_under_way(const struct desk *desk, const struct claim *claim)
{
	LIST_EACH(link, &desk->fetches)
		if (is_same(container_of(link, struct fetch, link), claim))
			return true;
	return false;
}

/* False: memory ran out, or the journal cannot be read. */
static bool begin(struct desk *desk, struct arena *arena, const struct claim *claim)
{
	struct claim *claims = NULL;
	struct error error;
	ptrdiff_t count = 1;
	struct fetch *fetch;

	if (slice_present(claim->group))
		count = reader_claims_of(desk->reader, arena, desk->source->instance->name,
					 claim->group, GROUP_MAX, &claims, &error);
	if (count < 1)
		return false;
	fetch = fetch_new(desk, claims ? claims : claim, (size_t)count);
	if (!fetch)
		return false;
	fetch_begin(fetch);
	return true;
}

static size_t most_at_once(const struct desk *desk)
{
	return desk->trouble_ms ? 1 : (size_t)desk->source->settings.errands.concurrency;
}

/* Begins what there is room for. Returns when the next one is due, wall clock. */
static int64_t begin_due(struct desk *desk, struct arena *arena)
{
	size_t most = desk->row_count + most_at_once(desk) + 1;
	int64_t now_ms = clock_wall_ms();
	struct claim *claims;
	struct error error;
	ptrdiff_t count = reader_claims_due(desk->reader, arena, desk->source->instance->name,
					    INT64_MAX, most, &claims, &error);

	if (count < 0) {
		log_warning("claim.unread", LOG_SLICE("source", desk->source->instance->name),
			    LOG_TEXT("reason", error.text));
		return now_ms + COUNT_MS;
	}
	for (ptrdiff_t i = 0; i < count; i++) {
		if (is_under_way(desk, &claims[i]))
			continue;
		if (claims[i].due_ms > now_ms)
			return claims[i].due_ms;
		if (desk->fetch_count >= most_at_once(desk) ||
		    clock_monotonic_ms() < desk->pause_until_ms)
			break;
		if (!begin(desk, arena, &claims[i]))
			return now_ms + COUNT_MS;
	}
	return INT64_MAX;
}

int64_t desk_look(struct desk *desk)
{
	int64_t now_ms = clock_monotonic_ms(), next_ms, wait_ms = LOOK_MS_MAX, count_ms;
	struct arena arena;

	if (desk->closing)
		return LOOK_MS_MAX;
	if (!desk->house_under_way && now_ms >= desk->house_ms)
		keep_house(desk, now_ms);
	if (!desk->opened)
		return COUNT_MS;
	if (now_ms < desk->pause_until_ms) {
		wait_ms = desk->pause_until_ms - now_ms;
	} else if (desk->fetch_count < most_at_once(desk)) {
		arena_init(&arena, 16384, 0);
		next_ms = begin_due(desk, &arena);
		arena_fini(&arena);
		if (next_ms < INT64_MAX)
			wait_ms = next_ms - clock_wall_ms();
	}
	count_ms = recount(desk, now_ms);
	if (count_ms < wait_ms)
		wait_ms = count_ms;
	return wait_ms < 1 ? 1 : wait_ms > LOOK_MS_MAX ? LOOK_MS_MAX : wait_ms;
}

bool desk_close(struct desk *desk)
{
	desk->closing = true;
	LIST_EACH_SAFE(link, &desk->fetches) {
		struct fetch *fetch = container_of(link, struct fetch, link);
		if (!fetch_is_stored(fetch))
			fetch_free(&fetch);
	}
	return list_empty(&desk->fetches) && !desk->house_under_way;
}
