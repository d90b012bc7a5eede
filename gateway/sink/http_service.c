#include "sink/http_service.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "sink/http_tally.h"

#define ROW(option, kind, member, usual, sentence)                                           \
	{                                                                                    \
		.name = (option), .type = (kind), .fallback = (usual),                       \
		.offset = offsetof(struct http_service_settings, member), .help = (sentence) \
	}

const struct lg_option http_service_options[] = {
	ROW("success_when", LG_EXPRESSION, outcome.success_when, NULL,
	    "Lua expression over status, headers.NAME, body.PATH (JSON) and text: an answer of "
	    "status 2xx for which it does not hold is no success"),
	{.name = "success_else",
	 .type = LG_ENUM,
	 .offset = offsetof(struct http_service_settings, outcome.success_else),
	 .fallback = "retry",
	 .choices = OUTCOME_ELSE_CHOICES,
	 .help = "outcome of an answer of status 2xx for which success_when does not hold"},
	ROW("outcomes", LG_MAP, outcome.overrides, NULL,
	    "outcomes that this destination means otherwise: a status such as 409 or a class "
	    "such as 4xx, and delivered, retry, unclassified, park or reject"),
	ROW("external_id", LG_EXPRESSION, outcome.external_id, NULL,
	    "Lua expression over a good answer, such as body.id: what the destination calls the "
	    "lead"),
	ROW("ca_file", LG_PATH, ca_file, NULL,
	    "certificates to trust, in place of those of http_client"),
	ROW("allow_private", LG_BOOL, allow_private, "false",
	    "whether the destination may be in a private network or on this machine"),
	ROW("http2", LG_BOOL, http2, "false",
	    "whether http: URLs are spoken to by HTTP/2 with prior knowledge; https: ones are "
	    "asked"),
};
const size_t http_service_option_count = sizeof(http_service_options) /
					 sizeof(http_service_options[0]);

struct http_service {
	const struct http_service_settings *settings;
	struct http_client_settings client_settings;
	struct http_client *client;
	struct outcome_rules *rules;
	struct loop_task *turn;
	struct http_tally tally;
	struct list calls;
	bool ending; /* nothing more is sent */
};

struct call {
	struct list link; /* of the service's */
	struct http_service *service;
	const struct lg_services *services;
	struct http_exchange *exchange;
	void (*done)(void *context, const struct lg_http_answer *answer);
	void *context;
};

/* What a plugin sees of an answer is its first member. */
struct answer {
	struct lg_http_answer seen;
	const struct http_answer *from; /* NULL: there is none */
};

struct http_service *http_service_new(struct loop *loop, struct lg_slice sink,
				      const struct http_service_settings *settings,
				      struct loop_task *turn, struct error *error)
{
	struct http_service *service = alloc_zalloc(sizeof(*service));

	if (!service) {
		error_set(error, "no memory for the HTTP client");
		return NULL;
	}
	list_init(&service->calls);
	service->settings = settings;
	service->turn = turn;
	http_tally_init(&service->tally, sink);
	service->client_settings = *settings->client;
	service->client_settings.user_agent = LG_SLICE("leadgate/" PACKAGE_VERSION);
	service->client_settings.allow_private = settings->allow_private;
	service->client_settings.http2_plain = settings->http2;
	if (slice_present(settings->ca_file))
		service->client_settings.ca_file = settings->ca_file;
	service->rules = outcome_rules_new(&settings->outcome, settings->limits, error);
	if (service->rules)
		service->client = http_client_new(loop, &service->client_settings, error);
	if (!service->client)
		http_service_free(&service);
	return service;
}

static void hand_over(struct call *call, struct answer *answer)
{
	answer->seen.size = sizeof(answer->seen);
	answer->seen.services = call->services;
	list_remove(&call->link);
	call->done(call->context, &answer->seen);
	alloc_free(call);
}

static void on_done(void *context, const struct http_answer *from)
{
	struct call *call = context;
	struct loop_task *turn = call->service->turn;
	struct answer answer = {.from = from};
	struct outcome outcome;

	http_tally_count(&call->service->tally, from);
	outcome_judge(call->service->rules, from, clock_wall_ms(), &outcome);
	answer.seen.outcome = outcome.outcome;
	answer.seen.status = from->status;
	answer.seen.retry_after = outcome.retry_after_ms;
	answer.seen.body = from->body;
	if (outcome.outcome != LG_DELIVERED)
		answer.seen.reason = slice_from(outcome.reason);
	if (outcome.external_id[0])
		answer.seen.external_id = slice_from(outcome.external_id);
	hand_over(call, &answer);
	loop_task_post(turn);
}

static void break_off(struct call *call, int32_t outcome, const char *reason)
{
	struct answer answer = {
		.seen.outcome = outcome,
		.seen.reason = slice_from(reason),
	};

	http_exchange_cancel(&call->exchange);
	hand_over(call, &answer);
}

void http_service_recall(struct http_service *service)
{
	service->ending = true;
	LIST_EACH_SAFE(link, &service->calls) {
		struct call *call = container_of(link, struct call, link);
		if (!http_exchange_sent(call->exchange))
			break_off(call, LG_RETRY, "the sink was ended before it was sent");
	}
}

void http_service_free(struct http_service **service)
{
	struct http_service *s = *service;

	*service = NULL;
	if (!s)
		return;
	s->ending = true;
	while (!list_empty(&s->calls))
		break_off(container_of(list_first(&s->calls), struct call, link), LG_UNCLASSIFIED,
			  "the sink was ended before the answer came");
	http_client_free(&s->client);
	outcome_rules_free(&s->rules);
	alloc_free(s);
}

int32_t http_service_send(struct http_service *service, const struct lg_services *services,
			  const struct lg_http_call *call,
			  void (*done)(void *context, const struct lg_http_answer *answer),
			  void *context)
{
	struct lg_http_call known = {.size = 0};
	struct http_call request;
	struct call *made;

	if (call->size < offsetof(struct lg_http_call, url) + sizeof(call->url))
		return LG_FAIL;
	memcpy(&known, call, call->size < sizeof(known) ? call->size : sizeof(known));
	request = (struct http_call){
		.method = slice_present(known.method) ? known.method : LG_SLICE("POST"),
		.url = slice_known(known.url),
		.headers = known.headers,
		.header_count = known.header_count,
		.body = slice_known(known.body),
		.timeout_ms = known.timeout,
	};
	made = service->ending ? NULL : alloc_zalloc(sizeof(*made));
	if (!made)
		return LG_FAIL;
	made->service = service;
	made->services = services;
	made->done = done;
	made->context = context;
	made->exchange = http_client_send(service->client, &request, on_done, made);
	if (!made->exchange) {
		alloc_free(made);
		return LG_FAIL;
	}
	list_append(&service->calls, &made->link);
	return LG_OK;
}

int32_t http_service_header(const struct lg_http_answer *answer, const char *name,
			    struct lg_slice *value)
{
	const struct answer *whole = (const struct answer *)(const void *)answer;

	*value = whole->from ? http_answer_header(whole->from, name) : (struct lg_slice){0};
	return slice_present(*value) ? LG_OK : LG_FAIL;
}
