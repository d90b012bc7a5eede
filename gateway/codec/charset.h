/* Text in the character sets that forms are sent in to UTF-8, by the labels of
 * the WHATWG Encoding standard (section 4.2). Pure; any thread. */
#ifndef CODEC_CHARSET_H
#define CODEC_CHARSET_H

#include "base/arena.h"

/* Whether a label ("utf-8", "ISO-8859-1", "windows-1251") is known. Blanks
 * around it and the case of letters do not matter. */
bool charset_known(struct lg_slice label);

/* The text in UTF-8, of the arena, or `bytes` themselves where they are the same;
 * U+FFFD stands for what means nothing in that set. Absent: the label is not
 * known, or memory ran out (then the arena has failed). */
struct lg_slice charset_decode(struct arena *arena, struct lg_slice label, struct lg_slice bytes);

#endif
