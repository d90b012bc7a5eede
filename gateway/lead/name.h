/* Names of persons, compared. Pure; any thread. */
#ifndef LEAD_NAME_H
#define LEAD_NAME_H

#include "base/slice.h"

/* The rules of identity_names_agree, on two full names. */
bool name_agrees(struct lg_slice a, struct lg_slice b);

#endif
