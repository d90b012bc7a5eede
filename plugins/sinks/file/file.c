/* file: one event a line, as JSON, appended to a file and synced before it is
 * said to be delivered.
 *
 *   sinks:
 *     archive: { plugin: file, path: var/leads.ndjson, rotate_interval: 1d, keep: 30 }
 *
 * A batch is all or nothing: what could not be written whole is cut off again,
 * and a line that a crash left torn is cut off when the file is opened. Such a
 * line was never acknowledged; its event comes again. A whole last line, whoever
 * wrote it, stays and gets the line feed that it lacks. */
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- delivery -------------------------------------------------------------- */

/* What an error of the system means for the batch: a configuration that will
 * not get better by itself parks the lane, all else is tried again. */
static int32_t outcome_of(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
	case EROFS:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG: return LG_PARK;
	default: return LG_RETRY;
	}
}

static int32_t settle_failed(struct lg_batch *batch, int32_t outcome, const char *reason)
{
	struct lg_settlement settlement = {
		.size = sizeof(settlement),
		.outcome = outcome,
		.reason = {reason, strlen(reason)},
	};

	lg_settle_all(batch, &settlement);
	return LG_OK;
}

/* Somebody may have moved the file, and it may be time for the next one. */
static bool prepare(struct sink *sink, struct lg_text problem)
{
	int64_t now_ms = lg_now(sink->host);

	return output_follow(sink, problem) && rotation_apply(sink, now_ms, problem);
}

static int32_t deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	struct lg_settlement delivered = {.size = sizeof(delivered), .outcome = LG_DELIVERED};
	struct sink *sink = instance;
	char reason[PATH_MAX + 128] = "";

	(void)deadline; /* the disk answers when it does */
	errno = 0;
	if (!prepare(sink, (struct lg_text){reason, sizeof(reason)}))
		return settle_failed(batch, outcome_of(errno), reason);
	if (!output_append(sink, batch)) {
		int error = errno;
		snprintf(reason, sizeof(reason), "%s: %s", sink->path, strerror(error));
		return settle_failed(batch, outcome_of(error), reason);
	}
	lg_settle_all(batch, &delivered);
	return LG_OK;
}

/* ---- life ------------------------------------------------------------------ */

static void close_sink(void *instance)
{
	struct sink *sink = instance;

	output_close(sink);
	free(sink);
}

static int32_t open_sink(struct lg_host *host, const void *memory, void **instance,
			 struct lg_text problem)
{
	const struct settings *settings = memory;
	struct sink *sink = calloc(1, sizeof(*sink));
	const char *slash;

	if (!sink)
		return say(problem, "no memory");
	sink->host = host;
	sink->settings = settings;
	sink->fd = -1;
	memcpy(sink->path, settings->path.data, settings->path.length);
	slash = strrchr(sink->path, '/');
	sink->name = slash ? slash + 1 : sink->path;
	if (slash)
		memcpy(sink->folder, sink->path,
		       slash == sink->path ? 1 : (size_t)(slash - sink->path));
	else
		sink->folder[0] = '.';
	sink->rotations = lg_counter(host, "file_rotations",
				     "Files that were renamed and begun anew");
	sink->cuts = lg_counter(host, "file_torn_lines", "Torn last lines that were cut off");
	if (file_settings_check(settings, problem) != LG_OK ||
	    !file_settings_mode(settings->mode, &sink->mode) || !output_open(sink, problem)) {
		close_sink(sink);
		return LG_FAIL;
	}
	*instance = sink;
	return LG_OK;
}

static const struct lg_sink_operations operations = {
	.size = sizeof(operations),
	.check = file_settings_check,
	.open = open_sink,
	.deliver = deliver,
	.close = close_sink,
	.batch_bytes = BATCH_BYTES,
};

LG_SINK_PLUGIN(0, 1, "file", .version = "0.1",
	       .summary = "One line of JSON an event, appended to a file and synced",
	       .sink = &operations, LG_OPTIONS(file_options, struct settings));
