/* A server on 127.0.0.1 with its loops on threads of their own, a service that
 * shows what it got, and a client that reads until it has seen what it wants.
 *
 * Paths: /later is parked until fixture_release; /hold stops its loop until
 * fixture_let_go; /early is answered 403 by the route hook; /small takes 10 bytes of body; /big answers 8 MiB; /probe is the
 * probe; /broken adds headers that would break the framing, and X-Behind; /reset answers 205; all others answer "METHOD path query host client loop body". */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include "base/buffer.h"
#include "http/server.h"

#define FIXTURE_LOOPS 2
#define FIXTURE_MAX_LOOPS 3
#define FIXTURE_BIG_BYTES (8u << 20)

struct fixture;

/* Limits as in message.h for heads, generous times otherwise. */
struct http_limits fixture_limits(void);

/* NULL: the server could not be opened (no memory is left to a sweep). */
struct fixture *fixture_start(const struct http_limits *limits, size_t loops,
			      const char *trusted_proxy);
/* Stops the loops, closes the server. */
void fixture_stop(struct fixture *fixture);

struct http_server *fixture_server(struct fixture *fixture);

/* Waits until so many requests are parked. */
void fixture_wait_parked(struct fixture *fixture, size_t count);
size_t fixture_parked(struct fixture *fixture);
/* Answers the index-th parked request, 200 and its query. */
void fixture_release(struct fixture *fixture, size_t index);

/* Waits until a loop is held, and lets it go on. */
void fixture_wait_held(struct fixture *fixture);
void fixture_let_go(struct fixture *fixture);

/* A client's end. It fails the test when nothing comes for a minute. */
struct client {
	int fd;
	struct buffer got;
};

void client_connect(struct client *client, struct fixture *fixture);
void client_close(struct client *client);
void client_send(struct client *client, const void *data, size_t size);
#define client_say(client, text) client_send((client), (text), sizeof(text) - 1)
void client_half_close(struct client *client);

/* Reads until `text` has been seen; false when the end comes before. */
bool client_gets(struct client *client, const char *text);
/* Reads until `text` has been seen `times` times. */
void client_expect(struct client *client, const char *text, size_t times);
/* Reads to the end; true when it came without a reset. */
bool client_read_end(struct client *client);
bool client_has(const struct client *client, const char *text);
size_t client_count(const struct client *client, const char *text);
/* Forgets what was read. */
void client_forget(struct client *client);

/* A row of /metrics now. */
int64_t fixture_counter(const char *name, const char *reason);
/* Waits until it has this value. */
void fixture_wait_counter(const char *name, const char *reason, int64_t value);

#endif
