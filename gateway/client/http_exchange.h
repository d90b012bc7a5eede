/* One call under way: the request that curl is given and the answer that it
 * gives back. Inner header of client/. */
#ifndef CLIENT_HTTP_EXCHANGE_H
#define CLIENT_HTTP_EXCHANGE_H

#include <curl/curl.h>

#include "base/buffer.h"
#include "base/list.h"
#include "client/h2_opening.h"
#include "client/http_client.h"
#include "client/http_target.h"

struct http_exchange {
	struct list link; /* of the client's */
	struct http_client *client;
	const struct http_client_settings *settings;
	void (*done)(void *context, const struct http_answer *answer);
	void *context;

	struct http_target target;
	struct resolver_waiter waiter;
	struct loop_timer timer; /* the deadline, or 0 for an end that is known */
	int64_t begun_us;
	int64_t timeout_ms;
	enum http_result result; /* when the end is known before curl has begun */
	bool ended;

	CURL *easy;
	CURLSH *share; /* its names: nothing of a call stays in curl's own table */
	struct curl_slist *headers, *resolve;
	bool running; /* in curl's hands */
	struct h2_joining joining;

	bool sent;	      /* curl was about to write the first byte */
	bool private_refused; /* a socket, or a connection's peer */
	bool broken_off;      /* the body is longer than we want */
	int status;	      /* of the final head */
	struct buffer head, body;
	int64_t body_bytes;
	char curl_error[CURL_ERROR_SIZE];
	struct error error; /* why the end is known */
};

/* Takes the call over. False when memory ran out; what cannot be sent is true
 * with `ended` and the reason. http_exchange_fini in either case. */
bool http_exchange_init(struct http_exchange *exchange, const struct http_call *call);
void http_exchange_fini(struct http_exchange *exchange);

/* Sets the end before curl has begun. */
void http_exchange_end(struct http_exchange *exchange, enum http_result result, const char *reason);

/* Gives the target's addresses to curl; they are not looked at for numeric
 * hosts. False with the end set. */
bool http_exchange_aim(struct http_exchange *exchange, const struct resolver_addresses *addresses);

/* What curl's code means for what was sent and what has come. */
enum http_result http_exchange_judge(const struct http_exchange *exchange, CURLcode code);
/* The same when the time is up. */
enum http_result http_exchange_judge_late(const struct http_exchange *exchange);

/* Fills the answer from what has come. */
void http_exchange_answer(const struct http_exchange *exchange, enum http_result result,
			  struct http_answer *answer);

#endif
