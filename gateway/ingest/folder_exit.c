#include "ingest/folder_exit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ENDING ".exit"
/* Lines: where to, rows, refused rows, and the lengths of the name and the reason. These
 * follow as they are, for a name may hold anything. */
#define HEAD_BYTES 128
#define NOTE_BYTES (HEAD_BYTES + NAME_MAX + FOLDER_REASON_BYTES)

static int folder_of(const struct folder_files *files, const struct folder_exit *exit)
{
	return exit->failed ? files->failed : files->done;
}

static void note_name(const char *name, char out[NAME_MAX + 1])
{
	snprintf(out, NAME_MAX + 1, ".%.*s" ENDING, FOLDER_NAME_BYTES + 8, name);
}

/* ---- the note of what is to be done -------------------------------------------------- */

bool folder_exit_begin(const struct folder_files *files, struct folder_exit *exit)
{
	char note[NOTE_BYTES], name[NAME_MAX + 1];

	if (!folder_name_free(folder_of(files, exit), exit->name, exit->other)) {
		errno = EEXIST;
		return false;
	}
	snprintf(note, sizeof(note), "%s\n%" PRId64 "\n%" PRId64 "\n%zu\n%zu\n%s%s",
		 exit->failed ? "failed" : "done", exit->rows, exit->refused, strlen(exit->other),
		 strlen(exit->reason), exit->other, exit->reason);
	note_name(exit->name, name);
	return folder_write(files->working, name, note) && fsync(files->working) == 0;
}

static bool read_all(int folder, const char *name, char *room, size_t size, struct lg_slice *text)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, room, size) : -1;

	if (fd >= 0)
		close(fd);
	*text = slice_of(room, got > 0 ? (size_t)got : 0);
	return got >= 0;
}

static struct lg_slice take_line(struct lg_slice *text)
{
	ptrdiff_t end = slice_find(*text, '\n');
	struct lg_slice line = slice_cut(*text, 0, end < 0 ? 0 : (size_t)end);

	*text = slice_cut(*text, line.length + (end >= 0), SIZE_MAX);
	return line;
}

static bool take_number(struct lg_slice *text, uint64_t *number)
{
	return slice_to_u64(take_line(text), number);
}

/* False: it is not whole, so nothing that it says was begun. */
static bool read_note(struct lg_slice text, struct folder_exit *exit)
{
	uint64_t rows, refused, name_bytes, reason_bytes;

	exit->failed = slice_is(take_line(&text), "failed");
	if (!take_number(&text, &rows) || !take_number(&text, &refused) ||
	    !take_number(&text, &name_bytes) || !take_number(&text, &reason_bytes) ||
	    name_bytes == 0 || name_bytes > NAME_MAX || reason_bytes >= FOLDER_REASON_BYTES ||
	    text.length != name_bytes + reason_bytes)
		return false;
	exit->rows = (int64_t)rows;
	exit->refused = (int64_t)refused;
	slice_to_text(slice_cut(text, 0, name_bytes), exit->other, sizeof(exit->other));
	slice_to_text(slice_cut(text, name_bytes, SIZE_MAX), exit->reason, sizeof(exit->reason));
	return slice_find(slice_cut(text, 0, name_bytes), '/') < 0;
}

/* Whether an entry of `working` is the note of an exit, and of which file. */
static bool is_note(const char *entry, char name[NAME_MAX + 1])
{
	size_t length = strlen(entry);

	if (*entry != '.' || length <= strlen("." ENDING) ||
	    strcmp(entry + length - strlen(ENDING), ENDING) != 0)
		return false;
	snprintf(name, NAME_MAX + 1, "%.*s", (int)(length - strlen("." ENDING)), entry + 1);
	return true;
}

/* A note that is not whole is left from a power cut and removed. */
static bool take_note(int working, const char *entry, struct folder_exit *exit)
{
	char room[NOTE_BYTES];
	struct lg_slice text;

	if (!is_note(entry, exit->name) || !read_all(working, entry, room, sizeof(room), &text))
		return false;
	if (read_note(text, exit))
		return true;
	unlinkat(working, entry, 0);
	return false;
}

bool folder_exit_find(const struct folder_files *files, struct folder_exit *exit)
{
	int fd = openat(files->working, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	bool found = false;

	if (!entries) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && (entry = readdir(entries)) != NULL)
		found = take_note(files->working, entry->d_name, exit);
	closedir(entries);
	errno = ENOENT;
	return found;
}

/* ---- the steps, each of which may have been done ------------------------------------- */

static bool move_rejects(const struct folder_files *files, const struct folder_exit *exit)
{
	char hidden[NAME_MAX + 1], rejects[NAME_MAX + 1];
	struct stat status;

	folder_name_hidden(exit->name, hidden);
	folder_name_rejects(exit->other, rejects);
	if (fstatat(files->working, hidden, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	if (status.st_size == 0)
		return unlinkat(files->working, hidden, 0) == 0;
	return folder_move(files->working, hidden, folder_of(files, exit), rejects);
}

static bool has_text(int folder, const char *name, const char *text)
{
	char room[FOLDER_REASON_BYTES];
	struct lg_slice found;

	return read_all(folder, name, room, sizeof(room), &found) && slice_is(found, text);
}

/* What lies there is our own, whole or not: the name was free. */
static bool write_reason(const struct folder_files *files, const struct folder_exit *exit)
{
	char name[NAME_MAX + 1];

	if (!exit->failed)
		return true;
	folder_name_reason(exit->other, name);
	return has_text(files->failed, name, exit->reason) ||
	       folder_write(files->failed, name, exit->reason) ||
	       (errno == EEXIST && unlinkat(files->failed, name, 0) == 0 &&
		folder_write(files->failed, name, exit->reason));
}

static bool move_file(const struct folder_files *files, const struct folder_exit *exit)
{
	struct stat status;

	if (fstatat(files->working, exit->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	return folder_move(files->working, exit->name, folder_of(files, exit), exit->other);
}

bool folder_exit_finish(const struct folder_files *files, const struct folder_exit *exit)
{
	char note[NAME_MAX + 1];

	note_name(exit->name, note);
	return move_rejects(files, exit) && write_reason(files, exit) && move_file(files, exit) &&
	       (unlinkat(files->working, note, 0) == 0 || errno == ENOENT);
}
