/* What a reload says: lines of JSON to whoever asked for it, lines in the log to
 * everybody. Main thread. */
#ifndef SUPERVISE_RELOAD_TEXT_H
#define SUPERVISE_RELOAD_TEXT_H

#include "base/buffer.h"
#include "supervise/difference.h"

/* {"generation":7} */
void reload_text_number(struct buffer *out, const char *name, int64_t number);

/* {"error":"…","configuration":true}: whether the configuration is to blame. */
void reload_text_error(struct buffer *out, struct lg_slice text, bool of_configuration);

/* {"change":"kept","kind":"sink","name":"archive"} */
void reload_text_item(struct buffer *out, const struct difference_item *item);

/* A line for each error in a report. */
void reload_text_log_errors(struct lg_slice errors);

/* A line for each item that is not kept. */
void reload_text_log_changes(const struct difference *difference);

#endif
