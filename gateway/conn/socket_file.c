#include "conn/socket_file.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_PATH_BYTES (SOCKET_FILE_PATH_BYTES + 8)
#define NAME_BYTES 64
#define DEFAULT_MODE 0660

struct socket_file {
	char path[SOCKET_FILE_PATH_BYTES], lock_path[LOCK_PATH_BYTES];
	int lock;
	dev_t device; /* of the file that was bound */
	ino_t inode;
	struct socket_access access;
};

/* ---- access ------------------------------------------------------------------- */

static bool parse_mode(struct lg_slice text, mode_t *mode)
{
	mode_t sum = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < '0' || text.data[i] > '7' || sum > 0777)
			return false;
		sum = sum * 8 + (mode_t)(text.data[i] - '0');
	}
	*mode = sum;
	return text.length > 0 && sum <= 0777;
}

bool socket_access_user(struct lg_slice name, uid_t *user)
{
	char text[NAME_BYTES];
	uint64_t number;
	struct passwd *entry;

	if (slice_to_u64(name, &number) && number < UINT32_MAX) {
		*user = (uid_t)number;
		return true;
	}
	if (name.length >= sizeof(text))
		return false;
	slice_to_text(name, text, sizeof(text));
	entry = getpwnam(text);
	if (entry)
		*user = entry->pw_uid;
	return entry != NULL;
}

static bool find_group(struct lg_slice name, gid_t *group)
{
	char text[NAME_BYTES];
	uint64_t number;
	struct group *entry;

	if (slice_to_u64(name, &number) && number < UINT32_MAX) {
		*group = (gid_t)number;
		return true;
	}
	if (name.length >= sizeof(text))
		return false;
	slice_to_text(name, text, sizeof(text));
	entry = getgrnam(text);
	if (entry)
		*group = entry->gr_gid;
	return entry != NULL;
}

bool socket_access_parse(struct lg_slice mode, struct lg_slice owner, struct lg_slice group,
			 struct socket_access *access, struct error *error)
{
	*access = (struct socket_access){DEFAULT_MODE, (uid_t)-1, (gid_t)-1};
	if (slice_present(mode) && !parse_mode(mode, &access->mode))
		return error_set(error, "socket_mode: \"%.*s\" is no mode such as 0660",
				 SLICE_ARGS(mode));
	if (slice_present(owner) && !socket_access_user(owner, &access->owner))
		return error_set(error, "socket_owner: this machine has no user \"%.*s\"",
				 SLICE_ARGS(owner));
	if (slice_present(group) && !find_group(group, &access->group))
		return error_set(error, "socket_group: this machine has no group \"%.*s\"",
				 SLICE_ARGS(group));
	return true;
}

bool socket_file_set_access(struct socket_file *file, const struct socket_access *access,
			    struct error *error)
{
	bool owns = access->owner != (uid_t)-1 || access->group != (gid_t)-1;

	file->access = *access;
	if (owns && lchown(file->path, access->owner, access->group) != 0)
		return error_set(error, "cannot give %s to its owner or group: %s", file->path,
				 strerror(errno));
	if (chmod(file->path, access->mode) != 0)
		return error_set(error, "cannot set the mode of %s: %s", file->path,
				 strerror(errno));
	return true;
}

/* ---- the lock ------------------------------------------------------------------- */

static bool is_still(const char *path, int fd)
{
	struct stat there, ours;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && there.st_ino == ours.st_ino &&
	       there.st_dev == ours.st_dev;
}

static bool give_up_lock(struct socket_file *file, int code, struct error *error)
{
	close(file->lock);
	file->lock = -1;
	if (code == EWOULDBLOCK)
		return error_set(error, "cannot listen on %s: another listener does", file->path);
	return error_set(error, "cannot lock %s: %s", file->lock_path, strerror(code));
}

/* Whoever removes a lock's file holds the lock: one that was locked after that
 * is a file without a name, and another is made. */
static bool take_lock(struct socket_file *file, struct error *error)
{
	for (;;) {
		file->lock = open(file->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (file->lock < 0)
			return error_set(error, "cannot open %s: %s", file->lock_path,
					 strerror(errno));
		if (flock(file->lock, LOCK_EX | LOCK_NB) != 0)
			return give_up_lock(file, errno, error);
		if (is_still(file->lock_path, file->lock))
			return true;
		close(file->lock);
	}
}

/* ---- the file --------------------------------------------------------------------- */

/* Whether somebody listens there, who need not be a gateway. A full queue
 * (EAGAIN) is somebody, too. */
static bool is_served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool refused = fd >= 0 &&
		       connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
		       errno == ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return !refused;
}

/* Makes way where nobody listens any more. */
static bool clear_path(const struct sockaddr_un *address, struct error *error)
{
	const char *path = address->sun_path;
	struct stat stat;

	if (lstat(path, &stat) != 0)
		return errno == ENOENT ||
		       error_set(error, "cannot listen on %s: %s", path, strerror(errno));
	if (!S_ISSOCK(stat.st_mode))
		return error_set(error, "cannot listen on %s: it is there and is no socket", path);
	if (is_served(address))
		return error_set(error, "cannot listen on %s: another process does", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return error_set(error, "cannot remove %s, which is left of another process: %s",
				 path, strerror(errno));
	return true;
}

static bool bind_to(struct socket_file *file, int fd, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat stat;

	memcpy(address.sun_path, file->path, sizeof(file->path));
	if (!clear_path(&address, error))
		return false;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    lstat(file->path, &stat) != 0)
		return error_set(error, "cannot listen on %s: %s", file->path, strerror(errno));
	file->device = stat.st_dev;
	file->inode = stat.st_ino;
	return true;
}

struct socket_file *socket_file_bind(int fd, struct lg_slice path,
				     const struct socket_access *access, struct error *error)
{
	struct socket_file *file = alloc_zalloc(sizeof(*file));

	if (!file) {
		error_set(error, "no memory");
		return NULL;
	}
	file->lock = -1;
	slice_to_text(path, file->path, sizeof(file->path));
	snprintf(file->lock_path, sizeof(file->lock_path), "%s.lock", file->path);
	if (take_lock(file, error) && bind_to(file, fd, error) &&
	    socket_file_set_access(file, access, error))
		return file;
	socket_file_remove(&file);
	return NULL;
}

bool socket_file_is_there(const struct socket_file *file)
{
	struct stat stat;

	return lstat(file->path, &stat) == 0 && stat.st_ino == file->inode &&
	       stat.st_dev == file->device;
}

/* The file of the lock may have gone with the socket's. */
static bool keep_lock(struct socket_file *file, struct error *error)
{
	if (file->lock >= 0 && is_still(file->lock_path, file->lock))
		return true;
	if (file->lock >= 0)
		close(file->lock);
	return take_lock(file, error);
}

bool socket_file_bind_again(struct socket_file *file, int fd, struct error *error)
{
	const struct socket_access access = file->access;

	return keep_lock(file, error) && bind_to(file, fd, error) &&
	       socket_file_set_access(file, &access, error);
}

const char *socket_file_path(const struct socket_file *file)
{
	return file->path;
}

/* The lock last: who waits for it finds nothing to clear. What was never bound
 * has inode 0, and a lock that another one holds is not ours to remove. */
void socket_file_remove(struct socket_file **file)
{
	struct socket_file *f = *file;

	*file = NULL;
	if (!f)
		return;
	if (f->inode != 0 && socket_file_is_there(f))
		unlink(f->path);
	if (f->lock >= 0 && flock(f->lock, LOCK_EX | LOCK_NB) == 0 &&
	    is_still(f->lock_path, f->lock))
		unlink(f->lock_path);
	if (f->lock >= 0)
		close(f->lock);
	alloc_free(f);
}
