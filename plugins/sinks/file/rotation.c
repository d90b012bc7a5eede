#define _GNU_SOURCE 1
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void stamp(int64_t wall_ms, char out[STAMP_BYTES + 1])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	size_t length;

	gmtime_r(&seconds, &utc);
	length = strftime(out, STAMP_BYTES + 1, "%Y%m%dT%H%M%S", &utc);
	snprintf(out + length, STAMP_BYTES + 1 - length, "%03uZ", (unsigned int)(wall_ms % 1000));
}

/* Whether a file of the folder is one that we renamed. */
static bool is_rotated(const struct sink *sink, const char *file)
{
	size_t length = strlen(sink->name);
	const char *at;

	if (strlen(file) != length + 1 + STAMP_BYTES || strncmp(file, sink->name, length) != 0 ||
	    file[length] != '.')
		return false;
	at = file + length + 1;
	for (size_t i = 0; i < STAMP_BYTES; i++)
		if (i == 8 ? at[i] != 'T' : i == 18 ? at[i] != 'Z' : at[i] < '0' || at[i] > '9')
			return false;
	return true;
}

/* Removes the oldest of more than `keep` renamed files: their names sort by
 * age. One a call, so that nothing has to be remembered; `keep` is reached as
 * rotations go on. True when there may be more. */
static bool remove_oldest(const struct sink *sink)
{
	DIR *dir = opendir(sink->folder);
	char oldest[NAME_MAX + 1] = "";
	int64_t count = 0;
	bool more = false;

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (!is_rotated(sink, entry->d_name))
			continue;
		count++;
		if (!*oldest || strcmp(entry->d_name, oldest) < 0)
			snprintf(oldest, sizeof(oldest), "%s", entry->d_name);
	}
	if (dir && count > sink->settings->keep)
		more = unlinkat(dirfd(dir), oldest, 0) == 0 && count - 1 > sink->settings->keep;
	if (dir)
		closedir(dir);
	return more;
}

/* Renames without ever replacing a file; some file systems cannot promise that
 * in one step (EINVAL). */
static bool rename_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	if (access(to, F_OK) == 0) {
		errno = EEXIST;
		return false;
	}
	return rename(from, to) == 0;
}

/* Renames the file, which is whole and synced between two batches. A kill
 * before the new one is made leaves no file: the next open makes it. */
static bool rotate(struct sink *sink, int64_t now_ms, struct lg_text problem)
{
	char target[PATH_MAX + STAMP_BYTES + 2], when[STAMP_BYTES + 1];
	bool renamed = false;

	for (int tries = 0; !renamed && tries < 1000; tries++) {
		stamp(now_ms + tries, when);
		snprintf(target, sizeof(target), "%s.%s", sink->path, when);
		renamed = rename_new(sink->path, target);
		if (!renamed && errno != EEXIST)
			break;
	}
	if (!renamed) {
		say(problem, "%s cannot be renamed for rotation: %s", sink->path, strerror(errno));
		return false;
	}
	output_close(sink);
	lg_count(sink->host, sink->rotations, 1);
	if (!output_open(sink, problem))
		return false;
	for (int most = 16; sink->settings->keep && most && remove_oldest(sink);)
		most--;
	return true;
}

static bool is_full(const struct sink *sink, int64_t now_ms)
{
	const struct settings *settings = sink->settings;
	int64_t written_ms = (int64_t)sink->file.st_mtim.tv_sec * 1000;

	if (sink->file.st_size == 0)
		return false;
	if (settings->rotate_size && sink->file.st_size >= settings->rotate_size)
		return true;
	return settings->rotate_interval &&
	       now_ms / settings->rotate_interval > written_ms / settings->rotate_interval;
}

bool rotation_apply(struct sink *sink, int64_t now_ms, struct lg_text problem)
{
	return !is_full(sink, now_ms) || rotate(sink, now_ms, problem);
}
