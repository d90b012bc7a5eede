#include "supervise/difference.h"

#include "conn/tls_context.h"

#include "config/compare.h"
#include "supervise/settings_part.h"

struct comparison {
	struct arena *arena;
	const struct settings *running, *next;
	struct difference *difference;
};

static void add(struct comparison *c, enum change change, const char *kind, struct lg_slice name)
{
	struct difference *difference = c->difference;

	difference->items[difference->count++] = (struct difference_item){change, kind, name};
	difference->counts[change]++;
}

const char *difference_word(enum change change)
{
	static const char *const words[CHANGE_COUNT] = {
		[CHANGE_KEPT] = "kept",
		[CHANGE_CHANGED] = "changed",
		[CHANGE_NEW] = "new",
		[CHANGE_REMOVED] = "removed",
		[CHANGE_RESTART] = "needs a restart",
	};

	return words[change];
}

/* ---- options of plain sections --------------------------------------------------- */

static void compare_section(struct comparison *c, const struct settings_section *section)
{
	const void *old = settings_section_in(c->running, section->name);
	const void *new = settings_section_in(c->next, section->name);

	for (size_t i = 0; old && i < section->table.count; i++) {
		struct lg_option row = option_at(&section->table, i);

		if (compare_option(&row, old, new))
			continue;
		add(c, settings_is_fixed(section->name, row.name) ? CHANGE_RESTART : CHANGE_CHANGED,
		    "option", arena_printf(c->arena, "%s.%s", section->name, row.name));
	}
}

/* ---- what has a name -------------------------------------------------------------- */

static bool same_instance(const struct instance *a, const struct instance *b)
{
	return a->library == b->library &&
	       compare_options(&a->library->options, a->settings, b->settings);
}

static bool same_errands(const struct source *a, const struct source *b)
{
	const struct option_table table = {errand_options, errand_option_count,
					   sizeof(struct lg_option)};
	const struct option_table client = {http_client_options, http_client_option_count,
					    sizeof(struct lg_option)};

	return !source_has_errands(a) || !source_has_errands(b) ||
	       (compare_options(&table, &a->settings, &b->settings) &&
		compare_options(&client, a->settings.errands.client, b->settings.errands.client));
}

static bool same_imports(const struct source *a, const struct source *b)
{
	const struct option_table table = {import_options, import_option_count,
					   sizeof(struct lg_option)};

	return !source_reads_files(a) || !source_reads_files(b) ||
	       compare_options(&table, &a->settings, &b->settings);
}

static bool same_source(const struct source *a, const struct source *b)
{
	const struct option_table table = {source_options, source_option_count,
					   sizeof(struct lg_option)};

	return same_instance(a->instance, b->instance) &&
	       compare_options(&table, &a->settings, &b->settings) && same_errands(a, b) &&
	       same_imports(a, b) && strcmp(a->normalize.region, b->normalize.region) == 0;
}

/* The sections that sinks share are made use of when a lane starts; a client has
 * only who makes calls. */
static bool same_shared(const struct sink_section *first, const struct sink_section *second)
{
	const struct sink_settings *a = &first->settings, *b = &second->settings;
	bool calls = first->instance->library->plugin.flags & LG_CALLS_HTTP;
	const struct option_table client = {http_client_options, http_client_option_count,
					    sizeof(struct lg_option)};
	const struct option_table limits = {expr_limit_options, expr_limit_option_count,
					    sizeof(struct lg_option)};

	return (!calls || compare_options(&client, a->http.client, b->http.client)) &&
	       compare_options(&limits, a->http.limits, b->http.limits);
}

bool difference_same_sink(const struct sink_section *a, const struct sink_section *b)
{
	const struct option_table table = {sink_options, sink_option_count,
					   sizeof(struct lg_option)};
	const struct option_table http_table = {http_service_options, http_service_option_count,
						sizeof(struct lg_option)};

	return same_instance(a->instance, b->instance) &&
	       compare_options(&table, &a->settings, &b->settings) &&
	       compare_options(&http_table, &a->settings.http, &b->settings.http) &&
	       same_shared(a, b);
}

static bool same_listen(const struct http_listen *a, const struct http_listen *b)
{
	const struct option_table table = {http_listen_options, http_listen_option_count,
					   sizeof(struct lg_option)};

	return compare_options(&table, a, b) && !a->tls == !b->tls &&
	       (!a->tls || tls_context_same(a->tls, b->tls));
}

/* A list whose members have names, seen alike whatever they are. */
struct named {
	const char *kind;
	size_t (*count)(const struct settings *settings);
	struct lg_slice (*name)(const struct settings *settings, size_t index);
	bool (*same)(const struct settings *a, size_t i, const struct settings *b, size_t k);
};

static size_t listen_count(const struct settings *settings)
{
	return settings->listen_count;
}

static struct lg_slice listen_name(const struct settings *settings, size_t index)
{
	return settings->listens[index].address;
}

static bool listen_same(const struct settings *a, size_t i, const struct settings *b, size_t k)
{
	return same_listen(&a->listens[i], &b->listens[k]);
}

static size_t source_count_of(const struct settings *settings)
{
	return settings->source_count;
}

static struct lg_slice source_name(const struct settings *settings, size_t index)
{
	return settings->sources[index].instance->name;
}

static bool source_same(const struct settings *a, size_t i, const struct settings *b, size_t k)
{
	return same_source(&a->sources[i], &b->sources[k]);
}

static size_t sink_count(const struct settings *settings)
{
	return settings->sink_count;
}

static struct lg_slice sink_name(const struct settings *settings, size_t index)
{
	return settings->sinks[index].instance->name;
}

static bool sink_same(const struct settings *a, size_t i, const struct settings *b, size_t k)
{
	return difference_same_sink(&a->sinks[i], &b->sinks[k]);
}

static const struct named lists[] = {
	{"listener", listen_count, listen_name, listen_same},
	{"source", source_count_of, source_name, source_same},
	{"sink", sink_count, sink_name, sink_same},
};

/* How many before `index` have its name: only addresses with port 0 may. */
static size_t rank_of(const struct named *list, const struct settings *settings, size_t index)
{
	size_t rank = 0;

	for (size_t i = 0; i < index; i++)
		rank += slice_equal(list->name(settings, i), list->name(settings, index));
	return rank;
}

/* Where the index-th of `settings` stands in `other`; the count: nowhere. */
static size_t place_in(const struct named *list, const struct settings *other,
		       const struct settings *settings, size_t index)
{
	size_t rank = rank_of(list, settings, index), count = list->count(other), i = 0;

	for (; i < count; i++)
		if (slice_equal(list->name(other, i), list->name(settings, index)) && rank-- == 0)
			break;
	return i;
}

static void compare_list(struct comparison *c, const struct named *list)
{
	size_t old_count = list->count(c->running), new_count = list->count(c->next);

	for (size_t i = 0; i < new_count; i++) {
		size_t old = place_in(list, c->running, c->next, i);
		enum change change = CHANGE_KEPT;

		if (old == old_count)
			change = CHANGE_NEW;
		else if (!list->same(c->running, old, c->next, i))
			change = CHANGE_CHANGED;
		add(c, change, list->kind, list->name(c->next, i));
	}
	for (size_t i = 0; i < old_count; i++)
		if (place_in(list, c->next, c->running, i) == new_count)
			add(c, CHANGE_REMOVED, list->kind, list->name(c->running, i));
}

/* No comparison yields more items than this. */
static size_t most_items(const struct comparison *c)
{
	struct settings_section section;
	size_t most = 1;

	for (size_t i = 0; settings_section_at(i, &section); i++)
		most += section.table.count;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		most += lists[i].count(c->running) + lists[i].count(c->next);
	return most;
}

bool difference_make(struct arena *arena, const struct settings *running,
		     const struct settings *next, struct difference *difference)
{
	struct comparison c = {arena, running, next, difference};
	struct settings_section section;

	*difference = (struct difference){.items = NULL};
	difference->items = arena_alloc(arena, most_items(&c) * sizeof(*difference->items));
	if (!difference->items)
		return false;
	for (size_t i = 0; settings_section_at(i, &section); i++)
		compare_section(&c, &section);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		compare_list(&c, &lists[i]);
	return !arena->failed;
}

bool difference_moves(const struct difference *difference)
{
	for (size_t i = 0; i < difference->count; i++) {
		const struct difference_item *item = &difference->items[i];

		if (item->change != CHANGE_KEPT &&
		    (strcmp(item->kind, "listener") == 0 || slice_is(item->name, "admin.address")))
			return true;
	}
	return false;
}
