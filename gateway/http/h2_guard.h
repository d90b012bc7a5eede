/* Budgets against floods on one HTTP/2 connection: what is lawful once and
 * costs more to serve than to send (RFC 9113, section 10.5). They lie below
 * libnghttp2's own bounds, so that it is we who close, and say why.
 * Loop thread. */
#ifndef HTTP_H2_GUARD_H
#define HTTP_H2_GUARD_H

#include "conn/reason.h"
#include "http/h2_frame.h"
#include "http/server.h"

enum h2_guard_kind {
#define H2_GUARD(name, limit, for_request, reason) H2_GUARD_##name,
#include "http/h2_guards.def"
#undef H2_GUARD
	H2_GUARD_COUNT
};

struct h2_guard {
	const struct http_limits *limits; /* of the worker */
	int64_t until_ms;		  /* the end of the interval */
	uint32_t counts[H2_GUARD_COUNT];  /* in it */
	uint32_t requests;		  /* begun in it */
	uint32_t open_bodies;		  /* begun, and their end has not come */
	uint32_t continuations;		  /* of the header block that is coming */
};

void h2_guard_init(struct h2_guard *guard, const struct http_limits *limits);

/* Counts one. False, with `*reason` why the connection is to be closed, when
 * that is more than the peer may do. */
bool h2_guard_count(struct h2_guard *guard, enum h2_guard_kind kind, int64_t now_ms,
		    enum conn_reason *reason);
/* The same for what a frame is, by its header alone. */
bool h2_guard_frame(struct h2_guard *guard, const struct h2_frame *frame, int64_t now_ms,
		    enum conn_reason *reason);

#endif
