/* Text to one form: valid UTF-8 in Unicode NFC, no control or invisible
 * formatting characters, white space collapsed. ASCII, which most text is, never
 * reaches ICU. Pure; any thread. */
#ifndef LEAD_TEXT_H
#define LEAD_TEXT_H

#include "base/arena.h"

/* One line, cut at a character to `limit_bytes`. `text` itself when nothing
 * changed, otherwise in the arena; absent when memory ran out. Joiners are kept
 * where scripts and emoji need them. */
struct lg_slice text_line(struct arena *arena, struct lg_slice text, size_t limit_bytes);

/* Several lines: line ends of every kind become line feeds, no line ends with a
 * blank, at most one empty line stands between two others. */
struct lg_slice text_block(struct arena *arena, struct lg_slice text, size_t limit_bytes);

/* A copy in which U+FFFD stands for each byte that is not UTF-8; absent when
 * memory ran out. */
struct lg_slice text_valid(struct arena *arena, struct lg_slice text);

/* For comparison alone: folded as unicode_fold does, letters and digits of it. "1 MAIN ST."
 * gives "1mainst". In `out`; empty when it does not fit. */
struct lg_slice text_plain(struct lg_slice text, char *out, size_t capacity);

/* Equal when ASCII blanks and line ends do not count. */
bool text_equal_but_space(struct lg_slice a, struct lg_slice b);

#endif
