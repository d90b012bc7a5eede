/* Imports that clients of the control socket have asked for. Main thread; the work is the
 * errand thread's. An import ends with whoever asked for it: when nobody listens any more
 * it stops behind its last commit, and the same file again goes on there. */
#ifndef SUPERVISE_IMPORTS_H
#define SUPERVISE_IMPORTS_H

#include "base/buffer.h"
#include "codec/json.h"
#include "supervise/gateway.h"

#define IMPORT_PROGRESS_MS 250

struct imports;
struct imports *imports_new(struct gateway *gateway); /* NULL: no memory or descriptors */
/* Stops those under way, and waits a moment for them: one whose plugin hangs keeps its
 * memory. The errand thread has been told to stop. */
void imports_free(struct imports **imports);

/* Somebody who listens. */
struct import;
struct import_ticket {
	struct import *import; /* NULL: none is under way */
	struct buffer *answer; /* gets lines; none is added while one has not been taken */
	/* A line was added; `import` is NULL behind the last one. */
	void (*said)(struct import_ticket *ticket);
};

/* Begins an import of files[0], with files[1] for refused rows where there are two; they
 * are its own then. False: it is answered already, with a refusal. */
bool import_begin(struct imports *imports, const struct json *request, const int *files,
		  size_t file_count, struct import_ticket *ticket);
/* Has it end soon; the ticket is told. */
void import_stop(struct import_ticket *ticket);
/* The same, and nobody listens any more. */
void import_forget(struct import_ticket *ticket);

#endif
