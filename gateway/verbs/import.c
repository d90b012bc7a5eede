#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "outbox/store_files.h"
#include "supervise/control.h"
#include "supervise/control_stream.h"
#include "supervise/daemon.h"
#include "supervise/import_order.h"
#include "supervise/lone_import.h"
#include "verbs/arguments.h"
#include "verbs/import_rejects.h"
#include "verbs/import_show.h"
#include "verbs/verb.h"
#include "verbs/view.h"

/* How often it is looked whether somebody wants to stop. */
#define LOOK_MS 200

struct import_command {
	struct import_job job;
	struct lg_pair map[ARGUMENT_MAPS_MAX];
	struct import_show show;
	const char *path;
	char rejects[PATH_MAX]; /* "": a file without a name, of a dry run */
};

/* Ctrl-C and its like; the second one is taken as it always is. */
static volatile sig_atomic_t stop_wanted;

static void on_stop(int number)
{
	(void)number;
	stop_wanted = 1;
}

static void watch_signals(void)
{
	struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

/* ---- what was asked for -------------------------------------------------------------- */

static bool mistake(const char *text, const char *word)
{
	fprintf(stderr, "leadgate import: %s: %s\n", text, word);
	return false;
}

/* The last "=" divides: no field has one, a column may. */
static bool read_map(struct import_command *command, const struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->map_count; i++) {
		const char *text = arguments->maps[i], *equals = strrchr(text, '=');
		struct lg_pair *pair = &command->map[i];

		if (!equals || equals == text || equals[1] == '\0')
			return mistake("--map wants COLUMN=FIELD", text);
		*pair = (struct lg_pair){slice_of(text, (size_t)(equals - text)),
					 slice_from(equals + 1)};
		for (size_t k = 0; k < i; k++)
			if (slice_equal(command->map[k].name, pair->name))
				return mistake("--map says two things of one column", text);
	}
	command->job.map = command->map;
	command->job.map_count = arguments->map_count;
	return true;
}

static bool cannot_open(const char *path, const char *why)
{
	fprintf(stderr, "leadgate: %s: %s\n", path, why);
	return false;
}

/* Before either is opened: an empty file of refused rows is removed in the end. */
static bool is_apart(struct lg_slice store, const char *path)
{
	return !store_files_have(store, slice_from(path)) ||
	       cannot_open(path, "this is a file of the journal, which nothing but SQLite may "
				 "open; name another");
}

/* O_NONBLOCK: nobody waits for the other end of a pipe. */
static bool open_file(struct import_command *command, struct lg_slice store)
{
	const char *slash = strrchr(command->path, '/');
	struct import_job *job = &command->job;
	struct error error;

	if (!is_apart(store, command->path))
		return false;
	job->name = slice_from(slash ? slash + 1 : command->path);
	job->file = open(command->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (job->file < 0)
		return cannot_open(command->path, strerror(errno));
	return import_order_file(job->file, false, &error) ||
	       cannot_open(command->path, error.text);
}

/* A dry run's is for the first reasons, and nobody finds it. */
static bool open_rejects(struct import_command *command, const struct arguments *arguments,
			 struct lg_slice store)
{
	struct import_job *job = &command->job;
	struct error error;
	int length = 0;

	if (!arguments->dry_run)
		length = snprintf(command->rejects, sizeof(command->rejects), "%s%s",
				  arguments->rejects ? arguments->rejects : command->path,
				  arguments->rejects ? "" : ".rejects.csv");
	if (length >= (int)sizeof(command->rejects))
		return cannot_open(command->path, strerror(ENAMETOOLONG));
	if (!is_apart(store, command->rejects))
		return false;
	if (*command->rejects)
		job->rejects = import_rejects_open(command->rejects, arguments->rejects, &error);
	else if ((job->rejects = memfd_create("rejects", MFD_CLOEXEC)) < 0)
		error_set(&error, "%s", strerror(errno));
	if (job->rejects < 0)
		return cannot_open(*command->rejects ? command->rejects : "rejected rows",
				   error.text);
	return (import_order_file(job->rejects, true, &error) &&
		import_order_apart(job->file, job->rejects, &error) &&
		import_rejects_fit(job->rejects, &error)) ||
	       cannot_open(command->rejects, error.text);
}

static void close_files(struct import_command *command)
{
	struct import_job *job = &command->job;

	if (job->rejects >= 0 && *command->rejects)
		import_rejects_close(job->rejects, command->rejects);
	else if (job->rejects >= 0)
		close(job->rejects);
	if (job->file >= 0)
		close(job->file);
}

/* ---- by the running gateway, or alone ------------------------------------------------ */

static void follow(struct import_command *command, struct control_stream *stream)
{
	struct import_show *show = &command->show;
	struct lg_slice line;
	bool asked = false;

	for (;;) {
		enum control_news news = control_stream_next(stream, LOOK_MS, &line);

		if (news == CONTROL_END)
			return;
		if (news == CONTROL_LINE)
			import_show_line(show, line);
		if (stop_wanted && !asked) {
			asked = true;
			control_stream_finish(stream);
		}
	}
}

static void ask_gateway(struct import_command *command, struct lg_slice store, bool *absent)
{
	const int files[] = {command->job.file, command->job.rejects};
	struct control_stream stream;
	struct buffer request;
	struct error error;

	buffer_init(&request, CONTROL_REQUEST_BYTES);
	import_order_write(&request, &command->job);
	if (request.failed)
		error_set(&error, "the request is too long");
	else if (control_stream_open(&stream, store, buffer_slice(&request), files, 2, absent,
				     &error)) {
		follow(command, &stream);
		control_stream_close(&stream);
		buffer_fini(&request);
		return;
	}
	if (!*absent)
		command->show.status = EXIT_FAILED;
	if (!*absent)
		fprintf(stderr, "leadgate: %s\n", error.text);
	buffer_fini(&request);
}

static void show_line_of(struct import_command *command,
			 void (*write)(struct buffer *out, const struct import_job *job))
{
	struct buffer line;

	buffer_init(&line, SIZE_MAX);
	write(&line, &command->job);
	if (!line.failed)
		import_show_line(&command->show,
				 slice_cut(buffer_slice(&line), 0, buffer_length(&line) - 1));
	buffer_fini(&line);
}

static void watch(void *arg)
{
	struct import_command *command = arg;

	if (stop_wanted)
		atomic_store(&command->job.cancelled, true);
	show_line_of(command, import_order_progress);
}

static void do_alone(struct import_command *command, struct settings *settings)
{
	struct import_job *job = &command->job;
	struct error error = {""};
	struct source *source = import_order_source(settings, job->source, &error);

	log_setup(STDERR_FILENO, LOG_LOGFMT, LG_LOG_WARNING);
	if (source && lone_import(settings, source, job, watch, command, &error)) {
		show_line_of(command, import_order_end);
		import_job_fini(job);
		return;
	}
	fprintf(stderr, "leadgate: %s\n", error.text);
	command->show.status = EXIT_FAILED;
}

static int carry_out(struct import_command *command, struct view *view, const char *config)
{
	bool absent = false;
	int status = EXIT_DONE;

	ask_gateway(command, view->settings->store.path, &absent);
	if (absent) {
		view_close(view);
		status = view_configure(view, config);
		if (status == EXIT_DONE)
			do_alone(command, view->settings);
	}
	return status == EXIT_DONE ? import_show_end(&command->show) : status;
}

int verb_import(int argc, char **argv)
{
	static struct import_command command; /* a hanging thread may outlive this function */
	struct arguments arguments;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv,
			    ARGUMENT_CONFIG | ARGUMENT_JSON | ARGUMENT_IMPORT, 2, 2))
		return EXIT_USAGE;
	command = (struct import_command){.path = arguments.operands[1]};
	command.job.file = command.job.rejects = -1;
	command.job.source = slice_from(arguments.operands[0]);
	command.job.again = arguments.again;
	command.job.dry_run = arguments.dry_run;
	if (!read_map(&command, &arguments))
		return EXIT_USAGE;
	command.show.json = arguments.json;
	command.show.dry_run = arguments.dry_run;
	command.show.again = arguments.again;
	command.show.source = arguments.operands[0];
	command.show.file = command.path;
	command.show.rejects = command.rejects;
	/* The gateway serves also while the file of its configuration has mistakes. */
	status = view_locate(&view, arguments.config);
	if (status == EXIT_DONE && open_file(&command, view.settings->store.path) &&
	    open_rejects(&command, &arguments, view.settings->store.path)) {
		command.show.rejects_file = command.job.rejects;
		import_show_init(&command.show);
		watch_signals();
		status = carry_out(&command, &view, arguments.config);
	} else if (status == EXIT_DONE) {
		status = EXIT_FAILED;
	}
	view_close(&view);
	close_files(&command);
	return status;
}
