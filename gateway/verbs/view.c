#include "verbs/view.h"

#include <stdio.h>

#include "supervise/daemon.h"

static int load(struct view *view, const char *config, settings_reader *read)
{
	view->settings = read(config, &view->errors);
	if (view->settings)
		return EXIT_DONE;
	fwrite(buffer_slice(&view->errors).data, 1, buffer_length(&view->errors), stderr);
	return EXIT_CONFIG;
}

static int configure(struct view *view, const char *config, settings_reader *read)
{
	struct error error = {0};

	*view = (struct view){0};
	buffer_init(&view->errors, SIZE_MAX);
	if (normalize_setup(&error))
		return load(view, config, read);
	fprintf(stderr, "leadgate: %s\n", error.text);
	return EXIT_FAILED;
}

int view_configure(struct view *view, const char *config)
{
	return configure(view, config, settings_load);
}

int view_check(struct view *view, const char *config)
{
	return configure(view, config, settings_load_strictly);
}

int view_locate(struct view *view, const char *config)
{
	*view = (struct view){0};
	buffer_init(&view->errors, SIZE_MAX);
	return load(view, config, settings_load_store);
}

int view_open(struct view *view, const char *config)
{
	struct error error = {0};
	int status = view_configure(view, config);

	if (status != EXIT_DONE)
		return status;
	view->reader = reader_open(view->settings->store.path, &error);
	if (view->reader)
		return EXIT_DONE;
	fprintf(stderr, "leadgate: %s\n", error.text);
	return EXIT_FAILED;
}

void view_close(struct view *view)
{
	if (view->reader)
		reader_close(&view->reader);
	settings_free(&view->settings);
	buffer_fini(&view->errors);
	normalize_teardown();
}

const struct sink_section *view_sink(const struct view *view, struct lg_slice name)
{
	for (size_t i = 0; i < view->settings->sink_count; i++)
		if (slice_equal(view->settings->sinks[i].instance->name, name))
			return &view->settings->sinks[i];
	return NULL;
}

bool view_knows_source(const struct view *view, struct lg_slice name)
{
	for (size_t i = 0; i < view->settings->source_count; i++)
		if (slice_equal(view->settings->sources[i].instance->name, name))
			return true;
	if (name.length == 0)
		return true;
	fprintf(stderr, "leadgate: neither configuration nor journal knows a source %.*s\n",
		SLICE_ARGS(name));
	return false;
}

bool view_lead(struct view *view, struct arena *arena, const uint8_t id[UUID_BYTES],
	       struct journal_event *event, struct error *error)
{
	uint8_t lead_id[UUID_BYTES];

	/* Leads have an index, receipts are searched for. */
	if (reader_lead(view->reader, arena, id, event, error))
		return true;
	return reader_lead_of_event(view->reader, id, lead_id) &&
	       reader_lead(view->reader, arena, lead_id, event, error);
}
