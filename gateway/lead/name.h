/* Names of persons, compared. Pure; any thread. */
#ifndef LEAD_NAME_H
#define LEAD_NAME_H

#include "lead/lead.h"

#define NAME_BYTES 512

/* One that no blank parts: "Anna", but "Anna-Lena" too. */
bool name_is_word(struct lg_slice name);

/* The full name, or else given and family name, put together in `room`; empty
 * without any. A full name of one word beside another family name is a given name. */
struct lg_slice name_of(const struct lead *lead, char room[NAME_BYTES]);

/* The rules of identity_names_agree, on two full names. */
bool name_agrees(struct lg_slice a, struct lg_slice b);

/* Whether both are names, and neither has all parts of the other: "Anna" may be
 * "Anna Meier", which proves nothing; "Bernd Meier" is somebody else. */
bool name_differs(struct lg_slice a, struct lg_slice b);

#endif
