/* Media types (RFC 9110 section 8.3.1): type/subtype and parameters, and the
 * weighing of Accept (section 12.5.1). Pure; any thread. */
#ifndef CODEC_MEDIA_TYPE_H
#define CODEC_MEDIA_TYPE_H

#include "base/slice.h"

/* Whether the value's type is `name` ("application/json"), parameters aside. */
bool media_type_is(struct lg_slice value, const char *name);
/* A parameter's value, quotes removed (escapes kept); absent without it. */
struct lg_slice media_type_parameter(struct lg_slice value, const char *name);
/* The weight 0…1000 that an Accept value gives to a type. An absent or empty
 * Accept takes everything: 1000. */
int accept_weight(struct lg_slice accept, const char *type);

#endif
