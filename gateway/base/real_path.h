/* Where a path leads, be anything there or not. Any thread; may block on disk. */
#ifndef BASE_REAL_PATH_H
#define BASE_REAL_PATH_H

#include <limits.h>
#include <stdbool.h>

#include "base/slice.h"

/* The absolute path without links, "." and "..", as realpath(3) has it. What is not there
 * yet may come, so it is taken as written. False: it is empty or too long, there are too many
 * links, or the working folder is gone. */
bool real_path(struct lg_slice path, char out[PATH_MAX]);

#endif
