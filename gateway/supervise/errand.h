/* Commands of the control socket that the writer of the journal carries out:
 *
 *   {"command":"pause","sink":"crm","text":"their server moves"}
 *   {"command":"resume","sink":"crm"}
 *   {"command":"replay","sink":"crm","first_seq":1,"last_seq":9,"dead":true}
 *   {"command":"forget","sink":"old"}
 *   {"command":"fetch","source":"ads","dead":true}
 *   {"command":"backfill","source":"ads","since_ms":1767225600000}
 *
 * answered with {"count":3}, or with {"error":"…"}. A sink that is not configured
 * can only be forgotten, and only such a one; so can what a source has left. Main thread. */
#ifndef SUPERVISE_ERRAND_H
#define SUPERVISE_ERRAND_H

#include "base/buffer.h"
#include "codec/json.h"
#include "outbox/chore.h"
#include "supervise/gateway.h"

#define ERRAND_TIMEOUT_MS 600000 /* of the longest: a replay of millions */

/* Appends the request for a chore, one line without its end. */
void errand_write(struct buffer *out, const struct chore *chore);
/* Fills what a request says; slices are the request's. False with a reason. */
bool errand_read(struct chore *chore, const struct json *request, struct error *error);
bool errand_knows(struct lg_slice command);

/* Says in the chore what depends on the configuration: whether a name that is to be
 * forgotten may be a source's, too. */
void errand_complete(struct chore *chore, const struct settings *settings);

/* Whether this configuration lets the chore be done. False with a reason. */
bool errand_allowed(const struct chore *chore, const struct settings *settings,
		    struct error *error);

/* Appends the answer, a line; and the other end reads it into the chore's result. */
void errand_answer(struct buffer *out, const struct chore *chore);
void errand_take_answer(struct chore *chore, struct lg_slice answer);

/* All that are under way. */
struct errands;
struct errands *errands_new(struct gateway *gateway);
/* Those under way are asked to end, and waited for: the outbox is still open. */
void errands_free(struct errands **errands);

/* Somebody who waits. */
struct errand;
struct errand_ticket {
	struct errand *errand; /* NULL: none is under way */
	struct buffer *answer; /* gets the answer before `done` is called */
	void (*done)(struct errand_ticket *ticket);
};

/* Begins an errand. False: it is answered already, with a refusal. */
bool errand_begin(struct errands *errands, const struct json *request,
		  struct errand_ticket *ticket);
/* Nobody waits any more; the errand goes on. */
void errand_forget(struct errand_ticket *ticket);

#endif
