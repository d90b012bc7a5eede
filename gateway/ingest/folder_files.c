#include "ingest/folder_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAMES_TRIED 1000
#define FOLDER_MODE 0750
#define FILE_MODE 0640

/* ---- the folders --------------------------------------------------------------------- */

/* -1 with errno. */
static int open_below(int base, const char *name)
{
	struct stat status;
	bool made = mkdirat(base, name, FOLDER_MODE) == 0;
	int fd;

	if (!made && errno != EEXIST)
		return -1;
	fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	/* Whoever may put files into the one may do so in the other. */
	if (fd >= 0 && made && fstat(base, &status) == 0 && fchmod(fd, status.st_mode & 07777) < 0)
		errno = 0;
	return fd;
}

static int open_base(struct lg_slice path, struct error *error)
{
	char text[PATH_MAX];
	int fd;

	if (path.length >= sizeof(text)) {
		error_set(error, "its path is longer than %zu bytes", sizeof(text) - 1);
		return -1;
	}
	slice_to_text(path, text, sizeof(text));
	if (mkdir(text, FOLDER_MODE) < 0 && errno != EEXIST) {
		error_set(error, "making it: %s", strerror(errno));
		return -1;
	}
	fd = open(text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		error_set(error, "opening it: %s", strerror(errno));
	return fd;
}

bool folder_files_open(struct folder_files *files, struct lg_slice path, struct error *error)
{
	const struct {
		const char *name;
		int *fd;
	} all[] = {
		{"incoming", &files->incoming},
		{"working", &files->working},
		{"done", &files->done},
		{"failed", &files->failed},
	};
	int base = open_base(path, error);

	*files = (struct folder_files){-1, -1, -1, -1};
	if (base < 0)
		return false;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		*all[i].fd = open_below(base, all[i].name);
		if (*all[i].fd >= 0)
			continue;
		error_set(error, "making or opening \"%s\" in it: %s", all[i].name,
			  strerror(errno));
		close(base);
		folder_files_close(files);
		return false;
	}
	close(base);
	return true;
}

void folder_files_close(struct folder_files *files)
{
	int *const all[] = {&files->incoming, &files->working, &files->done, &files->failed};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (*all[i] >= 0)
			close(*all[i]);
		*all[i] = -1;
	}
}

/* ---- names --------------------------------------------------------------------------- */

bool folder_name_waits(const char *name)
{
	static const char *const endings[] = {".tmp", ".part", ".crdownload"};
	struct lg_slice text = slice_from(name);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (slice_ends(text, endings[i]))
			return true;
	return *name == '.';
}

void folder_name_hidden(const char *name, char out[NAME_MAX + 1])
{
	snprintf(out, NAME_MAX + 1, ".%.*s.rejects.csv", FOLDER_NAME_BYTES + 8, name);
}

void folder_name_rejects(const char *name, char out[NAME_MAX + 1])
{
	snprintf(out, NAME_MAX + 1, "%.*s.rejects.csv", FOLDER_NAME_BYTES + 8, name);
}

void folder_name_reason(const char *name, char out[NAME_MAX + 1])
{
	snprintf(out, NAME_MAX + 1, "%.*s.reason.txt", FOLDER_NAME_BYTES + 8, name);
}

static bool is_taken(int folder, const char *name)
{
	struct stat status;

	return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static bool all_free(int folder, const char *name)
{
	char hidden[NAME_MAX + 1], rejects[NAME_MAX + 1], reason[NAME_MAX + 1];

	folder_name_hidden(name, hidden);
	folder_name_rejects(name, rejects);
	folder_name_reason(name, reason);
	return !is_taken(folder, name) && !is_taken(folder, hidden) && !is_taken(folder, rejects) &&
	       !is_taken(folder, reason);
}

bool folder_name_free(int folder, const char *name, char out[NAME_MAX + 1])
{
	const char *ending = strrchr(name, '.');
	size_t ending_bytes = ending && ending > name ? strlen(ending) : 0;
	size_t stem_bytes;

	if (ending_bytes > 16)
		ending_bytes = 0;
	stem_bytes = strlen(name) - ending_bytes;
	if (stem_bytes + ending_bytes > FOLDER_NAME_BYTES)
		stem_bytes = FOLDER_NAME_BYTES - ending_bytes;
	ending = name + strlen(name) - ending_bytes;
	for (int i = 1; i <= NAMES_TRIED; i++) {
		char number[16] = "";

		if (i > 1)
			snprintf(number, sizeof(number), "-%d", i);
		snprintf(out, NAME_MAX + 1, "%.*s%s%s", (int)stem_bytes, name, number, ending);
		if (all_free(folder, out))
			return true;
	}
	return false;
}

/* ---- files --------------------------------------------------------------------------- */

bool folder_move(int from, const char *name, int to, const char *other)
{
	if (renameat2(from, name, to, other, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	/* A filesystem that cannot do both in one step: nobody else makes names here. */
	if (is_taken(to, other)) {
		errno = EEXIST;
		return false;
	}
	return renameat(from, name, to, other) == 0;
}

bool folder_write(int folder, const char *name, const char *text)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	size_t length = strlen(text);
	bool good;

	if (fd < 0)
		return false;
	errno = ENOSPC; /* where only a part could be written */
	good = write(fd, text, length) == (ssize_t)length && fdatasync(fd) == 0;
	good = close(fd) == 0 && good;
	if (!good)
		unlinkat(folder, name, 0);
	return good;
}

int folder_open(int folder, const char *name, struct stat *status, struct error *error)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, status) == 0 && S_ISREG(status->st_mode))
		return fd;
	if (fd < 0)
		error_set(error, "it cannot be read: %s", strerror(errno));
	else
		error_set(error, "it is no regular file");
	if (fd >= 0)
		close(fd);
	return -1;
}

/* One that has vanished meanwhile is not there. */
static bool take_entry(int folder, const char *name,
		       bool (*take)(void *arg, const char *name, const struct stat *status),
		       void *arg, int64_t *others)
{
	struct stat status;

	if (folder_name_waits(name) || fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return true;
	if (S_ISREG(status.st_mode))
		return take(arg, name, &status);
	++*others;
	return true;
}

bool folder_each(int folder, bool (*take)(void *arg, const char *name, const struct stat *status),
		 void *arg, int64_t *others)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	int failure;

	*others = 0;
	if (!entries) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	errno = 0;
	while ((entry = readdir(entries)) != NULL &&
	       take_entry(folder, entry->d_name, take, arg, others))
		errno = 0;
	failure = entry ? 0 : errno;
	closedir(entries);
	errno = failure;
	return failure == 0;
}
