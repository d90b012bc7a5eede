/* failing_sink: a sink that does on demand what a sink can do wrong.
 *
 * `script` names a file with one command a line; `deliver` reads it anew each
 * time, so that a test changes it while the gateway runs:
 *   deliver | retry | unclassified | park | reject    for every event
 *   poison OUTCOME TEXT   so goes a batch in which an event has the text
 *   fail            returns LG_FAIL and settles nothing
 *   never           returns LG_OK and settles nothing
 *   half            settles every other event, the rest never
 *   thread          settles from another thread
 *   late MS         settles from another thread after the time
 *   hang MS         blocks
 *   hold            blocks as long as the script says so; "0 hold" in the log
 *                   says that it does
 * Without a script it delivers. Each delivered event's seq and id go to `log`,
 * one a line. */
#include <leadgate/sink.h>
#include <leadgate/text.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct settings {
	struct lg_slice script, log;
	int32_t fail_open;
};

static const struct lg_option options[] = {
	{.name = "script",
	 .type = LG_PATH,
	 .offset = offsetof(struct settings, script),
	 .help = "file that says what goes wrong"},
	{.name = "log",
	 .type = LG_PATH,
	 .offset = offsetof(struct settings, log),
	 .help = "file that receives what was delivered"},
	{.name = "fail_open",
	 .type = LG_BOOL,
	 .offset = offsetof(struct settings, fail_open),
	 .fallback = "false",
	 .help = "cannot be opened while the script says fail"},
};

struct sink {
	const struct settings *settings;
	pthread_t helper;
	int has_helper;
	struct lg_batch *batch;
	int64_t late_ms;
};

static size_t read_script(const struct settings *settings, char *out, size_t capacity)
{
	char path[4096];
	ssize_t got = -1;
	int fd;

	if (!settings->script.length || settings->script.length >= sizeof(path))
		return 0;
	memcpy(path, settings->script.data, settings->script.length);
	path[settings->script.length] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, out, capacity);
		close(fd);
	}
	return got > 0 ? (size_t)got : 0;
}

/* One write a line: a test may read while we append. */
static void log_line(const struct settings *settings, long long seq, struct lg_slice word)
{
	char path[4096], line[128];
	int fd, length;

	if (!settings->log.length || settings->log.length >= sizeof(path))
		return;
	memcpy(path, settings->log.data, settings->log.length);
	path[settings->log.length] = '\0';
	length = snprintf(line, sizeof(line), "%lld %.*s\n", seq, (int)word.length, word.data);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, (size_t)length) != length)
		abort(); /* a test must not mistake this for an event that never came */
	close(fd);
}

static void settle(struct sink *sink, struct lg_batch *batch, size_t index, int32_t outcome)
{
	struct lg_settlement settlement = {
		.size = sizeof(settlement),
		.outcome = outcome,
		.status = outcome == LG_DELIVERED ? 200 : 599,
		.reason = LG_SLICE("told to"),
		.answer = LG_SLICE("the answer's first bytes"),
	};
	struct lg_event event;

	if (outcome == LG_DELIVERED) {
		settlement.reason.data = NULL;
		settlement.reason.length = 0;
		if (lg_batch_event(batch, index, &event) == LG_OK)
			log_line(sink->settings, (long long)event.seq, event.id);
	}
	lg_settle(batch, index, &settlement);
}

static void settle_every(struct sink *sink, struct lg_batch *batch, size_t step, int32_t outcome)
{
	size_t count = lg_batch_count(batch);

	for (size_t i = 0; i < count; i += step)
		settle(sink, batch, i, outcome);
}

static void wait_ms(int64_t ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&time, &time) != 0 && errno == EINTR) {}
}

static void hold(struct sink *sink)
{
	char text[4] = "hold";

	log_line(sink->settings, 0, LG_SLICE("hold"));
	while (memcmp(text, "hold", 4) == 0) {
		wait_ms(1);
		memset(text, 0, sizeof(text));
		read_script(sink->settings, text, sizeof(text));
	}
}

static void *help(void *arg)
{
	struct sink *sink = arg;

	wait_ms(sink->late_ms);
	settle_every(sink, sink->batch, 1, LG_DELIVERED);
	return NULL;
}

static void end_helper(struct sink *sink)
{
	if (sink->has_helper)
		pthread_join(sink->helper, NULL);
	sink->has_helper = 0;
}

static int32_t settle_elsewhere(struct sink *sink, struct lg_batch *batch, int64_t late_ms)
{
	end_helper(sink);
	sink->batch = batch;
	sink->late_ms = late_ms;
	sink->has_helper = pthread_create(&sink->helper, NULL, help, sink) == 0;
	return sink->has_helper ? LG_OK : LG_FAIL;
}

static int32_t outcome_named(struct lg_slice word)
{
	return lg_slice_is(word, "retry")	   ? LG_RETRY
	       : lg_slice_is(word, "unclassified") ? LG_UNCLASSIFIED
	       : lg_slice_is(word, "park")	   ? LG_PARK
	       : lg_slice_is(word, "reject")	   ? LG_REJECT
						   : LG_DELIVERED;
}

static int contains(struct lg_slice all, struct lg_slice text)
{
	for (size_t i = 0; i + text.length <= all.length; i++)
		if (memcmp(all.data + i, text.data, text.length) == 0)
			return 1;
	return 0;
}

static int has_text(const struct lg_batch *batch, struct lg_slice text)
{
	for (size_t i = 0, count = lg_batch_count(batch); i < count; i++) {
		struct lg_event event;
		if (lg_batch_event(batch, i, &event) == LG_OK && contains(event.json, text))
			return 1;
	}
	return 0;
}

static int32_t deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	struct sink *sink = instance;
	char text[256];
	struct lg_slice line = {text, read_script(sink->settings, text, sizeof(text) - 1)};
	struct lg_slice word;
	int64_t number;

	(void)deadline;
	text[line.length] = '\0';
	line = lg_slice_trim(line);
	word = lg_slice_part(&line, ' ');
	number = line.length ? strtoll(line.data, NULL, 10) : 0;
	if (lg_slice_is(word, "fail"))
		return LG_FAIL;
	if (lg_slice_is(word, "never"))
		return LG_OK;
	if (lg_slice_is(word, "thread") || lg_slice_is(word, "late"))
		return settle_elsewhere(sink, batch, number);
	if (lg_slice_is(word, "poison")) {
		word = lg_slice_part(&line, ' ');
		if (!has_text(batch, line))
			word = LG_SLICE("deliver");
	}
	if (lg_slice_is(word, "hang"))
		wait_ms(number);
	if (lg_slice_is(word, "hold"))
		hold(sink);
	settle_every(sink, batch, lg_slice_is(word, "half") ? 2 : 1, outcome_named(word));
	return LG_OK;
}

static int32_t open_sink(struct lg_host *host, const void *memory, void **instance,
			 struct lg_text problem)
{
	const struct settings *settings = memory;
	struct sink *sink;
	char text[256];
	size_t length = read_script(settings, text, sizeof(text));

	(void)host;
	if (settings->fail_open && length >= 4 && memcmp(text, "fail", 4) == 0) {
		snprintf(problem.data, problem.capacity, "told to");
		return LG_FAIL;
	}
	sink = calloc(1, sizeof(*sink));
	if (!sink)
		return LG_FAIL;
	sink->settings = settings;
	*instance = sink;
	return LG_OK;
}

static void close_sink(void *instance)
{
	end_helper(instance);
	free(instance);
}

static const struct lg_sink_operations operations = {
	.size = sizeof(operations),
	.open = open_sink,
	.deliver = deliver,
	.close = close_sink,
};

LG_SINK_PLUGIN(0, 1, "failing_sink", .version = "0.1",
	       .summary = "A sink for tests that fails on demand", .sink = &operations,
	       LG_OPTIONS(options, struct settings));
