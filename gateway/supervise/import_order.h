/* What is said of imports on the control socket, in both directions, one line of JSON
 * each. The file, and the file for refused rows if there is to be one, go as descriptors
 * with the request:
 *
 *   {"command":"import","source":"partners","name":"may.csv","again":false,
 *    "dry_run":false,"map":[["Mail","person.email"]]}
 *
 * answered by any number of lines while it goes on, and one at the end:
 *
 *   {"state":"reading","bytes":900,"bytes_done":300,"bytes_begun":0,"rows":3,"created":2,…}
 *   {"state":"done",…,"dialect":"commas, UTF-8","columns":[["Mail","person.email"]]}
 *
 * A request that is not begun is answered with {"error":"…"}. */
#ifndef SUPERVISE_IMPORT_ORDER_H
#define SUPERVISE_IMPORT_ORDER_H

#include "base/buffer.h"
#include "codec/json.h"
#include "ingest/import.h"
#include "supervise/settings.h"

/* Columns that one request can say something of. */
#define IMPORT_ORDER_COLUMNS 256

/* Appends the request for a job, without the end of the line. */
void import_order_write(struct buffer *out, const struct import_job *job);
/* Fills what a request says; all is copied to the arena. False with a reason. */
bool import_order_read(struct import_job *job, const struct json *request, struct arena *arena,
		       struct error *error);

/* The source that a file is to go through; NULL with a reason: this configuration has none
 * of the name, or its plugin reads no files. */
struct source *import_order_source(const struct settings *settings, struct lg_slice name,
				   struct error *error);

/* Whether a descriptor is what a job can use: a file that can be read, and, where
 * `writable`, written. False with a reason. */
bool import_order_file(int file, bool writable, struct error *error);
/* Whether they are two files: what refused rows are written to is emptied first. */
bool import_order_apart(int file, int rejects, struct error *error);

/* Append a line: how a job stands that is under way; how one ended that is back. */
void import_order_progress(struct buffer *out, const struct import_job *job);
void import_order_end(struct buffer *out, const struct import_job *job);

#endif
