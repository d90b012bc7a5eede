#include "verbs/explanation.h"

#include "sink/rules.h"

const struct json *explanation_value(const struct json *record, struct lg_slice path)
{
	struct lg_slice part;

	while (record && slice_split(&path, '.', &part))
		record = json_member_slice(record, part);
	return record;
}

struct lg_slice explanation_source(const struct explained_event *explained, const char *member)
{
	char path[32];

	snprintf(path, sizeof(path), "source.%s", member);
	struct lg_slice text = json_member_text(json_member(explained->changes, "kept"), path);

	if (!slice_present(text))
		text = json_member_text(json_member(explained->lead, "source"), member);
	return slice_present(text) ? text : LG_SLICE("");
}

const char *explanation_delivery_key(const struct identity_row *keys)
{
	for (size_t i = 0; i < keys->key_count; i++)
		if (keys->keys[i].kind == IDENTITY_DELIVERY)
			return keys->keys[i].flags & IDENTITY_IDEMPOTENCY ? "idempotency key"
									  : "provider's id";
	return "content";
}

const char *explanation_key(const struct identity_key *key)
{
	switch (key->kind) {
	case IDENTITY_EMAIL: return key->flags & IDENTITY_WEAK ? "email (weak)" : "email";
	case IDENTITY_PHONE: return "phone";
	case IDENTITY_PROFILE: return "profile";
	default: return NULL;
	}
}

/* ---- why it was not sent ---- */

/* Why today's options leave it out; NULL: they do not, or fail to say. */
static const char *left_out(const struct sink_section *section,
			    const struct explained_event *explained)
{
	static const char *const reasons[] = {
		[RULES_TYPE] = "the sink does not take this type of event",
		[RULES_TEST] = "a test, and the sink takes none",
		[RULES_WHEN] = "the sink's `when` says no",
		[RULES_FAILED] = NULL,
	};
	int type = event_type_parse(explained->event.type);
	const char *reason = NULL;
	struct run_rules rules;
	struct error error;

	if (type >= 0 && rules_init(&rules, section->instance, &section->settings, &error))
		reason = reasons[rules_judge(&rules, (enum event_type)type, explained->event.body,
					     &error)];
	if (type >= 0)
		rules_fini(&rules);
	return reason;
}

static const char *why_filtered(const struct sink_section *section,
				const struct explained_event *explained, bool before_begin)
{
	const char *reason;

	if (before_begin)
		return "it was there before the sink began";
	if (!section)
		return "by a configuration that is gone";
	reason = left_out(section, explained);
	return reason ? reason : "by a configuration that was another than today's";
}

static const char *why(const struct sink_section *section, const struct explained_event *explained,
		       int state, bool before_begin)
{
	switch (state) {
	case DELIVERY_FILTERED: return why_filtered(section, explained, before_begin);
	case DELIVERY_DISCARDED: return "a trap: kept, and delivered to nobody";
	case DELIVERY_HELD: return "held until a person releases it";
	case DELIVERY_ERASED: return "erased";
	case HISTORY_UNACCOUNTED: return "in no state: leadgate balance tells more";
	default: return NULL;
	}
}

/* ---- gathering ---- */

/* Of many contents under one key the later ones stand under keys of their own. */
static bool has_delivery(const struct identity_row *keys, uint64_t hash)
{
	struct identity_key key = {.kind = IDENTITY_DELIVERY, .hash = hash};
	struct identity_key further = key;

	further.hash = identity_content_hash(hash, keys->digest);
	return identity_row_has(keys, &key) || identity_row_has(keys, &further);
}

/* Whether the capture has left the delivery key that a claim's lead has. */
static bool has_key_of(const struct identity_row *keys, const struct view *view,
		       const struct claim *claim, struct error *error)
{
	uint8_t secret[IDENTITY_SECRET_BYTES];
	enum identity_kind kind = IDENTITY_DELIVERY;

	if (!history_secret(view->reader, secret, error))
		return false;
	return has_delivery(keys, identity_hash(secret, kind, claim->source, claim->key)) ||
	       has_delivery(keys, identity_test_hash(secret, kind, claim->source, claim->key));
}

/* What the vendor calls the lead is what it told before: the delivery key proves it. */
static bool gather_claim(struct explained_event *explained, struct arena *arena,
			 const struct view *view, struct error *error)
{
	struct lg_slice key = explanation_source(explained, "external_id");
	struct claim *claims;
	ptrdiff_t count;

	if (!explained->event.captured || key.length == 0)
		return true;
	count = reader_claims_named(view->reader, arena, explanation_source(explained, "name"), key,
				    1, &claims, error);
	if (count == 1 && has_key_of(&explained->event.keys, view, &claims[0], error))
		explained->claim = &claims[0];
	return count >= 0;
}

static bool gather_external(struct explained_delivery *delivery, struct arena *arena,
			    const struct view *view, const struct json *lead, struct error *error)
{
	struct lg_slice text = json_member_text(lead, "id");
	uint8_t id[UUID_BYTES];

	if (!slice_present(text) || uuid_parse(text.data, text.length, id) < 0)
		return true;
	return reader_external(view->reader, arena, delivery->sink, id, &delivery->external_id,
			       error);
}

static bool gather_delivery(struct explained_delivery *delivery, struct arena *arena,
			    const struct view *view, const struct explained_event *explained,
			    struct error *error)
{
	const struct sink_section *section = view_sink(view, delivery->sink);
	struct history_attempt *attempts = arena_alloc(arena, EXPLANATION_ATTEMPTS_MAX *
								      sizeof(*attempts));
	int64_t seq = explained->event.seq, begin_seq, begin_ms;
	ptrdiff_t count;

	if (!attempts)
		return error_set(error, "not enough memory");
	if (!history_state(view->reader, arena, delivery->sink, seq, &delivery->state, error) ||
	    !history_begin_of(view->reader, delivery->sink, &begin_seq, &begin_ms, error) ||
	    !gather_external(delivery, arena, view, explained->lead, error))
		return false;
	count = history_attempts(view->reader, arena, delivery->sink, seq, attempts,
				 EXPLANATION_ATTEMPTS_MAX, error);
	delivery->configured = section != NULL;
	delivery->why = why(section, explained, delivery->state.state,
			    seq <= begin_seq && delivery->state.settled_ms <= begin_ms);
	delivery->attempts = attempts;
	delivery->attempt_count = count > 0 ? (size_t)count : 0;
	return count >= 0;
}

/* The configured sinks, then those that the journal alone knows. */
static bool list_sinks(struct explained_event *explained, struct arena *arena,
		       const struct view *view, struct error *error)
{
	size_t configured = view->settings->sink_count;
	struct lg_slice *names;
	ptrdiff_t count = reader_sinks(view->reader, arena, &names, error);

	if (count < 0)
		return false;
	explained->deliveries = arena_zalloc(arena, (configured + (size_t)count + 1) *
							    sizeof(*explained->deliveries));
	if (!explained->deliveries)
		return error_set(error, "not enough memory");
	for (size_t i = 0; i < configured; i++)
		explained->deliveries[i].sink = view->settings->sinks[i].instance->name;
	explained->delivery_count = configured;
	for (ptrdiff_t i = 0; i < count; i++)
		if (!view_sink(view, names[i]))
			explained->deliveries[explained->delivery_count++].sink = names[i];
	return true;
}

bool explanation_gather(struct explained_event *explained, struct arena *arena,
			const struct view *view, const struct history_event *event,
			struct error *error)
{
	*explained = (struct explained_event){.event = *event};
	explained->body = json_parse(arena, event->body, error);
	if (!explained->body)
		return error_prefix(error, "an event in the journal: ");
	explained->lead = json_member(explained->body, "lead");
	explained->changes = json_member(explained->body, "changes");
	if (!gather_claim(explained, arena, view, error) ||
	    !list_sinks(explained, arena, view, error))
		return false;
	for (size_t i = 0; i < explained->delivery_count; i++)
		if (!gather_delivery(&explained->deliveries[i], arena, view, explained, error))
			return false;
	return true;
}
