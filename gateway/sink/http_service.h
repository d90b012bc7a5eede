/* lg_http_send for one lane: its HTTP client, which is made when it is first
 * asked for, and the rules by which the answers are judged. */
#ifndef SINK_HTTP_SERVICE_H
#define SINK_HTTP_SERVICE_H

#include "sink/outcome.h"

/* The gateway's own options of sinks whose plugin calls destinations. */
struct http_service_settings {
	struct outcome_settings outcome;
	struct lg_slice ca_file; /* absent: as the client has it */
	int32_t allow_private;
	int32_t http2; /* for http: URLs, with prior knowledge */

	/* Not of the rows: given by whoever read them. */
	const struct http_client_settings *client;
	const struct expr_limits *limits;
};
extern const struct lg_option http_service_options[];
extern const size_t http_service_option_count;

struct http_service;

/* `settings`, `loop` and the sink's name, by which calls are counted, outlive
 * it. `turn` is run after an answer was handed over. NULL with a reason. The
 * loop's thread, as all that follows. */
struct http_service *http_service_new(struct loop *loop, struct lg_slice sink,
				      const struct http_service_settings *settings,
				      struct loop_task *turn, struct error *error);

/* The sink is to end. Calls of which nothing was sent yet end at once: each `done` is
 * called with LG_RETRY, before this returns. What was sent goes on; nothing more is
 * sent. Not from within a `done`. */
void http_service_recall(struct http_service *service);

/* Breaks off what is under way: each `done` is called with LG_UNCLASSIFIED; what
 * it sends is refused. Not from within a `done`. */
void http_service_free(struct http_service **service);

/* The services of the table. `answer` is one that http_service_send gave. */
int32_t http_service_send(struct http_service *service, const struct lg_services *services,
			  const struct lg_http_call *call,
			  void (*done)(void *context, const struct lg_http_answer *answer),
			  void *context);
int32_t http_service_header(const struct lg_http_answer *answer, const char *name,
			    struct lg_slice *value);

#endif
