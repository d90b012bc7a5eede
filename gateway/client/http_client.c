#include "client/http_client.h"

#include <pthread.h>

#include "base/alloc.h"
#include "client/ca_file.h"
#include "client/http_exchange.h"
#include "client/multi.h"

struct http_client {
	struct loop *loop;
	const struct http_client_settings *settings;
	struct resolver_settings names;
	struct multi *multi;
	struct resolver *resolver;
	struct h2_opening opening;
	bool opens_apart; /* plain HTTP/2, with a curl that needs h2_opening */
	struct list exchanges;
	size_t count;
};

static CURLcode global;

static void set_up_curl(void)
{
	global = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Takes the exchange from everyone, so that only its owner knows it. */
static void detach(struct http_exchange *exchange)
{
	loop_timer_fini(&exchange->timer);
	resolver_cancel(&exchange->waiter);
	if (exchange->running)
		multi_remove(exchange->client->multi, exchange->easy);
	exchange->running = false;
	h2_opening_leave(&exchange->client->opening, exchange);
	list_remove(&exchange->link);
	exchange->client->count--;
}

/* The client may be gone after this: `done` is free to free it. */
static void finish(struct http_exchange *exchange, enum http_result result)
{
	struct http_answer answer;

	http_exchange_answer(exchange, result, &answer);
	detach(exchange);
	exchange->done(exchange->context, &answer);
	http_exchange_fini(exchange);
	alloc_free(exchange);
}

static void on_transfer_done(void *context, CURL *easy, CURLcode code)
{
	struct http_client *client = context;
	struct http_exchange *exchange;
	char *private = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
	exchange = (void *)private;
	if (!h2_opening_alone(exchange)) {
		finish(exchange, http_exchange_judge(exchange, code));
		return;
	}
	multi_remove(client->multi, easy);
	exchange->running = false;
	h2_opening_retry(&client->opening, exchange);
}

/* The deadline; or the turn after an end that was known at once. */
static void on_timer(struct loop_timer *timer)
{
	struct http_exchange *exchange = container_of(timer, struct http_exchange, timer);

	if (exchange->ended) {
		finish(exchange, exchange->result);
		return;
	}
	error_set(&exchange->error, "%s (%lld ms)",
		  http_result_text(http_exchange_judge_late(exchange)),
		  (long long)exchange->timeout_ms);
	finish(exchange, http_exchange_judge_late(exchange));
}

/* Gives the exchange to curl, or sets its end. */
static void start(struct http_exchange *exchange)
{
	exchange->running = multi_add(exchange->client->multi, exchange->easy);
	if (exchange->running)
		return;
	http_exchange_end(exchange, HTTP_FAILED, "curl does not take the call");
	loop_timer_set(&exchange->timer, 0);
}

static void run(struct http_exchange *exchange, const struct resolver_addresses *addresses)
{
	if (!http_exchange_aim(exchange, addresses))
		return;
	if (exchange->client->opens_apart && !exchange->target.tls)
		h2_opening_join(exchange);
	start(exchange);
}

static void named(struct http_exchange *exchange, enum resolver_state state,
		  const struct resolver_addresses *addresses)
{
	switch (state) {
	case RESOLVER_PENDING: break;
	case RESOLVER_KNOWN: run(exchange, addresses); break;
	case RESOLVER_UNKNOWN:
		http_exchange_end(exchange, HTTP_NAME_UNKNOWN, http_result_text(HTTP_NAME_UNKNOWN));
		break;
	case RESOLVER_FAILED:
		http_exchange_end(exchange, HTTP_NAME_FAILED, http_result_text(HTTP_NAME_FAILED));
		break;
	}
}

static void on_named(struct resolver_waiter *waiter, enum resolver_state state,
		     const struct resolver_addresses *addresses)
{
	struct http_exchange *exchange = container_of(waiter, struct http_exchange, waiter);

	named(exchange, state, addresses);
	if (exchange->ended)
		finish(exchange, exchange->result);
}

static void begin(struct http_exchange *exchange)
{
	struct resolver_addresses addresses = {.count = 0};
	enum resolver_state state = RESOLVER_KNOWN;

	if (!exchange->target.numeric)
		state = resolver_find(exchange->client->resolver, slice_from(exchange->target.host),
				      &exchange->waiter, &addresses);
	named(exchange, state, &addresses);
}

struct http_exchange *http_client_send(struct http_client *client, const struct http_call *call,
				       void (*done)(void *context,
						    const struct http_answer *answer),
				       void *context)
{
	struct http_exchange *exchange;

	if (client->count >= (size_t)client->settings->calls_max)
		return NULL;
	exchange = alloc_zalloc(sizeof(*exchange));
	if (!exchange)
		return NULL;
	exchange->client = client;
	exchange->settings = client->settings;
	exchange->done = done;
	exchange->context = context;
	exchange->waiter.done = on_named;
	list_init(&exchange->waiter.link);
	list_init(&exchange->joining.link);
	list_append(&client->exchanges, &exchange->link);
	client->count++;
	loop_timer_init(&exchange->timer, client->loop, on_timer);
	if (http_exchange_init(exchange, call)) {
		if (!exchange->ended)
			begin(exchange);
		if (loop_timer_set(&exchange->timer, exchange->ended ? 0 : exchange->timeout_ms))
			return exchange;
	}
	http_exchange_cancel(&exchange);
	return NULL;
}

void http_exchange_cancel(struct http_exchange **exchange)
{
	struct http_exchange *e = *exchange;

	*exchange = NULL;
	if (!e)
		return;
	detach(e);
	http_exchange_fini(e);
	alloc_free(e);
}

bool http_exchange_sent(const struct http_exchange *exchange)
{
	return exchange->sent;
}

size_t http_client_calls(const struct http_client *client)
{
	return client->count;
}

static bool check_files(const struct http_client_settings *settings, struct error *error)
{
	return !settings->ca_file.data || ca_file_check(settings->ca_file, error);
}

static bool open_client(struct http_client *client, struct error *error)
{
	const struct http_client_settings *settings = client->settings;
	CURLM *curl;

	client->names = (struct resolver_settings){
		.nameserver = settings->nameserver,
		.hosts_file = settings->hosts_file,
		.timeout_ms = settings->name_timeout_ms,
		.lookups_max = settings->name_lookups_max,
		.names_max = settings->names_max,
		.keep_ms = settings->name_keep_ms,
		.failed_keep_ms = settings->name_failed_keep_ms,
	};
	if (!check_files(settings, error))
		return false;
	client->resolver = resolver_new(client->loop, &client->names, error);
	if (!client->resolver)
		return false;
	client->multi = multi_new(client->loop, on_transfer_done, client);
	if (!client->multi)
		return error_set(error, "no memory for the HTTP client");
	curl = multi_handle(client->multi);
	curl_multi_setopt(curl, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)settings->connections_max);
	curl_multi_setopt(curl, CURLMOPT_MAXCONNECTS, (long)settings->connections_max);
	curl_multi_setopt(curl, CURLMOPT_MAX_HOST_CONNECTIONS,
			  (long)settings->host_connections_max);
	return true;
}

struct http_client *http_client_new(struct loop *loop, const struct http_client_settings *settings,
				    struct error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http_client *client;

	pthread_once(&once, set_up_curl);
	client = global == CURLE_OK ? alloc_zalloc(sizeof(*client)) : NULL;
	if (!client) {
		error_set(error, "no memory for the HTTP client");
		return NULL;
	}
	client->loop = loop;
	client->settings = settings;
	client->opens_apart = settings->http2_plain && h2_opening_needed();
	list_init(&client->exchanges);
	h2_opening_init(&client->opening, loop, start);
	if (!open_client(client, error))
		http_client_free(&client);
	return client;
}

void http_client_free(struct http_client **client)
{
	struct http_client *c = *client;

	*client = NULL;
	if (!c)
		return;
	while (!list_empty(&c->exchanges)) {
		struct http_exchange *exchange = container_of(list_first(&c->exchanges),
							      struct http_exchange, link);
		http_exchange_cancel(&exchange);
	}
	h2_opening_fini(&c->opening);
	multi_free(&c->multi);
	resolver_free(&c->resolver);
	alloc_free(c);
}
