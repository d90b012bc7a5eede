#include "supervise/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/list.h"
#include "base/log.h"
#include "codec/json_writer.h"
#include "ingest/source.h"

/* As much goes into one write. */
#define WRITE_BYTES 65536
#define FILE_MODE 0600

/* A line, or the word that from here on another file is written. */
struct entry {
	struct letter letter; /* first */
	bool is_change;
	int fd; /* of a change */
	size_t length;
	char text[];
};

struct access_log {
	atomic_bool on, stopping;
	_Atomic(int64_t) queued_bytes, queue_limit_bytes;
	struct mailbox mailbox;
	pthread_t thread;
	bool running;
	int written, dropped; /* counters */

	/* The thread's own. */
	int fd;
	struct buffer batch;
	int64_t batch_lines;
	bool failing; /* the last write did not succeed */
};

const struct lg_option access_log_options[] = {
	{.name = "path",
	 .type = LG_PATH,
	 .offset = offsetof(struct access_log_settings, path),
	 .help = "file that gets one JSON object a line for each answer; without it there is "
		 "none. A reload opens it anew, after it was moved away"},
	{.name = "max_queue",
	 .type = LG_SIZE,
	 .fallback = "4MiB",
	 .offset = offsetof(struct access_log_settings, queue_bytes),
	 .min = 4096,
	 .max = INT64_C(1) << 32,
	 .help = "lines that may wait to be written; beyond it they are dropped and counted"},
};
const size_t access_log_option_count = sizeof(access_log_options) / sizeof(access_log_options[0]);

/* ---- the thread that writes --------------------------------------------------------- */

static bool write_all(int fd, struct lg_slice bytes)
{
	while (bytes.length > 0) {
		ssize_t size = write(fd, bytes.data, bytes.length);
		if (size < 0 && errno != EINTR)
			return false;
		if (size > 0)
			bytes = slice_cut(bytes, (size_t)size, bytes.length);
	}
	return true;
}

/* A line that was written in part is not repaired: the next one follows it. */
static void write_batch(struct access_log *log)
{
	bool good = !log->batch.failed && write_all(log->fd, buffer_slice(&log->batch));

	if (!good && !log->failing)
		log_warning("access_log.failed", LOG_TEXT("reason", strerror(errno)));
	log->failing = !good;
	counter_add(good ? log->written : log->dropped, log->batch_lines);
	buffer_clear(&log->batch);
	log->batch_lines = 0;
}

static void change_file(struct access_log *log, int fd)
{
	if (log->batch_lines)
		write_batch(log);
	if (log->fd >= 0)
		close(log->fd);
	log->fd = fd;
	log->failing = false;
}

static void take_entry(struct access_log *log, struct entry *entry)
{
	if (entry->is_change) {
		change_file(log, entry->fd);
		return;
	}
	atomic_fetch_sub(&log->queued_bytes, (int64_t)entry->length);
	if (log->fd < 0)
		return;
	buffer_add(&log->batch, entry->text, entry->length);
	log->batch_lines++;
	if (buffer_length(&log->batch) >= WRITE_BYTES)
		write_batch(log);
}

static void take_entries(struct access_log *log)
{
	struct letter *letter = mailbox_take(&log->mailbox);

	while (letter) {
		struct entry *entry = container_of(letter, struct entry, letter);
		letter = letter->next;
		take_entry(log, entry);
		alloc_free(entry);
	}
	if (log->batch_lines)
		write_batch(log);
}

static void *run(void *arg)
{
	struct access_log *log = arg;

	/* After the mail: its poke may have been taken with it. */
	while (!atomic_load(&log->stopping)) {
		mailbox_wait(&log->mailbox, -1);
		take_entries(log);
	}
	take_entries(log); /* nothing is sent after the order */
	return NULL;
}

/* ---- beginning, changing, ending ------------------------------------------------------- */

static int counter_of(const char *labels)
{
	return counter_register(COUNTER_COUNTER, "leadgate_access_log_lines_total", labels,
				"Lines of the access log by what became of them");
}

struct access_log *access_log_new(void)
{
	struct access_log *log = alloc_zalloc(sizeof(*log));

	if (!log)
		return NULL;
	log->fd = -1;
	log->written = counter_of("result=\"written\"");
	log->dropped = counter_of("result=\"dropped\"");
	buffer_init(&log->batch, SIZE_MAX);
	if (!mailbox_init(&log->mailbox)) {
		alloc_free(log);
		return NULL;
	}
	if (pthread_create(&log->thread, NULL, run, log) != 0) {
		mailbox_fini(&log->mailbox);
		alloc_free(log);
		return NULL;
	}
	pthread_setname_np(log->thread, "access-log");
	log->running = true;
	return log;
}

void access_log_stop(struct access_log *log)
{
	if (!log->running)
		return;
	atomic_store(&log->on, false);
	atomic_store(&log->stopping, true);
	mailbox_poke(&log->mailbox);
	pthread_join(log->thread, NULL);
	log->running = false;
	change_file(log, -1);
}

void access_log_free(struct access_log **pointer)
{
	struct access_log *log = *pointer;

	*pointer = NULL;
	if (!log)
		return;
	access_log_stop(log);
	take_entries(log);
	mailbox_fini(&log->mailbox);
	buffer_fini(&log->batch);
	alloc_free(log);
}

bool access_log_prepare(const struct access_log_settings *settings, int *fd, struct error *error)
{
	char path[4096];

	*fd = -1;
	if (!slice_present(settings->path))
		return true;
	if (settings->path.length >= sizeof(path))
		return error_set(error, "the path is longer than %zu bytes", sizeof(path) - 1);
	slice_to_text(settings->path, path, sizeof(path));
	/* A pipe is not waited for, neither here nor when it is full. */
	*fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		   FILE_MODE);
	return *fd >= 0 || error_set(error, "%s cannot be opened: %s", path, strerror(errno));
}

/* Without memory for the word the file stays the one that it is. */
void access_log_change(struct access_log *log, const struct access_log_settings *settings, int fd)
{
	struct entry *entry = alloc_zalloc(sizeof(*entry));

	if (!entry) {
		log_warning("access_log.failed", LOG_TEXT("reason", "not enough memory"));
		if (fd >= 0)
			close(fd);
		return;
	}
	entry->is_change = true;
	entry->fd = fd;
	atomic_store(&log->queue_limit_bytes, settings->queue_bytes);
	mailbox_send(&log->mailbox, &entry->letter);
	atomic_store(&log->on, fd >= 0);
}

/* ---- noting, on any thread --------------------------------------------------------------- */

/* What a sender calls a method may be anything. */
static struct lg_slice method_of(const struct http_request *request)
{
	static const char *const known[] = {"GET",   "HEAD",   "POST",	  "PUT",
					    "PATCH", "DELETE", "OPTIONS", "TRACE"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (slice_is(request->method, known[i]))
			return request->method;
	return LG_SLICE("other");
}

static void open_line(struct json_writer *writer, struct buffer *out)
{
	json_writer_init(writer, out);
	json_write_open(writer, '{');
	json_write_member_time(writer, "time", clock_wall_ms());
}

static void close_line(struct json_writer *writer, struct buffer *out)
{
	json_write_close(writer, '}');
	buffer_add_byte(out, '\n');
}

static void write_line(struct buffer *out, const struct http_request *request,
		       const struct http_response *response, const struct source *source)
{
	struct json_writer writer;

	open_line(&writer, out);
	if (source) {
		json_write_member_text(&writer, "source", source->instance->name);
		json_write_member_text(&writer, "path", source->settings.path);
	}
	json_write_member_text(&writer, "method", method_of(request));
	json_write_member_int(&writer, "status", response->status);
	json_write_member_int(&writer, "bytes", (int64_t)response->body.length);
	json_write_member_int(&writer, "duration_us", clock_monotonic_us() - request->started_us);
	json_write_member_text(&writer, "protocol", slice_from(request->protocol));
	json_write_member_text(&writer, "reason", slice_from(request->reason));
	close_line(&writer, out);
}

static bool takes(struct access_log *log, int64_t bytes)
{
	int64_t before = atomic_fetch_add(&log->queued_bytes, bytes);

	if (before + bytes <= atomic_load(&log->queue_limit_bytes))
		return true;
	atomic_fetch_sub(&log->queued_bytes, bytes);
	return false;
}

static struct entry *entry_of(struct lg_slice line)
{
	struct entry *entry = alloc_malloc(sizeof(*entry) + line.length);

	if (!entry)
		return NULL;
	entry->is_change = false;
	entry->length = line.length;
	memcpy(entry->text, line.data, line.length);
	return entry;
}

static bool is_on(struct access_log *log)
{
	return atomic_load_explicit(&log->on, memory_order_relaxed);
}

/* Hands a line over, and frees it. */
static void send_line(struct access_log *log, struct buffer *line)
{
	struct entry *entry = NULL;

	if (!line->failed && takes(log, (int64_t)buffer_length(line))) {
		entry = entry_of(buffer_slice(line));
		if (!entry)
			atomic_fetch_sub(&log->queued_bytes, (int64_t)buffer_length(line));
	}
	buffer_fini(line);
	if (entry)
		mailbox_send(&log->mailbox, &entry->letter);
	else
		counter_inc(log->dropped);
}

void access_log_note(struct access_log *log, const struct http_request *request,
		     const struct http_response *response, const struct source *source)
{
	struct buffer line;

	if (!is_on(log))
		return;
	buffer_init(&line, SIZE_MAX);
	write_line(&line, request, response, source);
	send_line(log, &line);
}

void access_log_note_close(struct access_log *log, enum conn_reason reason)
{
	struct json_writer writer;
	struct buffer line;

	if (!is_on(log))
		return;
	buffer_init(&line, SIZE_MAX);
	open_line(&writer, &line);
	json_write_member_text(&writer, "closed", slice_from(conn_reason_label(reason)));
	close_line(&writer, &line);
	send_line(log, &line);
}
