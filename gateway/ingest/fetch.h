/* One errand under way: a claim, a group of them, a poll or a back-fill. The plugin is
 * asked, its call is made, it is asked again, until there is a verdict; what it has added
 * is stored with the verdict. Inner header of ingest/; the errand thread. */
#ifndef INGEST_FETCH_H
#define INGEST_FETCH_H

#include "base/list.h"
#include "client/http_client.h"
#include "ingest/intake.h"
#include "outbox/claim.h"

struct desk;

struct fetch {
	struct list link; /* of the desk's */
	struct desk *desk;
	struct arena arena; /* of the rows */
	struct claim *claims;
	int64_t *numbers; /* of the rows */
	size_t count;
	struct lg_slice blob; /* as it is now */
	/* Of each row: why the lead under its own key cannot be stored, on whichever page it
	 * came; absent: none was refused. NULL: of none. */
	struct lg_slice *refusals;
	int64_t calls, calls_since_commit;

	/* One turn: a call of the plugin and what follows from it. */
	struct http_request request;
	struct intake intake;
	struct lg_verdict verdict;
	bool goes_on;		  /* its call is to be made once this turn is stored */
	struct lg_http_call call; /* named by the plugin; in the request's arena */
	bool has_call;
	struct http_exchange *exchange;	  /* NULL: no call is under way */
	bool vendors_trouble;		  /* by the last answer, or for want of one */
	const struct http_answer *answer; /* while the plugin looks at it */
};

/* Makes one of claims that were read, `count` of one group or one alone; all is copied.
 * NULL: memory ran out. */
struct fetch *fetch_new(struct desk *desk, const struct claim *claims, size_t count);
/* Breaks its call off. Not while the writer has it. */
void fetch_free(struct fetch **fetch);

/* Asks the plugin first. The fetch may be gone afterwards. */
void fetch_begin(struct fetch *fetch);

/* Whether the writer has it. */
static inline bool fetch_is_stored(const struct fetch *fetch)
{
	return !fetch->exchange;
}

#endif
