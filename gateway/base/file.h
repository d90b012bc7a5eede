/* Small files that a configuration names, read whole. Nothing is waited for: what is
 * no regular file is refused, whoever may write to a pipe or keep a device silent. A
 * file system that hangs holds up its caller. Any thread. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

/* Copies the file into the arena. `mode` (may be NULL) receives its permission
 * bits. False with a reason that does not name the path: it cannot be read, is
 * no regular file, has more than `limit_bytes`, or memory ran out. */
bool file_read(const char *path, size_t limit_bytes, struct arena *arena, struct lg_slice *bytes,
	       mode_t *mode, struct error *error);

/* The same of what somebody named who is there to write it: a pipe or a terminal is
 * waited for, too. */
bool file_read_input(const char *path, size_t limit_bytes, struct arena *arena,
		     struct lg_slice *bytes, struct error *error);

/* For a file that a library reads by its name: whether it can be opened, is regular
 * and has at most `limit_bytes`. False with a reason that does not name the path. */
bool file_check(const char *path, size_t limit_bytes, struct error *error);

#endif
