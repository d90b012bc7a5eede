/* Which bytes may stand where in HTTP/1.1. Pure; any thread. */
#ifndef HTTP_H1_CHAR_H
#define HTTP_H1_CHAR_H

#include "base/slice.h"

#define H1_TOKEN 1  /* RFC 9110, section 5.6.2 */
#define H1_VALUE 2  /* field-content and blanks, section 5.5 */
#define H1_TARGET 4 /* a request target; see h1_char.c */
#define H1_HOST 8   /* reg-name, RFC 3986, section 3.2.2 */

extern const unsigned char h1_char[256];

static inline bool h1_is(char c, int class)
{
	return h1_char[(unsigned char)c] & class;
}

/* How many bytes at the front are of the class. */
static inline size_t h1_span(const char *data, size_t length, int class)
{
	size_t i = 0;
	while (i < length && h1_is(data[i], class))
		i++;
	return i;
}

/* Whether every byte may stand in a field value: as h1_span over H1_VALUE, but
 * eight bytes at a time, because most of a head is values. */
bool h1_is_value(struct lg_slice value);

/* A token of at least one byte. */
bool h1_is_token(struct lg_slice name);

/* host [":" port] (RFC 9112, section 3.2), not empty. */
bool h1_is_authority(struct lg_slice authority);

#endif
