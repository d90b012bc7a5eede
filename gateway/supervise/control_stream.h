/* The commands' end of an exchange on the control socket whose answer comes line by
 * line, for as long as the work takes. Plain blocking calls; a signal ends a wait. */
#ifndef SUPERVISE_CONTROL_STREAM_H
#define SUPERVISE_CONTROL_STREAM_H

#include "base/buffer.h"

struct control_stream {
	int fd;
	struct buffer in;
	size_t taken; /* of `in`: the line that was given out last */
};

/* Sends a request, one line without its end, and up to RIGHTS_MAX descriptors with it.
 * False with a reason; `absent`: no gateway runs on this store. Blocks for at most
 * CONTROL_TIMEOUT_MS. */
bool control_stream_open(struct control_stream *stream, struct lg_slice store_path,
			 struct lg_slice request, const int *files, size_t file_count, bool *absent,
			 struct error *error);

enum control_news {
	CONTROL_LINE,	 /* `line` is one, without its end; it lives until the next call */
	CONTROL_SILENCE, /* nothing came within the time, or a signal did */
	CONTROL_END,	 /* the gateway has closed, or is gone */
};
enum control_news control_stream_next(struct control_stream *stream, int64_t wait_ms,
				      struct lg_slice *line);

/* Asks the gateway to come to an end; it still says how it ended. */
void control_stream_finish(struct control_stream *stream);
void control_stream_close(struct control_stream *stream);

#endif
