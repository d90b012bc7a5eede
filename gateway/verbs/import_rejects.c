#include "verbs/import_rejects.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "verbs/import_refusals.h"

/* What is written holds people. */
#define REJECTS_MODE 0600
/* The gateway ends the import of a command that was killed in less. */
#define WAIT_MS 5000
#define LOOK_MS 20

/* Some filesystems have no locks: there it goes without. */
static bool lock(int file, int64_t until_ms)
{
	while (flock(file, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return true;
		if (clock_monotonic_ms() >= until_ms)
			return false;
		clock_sleep_ms(LOOK_MS);
	}
	return true;
}

/* Who had the lock may have removed the file. */
static bool is_at(int file, const char *path)
{
	struct stat one, two;

	return fstat(file, &one) == 0 && stat(path, &two) == 0 && one.st_dev == two.st_dev &&
	       one.st_ino == two.st_ino;
}

/* A device or a pipe holds nothing, and is not to be removed for that. */
static bool is_regular(int file)
{
	struct stat status;

	return fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

static int open_once(const char *path, bool follow, struct error *error)
{
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW),
			REJECTS_MODE);

	if (file < 0 && errno == ELOOP && !follow)
		error_set(error, "this is a symbolic link, which is not followed here; --rejects "
				 "names another file");
	else if (file < 0)
		error_set(error, "%s", strerror(errno));
	if (file < 0 || is_regular(file))
		return file;
	error_set(error, "this is no regular file");
	close(file);
	return -1;
}

int import_rejects_open(const char *path, bool follow, struct error *error)
{
	int64_t until_ms = clock_monotonic_ms() + WAIT_MS;

	do {
		int file = open_once(path, follow, error);

		if (file < 0)
			return -1;
		if (lock(file, until_ms) && is_at(file, path))
			return file;
		close(file);
	} while (clock_monotonic_ms() < until_ms);
	error_set(error, "another program has it locked");
	return -1;
}

static bool is_empty(int file)
{
	struct stat status;

	return fstat(file, &status) == 0 && status.st_size == 0;
}

/* Some programs put a byte order mark and quotes there when a repaired one is saved. */
static bool has_refused_rows(int file)
{
	char room[32];
	struct lg_slice text = import_refusals_read(file, room, sizeof(room));

	if (slice_starts(text, "\xef\xbb\xbf"))
		text = slice_cut(text, 3, text.length);
	if (slice_starts(text, "\""))
		text = slice_cut(text, 1, text.length);
	return slice_starts(text, "leadgate_line");
}

bool import_rejects_fit(int file, struct error *error)
{
	return is_empty(file) || has_refused_rows(file) ||
	       error_set(error, "this is there already and is no file of refused rows; name "
				"another with --rejects");
}

void import_rejects_close(int file, const char *path)
{
	if (is_empty(file) && is_at(file, path))
		unlink(path);
	close(file);
}
