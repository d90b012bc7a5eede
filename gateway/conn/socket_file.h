/* The file of a listening unix socket: that it is ours alone, who may connect,
 * and that it goes away with the listener. Main thread, or the listener's.
 *
 * A socket's file outlives the process that made it. So that what a killed one
 * left is replaced, and what a living one listens on never is, PATH.lock is
 * locked (flock) as long as we listen, and a file that is there already is
 * asked by connecting. Its folder is to be writable for nobody else. */
#ifndef CONN_SOCKET_FILE_H
#define CONN_SOCKET_FILE_H

#include <sys/types.h>

#include "base/error.h"
#include "base/slice.h"

#define SOCKET_FILE_PATH_BYTES 108 /* of sockaddr_un, with the closing zero byte */

/* Who may connect: whoever may write to the file. */
struct socket_access {
	mode_t mode;
	uid_t owner; /* (uid_t)-1: whom the process runs as */
	gid_t group; /* (gid_t)-1: likewise */
};

/* From the words of a configuration: octal digits, and names or numbers of
 * users; absent ones leave the default (0660, our own). False with a sentence. */
bool socket_access_parse(struct lg_slice mode, struct lg_slice owner, struct lg_slice group,
			 struct socket_access *access, struct error *error);

/* The number of a user by name or number; false when there is none. Not from
 * several threads at once. */
bool socket_access_user(struct lg_slice name, uid_t *user);

struct socket_file;

/* Binds `fd` (AF_UNIX) to `path` and sets access; nobody can connect before
 * listen(2). NULL with a sentence, and nothing is left behind. */
struct socket_file *socket_file_bind(int fd, struct lg_slice path,
				     const struct socket_access *access, struct error *error);
bool socket_file_set_access(struct socket_file *file, const struct socket_access *access,
			    struct error *error);

/* Whether the file is still the one that was bound: somebody may have removed or
 * replaced it, and then nobody can connect. */
bool socket_file_is_there(const struct socket_file *file);
/* Binds another `fd` to the path, with the same access. False with a sentence: somebody
 * else listens there now, or it cannot be made; again later does no harm. */
bool socket_file_bind_again(struct socket_file *file, int fd, struct error *error);
const char *socket_file_path(const struct socket_file *file); /* lives as long as the file */

/* Removes the file, when it is still the one that was bound, and frees. */
void socket_file_remove(struct socket_file **file);

#endif
