/* The part of the balance that is about claims: each in exactly one known state. Inner
 * header of outbox/. */
#ifndef OUTBOX_BALANCE_CLAIMS_H
#define OUTBOX_BALANCE_CLAIMS_H

#include "outbox/balance.h"

/* Counts the claims of all sources; polls and back-fills are none. False with a reason. */
bool balance_claims_read(struct balance *balance, struct reader *reader, struct error *error);

#endif
