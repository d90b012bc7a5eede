/* An error at a place of a text, as a compiler prints it:
 *
 *   gateway.yaml:12:5: error: unknown option "adress"; did you mean "address"?
 *     - adress: 127.0.0.1:8080
 *       ^
 *
 * Pure; any thread. */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include "base/buffer.h"
#include "config/mask.h"

/* Lines and columns count from 1, columns in characters. A long line is cut
 * around the place; control characters are shown as '?', what `mask` does not
 * show as stars. */
void report_error(struct buffer *out, const char *path, struct lg_slice text,
		  const struct mask *mask, size_t offset, const char *message);

/* The offset of a line and column, clamped to what is there. */
size_t report_offset(struct lg_slice text, int line, int column);

/* The line of an offset, from 1. */
int report_line(struct lg_slice text, size_t offset);

#endif
