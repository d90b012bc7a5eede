/* What the host does for a plugin. A plugin imports no symbol of the daemon:
 * every handle begins with a pointer to this table, and the inline functions
 * of services.h, source.h and sink.h call through it.
 *
 * The table begins with its size. A function that a gateway does not have is
 * beyond that size or NULL; LG_HAS tells.
 *
 * Unless a function says otherwise: it may be called on any thread on which
 * the host calls the plugin, it does not block, it takes slices that it
 * copies, and it fails only when memory runs out. */
#ifndef LEADGATE_SERVICES_H
#define LEADGATE_SERVICES_H

#include <leadgate/fields.h>
#include <leadgate/types.h>

struct lg_services;

/* Handles. Only the pointer to the table is visible. */
struct lg_host {
	const struct lg_services *services;
}; /* one instance */
struct lg_request {
	const struct lg_services *services;
}; /* one submission */
struct lg_lead {
	const struct lg_services *services;
}; /* a lead being built */
struct lg_reply {
	const struct lg_services *services;
}; /* an answer being made */
struct lg_batch {
	const struct lg_services *services;
};		/* events to deliver */
struct lg_form; /* decoded form fields */
struct lg_json; /* a parsed JSON value */

/* Kinds of a JSON value. Unknown kinds are to be treated as LG_JSON_NULL. */
#define LG_JSON_NULL 0
#define LG_JSON_TRUE 1
#define LG_JSON_FALSE 2
#define LG_JSON_NUMBER 3 /* its text is kept: 20-digit ids and 1.10 survive */
#define LG_JSON_STRING 4
#define LG_JSON_ARRAY 5
#define LG_JSON_OBJECT 6

/* Digests for lg_hmac. */
#define LG_SHA1 1
#define LG_SHA256 2
#define LG_SHA512 3

/* What a submission was, in request_info. */
struct lg_request_info {
	size_t size; /* set by the caller: sizeof(struct lg_request_info) */
	struct lg_slice method;
	struct lg_slice target;		/* raw, as on the request line */
	struct lg_slice path;		/* raw, before the first '?' */
	struct lg_slice query;		/* raw, after it; absent without one */
	struct lg_slice body;		/* raw */
	struct lg_slice host;		/* as the sender saw it */
	struct lg_slice scheme;		/* "http" or "https", as the sender saw it */
	struct lg_slice peer_address;	/* who is connected to us */
	struct lg_slice client_address; /* who speaks, behind trusted proxies */
	int64_t received_at;
};

/* The result of one item after the commit. */
#define LG_ACCEPTED 1 /* stored now */
#define LG_REPEATED 2 /* was stored before: the receipt is the first one */
#define LG_REFUSED 3  /* not stored; `reason` says why */
#define LG_IGNORED 4  /* the plugin said so */
struct lg_result {
	size_t size; /* set by the caller */
	int32_t verdict;
	int32_t status;		 /* a fitting HTTP status: 202, 409, 422 … */
	struct lg_slice receipt; /* the event's id; absent when refused */
	struct lg_slice reason;	 /* a sentence; absent when stored */
};

/* One part of a multipart/form-data body. Slices live as long as the request. */
struct lg_part {
	size_t size;	      /* set by the caller */
	struct lg_slice name; /* raw, whatever its character set */
	struct lg_slice value;
	struct lg_slice filename; /* absent: a field; otherwise a file, "" for none chosen */
	struct lg_slice type;	  /* its Content-Type; absent without one */
};

/* How a delivery key is to be understood. */
#define LG_KEY_PROVIDER 1    /* a provider's id: other content is a touch */
#define LG_KEY_IDEMPOTENCY 2 /* Idempotency-Key: other content is 422 */

/* Consent states. */
#define LG_CONSENT_GRANTED 1
#define LG_CONSENT_DENIED 2
#define LG_CONSENT_WITHDRAWN 3
#define LG_CONSENT_PENDING 4
/* Most bytes of a consent's purpose, basis, version and method, each, and of its channels with
 * their commas. Beyond it lg_lead_consent is LG_FAIL and nothing is cut: a refusal that lost a
 * channel would not refuse it. */
#define LG_CONSENT_WORD_MAX 255
struct lg_consent {
	size_t size; /* set by the caller: sizeof(struct lg_consent) */
	int32_t state;
	int32_t reserved;
	struct lg_slice purpose;  /* "marketing" … */
	struct lg_slice channels; /* "email,sms" */
	struct lg_slice basis, text, version, method;
	int64_t at; /* 0: when the lead occurred */
};

/* One event as a sink sees it. Slices live until the batch is settled. */
struct lg_event {
	size_t size; /* set by the caller */
	int64_t seq;
	int64_t at;
	struct lg_slice id;	 /* the event's UUID */
	struct lg_slice type;	 /* "lead.created" … */
	struct lg_slice lead_id; /* empty: of no lead, which a gateway.alert is */
	struct lg_slice json;	 /* the whole event, one line, no line feed */
	/* 1 on the first try. It begins anew after a restart and after a batch
	 * of which nothing was taken: only the id tells a repetition for sure. */
	int64_t attempt;
	/* What the destination called this lead before: the latest that was
	 * settled with. Absent: none, or the sink lacks LG_EXTERNAL_IDS. While
	 * an earlier event of the lead is with the plugin it is not known yet;
	 * `order: person` waits for it. */
	struct lg_slice external_id;

	/* What the sink's option `mapping` made of the event, and its media type,
	 * "application/json" or "application/x-www-form-urlencoded": one line, too.
	 * Without a mapping it is `json`. Absent from a gateway before 0.3: see
	 * lg_event_body. */
	struct lg_slice body;
	struct lg_slice body_type;
};

/* Outcomes of a delivery. An unknown number is LG_RETRY. */
#define LG_DELIVERED 1
#define LG_RETRY 2
#define LG_UNCLASSIFIED 3 /* sent, no answer */
#define LG_PARK 4	  /* the sink's configuration is wrong */
#define LG_REJECT 5	  /* this event will never be taken */
struct lg_settlement {
	size_t size; /* set by the caller: sizeof(struct lg_settlement) */
	int32_t outcome;
	int32_t status;		     /* of the destination's answer; 0: none */
	int64_t retry_after;	     /* milliseconds; 0: the lane decides */
	struct lg_slice reason;	     /* a sentence without personal data */
	struct lg_slice answer;	     /* the answer's first bytes */
	struct lg_slice external_id; /* what the destination calls the lead */
};

/* A call to a destination by the gateway's own HTTP client, for lg_http_send. */
struct lg_http_call {
	size_t size;		/* set by the caller: sizeof(struct lg_http_call) */
	struct lg_slice method; /* absent: POST */
	struct lg_slice url;	/* http or https, without user and password */
	const struct lg_pair *headers;
	size_t header_count;
	struct lg_slice body; /* must live until `done`; all else is copied */
	int64_t timeout;      /* milliseconds for all of it; 0: as configured */
};

/* What came of it, judged by the gateway: its table of outcomes and what the
 * sink's `success_when` and `outcomes` say. Everything lives while `done` runs.
 * `size` is the gateway's: a member that an older one does not know lies beyond
 * it. It fits lg_settle member by member. */
struct lg_http_answer {
	size_t size;
	const struct lg_services *services;
	int32_t outcome;	     /* LG_DELIVERED … */
	int32_t status;		     /* 0: no answer */
	int64_t retry_after;	     /* milliseconds; 0: nothing was asked for */
	struct lg_slice reason;	     /* a sentence; absent when delivered */
	struct lg_slice body;	     /* its first bytes */
	struct lg_slice external_id; /* what the option `external_id` found; absent: nothing */
};

/* Something that is to be fetched before it is a lead, for lg_claim. All is copied. */
#define LG_CLAIM_KEY_MAX 255
#define LG_CLAIM_BLOB_MAX 16384
struct lg_claim {
	size_t size; /* set by the caller: sizeof(struct lg_claim) */
	/* The vendor's id of it: 1 to LG_CLAIM_KEY_MAX bytes, of one source. The same key
	 * again is a repetition, also when what was fetched has long been stored. */
	struct lg_slice key;
	/* Claims of one group are one errand: the parts of one message. Absent: it is
	 * alone. Up to LG_CLAIM_KEY_MAX bytes. */
	struct lg_slice group;
	/* How many parts the group has; with the last of them it is due at once. 0: not
	 * known, so it waits for `due`. */
	int64_t parts;
	int64_t due; /* when it is to be fetched at the latest; 0: at once */
	/* What the plugin needs for it, up to LG_CLAIM_BLOB_MAX bytes. Never credentials:
	 * those come from the settings, so that a new token serves old claims. */
	struct lg_slice blob;
};

/* Why an errand's operation is called. An unknown number is to be answered with a
 * verdict of LG_ERRAND_RETRY. */
#define LG_CAUSE_DUE 1	    /* its time has come: the first call is to be named */
#define LG_CAUSE_RESPONSE 2 /* the answer to the call that was named last */
#define LG_CAUSE_GROUP 3    /* as LG_CAUSE_DUE, and all parts of the group are there */

/* An errand as its operation sees it. Slices live for the call. */
struct lg_errand {
	size_t size; /* the gateway's: what it does not know lies beyond */
	int32_t cause;
	int32_t status;	    /* of the answer, with LG_CAUSE_RESPONSE */
	int64_t attempts;   /* that failed before */
	int64_t calls;	    /* answered in this attempt */
	int64_t since;	    /* back-fill: leads from then on are wanted */
	int64_t part_count; /* claims of it: 1, or those of a group; see lg_errand_part */
	struct lg_slice key, group, blob; /* of the first part; of a poll: the blob alone */
	struct lg_slice body;		  /* of the answer, whole */
	int64_t retry_after; /* milliseconds, as its Retry-After asks; 0: it does not */
};

/* What becomes of an errand. An unknown number is LG_ERRAND_RETRY. The slices of a verdict
 * live until the operation returns: the gateway copies them then. */
#define LG_ERRAND_RETRY 0 /* not now: again from the start, later */
#define LG_ERRAND_DONE 1  /* the leads that were added are all; nothing more is to be fetched */
#define LG_ERRAND_MORE 2  /* the call that lg_errand_call named comes next */
#define LG_ERRAND_PARK 3  /* the source's configuration is wrong: somebody must see to it */
#define LG_ERRAND_DEAD 4  /* this will never be a lead */
struct lg_verdict {
	size_t size; /* the gateway's */
	int32_t verdict;
	int32_t reserved;
	int64_t retry_after;	/* milliseconds; 0: the gateway decides */
	int64_t pause;		/* milliseconds in which the source makes no new call; 0: none */
	struct lg_slice reason; /* a sentence without personal data; absent with DONE and MORE */
	/* With LG_ERRAND_MORE and LG_ERRAND_RETRY: what the errand's blob is from now on;
	 * absent: as it was. For a poll with LG_ERRAND_DONE, too. One that lg_claim would not
	 * take, too long or with a secret in it, makes the verdict LG_ERRAND_PARK: what came
	 * with it is dropped, and the errand stays as it was. */
	struct lg_slice blob;
};

/* A file of leads that is to be read. Slices live until read_close. */
struct lg_file {
	size_t size;	      /* the gateway's: what it does not know lies beyond */
	struct lg_slice name; /* without folders */
	struct lg_slice head; /* its first bytes, at most LG_HEAD_MAX, for what stands at its
				    * beginning, also when a reading goes on further down */
	int32_t whole;	      /* 1: `head` is all of it */
	int32_t reserved;
	int64_t length;		   /* bytes */
	const struct lg_pair *map; /* what the operator says: a column's name, and the form's name
				    * or the path of a field that it means; "-": leave it out */
	size_t map_count;
	struct lg_slice position; /* where the reading goes on; absent: from the start */
};
#define LG_HEAD_MAX 65536

/* What a reading is, for read_open to fill. All lives until read_close. */
struct lg_reading {
	size_t size; /* the gateway's */
	void *state; /* the plugin's own */
	/* The first line of the file of refused rows: UTF-8, without a line ending,
	 * leadgate_line, leadgate_reason and the original header, in the file's delimiter. */
	struct lg_slice header;
	struct lg_slice delimiter; /* between the fields of a record: 1 byte or more */
	/* For people: a column's name and what it means, "person.email", "extra" or "-";
	 * and how the file is written, "semicolons, windows-1252". */
	const struct lg_pair *columns;
	size_t column_count;
	struct lg_slice dialect;
};

/* The next bytes of the file: from where the last call ended. */
struct lg_chunk {
	size_t size; /* the gateway's */
	struct lg_slice bytes;
	int64_t offset; /* of its first byte in the file */
	int32_t last;	/* 1: the file ends with them */
	int32_t reserved;
};

/* What came of them, zero before the call. */
#define LG_POSITION_MAX 64
struct lg_taken {
	size_t size;	 /* the gateway's */
	size_t consumed; /* bytes that are done with, whole records */
	/* What a reading that goes on behind them has to know: up to LG_POSITION_MAX bytes,
	 * copied, and committed with the leads. Absent: nothing. */
	struct lg_slice position;
};

/* Where an item stands in its file, for lg_lead_origin and lg_reject. `text` is NOT copied:
 * it lives in the chunk, or as long as the request. */
struct lg_origin {
	size_t size;	      /* set by the caller: sizeof(struct lg_origin) */
	int64_t line;	      /* of the file, from 1: where the record begins */
	struct lg_slice text; /* the record as the file of refused rows is to have it: UTF-8, in
			       * the file's delimiter and quotes, without a line ending */
};

/* How a file of delimited text is written, for lg_csv_open: what the caller says, and
 * what was found. */
struct lg_csv;
struct lg_csv_dialect {
	size_t size; /* set by the caller: sizeof(struct lg_csv_dialect) */
	/* A label of lg_to_utf8, "utf-16", "utf-16le" or "utf-16be"; absent or "auto": what the
	 * file looks like, and windows-1252 for each record that is not the UTF-8 that it
	 * seems to be. Then: what it is, for people. */
	struct lg_slice charset;
	/* One byte, no letter, digit or quote; absent: what the file's first line says
	 * ("sep=;", as Excel has it), or a comma. Then: which. */
	struct lg_slice delimiter;
	int32_t says_delimiter; /* found: 1, the file's first line says it */
	int32_t reserved;
	int64_t max_record;  /* said: bytes of a record with its line end */
	int64_t max_columns; /* said: fields of a record, up to LG_CSV_COLUMNS_MAX */
	int64_t start;	     /* found: where in the file the first record begins … */
	int64_t line;	     /* … and in which line, from 1 */
};
#define LG_CSV_COLUMNS_MAX 4096

/* Where a reading of delimited text stands: all that it has to know to go on. */
struct lg_csv_place {
	int64_t line; /* of the file, from 1 */
	/* 1: in the rest of a line that was given up, which is skipped. */
	int32_t inside;
	int32_t reserved;
};

/* One record. Fields live until the next one is read, all else until the bytes that it
 * stands in, or the request that they were fed with, are gone. */
struct lg_csv_row {
	size_t size;			 /* set by the caller */
	const struct lg_slice *fields;	 /* UTF-8, without quotes; present all of them */
	size_t field_count;		 /* 0: an empty line, or a problem */
	struct lg_slice text;		 /* the record as struct lg_origin has it */
	struct lg_slice problem;	 /* why it cannot be read, a sentence; absent: it can */
	size_t begin, end;		 /* in the bytes that were fed, its line end included */
	struct lg_csv_place place, next; /* where it begins, and what stands behind it */
};

struct lg_services {
	size_t size;

	/* every handle of an instance */
	void (*log)(struct lg_host *, int32_t level, struct lg_slice message);
	int64_t (*now)(void);
	int64_t (*monotonic)(void);
	int32_t (*counter)(struct lg_host *, const char *name, const char *help);
	void (*count)(struct lg_host *, int32_t counter, int64_t n);
	int32_t (*once)(struct lg_host *, struct lg_slice key, int64_t ttl);

	/* digests and encodings */
	int32_t (*hmac)(int32_t digest, struct lg_slice key, struct lg_slice message,
			unsigned char *out, size_t capacity);
	int32_t (*sha256)(struct lg_slice message, unsigned char out[32]);
	int32_t (*equal)(struct lg_slice a, struct lg_slice b);
	int32_t (*hex)(struct lg_slice bytes, char *out, size_t capacity);
	int32_t (*base64)(struct lg_slice bytes, int32_t url, char *out, size_t capacity);

	/* the request */
	int32_t (*request_info)(struct lg_request *, struct lg_request_info *);
	int32_t (*header)(struct lg_request *, const char *name, size_t index,
			  struct lg_slice *value);
	int32_t (*form)(struct lg_request *, struct lg_slice bytes, struct lg_form **);
	size_t (*form_count)(const struct lg_form *);
	int32_t (*form_pair)(const struct lg_form *, size_t index, struct lg_pair *);
	int32_t (*json)(struct lg_request *, struct lg_slice bytes, const struct lg_json **root,
			struct lg_text problem);
	int32_t (*json_kind)(const struct lg_json *);
	struct lg_slice (*json_text)(const struct lg_json *);
	const struct lg_json *(*json_member)(const struct lg_json *, struct lg_slice name);
	const struct lg_json *(*json_first)(const struct lg_json *);
	const struct lg_json *(*json_next)(const struct lg_json *);
	struct lg_slice (*json_name)(const struct lg_json *);
	void *(*allocate)(struct lg_request *, size_t size);
	int32_t (*refuse)(struct lg_request *, int32_t status, struct lg_slice detail);

	/* leads */
	struct lg_lead *(*lead)(struct lg_request *);
	int32_t (*lead_set)(struct lg_lead *, int32_t field, struct lg_slice);
	int32_t (*lead_add)(struct lg_lead *, int32_t field, struct lg_slice);
	int32_t (*lead_profile)(struct lg_lead *, struct lg_slice network, struct lg_slice id,
				struct lg_slice url);
	int32_t (*lead_consent)(struct lg_lead *, const struct lg_consent *);
	int32_t (*lead_extra)(struct lg_lead *, struct lg_slice name, struct lg_slice value);
	int32_t (*lead_key)(struct lg_lead *, int32_t kind, struct lg_slice key);
	int32_t (*lead_trap)(struct lg_lead *, struct lg_slice rule);
	int32_t (*field_named)(struct lg_slice name);
	int32_t (*ignore)(struct lg_request *, struct lg_slice reason);

	/* the answer */
	size_t (*result_count)(struct lg_request *);
	int32_t (*result)(struct lg_request *, size_t index, struct lg_result *);
	int32_t (*reply_status)(struct lg_reply *, int32_t status);
	int32_t (*reply_header)(struct lg_reply *, const char *name, struct lg_slice value);
	int32_t (*reply_body)(struct lg_reply *, const char *type, struct lg_slice body);

	/* delivery */
	size_t (*batch_count)(const struct lg_batch *);
	int32_t (*batch_event)(const struct lg_batch *, size_t index, struct lg_event *);
	void (*settle)(struct lg_batch *, size_t index, const struct lg_settlement *);

	/* calls of sinks, since 0.2 */
	int32_t (*http_send)(struct lg_host *, const struct lg_http_call *,
			     void (*done)(void *context, const struct lg_http_answer *answer),
			     void *context);
	int32_t (*http_header)(const struct lg_http_answer *, const char *name,
			       struct lg_slice *value);

	/* the request, since 0.3 */
	int32_t (*public_url)(struct lg_request *, size_t index, struct lg_slice *url);

	/* bodies and answers, since 0.4 */
	int32_t (*form_in)(struct lg_request *, struct lg_slice bytes, struct lg_slice charset,
			   struct lg_form **);
	int32_t (*multipart)(struct lg_request *, struct lg_slice type, struct lg_slice bytes,
			     struct lg_form **, struct lg_text problem);
	int32_t (*form_part)(const struct lg_form *, size_t index, struct lg_part *);
	int32_t (*to_utf8)(struct lg_request *, struct lg_slice charset, struct lg_slice bytes,
			   struct lg_slice *text);
	int32_t (*answer_header)(struct lg_request *, const char *name, struct lg_slice value);
	int32_t (*refusal)(struct lg_request *, struct lg_result *);

	/* claims and errands, since 0.4 */
	int32_t (*claim)(struct lg_request *, const struct lg_claim *);
	int32_t (*errand_part)(struct lg_request *, size_t index, struct lg_claim *);
	int32_t (*errand_call)(struct lg_request *, const struct lg_http_call *);
	int32_t (*errand_header)(struct lg_request *, const char *name, struct lg_slice *value);
	int32_t (*state_get)(struct lg_request *, struct lg_slice key, struct lg_slice *value);
	int32_t (*state_set)(struct lg_request *, struct lg_slice key, struct lg_slice value);
	int32_t (*time)(struct lg_slice text, int64_t *at);
	struct lg_slice (*time_text)(struct lg_request *, int64_t at);

	/* imports, since 0.4 */
	int32_t (*lead_origin)(struct lg_lead *, const struct lg_origin *);
	int32_t (*reject)(struct lg_request *, struct lg_slice reason, const struct lg_origin *);

	/* delimited text, since 0.4 */
	int32_t (*csv_open)(struct lg_request *, struct lg_slice head, struct lg_csv_dialect *,
			    struct lg_csv **, struct lg_text problem);
	void (*csv_feed)(struct lg_request *, struct lg_csv *, struct lg_slice bytes, int32_t last,
			 const struct lg_csv_place *);
	int32_t (*csv_next)(struct lg_csv *, struct lg_csv_row *);
};

/* Whether this gateway has a service: LG_HAS(host->services, once). */
#define LG_HAS(table, member)                                                               \
	((table)->size >= offsetof(struct lg_services, member) + sizeof((table)->member) && \
	 (table)->member)

/* Writes one line to the gateway's log under the instance's name. Never put
 * personal data into it. */
static inline void lg_log(struct lg_host *host, int32_t level, struct lg_slice message)
{
	host->services->log(host, level, message);
}

/* Wall clock, milliseconds since 1970. */
static inline int64_t lg_now(struct lg_host *host)
{
	return host->services->now();
}

/* A clock that never goes back, in milliseconds. */
static inline int64_t lg_monotonic(struct lg_host *host)
{
	return host->services->monotonic();
}

/* Registers a counter of the instance, to be called in `open`. `name` is
 * [a-z_]{1,40}. Returns its number, or LG_FAIL when the table is full. */
static inline int32_t lg_counter(struct lg_host *host, const char *name, const char *help)
{
	return host->services->counter(host, name, help);
}

/* Adds to a counter; a number below 0 is ignored. Any thread, lock-free. */
static inline void lg_count(struct lg_host *host, int32_t counter, int64_t n)
{
	host->services->count(host, counter, n);
}

/* LG_OK the first time a key is seen within `ttl` milliseconds, LG_FAIL when it
 * was seen before: for nonces. The table is bounded; when it is full the
 * oldest key is forgotten. */
static inline int32_t lg_once(struct lg_host *host, struct lg_slice key, int64_t ttl)
{
	return host->services->once(host, key, ttl);
}

#endif
