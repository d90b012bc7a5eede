#include "outbox/backup.h"

#include <stdio.h>
#include <unistd.h>

#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/verb.h"
#include "verbs/view.h"

static void show_progress(void *arg, int64_t done, int64_t all)
{
	int *shown = arg, percent = all > 0 ? (int)(done * 100 / all) : 100;

	if (percent == *shown)
		return;
	*shown = percent;
	fprintf(stderr, "\r%3d %% of %lld MiB", percent, (long long)(all >> 20));
	if (percent == 100)
		fputc('\n', stderr);
}

static int back_up(struct view *view, const char *file)
{
	struct error error = {""};
	int shown = -1;

	if (backup_write(view->reader, file, isatty(STDERR_FILENO) ? show_progress : NULL, &shown,
			 &error))
		return EXIT_DONE;
	fprintf(stderr, "%sleadgate: %s\n", shown >= 0 && shown < 100 ? "\n" : "", error.text);
	return EXIT_FAILED;
}

int verb_backup(int argc, char **argv)
{
	struct arguments arguments;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG, 1, 1))
		return EXIT_USAGE;
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE)
		status = back_up(&view, arguments.operands[0]);
	view_close(&view);
	return status;
}
