/* A file of certificates to trust. Any thread. */
#ifndef CLIENT_CA_FILE_H
#define CLIENT_CA_FILE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"

/* Whether the file at `path` can be read and holds a certificate in PEM, as the calls
 * of a client want it; false with a sentence that names the file. It reads all of it. */
bool ca_file_check(struct lg_slice path, struct error *error);

#endif
