#include <stdio.h>

#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/claim_lines.h"
#include "verbs/explanation.h"
#include "verbs/verb.h"

/* Leads of one address that are listed; the office number of many has more. */
#define MATCHES_MAX 100
/* Each is looked for by two keys. */
#define CLAIMS_MAX (IDENTITY_KEYS_MAX / 2)
#define ARENA_BLOCK_BYTES (64 << 10)

/* What the operator asked for. */
struct question {
	struct view view;
	const char *text;
	bool json;
	struct arena arena; /* of what is asked; an event has one of its own */
	struct error error;
};

static int give_up(struct question *question)
{
	fprintf(stderr, "leadgate: %s\n", question->error.text);
	return EXIT_FAILED;
}

/* ---- one lead ---- */

static bool print_lead(struct question *question, const struct journal_event *present)
{
	struct lg_slice record = event_body_lead(present->body);
	const struct json *lead = json_parse(&question->arena, record, &question->error);
	struct buffer out;
	bool good;

	if (!lead)
		return error_prefix(&question->error, "the record in the store: ");
	buffer_init(&out, SIZE_MAX);
	if (question->json)
		explanation_json_lead(&out, record);
	else
		explanation_text_lead(&out, lead);
	good = print_buffer(&out) || error_set(&question->error, "not all was written");
	buffer_fini(&out);
	return good;
}

static bool print_event(struct question *question, struct arena *arena,
			const struct history_event *event)
{
	struct explained_event explained;
	struct buffer out;
	bool good;

	if (!explanation_gather(&explained, arena, &question->view, event, &question->error))
		return false;
	buffer_init(&out, SIZE_MAX);
	(question->json ? explanation_json_event : explanation_text_event)(&out, &explained);
	good = print_buffer(&out) || error_set(&question->error, "not all was written");
	buffer_fini(&out);
	return good;
}

/* Event after event, so that a lead with many takes no more memory than one. */
static bool print_events(struct question *question, const uint8_t lead_id[UUID_BYTES])
{
	struct history history;
	int more = 1;

	if (!history_begin(&history, question->view.reader, lead_id, &question->error))
		return false;
	while (more > 0) {
		struct history_event event;
		struct arena arena;

		arena_init(&arena, ARENA_BLOCK_BYTES, 0);
		more = history_next(&history, &arena, &event, &question->error);
		if (more > 0 && !print_event(question, &arena, &event))
			more = -1;
		arena_fini(&arena);
	}
	return more == 0;
}

static int explain(struct question *question, const struct journal_event *present)
{
	if (print_lead(question, present) && print_events(question, present->lead_id))
		return EXIT_DONE;
	return give_up(question);
}

static int explain_id(struct question *question, const uint8_t id[UUID_BYTES])
{
	struct journal_event present;

	if (view_lead(&question->view, &question->arena, id, &present, &question->error))
		return explain(question, &present);
	fprintf(stderr, "leadgate: no lead and no receipt has the id %s: %s\n", question->text,
		question->error.text);
	return EXIT_FAILED;
}

/* ---- by email or phone ---- */

/* The keys that a form with this address alone would have. False with a reason:
 * it cannot be read, or the store has no keys of its kind. */
static bool make_keys(struct question *question, int field, struct identity_keys *keys)
{
	const struct settings *settings = question->view.settings;
	struct normalize_settings normalize = {""};
	uint8_t secret[IDENTITY_SECRET_BYTES];
	struct lead *lead = lead_new(&question->arena, &settings->lead);

	slice_to_text(settings->defaults.region, normalize.region, sizeof(normalize.region));
	if (!lead || !lead_set(lead, field, slice_from(question->text)) ||
	    !lead_normalize(lead, &normalize))
		return error_set(&question->error, "not enough memory");
	if (!history_secret(question->view.reader, secret, &question->error))
		return false;
	identity_person(lead, secret, 1u << IDENTITY_EMAIL | 1u << IDENTITY_PHONE, keys);
	if (keys->count > 0)
		return true;
	if (field == LG_EMAIL)
		return error_set(&question->error, "%s cannot be read as an email address",
				 question->text);
	return error_set(&question->error,
			 "%s is no id, no email address and no key of a claim, and cannot be read "
			 "as a phone number of the region %s",
			 question->text, normalize.region);
}

/* A line of the list, or the lead's record. */
static void add_match(struct question *question, const uint8_t lead_id[UUID_BYTES],
		      struct buffer *out)
{
	struct journal_event present;
	char id[UUID_TEXT_BYTES];

	uuid_format(lead_id, id);
	if (!reader_lead(question->view.reader, &question->arena, lead_id, &present,
			 &question->error))
		return; /* erased meanwhile */
	struct lg_slice record = event_body_lead(present.body);
	if (question->json) {
		explanation_json_lead(out, record);
		return;
	}
	const struct json *lead = json_parse(&question->arena, record, NULL);
	const struct json *person = json_member(lead, "person");
	buffer_printf(out, "%s ", id);
	print_cell(out, json_member_text(lead, "captured_at"), 24);
	buffer_add_byte(out, ' ');
	print_cell(out, json_member_text(json_member(lead, "source"), "name"), 16);
	buffer_add_byte(out, ' ');
	print_cell(out, json_member_text(person, "full_name"), 0);
	buffer_add_byte(out, '\n');
}

static int list_matches(struct question *question, uint8_t leads[][UUID_BYTES], size_t count)
{
	struct buffer out;
	int status;

	buffer_init(&out, SIZE_MAX);
	if (!question->json)
		buffer_printf(&out, "%zu%s leads are known by it; explain one by its id:\n", count,
			      count == MATCHES_MAX ? " or more" : "");
	for (size_t i = 0; i < count; i++)
		add_match(question, leads[i], &out);
	status = print_buffer(&out) ? EXIT_DONE : EXIT_FAILED;
	buffer_fini(&out);
	return status;
}

/* Whether captures leave keys of this kind: what has none is found by nothing. */
static bool has_keys(const struct question *question, const char *kind)
{
	const struct lg_list *keys = &question->view.settings->dedup.keys;

	for (size_t i = 0; i < keys->count; i++)
		if (slice_is(keys->items[i], kind))
			return true;
	return false;
}

static int explain_address(struct question *question, int field)
{
	uint8_t leads[MATCHES_MAX][UUID_BYTES];
	struct identity_keys keys;
	ptrdiff_t count;

	if (!make_keys(question, field, &keys))
		return give_up(question);
	count = history_find(question->view.reader, &keys, leads, MATCHES_MAX, &question->error);
	if (count < 0)
		return give_up(question);
	if (count == 1)
		return explain_id(question, leads[0]);
	if (count > 1)
		return list_matches(question, leads, (size_t)count);
	const char *kind = field == LG_EMAIL ? "email" : "phone";
	fprintf(stderr, "leadgate: nobody is known by %s%s%s\n", question->text,
		has_keys(question, kind) ? "" : "; dedup.keys does not name ",
		has_keys(question, kind) ? "" : kind);
	return EXIT_FAILED;
}

/* ---- by the key of a claim ---- */

static bool print_claims(const struct question *question, const struct claim *claims, size_t count)
{
	struct buffer out;
	bool good;

	buffer_init(&out, SIZE_MAX);
	for (size_t i = 0; i < count; i++)
		(question->json ? claim_lines_json : claim_lines_text)(&out, &claims[i]);
	good = print_buffer(&out);
	buffer_fini(&out);
	return good;
}

/* Leads that were fetched carry the key of their claim as that of their delivery; the claim
 * does not say whether it became a test. */
static void add_claim_keys(struct identity_keys *keys, const uint8_t secret[IDENTITY_SECRET_BYTES],
			   const struct claim *claim)
{
	uint64_t hash = identity_hash(secret, IDENTITY_DELIVERY, claim->source, claim->key);
	uint64_t test = identity_test_hash(secret, IDENTITY_DELIVERY, claim->source, claim->key);

	keys->keys[keys->count++] = (struct identity_key){hash, IDENTITY_DELIVERY, 0};
	keys->keys[keys->count++] = (struct identity_key){test, IDENTITY_DELIVERY, 0};
}

static ptrdiff_t find_fetched(struct question *question, const struct claim *claims, size_t count,
			      uint8_t leads[][UUID_BYTES])
{
	uint8_t secret[IDENTITY_SECRET_BYTES];
	struct identity_keys keys = {.count = 0};

	if (!history_secret(question->view.reader, secret, &question->error))
		return -1;
	for (size_t i = 0; i < count; i++)
		add_claim_keys(&keys, secret, &claims[i]);
	return history_find(question->view.reader, &keys, leads, MATCHES_MAX, &question->error);
}

/* The claims, which sources may give the same key, and what was fetched for them. */
static int explain_claims(struct question *question, const struct claim *claims, size_t count)
{
	uint8_t leads[MATCHES_MAX][UUID_BYTES];
	ptrdiff_t found;
	int status = EXIT_DONE;

	if (!print_claims(question, claims, count))
		return EXIT_FAILED;
	found = find_fetched(question, claims, count, leads);
	if (found < 0)
		return give_up(question);
	for (ptrdiff_t i = 0; i < found && status == EXIT_DONE; i++)
		status = explain_id(question, leads[i]);
	return status;
}

static int answer(struct question *question)
{
	size_t length = strlen(question->text);
	uint8_t id[UUID_BYTES];
	struct claim *claims;
	ptrdiff_t count;

	if (uuid_parse(question->text, length, id) == 0)
		return explain_id(question, id);
	count = reader_claims_named(question->view.reader, &question->arena, slice_of(NULL, 0),
				    slice_from(question->text), CLAIMS_MAX, &claims,
				    &question->error);
	if (count < 0)
		return give_up(question);
	if (count > 0)
		return explain_claims(question, claims, (size_t)count);
	return explain_address(question, strchr(question->text, '@') ? LG_EMAIL : LG_PHONE);
}

int verb_explain(int argc, char **argv)
{
	struct arguments arguments;
	struct question question = {.json = false};
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG | ARGUMENT_JSON, 1, 1))
		return EXIT_USAGE;
	question.text = arguments.operands[0];
	question.json = arguments.json;
	arena_init(&question.arena, ARENA_BLOCK_BYTES, 0);
	status = view_open(&question.view, arguments.config);
	if (status == EXIT_DONE)
		status = answer(&question);
	view_close(&question.view);
	arena_fini(&question.arena);
	return status;
}
