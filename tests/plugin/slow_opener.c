/* slow_opener: a source whose `open` waits as long as a file is there, so that
 * a test can hold a start or a reload in its middle. */
#include <leadgate/source.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct settings {
	struct lg_slice hold;
};

static const struct lg_option options[] = {
	{.name = "hold",
	 .type = LG_PATH,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct settings, hold),
	 .help = "while this file is there, the source is being opened"},
};

static int32_t open_source(struct lg_host *host, const void *memory, void **instance,
			   struct lg_text problem)
{
	static const struct timespec moment = {0, 1000000};
	const struct settings *settings = memory;
	char path[4096];

	(void)host;
	(void)problem;
	snprintf(path, sizeof(path), "%.*s", (int)settings->hold.length, settings->hold.data);
	while (access(path, F_OK) == 0)
		nanosleep(&moment, NULL);
	*instance = NULL;
	return LG_OK;
}

static int32_t receive(void *instance, struct lg_request *request)
{
	(void)instance;
	return lg_ignore(request, LG_SLICE("only opened"));
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.open = open_source,
	.receive = receive,
};

LG_SOURCE_PLUGIN(0, 1, "slow_opener", .version = "0.1",
		 .summary = "A source for tests that takes its time to open", .channel = "test",
		 .source = &operations, LG_OPTIONS(options, struct settings));
