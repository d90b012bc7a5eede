/* What the tests of the client share: a loop with a client, calls that are
 * waited for, and copies of their answers. */
#ifndef TESTS_UNIT_CLIENT_CALLER_H
#define TESTS_UNIT_CLIENT_CALLER_H

#include "client/http_client.h"

#define CALLER_BODY_BYTES 65536

struct caller_answer {
	struct http_answer answer; /* its slices point into the copies below */
	char body[CALLER_BODY_BYTES], head[4096];
};

struct caller {
	struct loop *loop;
	struct http_client *client;
	struct http_client_settings settings; /* before caller_open */
	int under_way;
};

/* Sets all settings to small numbers, allow_private among them. */
void caller_init(struct caller *caller);
void caller_open(struct caller *caller);
void caller_close(struct caller *caller);

/* Sends; `answer` is filled by the time caller_wait returns. */
struct http_exchange *caller_send(struct caller *caller, const struct http_call *call,
				  struct caller_answer *answer);
/* Runs the loop until all that was sent has ended. */
void caller_wait(struct caller *caller);
/* GET of "http://HOST:port/path", waited for. */
void caller_get(struct caller *caller, const char *host, uint16_t port,
		struct caller_answer *answer);

/* Whether the time was up before a call came as far as a test wants it: on a busy machine it
 * may be at any step. Then `timeout_ms` is doubled, up to a bound, and the call is to be made
 * once more. */
bool caller_needs_longer(const struct caller_answer *answer, enum http_result wanted,
			 int64_t *timeout_ms);

/* Descriptors that this process has open. */
int caller_descriptors(void);

#endif
