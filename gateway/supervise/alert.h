/* Alerts: what an operator should hear of without asking. An alert has a kind
 * and a name (of a source or sink), is raised once, and cleared once. Either is
 * logged and shown as leadgate_alert{kind,name}; when a sink asks for
 * gateway.alert, it becomes an event in the journal as well, which also notes
 * what is raised, so that a restart does not raise it again. Main thread. */
#ifndef SUPERVISE_ALERT_H
#define SUPERVISE_ALERT_H

#include "base/list.h"
#include "base/loop.h"
#include "codec/json_writer.h"
#include "outbox/outbox.h"
#include "outbox/reader.h"

enum alert_kind {
	ALERT_SILENT, /* a source brought no lead for longer than alert_silent */
	ALERT_PARKED, /* a sink's lane is parked */
	ALERT_LAG,    /* events wait for a sink for longer than alert_lag */
	ALERT_CLAIMS, /* claims of a source are parked */
	ALERT_KINDS
};

#define ALERT_NAME_BYTES 64

struct alert {
	struct list link;
	enum alert_kind kind;
	char name[ALERT_NAME_BYTES];
	bool raised;
	bool inherited;	  /* raised before the start, and not looked at since */
	int64_t since_ms; /* wall clock: raised, or cleared */
	int64_t last_ms;  /* wall clock: of the last lead, or of the oldest event that waits */
	char reason[160]; /* without personal data */
	bool seen;	  /* in this round */
	int gauge;
	/* The journal's part. */
	bool noted;	/* as raised */
	bool under_way; /* the chore is with the writer */
	struct chore chore;
	char key[ALERT_NAME_BYTES + 16];
	struct buffer text;
};

struct alerts {
	struct list all;
	struct outbox *outbox;
	struct mailbox mailbox; /* chores come back here */
	struct loop_mailbox box;
	bool asked; /* a sink takes gateway.alert */
};

/* What is the case, by whoever looked. */
struct alert_finding {
	enum alert_kind kind;
	struct lg_slice name;
	bool raised;
	int64_t last_ms; /* 0: not known */
	struct lg_slice reason;
};

/* False when memory or descriptors ran out. */
bool alerts_open(struct alerts *alerts, struct loop *loop, struct outbox *outbox);
/* After the outbox is closed: until then chores may come back. */
void alerts_close(struct alerts *alerts);

/* Takes over what the journal notes as raised. */
void alerts_inherit(struct alerts *alerts, struct reader *reader);

/* The alert of that kind and name; NULL: nobody has looked at it yet. */
struct alert *alerts_find(const struct alerts *alerts, enum alert_kind kind, struct lg_slice name);

/* A round: begin, findings, end. What was not found in between is of nothing
 * that is configured, and is cleared. */
void alerts_begin(struct alerts *alerts, bool asked);
void alerts_take(struct alerts *alerts, const struct alert_finding *finding);
/* What was found before stays, for nothing better is known. */
void alerts_keep(struct alerts *alerts, enum alert_kind kind, struct lg_slice name);
void alerts_end(struct alerts *alerts);

/* How many are raised. */
size_t alerts_raised(const struct alerts *alerts);
/* Writes those that are raised as an array. */
void alerts_write(const struct alerts *alerts, struct json_writer *writer);

#endif
