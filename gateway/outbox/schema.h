/* The tables of the journal, as an operator sees them in the sqlite3 shell. */
#ifndef OUTBOX_SCHEMA_H
#define OUTBOX_SCHEMA_H

#include <sqlite3.h>

#include "base/error.h"
#include "lead/identity.h"

#define SCHEMA_APPLICATION_ID 0x4c454144 /* "LEAD", in the header of the file */
#define SCHEMA_VERSION 6		 /* user_version; goes up with every change */
#define SCHEMA_VERSION_FIRST 1

/* A captured trap: kept and listed, delivered to nobody. The body beside it is
 * the lead.created that a release would deliver. */
#define SCHEMA_TYPE_DISCARDED "lead.discarded"

/* Scopes of the table `state` whose keys are names of sinks: where one began (the
 * seq before), and why one is paused. */
#define SCHEMA_SCOPE_BEGUN "sink.begun"
#define SCHEMA_SCOPE_PAUSED "sink.paused"
/* The same of alerts that are raised, by KIND/NAME; the value is the alert. */
#define SCHEMA_SCOPE_ALERT "gateway.alert"

/* Before the name of a source: the scope of what its plugin keeps with lg_state_set. */
#define SCHEMA_SCOPE_SOURCE "source:"

/* Makes all tables and the secret in an empty database, in one transaction:
 * after a crash there is all of it or nothing. */
bool schema_create(sqlite3 *db, int64_t page_bytes, struct error *error);

/* Brings the tables of an older version, from SCHEMA_VERSION_FIRST on, up to ours in
 * one transaction; of ours nothing is changed. */
bool schema_migrate(sqlite3 *db, struct error *error);

/* Reads the secret under which identity keys are hashed. */
bool schema_secret(sqlite3 *db, uint8_t secret[IDENTITY_SECRET_BYTES], struct error *error);

/* Runs SQL that gives one integer; -1 on failure. */
int64_t schema_integer(sqlite3 *db, const char *sql);

#endif
