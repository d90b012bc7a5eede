/* Orders of operators about claims. Writer thread, inside a transaction; each gives an
 * SQLite result and counts the rows that it has changed. */
#ifndef OUTBOX_CLAIM_CHORE_H
#define OUTBOX_CLAIM_CHORE_H

#include "outbox/chore.h"

/* CHORE_CLAIMS, CHORE_BACKFILL, and the part of CHORE_FORGET that is about a source; of
 * that `more` says that another step follows. */
int claim_chore_retry(struct journal *journal, struct chore *chore);
int claim_chore_backfill(struct journal *journal, struct chore *chore);
int claim_chore_forget(struct journal *journal, struct chore *chore);

#endif
