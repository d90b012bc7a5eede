#include "verbs/store.h"

#include <stdio.h>

#include "supervise/daemon.h"

int store_configure(struct store *store, const char *config)
{
	struct error error = {0};

	*store = (struct store){0};
	buffer_init(&store->errors, SIZE_MAX);
	if (!normalize_setup(&error)) {
		fprintf(stderr, "leadgate: %s\n", error.text);
		return EXIT_FAILED;
	}
	store->settings = settings_load(config, &store->errors);
	if (store->settings)
		return EXIT_DONE;
	fwrite(buffer_slice(&store->errors).data, 1, buffer_length(&store->errors), stderr);
	return EXIT_CONFIG;
}

int store_open(struct store *store, const char *config)
{
	struct error error = {0};
	int status = store_configure(store, config);

	if (status != EXIT_DONE)
		return status;
	store->reader = reader_open(store->settings->store.path, &error);
	if (store->reader)
		return EXIT_DONE;
	fprintf(stderr, "leadgate: %s\n", error.text);
	return EXIT_FAILED;
}

void store_close(struct store *store)
{
	if (store->reader)
		reader_close(&store->reader);
	settings_free(&store->settings);
	buffer_fini(&store->errors);
	normalize_teardown();
}
