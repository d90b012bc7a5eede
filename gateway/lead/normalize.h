/* From what was sent to one canonical form. Never refuses: what cannot be read
 * stays in `raw`, what was changed keeps its original there. */
#ifndef LEAD_NORMALIZE_H
#define LEAD_NORMALIZE_H

#include "lead/lead.h"

struct normalize_settings {
	char region[3]; /* default region of phone numbers, ISO 3166-1: "US" */
};

/* Loads tables (phone metadata, ICU); main thread, once. False with a reason. */
bool normalize_setup(struct error *error);
void normalize_teardown(void);

/* All fields of a lead, in place. Any thread. False: memory ran out. */
bool lead_normalize(struct lead *lead, const struct normalize_settings *settings);

#endif
