/* The access log: one JSON object a line for each answer to who sends leads, and for
 * each connection that did not come to an orderly end, without anything that tells who
 * somebody is: no address, no query, no header, and a path only where a source has it.
 *
 * Loops hand lines over and never wait: a thread writes them. What does not fit into
 * its queue is dropped and counted. */
#ifndef SUPERVISE_ACCESS_LOG_H
#define SUPERVISE_ACCESS_LOG_H

#include <leadgate/option.h>

#include "base/error.h"
#include "conn/reason.h"
#include "http/request.h"

/* Section `access_log:`. */
struct access_log_settings {
	struct lg_slice path; /* absent: there is none */
	int64_t queue_bytes;
};
extern const struct lg_option access_log_options[];
extern const size_t access_log_option_count;

struct access_log;

/* One that is off. NULL: not enough memory or descriptors. Main thread. */
struct access_log *access_log_new(void);
/* Writes what waits and ends the thread; answers are noted no more. Main thread. */
void access_log_stop(struct access_log *log);
/* After that, when nobody calls access_log_note any more. */
void access_log_free(struct access_log **log);

/* Opens the file of `settings` for access_log_change, at its end, for its owner
 * alone; -1 when there is none to be. False with a sentence. Main thread. */
bool access_log_prepare(const struct access_log_settings *settings, int *fd, struct error *error);
/* Writes to `fd` from now on, which it owns; -1: is off. Lines that were noted before
 * go to the file of before. Main thread. */
void access_log_change(struct access_log *log, const struct access_log_settings *settings, int fd);

/* Notes an answer; `source` NULL: no source took the request. Any thread. */
struct source;
void access_log_note(struct access_log *log, const struct http_request *request,
		     const struct http_response *response, const struct source *source);
/* Notes why a connection was closed or turned away. Any thread. */
void access_log_note_close(struct access_log *log, enum conn_reason reason);

#endif
