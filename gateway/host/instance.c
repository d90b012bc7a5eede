#include "host/instance.h"

#include <string.h>

#define PROBLEM_BYTES 512

/* The members of a struct that starts with its size, as far as both sides know
 * them; the rest stays NULL. */
static void copy_known(void *ours, size_t our_size, const void *theirs, size_t their_size)
{
	memcpy(ours, theirs, their_size < our_size ? their_size : our_size);
	memcpy(ours, &our_size, sizeof(our_size));
}

static void copy_operations(struct instance *instance)
{
	const struct lg_plugin *plugin = &instance->library->plugin;

	if (plugin->kind == LG_SOURCE)
		copy_known(&instance->source, sizeof(instance->source), plugin->source,
			   plugin->source->size);
	else
		copy_known(&instance->sink, sizeof(instance->sink), plugin->sink,
			   plugin->sink->size);
}

/* The plugin's own check of what rows cannot say. */
static bool check_settings(const struct instance *instance, struct document *document,
			   struct fy_node *map)
{
	char text[PROBLEM_BYTES] = "";
	struct lg_text problem = {text, sizeof(text)};
	int32_t (*check)(const void *, struct lg_text) = instance->library->plugin.kind == LG_SOURCE
								 ? instance->source.check
								 : instance->sink.check;

	if (!check || check(instance->settings, problem) == LG_OK)
		return true;
	text[sizeof(text) - 1] = '\0';
	document_error(document, map, "%.*s: %s", SLICE_ARGS(instance->description),
		       *text ? text : "the plugin refuses these settings and says no reason");
	return false;
}

struct instance *instance_new(struct document *document, struct fy_node *map, struct lg_slice name,
			      const struct library *library, const char *const *others,
			      const struct bind_hooks *hooks, const struct lg_services *services)
{
	struct arena *arena = document_arena(document);
	struct instance *instance = arena_new(arena, struct instance);
	const struct lg_plugin *plugin = &library->plugin;

	if (instance) {
		instance->host.services = services;
		instance->library = library;
		instance->name = arena_copy(arena, name);
		instance->description = arena_printf(arena, "%s %.*s",
						     plugin->kind == LG_SOURCE ? "source" : "sink",
						     SLICE_ARGS(name));
		instance->settings = arena_zalloc(
			arena, plugin->settings_size ? plugin->settings_size : 1);
	}
	if (arena->failed) {
		document_error(document, map, "no memory for the settings of plugin %s",
			       plugin->name);
		return NULL;
	}
	copy_operations(instance);
	if (!bind_options(document, map, instance->description.data, &library->options, others,
			  hooks, instance->settings) ||
	    !check_settings(instance, document, map))
		return NULL;
	return instance;
}

bool instance_open(struct instance *instance, struct error *error)
{
	char text[PROBLEM_BYTES] = "";
	struct lg_text problem = {text, sizeof(text)};
	int32_t (*open)(struct lg_host *, const void *, void **,
			struct lg_text) = instance->library->plugin.kind == LG_SOURCE
						  ? instance->source.open
						  : instance->sink.open;

	ALWAYS(!instance->opened);
	instance->state = NULL;
	if (open && open(&instance->host, instance->settings, &instance->state, problem) != LG_OK) {
		text[sizeof(text) - 1] = '\0';
		return error_set(error, "%.*s: %s", SLICE_ARGS(instance->description),
				 *text ? text : "the plugin cannot start and says no reason");
	}
	instance->opened = true;
	return true;
}

void instance_close(struct instance *instance)
{
	void (*close)(void *) = instance->library->plugin.kind == LG_SOURCE ? instance->source.close
									    : instance->sink.close;

	if (instance->opened && close)
		close(instance->state);
	instance->opened = false;
	instance->state = NULL;
}

/* Whether any option of type secret has a value; also whether there are any. */
static bool secret_is_set(const struct instance *instance, bool *takes_secrets)
{
	const struct option_table *options = &instance->library->options;
	bool set = false;

	*takes_secrets = false;
	for (size_t i = 0; i < options->count; i++) {
		struct lg_option row = option_at(options, i);
		struct lg_slice value;
		if (row.type != LG_SECRET)
			continue;
		*takes_secrets = true;
		memcpy(&value, (const char *)instance->settings + row.offset, sizeof(value));
		set = set || value.length > 0;
	}
	return set;
}

bool instance_auth_check(const struct instance *instance, bool none_is_said, struct error *error)
{
	const struct lg_plugin *plugin = &instance->library->plugin;
	bool takes_secrets, set = secret_is_set(instance, &takes_secrets);

	if (none_is_said || plugin->kind != LG_SOURCE)
		return true;
	if (!(plugin->flags & LG_HAS_AUTH))
		return error_set(error,
				 "%.*s: plugin %s cannot prove who sends: write \"auth: none\" if "
				 "anybody may",
				 SLICE_ARGS(instance->description), plugin->name);
	if (takes_secrets && !set)
		return error_set(error,
				 "%.*s: no secret is set, so nobody proves who sends: set one, or "
				 "write \"auth: none\" if anybody may",
				 SLICE_ARGS(instance->description));
	return true;
}
