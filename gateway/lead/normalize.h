/* From what was sent to one canonical form. Never refuses: what cannot be read
 * stays in `raw`, what was changed keeps its original there, but for differences
 * in white space alone; a profile that is none goes to `extra`. */
#ifndef LEAD_NORMALIZE_H
#define LEAD_NORMALIZE_H

#include "lead/lead.h"

struct normalize_settings {
	char region[3]; /* default region of phone numbers, ISO 3166-1: "US" */
};

/* Prepares the tables; main thread, once, before others start. Takes no memory
 * worth counting: ICU and the phone library are loaded when the first value needs
 * them. False with a reason. */
bool normalize_setup(struct error *error);
void normalize_teardown(void);

/* All fields of a lead that a plugin may set, in place: each by its type; blank
 * ones become absent; an email or a phone that cannot be read changes places with
 * the first of other_emails or other_phones that can, and a phone's type goes to `raw`
 * then; campaign parameters are read from the landing page; a full name is put together
 * of given and family name; consents get the digest of their text. Any thread. False:
 * memory ran out. */
bool lead_normalize(struct lead *lead, const struct normalize_settings *settings);

#endif
