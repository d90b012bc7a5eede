/* What ICU does for us: normalization, case, domain names. ASCII takes a short way in case
 * and normalization: a conversion to UTF-16 and back costs more than all the rest. Any
 * thread; ICU's objects are made at first use and live until exit. */
#ifndef LEAD_UNICODE_H
#define LEAD_UNICODE_H

#include "base/arena.h"

/* Unicode NFC (UAX #15) of valid UTF-8; `text` itself when it is that already.
 * Absent when memory ran out. */
struct lg_slice unicode_nfc(struct arena *arena, struct lg_slice text);

/* Lower case by the rules of no language in particular. Returns the bytes
 * written, -1 when they do not fit. */
ptrdiff_t unicode_lower(struct lg_slice text, char *out, size_t capacity);

/* For comparison alone: case folded, compatibility decomposed, marks removed.
 * "Müller" gives "muller". Returns as unicode_lower. */
ptrdiff_t unicode_fold(struct lg_slice text, char *out, size_t capacity);

/* A domain name to its ASCII form by UTS #46, non-transitional. Returns the bytes
 * written, -1 when it is no domain name or does not fit. */
ptrdiff_t unicode_domain(struct lg_slice text, char *out, size_t capacity);

#endif
