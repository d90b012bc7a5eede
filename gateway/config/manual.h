/* Help and manual pages from option rows. Main thread. */
#ifndef CONFIG_MANUAL_H
#define CONFIG_MANUAL_H

#include "config/bind.h"

/* Plain text for a terminal: name, type, default, range, help. */
void manual_text(struct buffer *out, const struct option_table *table);
/* The same in man(7) macros. */
void manual_roff(struct buffer *out, const struct option_table *table);
/* An option's type in words, as both show it. */
const char *manual_type(int32_t type);

#endif
