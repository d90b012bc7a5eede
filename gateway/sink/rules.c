#include "sink/rules.h"

#include "base/error.h"

/* A lead says `"is_test":true` before `"source"`, and what stands before that
 * has a fixed size: schema, id, times. */
#define HEAD_BYTES 448

/* Bits of the event types in a list of words. A sink that takes new leads takes
 * those that were released later, too. */
static bool add_type(unsigned int *types, struct lg_slice word, struct error *error)
{
	int type = event_type_parse(word);

	if (type < 0)
		return error_set(error, "there is no event type \"%.*s\"", SLICE_ARGS(word));
	*types |= 1u << type;
	if (type == EVENT_CREATED)
		*types |= 1u << EVENT_RELEASED;
	return true;
}

static bool read_types(struct run_rules *rules, const char *taken, struct error *error)
{
	const struct lg_list *chosen = &rules->settings->events;
	struct lg_slice rest = slice_from(taken ? taken : "lead.created lead.touched"), word;

	for (size_t i = 0; i < chosen->count; i++)
		if (!add_type(&rules->types, chosen->items[i], error))
			return false;
	while (!chosen->count && slice_split(&rest, ' ', &word))
		if (word.length && !add_type(&rules->types, word, error))
			return false;
	return true;
}

static bool read_when(struct run_rules *rules, struct error *error)
{
	const struct sink_settings *settings = rules->settings;

	if (!slice_present(settings->when))
		return true;
	rules->when = filter_new(settings->when, settings->http.limits, error);
	return rules->when != NULL;
}

static bool read_mapping(struct run_rules *rules, struct error *error)
{
	const struct sink_settings *settings = rules->settings;

	if (settings->mapping.kind == OUTLINE_ABSENT)
		return true;
	rules->mapping = mapping_new(&settings->mapping, (enum mapping_form)settings->mapping_as,
				     settings->max_body_bytes, settings->http.limits, error);
	return rules->mapping || error_prefix(error, "\"mapping\": ");
}

bool rules_init(struct run_rules *rules, const struct instance *instance,
		const struct sink_settings *settings, struct error *error)
{
	*rules = (struct run_rules){.tests = settings->is_test, .settings = settings};
	return read_types(rules, instance->sink.events, error) && read_when(rules, error) &&
	       read_mapping(rules, error);
}

void rules_fini(struct run_rules *rules)
{
	filter_free(&rules->when);
	mapping_free(&rules->mapping);
}

/* Asked for every event, so it goes from comma to comma, of which there are
 * about eight. */
static bool is_test(struct lg_slice body)
{
	struct lg_slice head = slice_cut(body, 0, HEAD_BYTES);
	ptrdiff_t comma;

	while ((comma = slice_find(head, ',')) >= 0) {
		head = slice_cut(head, (size_t)comma + 1, SIZE_MAX);
		if (slice_starts(head, "\"is_test\":"))
			return slice_starts(head, "\"is_test\":true");
		if (slice_starts(head, "\"source\":{"))
			return false;
	}
	return false;
}

enum rules_verdict rules_judge(const struct run_rules *rules, enum event_type type,
			       struct lg_slice body, struct error *error)
{
	bool wanted = true;

	if (!(rules->types & 1u << type))
		return RULES_TYPE;
	if (!rules->tests && is_test(body))
		return RULES_TEST;
	/* An alert is of no lead that an expression could look at. */
	if (type == EVENT_ALERT || !rules->when)
		return RULES_WANTED;
	if (!filter_test(rules->when, body, &wanted, error))
		return RULES_FAILED;
	return wanted ? RULES_WANTED : RULES_WHEN;
}
