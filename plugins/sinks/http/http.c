/* Events to a destination that takes JSON over HTTP, as they are or as the sink's
 * mapping has made them: one a call, or many in an array or in lines; or mapped
 * to a form, one a call. Each call has an Idempotency-Key that is the same whenever
 * the same events are sent again, and, with a secret, the signature of Standard
 * Webhooks (https://www.standardwebhooks.com, spec version 1). What an answer
 * means is the gateway's to say; see lg_http_send. */
#include "request.h"

#include <leadgate/text.h>

#include <stdio.h>
#include <stdlib.h>

static const char *const methods[] = {"POST", "PUT", "PATCH"};

/* A call under way: it carries all of its batch. */
struct call {
	struct lg_batch *batch;
	char *body; /* NULL: it is the event's own JSON */
};

/* ---- opening --------------------------------------------------------------- */

static char *bearer_value(const struct settings *settings)
{
	size_t size = sizeof("Bearer ") + settings->bearer.length;
	char *value = malloc(size);

	if (value)
		snprintf(value, size, "Bearer %.*s", (int)settings->bearer.length,
			 settings->bearer.data);
	return value;
}

static char *basic_value(struct lg_host *host, const struct settings *settings)
{
	size_t length = settings->user.length + 1 + settings->password.length;
	size_t capacity = (length + 2) / 3 * 4;
	char *plain = malloc(length + 1), *value = malloc(sizeof("Basic ") + capacity);
	int32_t written = LG_FAIL;

	if (plain && value) {
		snprintf(plain, length + 1, "%.*s:%.*s", (int)settings->user.length,
			 settings->user.data, (int)settings->password.length,
			 settings->password.data);
		memcpy(value, "Basic ", 6);
		written = lg_sink_base64(host, (struct lg_slice){plain, length}, value + 6,
					 capacity);
	}
	free(plain);
	if (written < 0) {
		free(value);
		return NULL;
	}
	value[6 + written] = '\0';
	return value;
}

static void http_close(void *instance)
{
	struct sink *sink = instance;

	free(sink->authorization);
	free(sink);
}

static int32_t no_memory(struct lg_text problem)
{
	snprintf(problem.data, problem.capacity, "no memory");
	return LG_FAIL;
}

static int32_t http_open(struct lg_host *host, const void *settings, void **instance,
			 struct lg_text problem)
{
	const struct settings *s = settings;
	struct sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return no_memory(problem);
	sink->host = host;
	sink->settings = s;
	if (s->bearer.data)
		sink->authorization = bearer_value(s);
	else if (s->user.data)
		sink->authorization = basic_value(host, s);
	if (!sink->authorization && (s->bearer.data || s->user.data)) {
		http_close(sink);
		return no_memory(problem);
	}
	if (!http_keys_read(s->secret, &sink->keys, problem)) {
		http_close(sink);
		return LG_FAIL;
	}
	*instance = sink;
	return LG_OK;
}

/* ---- delivering ------------------------------------------------------------ */

static void free_call(struct call *call)
{
	if (call)
		free(call->body);
	free(call);
}

static void on_answer(void *context, const struct lg_http_answer *answer)
{
	struct call *call = context;
	struct lg_settlement settlement = {
		.size = sizeof(settlement),
		.outcome = answer->outcome,
		.status = answer->status,
		.retry_after = answer->retry_after,
		.reason = answer->reason,
		.answer = answer->body,
	};

	/* One answer for many says nothing of what each of them is called. */
	if (lg_batch_count(call->batch) == 1)
		settlement.external_id = answer->external_id;
	lg_settle_all(call->batch, &settlement);
	free_call(call);
}

/* False: nothing is under way. */
static bool send_body(struct sink *sink, struct call *call, struct lg_slice body, int64_t deadline)
{
	const struct settings *settings = sink->settings;
	int64_t left = deadline - lg_monotonic(sink->host);
	struct headers headers;
	struct lg_event event;
	char *update = NULL;
	bool sent;
	struct lg_http_call request = {
		.size = sizeof(request),
		.method = lg_slice_from(methods[settings->method]),
		.url = settings->url,
		.headers = headers.pairs,
		.body = body,
		/* A little less than the lane waits, so that the reason is the call's. */
		.timeout = left > 20  ? left - left / 20
			   : left > 0 ? left
				      : 1,
	};

	if (!http_request_headers(sink, call->batch, body, &headers))
		return false;
	request.header_count = headers.count;
	lg_batch_event(call->batch, 0, &event);
	if (http_request_is_update(sink, &event)) {
		update = http_request_update_url(sink, event.external_id);
		request.url = lg_slice_from(update);
		request.method = lg_slice_from(methods[settings->update_method]);
		if (!update)
			return false;
	}
	sent = lg_http_send(sink->host, &request, on_answer, call) == LG_OK;
	free(update);
	return sent;
}

static int32_t http_deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	struct sink *sink = instance;
	struct lg_settlement not_sent = {
		.size = sizeof(not_sent),
		.outcome = LG_RETRY,
		.reason = LG_SLICE("not sent: the gateway has no room for one more call"),
	};
	struct call *call = calloc(1, sizeof(*call));
	struct lg_slice body = {NULL, 0};
	struct lg_event event;

	if (call) {
		call->batch = batch;
		if (sink->settings->form == FORM_SINGLE) {
			lg_batch_event(batch, 0, &event);
			body = lg_event_body(&event);
		} else {
			body.data = call->body = http_request_body(
				batch, (enum form)sink->settings->form, &body.length);
		}
		if (body.data && send_body(sink, call, body, deadline))
			return LG_OK;
	}
	lg_settle_all(batch, &not_sent);
	free_call(call);
	return LG_OK;
}

static void http_limits(const void *settings, int64_t *events, int64_t *bytes)
{
	const struct settings *s = settings;

	(void)bytes;
	if (s->form == FORM_SINGLE)
		*events = 1;
}

static const struct lg_sink_operations operations = {
	.size = sizeof(operations),
	.check = http_settings_check,
	.open = http_open,
	.deliver = http_deliver,
	.close = http_close,
	.limits = http_limits,
	.concurrency = 64,
	.events = "lead.created lead.touched",
};

LG_SINK_PLUGIN(0, 3, "http", .version = "1",
	       .summary = "Sends events as JSON to a URL, one by one or in batches, signed",
	       .flags = LG_CALLS_HTTP | LG_EXTERNAL_IDS, LG_OPTIONS(http_options, struct settings),
	       .sink = &operations);
