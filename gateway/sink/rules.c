#include "sink/rules.h"

#include "base/error.h"
#include "lead/event.h"

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
