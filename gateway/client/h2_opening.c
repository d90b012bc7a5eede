#include "client/h2_opening.h"

#include <curl/curl.h>

#include "client/http_exchange.h"

#define CURL_8_0_0 0x080000

static void on_time(struct loop_timer *timer)
{
	struct h2_opening *opening = container_of(timer, struct h2_opening, timer);
	struct list ready;

	if (opening->opener)
		opening->opener->joining.opening = NULL;
	opening->opener = NULL;
	list_init(&ready);
	LIST_EACH_SAFE(item, &opening->waiting) {
		list_remove(item);
		list_append(&ready, item);
	}
	while (!list_empty(&ready)) {
		struct h2_joining *joining = container_of(list_first(&ready), struct h2_joining,
							  link);
		struct http_exchange *exchange = container_of(joining, struct http_exchange,
							      joining);
		list_remove(&joining->link);
		h2_opening_join(exchange);
		opening->start(exchange);
	}
}

void h2_opening_init(struct h2_opening *opening, struct loop *loop,
		     void (*start)(struct http_exchange *exchange))
{
	*opening = (struct h2_opening){.start = start};
	list_init(&opening->waiting);
	loop_timer_init(&opening->timer, loop, on_time);
}

void h2_opening_fini(struct h2_opening *opening)
{
	loop_timer_fini(&opening->timer);
}

bool h2_opening_needed(void)
{
	return curl_version_info(CURLVERSION_NOW)->version_num < CURL_8_0_0;
}

/* For plain URLs 2TLS asks for nothing, but lets curl share what is HTTP/2. */
void h2_opening_join(struct http_exchange *exchange)
{
	exchange->joining.joins = true;
	exchange->joining.alone = false;
	curl_easy_setopt(exchange->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(exchange->easy, CURLOPT_PIPEWAIT, 0L);
}

bool h2_opening_alone(const struct http_exchange *exchange)
{
	return exchange->joining.alone && !exchange->sent;
}

void h2_opening_retry(struct h2_opening *opening, struct http_exchange *exchange)
{
	exchange->joining.alone = false;
	exchange->curl_error[0] = 0;
	if (opening->opener) {
		list_append(&opening->waiting, &exchange->joining.link);
		return;
	}
	opening->opener = exchange;
	exchange->joining.opening = opening;
	exchange->joining.joins = false;
	curl_easy_setopt(exchange->easy, CURLOPT_HTTP_VERSION,
			 (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
	curl_easy_setopt(exchange->easy, CURLOPT_FRESH_CONNECT, 1L);
	opening->start(exchange);
}

void h2_opening_done(struct h2_opening *opening)
{
	loop_timer_set(&opening->timer, 0);
}

void h2_opening_leave(struct h2_opening *opening, struct http_exchange *exchange)
{
	list_remove(&exchange->joining.link);
	if (opening->opener != exchange)
		return;
	opening->opener = NULL;
	h2_opening_done(opening);
}
