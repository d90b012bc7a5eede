/* Listeners, loops and protocols put together: a server that hands whole
 * requests to a service. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <leadgate/option.h>

#include "base/error.h"
#include "base/loop.h"
#include "conn/reason.h"
#include "http/request.h"

/* Limits, each an option with a number (section `http:` of the configuration). */
struct http_limits {
	int64_t head_bytes;	/* 16 KiB */
	int64_t body_bytes;	/* 1 MiB, a source may lower or raise it */
	int64_t buffered_bytes; /* all buffered bodies of the server together */
	int64_t headers;	/* 100 */
	int64_t handshake_timeout_ms;
	int64_t handshakes;	    /* in all; each loop has its share */
	int64_t head_timeout_ms;    /* absolute, from the first byte */
	int64_t body_timeout_ms;    /* absolute, from the end of the head */
	int64_t minimum_rate_bytes; /* a second, after a grace, while a body is read */
	int64_t write_timeout_ms;   /* an answer that is not read */
	int64_t idle_timeout_ms;    /* 60 s between requests */
	int64_t drain_grace_ms;	    /* for idle connections when the server drains */
	int64_t connections;	    /* in all */
	int64_t connections_per_address;
	int64_t reserved_descriptors; /* not for connections */
	int64_t proxy_header_bytes;
	int64_t address_rate;	/* requests a minute of one client; 0: no limit */
	int64_t address_burst;	/* of them at once */
	int64_t handshake_rate; /* of TLS, a minute of one address; 0: no limit */
	int64_t handshake_burst;
	struct lg_list rate_exempt; /* addresses and prefixes */
	int64_t pipelined;	    /* requests of one connection under way */
	int64_t linger_ms;	    /* reading on after an error, so that it is seen */
	int64_t linger_bytes;
	int64_t key_updates; /* of TLS, of one connection in flood_interval */
	/* Of one HTTP/2 connection. */
	int64_t streams; /* 128 at once; requests that handlers have count, reset or not */
	int64_t stream_window_bytes, connection_window_bytes;
	int64_t frame_bytes;
	int64_t header_table_bytes;
	int64_t continuations; /* of one header block */
	/* What it may do in one interval (http/h2_guards.def). */
	int64_t flood_interval_ms;
	int64_t resets, stream_errors, settings, pings, empty_data, priorities, window_updates;
	int64_t other_frames, stalls;
};
extern const struct lg_option http_limit_options[];
extern const size_t http_limit_option_count;

struct tls_context;

/* One entry of `listen:`. */
struct http_listen {
	struct lg_slice address;	/* as bind_address_parse takes it */
	struct lg_list trusted_proxies; /* addresses and prefixes */
	struct lg_list trusted_users;	/* names, numbers or "*": of peers on a unix socket */
	int32_t forwarded_header;	/* enum forwarded_header; read from trusted proxies alone */
	int32_t proxy_protocol;		/* enum proxy_versions */
	struct lg_slice socket_mode, socket_owner, socket_group; /* of a unix socket's file */
	int64_t backlog;
	int64_t connections;	    /* most of this listener; 0: no bound of its own */
	struct lg_slice probe_path; /* answered 202 without a body; absent: none */
	/* No row: NULL speaks plainly. The caller keeps its reference. */
	struct tls_context *tls;
};
extern const struct lg_option http_listen_options[];
extern const size_t http_listen_option_count;

/* Whether an entry means something, without side effects. False with a sentence.
 * Main thread. */
bool http_listen_check(const struct http_listen *listen, struct error *error);

struct http_service {
	/* When a head is known: fills `route`, or answers at once with
	 * http_respond and returns false. The request's loop thread. */
	bool (*route)(void *arg, struct http_request *request, struct http_route *route);
	void *arg;
	/* Every answer passes here before it is sent, refusals too; NULL: nobody
	 * wants to know. The request's loop thread. */
	void (*answered)(void *arg, const struct http_request *request,
			 const struct http_response *response);
	/* Every connection that ends, and every one that is turned away, with its
	 * reason; NULL: nobody wants to know. Any loop's thread. */
	void (*closed)(void *arg, enum conn_reason reason);
};

struct http_server;

/* Binds and listens on all addresses; NULL with a sentence when one cannot be
 * had. The loops must not run yet, or the call must come from their thread
 * when there is one. The first loop accepts and deals to all round robin.
 * Settings are copied where they are kept. */
struct http_server *http_server_open(struct loop *const *loops, size_t loop_count,
				     const struct http_listen *listens, size_t listen_count,
				     const struct http_limits *limits,
				     const struct http_service *service, struct error *error);

/* Stops accepting, lets idle connections go after their grace, answers what is
 * under way, and what comes in the grace, with Connection: close. Any thread. */
void http_server_drain(struct http_server *server);
/* Whether a drain has come to its end: none is open, and none can come any more. No
 * connection alone does not say it, for the loop may not have heard of the drain yet
 * and accept what waits. Any thread. */
bool http_server_is_drained(const struct http_server *server);
/* Connections still open. Any thread. */
size_t http_server_connections(const struct http_server *server);

/* Connections on which a request or its answer is under way. The loops must have
 * stopped. */
size_t http_server_busy(const struct http_server *server);
/* Gives up the addresses that are left, for a successor. The loops must have
 * stopped, or the call must come from the thread of the only one. */
void http_server_deafen(struct http_server *server);

/* How many addresses that were removed (http/change.h) have connections still.
 * The thread that opened the server. */
size_t http_server_draining(struct http_server *server);

/* Closes what is left. The loops must have stopped. Requests that were not
 * answered yet are freed: their handlers must not touch them any more. */
void http_server_close(struct http_server **server);

/* The port that the index-th listener got (for port 0); 0 for none. The thread
 * that opened the server. */
int http_server_port(const struct http_server *server, size_t index);

#endif
