/* Small files read whole. Main thread. */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

/* Copies the file into the arena. `mode` (may be NULL) receives its permission
 * bits. False with a reason that does not name the path: it cannot be read, is
 * no file but a folder, has more than `limit_bytes`, or memory ran out. */
bool file_read(const char *path, size_t limit_bytes, struct arena *arena, struct lg_slice *bytes,
	       mode_t *mode, struct error *error);

#endif
