/* Email addresses: a pragmatic subset of RFC 5321 and RFC 6531 — no quoted local
 * parts, comments or address literals, which no person types into a form. */
#ifndef LEAD_EMAIL_H
#define LEAD_EMAIL_H

#include "base/arena.h"

#define EMAIL_MAX_BYTES 254 /* RFC 5321, section 4.5.3.1.3, less the brackets */
#define EMAIL_LOCAL_MAX_BYTES 64
#define EMAIL_IDENTITY_BYTES 512

/* The address in its one form for delivery: the local part as it was typed, in
 * NFC; the domain in lower case and ASCII (UTS #46). "mailto:" and a name around
 * <…> are taken away. `text` itself when nothing changed. Absent when it cannot
 * be read, or memory ran out (then the arena has failed). */
struct lg_slice email_normalize(struct arena *arena, struct lg_slice text);

/* Parts an address at its last '@', as only the local part could hold another.
 * False without one. */
bool email_split(struct lg_slice email, struct lg_slice *local, struct lg_slice *domain);

/* What makes two normalized addresses one person's: the local part in lower case
 * without its plus-tag; for Gmail, dots left out and googlemail.com as gmail.com.
 * `out` holds what is returned. */
struct lg_slice email_identity(struct lg_slice email, char out[EMAIL_IDENTITY_BYTES]);

/* Of a normalized address: read by an office rather than a person (info@, sales@ …,
 * RFC 2142 and custom), given to anybody by a mail provider, thrown away after use. */
bool email_role(struct lg_slice email);
bool email_free(struct lg_slice email);
bool email_disposable(struct lg_slice email);
/* email_role of an address of which email_identity is at hand. */
bool email_identity_is_role(struct lg_slice identity);

#endif
