/* A claim, said to people and to programs. */
#ifndef VERBS_CLAIM_LINES_H
#define VERBS_CLAIM_LINES_H

#include "base/buffer.h"
#include "codec/json_writer.h"
#include "outbox/claim.h"

/* Two lines: which claim, and how it stands. */
void claim_lines_text(struct buffer *out, const struct claim *claim);
/* How it stands alone: the rest of a line. */
void claim_lines_state(struct buffer *out, const struct claim *claim);
/* One line of JSON. */
void claim_lines_json(struct buffer *out, const struct claim *claim);
/* The object of that line. */
void claim_lines_object(struct json_writer *writer, const struct claim *claim);

#endif
