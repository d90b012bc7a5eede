/* One source on a real store: a plugin that lives in the test, a loop that is
 * run until the answer is there, and a transport that keeps the answer. */
#ifndef TESTS_UNIT_INGEST_FIXTURE_H
#define TESTS_UNIT_INGEST_FIXTURE_H

#include "../outbox/kit.h"
#include "http/transport.h"
#include "ingest/ingest.h"

#define ANSWER_BYTES 8192

struct answer {
	int status; /* 0: none yet */
	int types;  /* headers that say the body's type */
	char type[64], location[64], retry_after[16], added[64];
	char body[ANSWER_BYTES];
};

struct fixture {
	struct kit kit;
	struct loop *loop;
	struct ingest_loop *ingest_loop;
	struct lg_services services;
	struct library library;
	struct instance instance;
	struct source source;
	struct ingest ingest;
	struct http_transport transport;
	struct answer answer;
};

/* Opens the store and the source "form"; `receive` and `reply` are the plugin's. */
void fixture_init(struct fixture *fixture, int32_t (*receive)(void *, struct lg_request *),
		  int32_t (*reply)(void *, struct lg_request *, struct lg_reply *));
void fixture_fini(struct fixture *fixture);

/* Sends a request with this body and waits for its answer. */
const struct answer *fixture_post(struct fixture *fixture, const char *body);
const struct answer *fixture_send(struct fixture *fixture, const char *body,
				  struct http_header *headers, size_t header_count);

#endif
