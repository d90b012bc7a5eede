/* Claims, state and times: what a plugin may ask in a request and in an errand alike. */
#include "ingest/intake.h"

#include "base/clock.h"
#include "base/list.h"
#include "codec/date.h"
#include "ingest/keep.h"

static struct intake *intake_of(struct lg_request *request)
{
	return container_of(request, struct intake, handle);
}

static bool fits(const struct intake *intake, const struct lg_claim *claim)
{
	const struct instance *instance = intake->source->instance;

	return instance->source.claim && source_has_errands(intake->source) &&
	       claim->key.length > 0 && claim->key.length <= LG_CLAIM_KEY_MAX &&
	       claim->group.length <= LG_CLAIM_KEY_MAX && claim->parts >= 0 && claim->due >= 0 &&
	       claim->blob.length <= LG_CLAIM_BLOB_MAX &&
	       !source_holds_secret(intake->source, claim->blob);
}

/* An absent slice stays one. False: memory ran out. */
static bool keep_slice(struct arena *arena, struct lg_slice from, struct lg_slice *to)
{
	if (!slice_present(from))
		return true;
	*to = arena_copy(arena, from);
	return slice_present(*to);
}

static int32_t claim(struct lg_request *handle, const struct lg_claim *theirs)
{
	struct intake *intake = intake_of(handle);
	struct arena *arena = &intake->request->arena;
	struct lg_claim ours = {0};
	struct claim_stub *stub;
	struct intake_item *item;

	memcpy(&ours, theirs, theirs->size < sizeof(ours) ? theirs->size : sizeof(ours));
	ours.key = slice_known(ours.key);
	ours.group = slice_known(ours.group);
	ours.blob = slice_known(ours.blob);
	if (!fits(intake, &ours))
		return LG_FAIL;
	stub = arena_new(arena, struct claim_stub);
	if (!stub || !keep_slice(arena, ours.key, &stub->key) ||
	    !keep_slice(arena, ours.blob, &stub->blob) ||
	    (ours.group.length && !keep_slice(arena, ours.group, &stub->group)))
		return LG_FAIL;
	stub->kind = CLAIM_STUB;
	stub->parts = ours.parts;
	stub->due_ms = ours.due ? ours.due : intake->request->received_ms;
	item = intake_add(intake);
	if (!item)
		return LG_FAIL;
	item->stub = stub;
	*intake->last_stub = stub;
	intake->last_stub = &stub->next;
	intake->stub_count++;
	return LG_OK;
}

static int32_t state_get(struct lg_request *handle, struct lg_slice key, struct lg_slice *value)
{
	const struct intake *intake = intake_of(handle);
	struct lg_slice found = {0};

	if (intake->ingest->keep)
		found = keep_get(intake->ingest->keep, intake->source->instance->name,
				 slice_known(key), &intake->request->arena);
	if (!slice_present(found))
		return LG_FAIL;
	*value = found;
	return LG_OK;
}

static struct state_note *note_of(const struct intake *intake, struct lg_slice key)
{
	struct state_note *note = intake->claims.notes;

	while (note && !slice_equal(note->key, key))
		note = note->next;
	return note;
}

/* One note a key, so that a plugin may move its cursor with each lead. */
static struct state_note *make_note(struct intake *intake, struct lg_slice key)
{
	struct state_note *note = arena_new(&intake->request->arena, struct state_note);

	if (!note || !keep_slice(&intake->request->arena, key, &note->key))
		return NULL;
	*intake->last_note = note;
	intake->last_note = &note->next;
	intake->note_count++;
	return note;
}

/* Whether the source may keep one more key beside those that it has, and those that this
 * request brings. */
static bool has_room(const struct intake *intake, struct lg_slice key, bool noted)
{
	size_t others = intake->note_count - noted;

	return others < LG_STATE_KEYS_MAX &&
	       keep_has_room(intake->ingest->keep, intake->source->instance->name, key,
			     LG_STATE_KEYS_MAX - others);
}

static int32_t state_set(struct lg_request *handle, struct lg_slice key, struct lg_slice value)
{
	struct intake *intake = intake_of(handle);
	struct lg_slice kept = {0};
	struct state_note *note;

	key = slice_known(key);
	value = slice_known(value);
	if (!intake_is_open(intake) || key.length == 0 || key.length > LG_STATE_KEY_MAX ||
	    value.length > LG_STATE_VALUE_MAX || !intake->ingest->keep)
		return LG_FAIL;
	note = note_of(intake, key);
	if (!note && intake->note_count >= LG_STATE_KEYS_MAX)
		return LG_FAIL;
	if (slice_present(value) && !has_room(intake, key, note))
		return LG_FAIL;
	if (!keep_slice(&intake->request->arena, value, &kept))
		return LG_FAIL;
	if (!note)
		note = make_note(intake, key);
	if (!note)
		return LG_FAIL;
	note->value = kept;
	return LG_OK;
}

static int32_t read_time(struct lg_slice text, int64_t *at)
{
	return time_parse(slice_known(text), at) ? LG_OK : LG_FAIL;
}

static struct lg_slice time_text(struct lg_request *handle, int64_t at)
{
	char text[CLOCK_RFC3339_BYTES];

	clock_format(at, text);
	return arena_copy(&intake_of(handle)->request->arena, slice_from(text));
}

void intake_claim_services(struct lg_services *services)
{
	services->claim = claim;
	services->state_get = state_get;
	services->state_set = state_set;
	services->time = read_time;
	services->time_text = time_text;
}
