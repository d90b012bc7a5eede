/* The file that refused rows of an import go to, which is one import's at a time. It is
 * locked (flock(2)) as long as a descriptor of it is open: the lock goes to the gateway with
 * the descriptor, so that it outlives a command that is killed until its import has ended. */
#ifndef VERBS_IMPORT_REJECTS_H
#define VERBS_IMPORT_REJECTS_H

#include <stdbool.h>

#include "base/error.h"

/* Opens and locks it for reading and writing, made for its owner alone where there is none.
 * Waits some seconds for another import to end. `follow`: also through a symbolic link, which
 * is for a path that the operator has named; beside a file somebody else may have put one. -1
 * with a reason. */
int import_rejects_open(const char *path, bool follow, struct error *error);

/* Whether it is empty or holds refused rows. An import cuts it and writes over it: a list, or
 * the configuration, would be gone. False with a reason. */
bool import_rejects_fit(int file, struct error *error);

/* Closes it, and removes it while nothing is in it. */
void import_rejects_close(int file, const char *path);

#endif
