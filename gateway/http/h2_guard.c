#include "http/h2_guard.h"

#include <nghttp2/nghttp2.h>

/* libnghttp2 takes no more entries in one SETTINGS frame. */
#define SETTINGS_BYTES_MAX (32 * 6)

static const struct {
	size_t limit_at; /* in struct http_limits */
	uint32_t for_request;
	enum conn_reason reason;
} rows[] = {
#define H2_GUARD(name, limit, for_request, reason) \
	[H2_GUARD_##name] = {offsetof(struct http_limits, limit), for_request, reason},
#include "http/h2_guards.def"
#undef H2_GUARD
};

void h2_guard_init(struct h2_guard *guard, const struct http_limits *limits)
{
	*guard = (struct h2_guard){.limits = limits};
}

static void begin_interval(struct h2_guard *guard, int64_t now_ms)
{
	memset(guard->counts, 0, sizeof(guard->counts));
	guard->requests = 0;
	guard->until_ms = now_ms + guard->limits->flood_interval_ms;
}

static int64_t limit_of(const struct h2_guard *guard, enum h2_guard_kind kind)
{
	int64_t limit;

	memcpy(&limit, (const char *)guard->limits + rows[kind].limit_at, sizeof(limit));
	return limit + (int64_t)rows[kind].for_request * guard->requests;
}

bool h2_guard_count(struct h2_guard *guard, enum h2_guard_kind kind, int64_t now_ms,
		    enum conn_reason *reason)
{
	if (now_ms >= guard->until_ms)
		begin_interval(guard, now_ms);
	*reason = rows[kind].reason;
	return ++guard->counts[kind] <= limit_of(guard, kind);
}

static void count_request(struct h2_guard *guard, const struct h2_frame *frame, int64_t now_ms)
{
	if (now_ms >= guard->until_ms)
		begin_interval(guard, now_ms);
	guard->requests++;
	guard->open_bodies += !(frame->flags & NGHTTP2_FLAG_END_STREAM);
	guard->continuations = 0;
}

/* The end of a body may be empty, but a body ends once. */
static bool ends_body(struct h2_guard *guard, const struct h2_frame *frame)
{
	if (!(frame->flags & NGHTTP2_FLAG_END_STREAM) || guard->open_bodies == 0)
		return false;
	guard->open_bodies--;
	return true;
}

bool h2_guard_frame(struct h2_guard *guard, const struct h2_frame *frame, int64_t now_ms,
		    enum conn_reason *reason)
{
	switch (frame->type) {
	case NGHTTP2_HEADERS: count_request(guard, frame, now_ms); return true;
	case NGHTTP2_CONTINUATION:
		*reason = CONN_H2_CONTINUATIONS;
		return ++guard->continuations <= guard->limits->continuations;
	case NGHTTP2_DATA:
		if (ends_body(guard, frame) || frame->length > 0)
			return true;
		return h2_guard_count(guard, H2_GUARD_EMPTY_DATA, now_ms, reason);
	case NGHTTP2_SETTINGS:
		*reason = CONN_H2_SETTINGS;
		return h2_guard_count(guard, H2_GUARD_SETTINGS, now_ms, reason) &&
		       frame->length <= SETTINGS_BYTES_MAX;
	case NGHTTP2_RST_STREAM: return h2_guard_count(guard, H2_GUARD_RESETS, now_ms, reason);
	case NGHTTP2_PING: return h2_guard_count(guard, H2_GUARD_PINGS, now_ms, reason);
	case NGHTTP2_WINDOW_UPDATE:
		return h2_guard_count(guard, H2_GUARD_WINDOW_UPDATES, now_ms, reason);
	case NGHTTP2_PRIORITY:
	case NGHTTP2_PRIORITY_UPDATE:
		return h2_guard_count(guard, H2_GUARD_PRIORITIES, now_ms, reason);
	default: return h2_guard_count(guard, H2_GUARD_OTHER_FRAMES, now_ms, reason);
	}
}
