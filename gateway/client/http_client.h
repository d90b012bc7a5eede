/* HTTP calls from the gateway to others: asynchronous on one loop, over
 * HTTP/1.1 and HTTP/2, with connections that are used again.
 *
 * Redirects are never followed, TLS names and certificates are always verified,
 * proxies of the environment are not used. Names are resolved by resolver.h, and
 * an address in the gateway's own network (private_address.h) is refused unless
 * allow_private: the addresses that a name has are looked at before, and the
 * address of each socket once more when it is opened and when it is used again.
 *
 * All functions are for the loop's thread. */
#ifndef CLIENT_HTTP_CLIENT_H
#define CLIENT_HTTP_CLIENT_H

#include <leadgate/option.h>

#include "base/error.h"
#include "base/loop.h"
#include "client/http_result.h"

#define HTTP_ADDRESS_BYTES 46
#define HTTP_REASON_BYTES 256

/* Bounds, with their rows in http_client_options; then what whoever makes the
 * client sets by itself. Everything lives until the client is freed. */
struct http_client_settings {
	int64_t timeout_ms;	      /* of a call, from sending to the whole answer */
	int64_t connect_timeout_ms;   /* of one connection, with TLS */
	int64_t calls_max;	      /* under way and waiting */
	int64_t connections_max;      /* open at once */
	int64_t host_connections_max; /* of these, to one host */
	int64_t idle_ms;	      /* an unused connection is kept so long */
	int64_t connection_life_ms;   /* then it is not used again */
	int64_t answer_head_bytes;    /* a longer head breaks the answer off */
	int64_t answer_keep_bytes;    /* first bytes of the body that are kept */
	int64_t answer_max_bytes;     /* a longer body breaks the answer off */
	int64_t name_timeout_ms;      /* of one lookup of a name */
	int64_t name_lookups_max;
	int64_t names_max; /* kept */
	int64_t name_keep_ms;
	int64_t name_failed_keep_ms;
	struct lg_slice nameserver; /* "192.0.2.1:53"; absent: resolv.conf */
	struct lg_slice hosts_file; /* absent: /etc/hosts */
	struct lg_slice ca_file;    /* absent: the system's certificates */

	struct lg_slice user_agent;
	bool allow_private;
	bool http2_plain; /* http: URLs by HTTP/2 with prior knowledge */
};
extern const struct lg_option http_client_options[];
extern const size_t http_client_option_count;

/* One call. Only `body` must live until it has ended. */
struct http_call {
	struct lg_slice method; /* "POST" */
	struct lg_slice url;	/* http or https, without user and password */
	const struct lg_pair *headers;
	size_t header_count;
	struct lg_slice body; /* absent: none */
	int64_t timeout_ms;   /* 0: the client's */
};

/* What came of it. Everything lives while `done` runs. */
struct http_answer {
	enum http_result result;
	int status;	      /* 0: none came */
	int version;	      /* 10, 11 or 20; 0: no connection */
	bool reused;	      /* over a connection of an earlier call */
	bool body_cut;	      /* more came, or would have, than `body` holds */
	struct lg_slice body; /* its first bytes */
	int64_t body_bytes;   /* that came in all */
	struct lg_slice head; /* header lines; read them with http_answer_header */
	int64_t duration_us;
	char address[HTTP_ADDRESS_BYTES]; /* of the peer; "" */
	char reason[HTTP_REASON_BYTES];	  /* a sentence for the operator */
};

/* Value of the first header with this name; absent without one. */
struct lg_slice http_answer_header(const struct http_answer *answer, const char *name);

struct http_client;
struct http_exchange; /* one call under way */

/* The settings and the loop outlive the client. NULL with a reason. */
struct http_client *http_client_new(struct loop *loop, const struct http_client_settings *settings,
				    struct error *error);

/* Cancels what is under way: no `done` is called. From anywhere on the loop's
 * thread, a `done` too; otherwise while the loop is not running. */
void http_client_free(struct http_client **client);

/* Begins a call. `done` is called once, later and never from within, and may send,
 * cancel and free at will. NULL: calls_max calls are under way, or memory ran
 * out. The exchange lives until `done` was called or http_exchange_cancel. */
struct http_exchange *http_client_send(struct http_client *client, const struct http_call *call,
				       void (*done)(void *context,
						    const struct http_answer *answer),
				       void *context);

/* Breaks a call off: `done` is not called, the body may go. */
void http_exchange_cancel(struct http_exchange **exchange);

/* Whether the destination may have seen anything of the request. */
bool http_exchange_sent(const struct http_exchange *exchange);

/* Calls under way and waiting. */
size_t http_client_calls(const struct http_client *client);

#endif
