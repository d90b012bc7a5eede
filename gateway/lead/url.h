/* Absolute http and https URLs (RFC 3986; hosts by UTS #46). Pure; any thread. */
#ifndef LEAD_URL_H
#define LEAD_URL_H

#include "base/arena.h"

/* One form: scheme and host in lower case, the host in ASCII, without a default
 * port; path, query and fragment as they came, blanks in them as %20. `text`
 * itself when nothing changed. Absent when it is no such URL, or memory ran out. */
struct lg_slice url_normalize(struct arena *arena, struct lg_slice text);

/* Takes "example.com/about" too, as https. */
struct lg_slice url_normalize_website(struct arena *arena, struct lg_slice text);

/* The part after the first '?' up to a '#'; absent without one. */
struct lg_slice url_query(struct lg_slice url);

#endif
