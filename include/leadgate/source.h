/* Source plugins: from a request to leads, and from results to an answer.
 *
 * A source has two phases. `receive` looks at the request and adds items;
 * it does no I/O and does not block. The host then normalizes, recognises,
 * commits and syncs. Only after that, on the same loop thread, `reply` makes
 * the answer. A plugin that leaves `reply` NULL gets the host's answer:
 * 202 {"status":"accepted","receipt":…}.
 *
 * What cannot be a lead at once is stored as a claim, and the sender is answered.
 * The gateway's errand thread does the rest (since 0.4): it calls `claim`, which
 * names an HTTP call; the gateway makes it and calls again with the answer, until
 * the verdict is that the claim is done, parked or dead. `poll` and `backfill` are
 * errands in the same way, which nobody claimed. To all of them the request is what
 * it is to `receive`: leads, claims, JSON and memory come from it, all that is added
 * before a verdict of LG_ERRAND_DONE or LG_ERRAND_MORE commits with what the verdict
 * says, and after a crash an errand begins where its last commit left it. Leads of
 * an errand want a delivery key: it may happen twice. One that cannot be stored becomes a
 * dead claim under that key, which the log names, too: it must be nothing personal. Where
 * it is the key of a claim that the errand fetches, that one is dead instead of done.
 *
 * Files of leads are read by `read_open`, `read` and `read_close` (since 0.4): the
 * gateway hands over the file in chunks, the plugin adds an item a record and says how
 * far it came; the leads, the refused records and that position commit together, so a
 * reading that was killed goes on behind what is stored, and nothing comes twice.
 *
 * One instance is called by several threads at once: its memory is read-only
 * after `open`. What changes lives in the host's services. The flag
 * LG_SERIAL asks for one loop at a time. */
#ifndef LEADGATE_SOURCE_H
#define LEADGATE_SOURCE_H

#include <leadgate/plugin.h>
#include <leadgate/services.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct lg_source_operations {
	size_t size; /* sizeof(struct lg_source_operations) as the plugin knows it */

	/* Checks settings that the option rows alone cannot: no side effects,
	 * called at `leadgate check` and before `open`. On LG_FAIL `problem`
	 * says what is wrong and what would be right. May be NULL. */
	int32_t (*check)(const void *settings, struct lg_text problem);

	/* Makes an instance. `host` and `settings` live until after `close`.
	 * A reload makes the next one before the last one is closed: each gets
	 * the requests that began in its time. Main thread. On LG_FAIL
	 * `problem` says why. May be NULL. */
	int32_t (*open)(struct lg_host *host, const void *settings, void **instance,
			struct lg_text problem);

	/* Ends it; no call is under way. Main thread. May be NULL. */
	void (*close)(void *instance);

	/* Takes a whole request. Adds items with lg_lead, lg_ignore; or refuses
	 * the request with lg_refuse and returns LG_FAIL. LG_LATER, which will
	 * suspend it, is no answer yet: it fails the request. A loop thread. NULL only
	 * in a plugin with LG_READS_FILES: then the source has no path. */
	int32_t (*receive)(void *instance, struct lg_request *request);

	/* Makes the answer when all is committed. For a request that was refused
	 * whole, or could not be stored, it is called only of a plugin with the flag
	 * LG_ANSWERS_REFUSALS, and lg_refusal tells it; others leave that answer to
	 * the gateway. A loop thread. May be NULL. */
	int32_t (*reply)(void *instance, struct lg_request *request, struct lg_reply *reply);

	/* Errands, since 0.4; the descriptor has LG_CALLS_HTTP. Each is called with
	 * LG_CAUSE_DUE (LG_CAUSE_GROUP) first and names a call with lg_errand_call, or
	 * knows its verdict at once; then with LG_CAUSE_RESPONSE for each whole answer
	 * that has come, whatever its status. What brought none is tried again by the
	 * gateway. `verdict` is zero before, which is LG_ERRAND_RETRY. Returns LG_OK;
	 * after LG_FAIL it is tried again. Does no I/O and does not block: one thread has
	 * the errands of all sources. The errand thread. May be NULL.
	 *
	 * An answer that lacks what it should have says nothing: only one that says so ends
	 * a claim as DEAD, or a walk through pages as DONE; anything else is tried again.
	 * Where a walk stands must move with each page, or it never ends. */

	/* Turns a claim, or the claims of a group, into leads. */
	int32_t (*claim)(void *instance, struct lg_request *request, const struct lg_errand *errand,
			 struct lg_verdict *verdict);

	/* Looks for new leads, as often as the option `poll` says. Where it stands is in
	 * its blob, or in lg_state_set. */
	int32_t (*poll)(void *instance, struct lg_request *request, const struct lg_errand *errand,
			struct lg_verdict *verdict);

	/* Brings all leads since errand->since, when an operator asks. Its blob, empty
	 * at first, is where it stands: set with each LG_ERRAND_MORE, so that a restart
	 * goes on from there. */
	int32_t (*backfill)(void *instance, struct lg_request *request,
			    const struct lg_errand *errand, struct lg_verdict *verdict);

	/* Files, since 0.4; the descriptor has LG_READS_FILES. Several files may be read at
	 * once, each with a state of its own. No I/O, no blocking. The errand thread. */

	/* Looks at a file's first bytes, and fills `reading`. Memory of this request, to which
	 * no item may be added, lives until read_close. After LG_FAIL there is no reading;
	 * `problem` says why this is no file of leads: what is wrong, where, and what would be
	 * right. It may quote names of columns, no other content of the file. */
	int32_t (*read_open)(void *instance, struct lg_request *request, const struct lg_file *file,
			     struct lg_reading *reading, struct lg_text problem);

	/* Adds an item for each whole record of the chunk, with lg_lead and lg_lead_origin, with
	 * lg_reject or lg_ignore, until the chunk ends or one of them says that there is no
	 * room: that record is then not consumed. It says in `taken` how far it came; nothing,
	 * where the chunk is not the last, asks for a larger one. The chunk and the request of
	 * each call live until the items are stored. Items that cannot be stored may be read
	 * again: what `state` holds of records is only what `taken->position` says, too.
	 * LG_FAIL ends the import as failed: lg_refuse says why. */
	int32_t (*read)(void *instance, struct lg_request *request, void *state,
			const struct lg_chunk *chunk, struct lg_taken *taken);

	/* Ends the reading. May be NULL. */
	void (*read_close)(void *instance, void *state);
};

/* Fills `info`; what an older gateway does not know is zero. Slices live as
 * long as the request. */
static inline int32_t lg_request_info(struct lg_request *request, struct lg_request_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return request->services->request_info(request, info);
}

/* The index-th URL that the sender may have posted to, the likeliest first: for
 * signatures that cover it, which are to be tried with each. Behind a proxy it
 * depends on what that says of itself, and only a trusted one is believed; there
 * are six at most. It lives as long as the request. LG_FAIL: there are not that
 * many, the request named no host, or memory ran out. Since 0.3: ask
 * LG_HAS(request->services, public_url) before, in a plugin for an older one. */
static inline int32_t lg_public_url(struct lg_request *request, size_t index, struct lg_slice *url)
{
	return request->services->public_url(request, index, url);
}

/* The index-th value of a header, by its name in any case, duplicates kept
 * apart. Returns LG_FAIL when there are not that many. */
static inline int32_t lg_header(struct lg_request *request, const char *name, size_t index,
				struct lg_slice *value)
{
	return request->services->header(request, name, index, value);
}

/* Decodes application/x-www-form-urlencoded bytes (WHATWG URL, section 5.1), such
 * as a body or info.query. The form lives as long as the request. LG_FAIL: too many
 * fields. */
static inline int32_t lg_form(struct lg_request *request, struct lg_slice bytes,
			      struct lg_form **form)
{
	return request->services->form(request, bytes, form);
}
static inline size_t lg_form_count(struct lg_request *request, const struct lg_form *form)
{
	return request->services->form_count(form);
}
static inline int32_t lg_form_pair(struct lg_request *request, const struct lg_form *form,
				   size_t index, struct lg_pair *pair)
{
	return request->services->form_pair(form, index, pair);
}

/* As lg_form, for a form whose escapes stand for bytes of a character set other
 * than UTF-8. LG_FAIL: too many fields, or a set that lg_to_utf8 does not know.
 * Since 0.4. */
static inline int32_t lg_form_in(struct lg_request *request, struct lg_slice bytes,
				 struct lg_slice charset, struct lg_form **form)
{
	return request->services->form_in(request, bytes, charset, form);
}

/* Reads a multipart/form-data body (RFC 7578) by its Content-Type. lg_form_count and
 * lg_form_pair give names and values, raw: lg_to_utf8 reads them; lg_part tells files
 * from fields. The form lives as long as the request. On LG_FAIL `problem` says what
 * is wrong, without quoting what was sent. Since 0.4. */
static inline int32_t lg_multipart(struct lg_request *request, struct lg_slice type,
				   struct lg_slice bytes, struct lg_form **form,
				   struct lg_text problem)
{
	return request->services->multipart(request, type, bytes, form, problem);
}
/* LG_FAIL: there are not that many, or the form is no multipart one. Since 0.4. */
static inline int32_t lg_part(struct lg_request *request, const struct lg_form *form, size_t index,
			      struct lg_part *part)
{
	memset(part, 0, sizeof(*part));
	part->size = sizeof(*part);
	return request->services->form_part(form, index, part);
}

/* Text in a character set to UTF-8, with U+FFFD for what means nothing in it. The
 * labels are those of the WHATWG Encoding standard for what browsers send: utf-8,
 * iso-8859-1, windows-1251, shift_jis … The text lives as long as the request.
 * LG_FAIL: the label is not known, or memory ran out. Since 0.4. */
static inline int32_t lg_to_utf8(struct lg_request *request, struct lg_slice charset,
				 struct lg_slice bytes, struct lg_slice *text)
{
	return request->services->to_utf8(request, charset, bytes, text);
}

/* Parses JSON (RFC 8259): UTF-8 checked, a byte order mark skipped, depth at
 * most 64, a repeated member name an error. Values live as long as the
 * request. On LG_FAIL `problem` says what is wrong and where.
 *
 * To lg_json_kind and all that follow NULL is a value, too: a null without text,
 * members and elements. So a path that is not there needs no question at each step. */
static inline int32_t lg_json(struct lg_request *request, struct lg_slice bytes,
			      const struct lg_json **root, struct lg_text problem)
{
	return request->services->json(request, bytes, root, problem);
}
static inline int32_t lg_json_kind(struct lg_request *request, const struct lg_json *value)
{
	return request->services->json_kind(value);
}
/* The text of a string, decoded, or of a number as it was written. */
static inline struct lg_slice lg_json_text(struct lg_request *request, const struct lg_json *value)
{
	return request->services->json_text(value);
}
/* NULL when the value is no object or has no such member. */
static inline const struct lg_json *lg_json_member(struct lg_request *request,
						   const struct lg_json *value,
						   struct lg_slice name)
{
	return request->services->json_member(value, name);
}
/* Walks the elements of an array or the members of an object in order. */
static inline const struct lg_json *lg_json_first(struct lg_request *request,
						  const struct lg_json *value)
{
	return request->services->json_first(value);
}
static inline const struct lg_json *lg_json_next(struct lg_request *request,
						 const struct lg_json *value)
{
	return request->services->json_next(value);
}
static inline struct lg_slice lg_json_name(struct lg_request *request, const struct lg_json *value)
{
	return request->services->json_name(value);
}

/* Zeroed memory that lives as long as the request; NULL when there is none. */
static inline void *lg_allocate(struct lg_request *request, size_t size)
{
	return request->services->allocate(request, size);
}

/* Refuses the whole request: nothing is stored, the sender gets `status` with
 * `detail` as problem+json (RFC 9457) or as a page. Returns LG_FAIL, so that a
 * plugin can write `return lg_refuse(…)`. What a vendor does with a status differs: many
 * send anything but 2xx again for days, some never send a 4xx again. What will never be
 * a lead and is none of the sender's fault is therefore no refusal, but lg_ignore. */
static inline int32_t lg_refuse(struct lg_request *request, int32_t status, struct lg_slice detail)
{
	return request->services->refuse(request, status, detail);
}

/* Adds an item: a lead. It belongs to the request. NULL when the request has
 * as many items as it may (an option) or memory ran out, and in `reply` and
 * `read_open`, after which nothing is stored: the log says so. */
static inline struct lg_lead *lg_lead(struct lg_request *request)
{
	return request->services->lead(request);
}

/* Sets a field; the last one wins. A field that only the gateway sets, or a
 * number this gateway does not know, gives LG_FAIL and changes nothing. Where two answers
 * mean one field, set it once and keep the other with lg_lead_extra, or a further email or
 * phone with lg_lead_add in LG_OTHER_EMAILS or LG_OTHER_PHONES: no answer is dropped. */
static inline int32_t lg_lead_set(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	return lead->services->lead_set(lead, field, value);
}

/* Appends to a field of type list; LG_FAIL when it is none or is full. */
static inline int32_t lg_lead_add(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	return lead->services->lead_add(lead, field, value);
}

/* A profile on a network; `id` or `url` may be absent, not both. One that says nothing
 * ("n/a", a URL that is none) is kept in `extra` and reaches nobody. */
static inline int32_t lg_lead_profile(struct lg_lead *lead, struct lg_slice network,
				      struct lg_slice id, struct lg_slice url)
{
	return lead->services->lead_profile(lead, network, id, url);
}

/* States a consent. What is not stated is not assumed. LG_FAIL when a word or the channels have
 * more than LG_CONSENT_WORD_MAX bytes, or there are too many: then none of it is stated, and
 * what a person said belongs into `extra`. */
static inline int32_t lg_lead_consent(struct lg_lead *lead, const struct lg_consent *consent)
{
	return lead->services->lead_consent(lead, consent);
}

/* For `check`: whether a consent has room for so many bytes of an option; otherwise says so. */
static inline bool lg_consent_fits(const char *option, size_t bytes, struct lg_text problem)
{
	if (bytes <= LG_CONSENT_WORD_MAX)
		return true;
	snprintf(problem.data, problem.capacity,
		 "%s has %zu bytes; a consent has room for %d, channels with their commas", option,
		 bytes, LG_CONSENT_WORD_MAX);
	return false;
}

/* Keeps a field that nobody knows, as it was sent. A name that came before
 * makes a list. LG_FAIL when there are more than the limit. In `read` the gateway refuses a lead
 * of which something was left out here, or cut off, with a reason that names the limit. */
static inline int32_t lg_lead_extra(struct lg_lead *lead, struct lg_slice name,
				    struct lg_slice value)
{
	return lead->services->lead_extra(lead, name, value);
}

/* States the delivery key: LG_KEY_PROVIDER or LG_KEY_IDEMPOTENCY, which in an errand and in
 * `read` is the former, for nobody could be told that other content came under it. The same
 * delivery must give the same lead, or it is a touch: sort what may come in another order,
 * and leave out what a second attempt of the sender adds, such as why the first one failed. */
static inline int32_t lg_lead_key(struct lg_lead *lead, int32_t kind, struct lg_slice key)
{
	return lead->services->lead_key(lead, kind, key);
}

/* Says that a trap was sprung (a honeypot was filled): the sender is answered
 * as always, nothing is delivered. */
static inline int32_t lg_lead_trap(struct lg_lead *lead, struct lg_slice rule)
{
	return lead->services->lead_trap(lead, rule);
}

/* The field that a form's name means by the fields table, or LG_FAIL. */
static inline int32_t lg_field_named(struct lg_request *request, struct lg_slice name)
{
	return request->services->field_named(name);
}

/* Adds an item that is to be ignored, counted with its reason. LG_FAIL where lg_lead
 * gives NULL. */
static inline int32_t lg_ignore(struct lg_request *request, struct lg_slice reason)
{
	return request->services->ignore(request, reason);
}

/* In `read`: says where a lead stands in its file, for the refusal that the gateway may
 * find. The text is not copied. LG_FAIL: not in a reading, or `size` is not set. Since
 * 0.4. */
static inline int32_t lg_lead_origin(struct lg_lead *lead, const struct lg_origin *origin)
{
	return lead->services->lead_origin(lead, origin);
}

/* In `read`: adds an item that is no lead, for a reason which is a sentence without
 * personal data; it is copied. It is counted as refused and written to the file of refused
 * rows. LG_FAIL: not in a reading, `size` is not set, or lg_lead would give NULL. Since 0.4. */
static inline int32_t lg_reject(struct lg_request *request, struct lg_slice reason,
				const struct lg_origin *origin)
{
	return request->services->reject(request, reason, origin);
}

/* Makes a reader of delimited text (RFC 4180 and what programs write instead) by the first
 * bytes of the file. It lives as long as the request: for a file, that of read_open.
 * LG_FAIL with the problem: the character set or the delimiter cannot be, this is no
 * text, or memory ran out. Since 0.4. */
static inline int32_t lg_csv_open(struct lg_request *request, struct lg_slice head,
				  struct lg_csv_dialect *dialect, struct lg_csv **csv,
				  struct lg_text problem)
{
	return request->services->csv_open(request, head, dialect, csv, problem);
}
/* Hands it the next bytes: from dialect.start on at first, with place.line as dialect.line;
 * later from the `end` of the last row that was taken, with its `next`. What becomes of
 * them belongs to this request, which may be another one. `last`: the file ends with them.
 * Since 0.4. */
static inline void lg_csv_feed(struct lg_request *request, struct lg_csv *csv,
			       struct lg_slice bytes, int32_t last,
			       const struct lg_csv_place *place)
{
	request->services->csv_feed(request, csv, bytes, last, place);
}
/* The next record. A quote counts where a field begins with it, a doubled one is one, and
 * every other is itself; the field ends at the quote that a delimiter or the record's end
 * follows. LG_LATER: the bytes hold no further whole record; twice max_record of them
 * always do. LG_FAIL: memory ran out. `request` is the one that fed it. Since 0.4. */
static inline int32_t lg_csv_next(struct lg_request *request, struct lg_csv *csv,
				  struct lg_csv_row *row)
{
	row->size = sizeof(*row);
	return request->services->csv_next(csv, row);
}

/* Adds an item: a claim, which commits with the request's other items and is then
 * fetched. Its result has no receipt. LG_FAIL: the key or the blob is too long or the
 * key empty, the blob holds one of the source's secrets of LG_SECRET_BYTES_MIN bytes or
 * more (shorter ones are too likely part of something else), the plugin has no operation
 * `claim`, or lg_lead would give NULL. Since 0.4. */
#define LG_SECRET_BYTES_MIN 8
static inline int32_t lg_claim(struct lg_request *request, const struct lg_claim *claim)
{
	return request->services->claim(request, claim);
}

/* In `claim`: the index-th claim of a group, in the order in which they came. Fills what
 * the gateway knows of `part`. LG_FAIL: there are not that many. Since 0.4. */
static inline int32_t lg_errand_part(struct lg_request *request, size_t index,
				     struct lg_claim *part)
{
	memset(part, 0, sizeof(*part));
	part->size = sizeof(*part);
	return request->services->errand_part(request, index, part);
}

/* In an errand: names the call that the gateway makes after a verdict of LG_ERRAND_MORE.
 * All is copied; the last one counts. The method is GET when it is absent. Names are
 * resolved, TLS verified, private addresses refused and redirects not followed as for
 * sinks. LG_FAIL: not in an errand, `size` is not set, or memory ran out. Since 0.4. */
static inline int32_t lg_errand_call(struct lg_request *request, const struct lg_http_call *call)
{
	return request->services->errand_call(request, call);
}

/* The first value of an answer's header, by its name in any case, with
 * LG_CAUSE_RESPONSE. LG_FAIL: none. Since 0.4. */
static inline int32_t lg_errand_header(struct lg_request *request, const char *name,
				       struct lg_slice *value)
{
	return request->services->errand_header(request, name, value);
}

/* A small state that outlives the process, such as the cursor of a poll: at most
 * LG_STATE_KEYS_MAX keys a source, of 1 to LG_STATE_KEY_MAX bytes, with values of at
 * most LG_STATE_VALUE_MAX bytes. _get gives what was committed last, in memory that
 * lives as long as the request; LG_FAIL: nothing is kept under that key, or memory ran
 * out. _set commits with the items of the request or errand: of one key the last value;
 * an absent one forgets the key. LG_FAIL: a bound, memory ran out, or in `reply` and `read_open`, after which
 * nothing is stored: the log says so. Since 0.4. */
#define LG_STATE_KEYS_MAX 64
#define LG_STATE_KEY_MAX 128
#define LG_STATE_VALUE_MAX 4096
static inline int32_t lg_state_get(struct lg_request *request, struct lg_slice key,
				   struct lg_slice *value)
{
	return request->services->state_get(request, key, value);
}
static inline int32_t lg_state_set(struct lg_request *request, struct lg_slice key,
				   struct lg_slice value)
{
	return request->services->state_set(request, key, value);
}

/* Reads a time as providers write it: RFC 3339 with any offset, with a colon in it or
 * without, a date alone, or time since 1970 in digits: 9 to 11 of them are seconds, 12 to
 * 14 milliseconds. LG_FAIL: it is none. Since 0.4. */
static inline int32_t lg_time(struct lg_request *request, struct lg_slice text, int64_t *at)
{
	return request->services->time(text, at);
}
/* A time as LG_OCCURRED_AT takes it; lives as long as the request. Absent: memory ran
 * out. Since 0.4. */
static inline struct lg_slice lg_time_text(struct lg_request *request, int64_t at)
{
	return request->services->time_text(request, at);
}

/* In `reply`: how the items ended, in the order in which they were added.
 * Never says whether a person was known. */
static inline size_t lg_result_count(struct lg_request *request)
{
	return request->services->result_count(request);
}
static inline int32_t lg_result(struct lg_request *request, size_t index, struct lg_result *result)
{
	memset(result, 0, sizeof(*result));
	result->size = sizeof(*result);
	return request->services->result(request, index, result);
}

/* In `reply` of a plugin with LG_ANSWERS_REFUSALS: why nothing was stored. `status`
 * is what the gateway would answer, 400 to 599, and `reason` a sentence; Retry-After
 * is added where one is due. LG_FAIL: the items have their results. Since 0.4. */
static inline int32_t lg_refusal(struct lg_request *request, struct lg_result *refusal)
{
	memset(refusal, 0, sizeof(*refusal));
	refusal->size = sizeof(*refusal);
	return request->services->refusal(request, refusal);
}

/* Adds a header to the answer, whoever makes it in the end: to be called in
 * `receive` or `reply`. LG_FAIL as lg_reply_header, and for Content-Type, which whoever
 * makes the body says. Since 0.4. */
static inline int32_t lg_answer_header(struct lg_request *request, const char *name,
				       struct lg_slice value)
{
	return request->services->answer_header(request, name, value);
}

/* The answer. The status is 200 to 599; a header's value has no control
 * characters, and it is none of the transport's, such as Connection, Content-Length, Date or
 * TE; the body's type is a media type. LG_FAIL otherwise. Where Content-Type is
 * said twice, the last one counts. With 204, 205 and 304 no body is sent. */
static inline int32_t lg_reply_status(struct lg_reply *reply, int32_t status)
{
	return reply->services->reply_status(reply, status);
}
static inline int32_t lg_reply_header(struct lg_reply *reply, const char *name,
				      struct lg_slice value)
{
	return reply->services->reply_header(reply, name, value);
}
static inline int32_t lg_reply_body(struct lg_reply *reply, const char *type, struct lg_slice body)
{
	return reply->services->reply_body(reply, type, body);
}

/* Digests and signatures. Each returns the number of bytes written, or LG_FAIL
 * when `capacity` is too small. */
static inline int32_t lg_hmac(struct lg_request *request, int32_t digest, struct lg_slice key,
			      struct lg_slice message, unsigned char *out, size_t capacity)
{
	return request->services->hmac(digest, key, message, out, capacity);
}
static inline int32_t lg_sha256(struct lg_request *request, struct lg_slice message,
				unsigned char out[32])
{
	return request->services->sha256(message, out);
}
/* Compares in constant time: 1 when equal, 0 when not. */
static inline int32_t lg_equal(struct lg_request *request, struct lg_slice a, struct lg_slice b)
{
	return request->services->equal(a, b);
}
static inline int32_t lg_hex(struct lg_request *request, struct lg_slice bytes, char *out,
			     size_t capacity)
{
	return request->services->hex(bytes, out, capacity);
}
/* `url` 1: the alphabet of RFC 4648 section 5, without padding. */
static inline int32_t lg_base64(struct lg_request *request, struct lg_slice bytes, int32_t url,
				char *out, size_t capacity)
{
	return request->services->base64(bytes, url, out, capacity);
}

#endif
