/* A whole message through h1_parser and h1_body, as a transport drives them,
 * for tests and fuzzers. */
#ifndef TESTS_HTTP_MESSAGE_H
#define TESTS_HTTP_MESSAGE_H

#include "base/buffer.h"
#include "http/h1_body.h"

#define MESSAGE_FIELDS 20
#define MESSAGE_HEAD_BYTES 1024

struct message {
	struct h1_field fields[MESSAGE_FIELDS];
	struct h1_parser parser;
	struct h1_body framing;
	struct buffer body;
	bool has_head;
	size_t seen; /* bytes that were used up */
	enum h1_result result;
	enum http_refusal refusal;
};

void message_init(struct message *message);
void message_fini(struct message *message);

/* `bytes` is everything since the first byte. */
enum h1_result message_feed(struct message *message, struct lg_slice bytes);

/* Whether two came to the same end over the same bytes. */
bool message_equal(const struct message *a, const struct message *b);

#endif
