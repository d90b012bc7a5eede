/* One request on its way through a source: what the plugin adds to it, and what
 * the writer makes of that. All of it lives in the request's arena and on the
 * request's loop; the writer alone has it between submit and reply. */
#ifndef INGEST_INTAKE_H
#define INGEST_INTAKE_H

#include "base/bucket.h"
#include "ingest/ingest.h"

struct intake;

/* What the plugin added: a lead, or something it wants ignored. */
struct intake_item {
	struct lg_lead handle; /* first: what the plugin holds */
	struct intake *intake;
	struct intake_item *next;
	struct lead *lead;	 /* NULL: a claim, or ignored */
	struct claim_stub *stub; /* NULL: no claim */
	struct lg_slice key;	 /* delivery key as the plugin gave it */
	int32_t key_kind;	 /* LG_KEY_… */
	int64_t line;		 /* of its file; 0: not said */
	struct lg_slice text;	 /* its record, for the file of refused rows */
	bool trapped;
	/* The result; a stored item's is known when its capture comes back. */
	int32_t verdict, status;
	struct lg_slice reason, receipt;
	const char *refusal; /* the word of a refused one, for logs */
	char receipt_text[UUID_TEXT_BYTES];
	struct capture *capture; /* NULL: nothing to store */
};

struct intake_reply {
	struct lg_reply handle; /* first: what the plugin holds */
	struct arena *arena;
	struct http_response response;
	struct http_header *headers; /* the loop's reply_headers */
};

#define REPLY_HEADERS 32

struct intake {
	struct lg_request handle; /* first: what the plugin holds */
	struct submission submission;
	struct http_request *request;
	struct ingest *ingest;
	struct ingest_loop *loop;
	struct source *source;
	int64_t started_us; /* monotonic: the whole request came to us */
	struct intake_item *items, **last;
	size_t item_count;
	struct claim_work claims;      /* what the submission does beside captures … */
	struct claim_stub **last_stub; /* … in the order in which it was said */
	struct state_note **last_note;
	size_t stub_count, note_count;
	size_t item_limit;
	/* The operation that runs, when what it adds would go nowhere: nothing is stored
	 * after it. NULL: items and notes are taken. */
	const char *closed_by;
	bool closed_said; /* the log has it */
	bool reads;	  /* a file: nobody has asked, and items have an origin */
	/* Of a file: what is to be counted when it is stored, for what is not may be read
	 * again. */
	int32_t uncounted[SOURCE_IGNORED + 1];
	struct fetch *fetch; /* the errand that it is of; NULL: of a request */
	/* Called when the writer has given the submission back; NULL: the request is
	 * answered. */
	void (*stored)(struct intake *intake);
	int32_t refusal; /* HTTP status of a request refused whole; 0: not */
	struct lg_slice refusal_detail;
};

struct ingest_loop {
	struct mailbox mailbox;
	struct loop_mailbox box;
	struct loop *loop;
	struct outbox *outbox;		   /* where those of this round go */
	struct letter *admitted, **newest; /* of this round, in order */
	int admitted_count;
	struct loop_task hand_over;
	struct buffer record, event; /* where JSON grows before it is kept */
	struct http_header reply_headers[REPLY_HEADERS];
	struct bucket slow_lines; /* warnings of plugins in the log */
	/* The source whose plugin is in an errand, and since when (monotonic); NULL: none
	 * is. Written by the errand thread, read by whoever watches it. */
	_Atomic(const struct source *) called;
	_Atomic(int64_t) called_ms;
	/* Histograms of the stages on a loop, and of the whole. */
	int receive_stage, prepare_stage, reply_stage, requests;
};

/* An intake of nothing yet, zero before; `request` lends its arena. */
void intake_init(struct intake *intake, struct ingest *ingest, struct ingest_loop *loop,
		 struct source *source, struct http_request *request);

/* Makes captures of all items and counts what the submission takes. False: memory ran
 * out. */
bool intake_prepare_all(struct intake *intake);

/* Whether there is anything to store. */
bool intake_has_work(const struct intake *intake);

/* Takes over what the writer said of all items. */
void intake_conclude_all(struct intake *intake);

/* The services, a file each; all fill their members of the table. */
void intake_request_services(struct lg_services *services);
void intake_lead_services(struct lg_services *services);
void intake_reply_services(struct lg_services *services);
void intake_claim_services(struct lg_services *services);
void intake_csv_services(struct lg_services *services);
void fetch_services(struct lg_services *services);
void import_services(struct lg_services *services);

/* Copies a struct of the interface that begins with its size, which stays as it is at
 * `to`: struct sizes differ between builds, and what both know is copied. LG_FAIL: one has no
 * size. */
int32_t intake_copy_known(void *to, size_t to_size, const void *from, size_t from_size);

/* Whether something may be added now; the log names the plugin that tries when not. */
bool intake_is_open(struct intake *intake);

/* A new item at the end; NULL: not now, too many, or no memory. */
struct intake_item *intake_add(struct intake *intake);

/* Makes of an item all that does not depend on history. An item that cannot be
 * stored is refused and gets no capture. False: memory ran out. */
bool intake_prepare(struct intake *intake, struct intake_item *item, struct capture *capture);

/* Counts what became of an item that is not stored: SOURCE_CREATED to SOURCE_IGNORED. */
void intake_count(struct intake *intake, enum source_counter counter);

/* Takes over what the writer said of an item. */
void intake_conclude(struct intake_item *item);

/* Answers from the items' results: the plugin's answer, or the gateway's. */
void intake_answer(struct intake *intake);

/* Answers a request of which nothing was stored: counted as `counter`, with a word
 * for logs and a sentence for the sender, which may be "". `retry_after_s` 0: no
 * such header. */
void intake_refuse(struct intake *intake, enum source_counter counter, const char *reason,
		   int status, const char *detail, int retry_after_s);

/* Around a call of a plugin on the errand thread: whoever watches that sees which source's
 * does not return. */
void ingest_call_begin(struct ingest_loop *loop, struct source *source);
void ingest_call_end(struct ingest_loop *loop, struct source *source);

/* Names a plugin whose call took too long. Returns the time, monotonic in
 * microseconds. */
int64_t intake_watch(struct intake *intake, const char *call, int64_t started_us);

#endif
