/* The part of the balance that is about leads: each with a present record. Inner header of
 * outbox/. */
#ifndef OUTBOX_BALANCE_LEADS_H
#define OUTBOX_BALANCE_LEADS_H

#include "outbox/balance.h"

/* Counts all leads, and those of them that are held; what is wrong goes to balance->found.
 * On the thread of balance_read. False with a reason when they cannot be read. */
bool balance_leads_read(struct balance *balance, struct reader *reader, struct error *error);

#endif
