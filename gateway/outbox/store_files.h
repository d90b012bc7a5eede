/* The files that a store consists of. Nothing opens them but SQLite: whoever opens and closes
 * one of them beside it takes its locks away, for POSIX locks end with any descriptor of the
 * file that their process closes. */
#ifndef OUTBOX_STORE_FILES_H
#define OUTBOX_STORE_FILES_H

#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"

/* Whether `file` is one of the files of the store at this path (the journal, its log, what
 * stands beside them), by whatever name, or would become one, also where the folders are yet
 * to be made. Looks at both, opens neither. A path that is too long is none of them. Any
 * thread; may block on disk. */
bool store_files_have(struct lg_slice store_path, struct lg_slice file);

/* Makes the folders above the store at this path that are not there, for a first start. False
 * with a reason. Any thread; may block on disk. */
bool store_files_prepare(struct lg_slice store_path, struct error *error);

#endif
