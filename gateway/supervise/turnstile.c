#include "supervise/turnstile.h"

#include "base/clock.h"
#include "base/counter.h"

/* As after a submission that the journal did not take (ingest/ingest.c). */
#define RETRY_AFTER_QUEUE_S 2
#define RETRY_AFTER_STORE_S 30

#define DETAIL_ADDRESS "too many requests from this address; try again later"
#define DETAIL_SOURCE "too many requests for this source; try again later"
#define DETAIL_QUEUE "more leads are waiting than the gateway may hold"

bool turnstile_init(struct turnstile *turnstile, const struct http_limits *limits,
		    const struct outbox *outbox, struct meter_table *addresses, struct error *error)
{
	*turnstile = (struct turnstile){
		.outbox = outbox,
		.addresses = addresses,
		.address_rate = meter_rate(limits->address_rate, limits->address_burst),
		.exempt = prefix_list_new(&limits->rate_exempt, "rate_exempt", error),
	};
	return turnstile->exempt != NULL;
}

void turnstile_fini(struct turnstile *turnstile)
{
	prefix_list_unref(&turnstile->exempt);
}

/* A client without an address is a process of this machine, on a unix socket. */
static int64_t draw_address(const struct turnstile *turnstile, const struct http_request *request)
{
	struct address address;
	uint64_t network[2];

	if (turnstile->address_rate.interval_ns == 0 ||
	    !address_parse(request->client_address, &address) ||
	    prefix_list_has(turnstile->exempt, &address))
		return 0;
	address_network(&address, network);
	return meter_table_take(turnstile->addresses, network, &turnstile->address_rate,
				clock_monotonic_us() * 1000);
}

/* `source` NULL: it is for none, and its caller counts. */
static bool refuse(const struct source *source, enum source_counter counter,
		   struct http_request *request, int status, const char *detail, int retry_after_s)
{
	if (source)
		source_count(source, counter);
	request->reason = source_counter_word(counter);
	http_respond_problem(request, status, detail, retry_after_s);
	return false;
}

static bool refuse_rate(const struct source *source, enum source_counter counter,
			struct http_request *request, const char *detail, int64_t wait_ms)
{
	return refuse(source, counter, request, 429, detail, (int)((wait_ms + 999) / 1000));
}

/* Without a body there is nothing to be spared: the journal answers for itself,
 * and a provider that only verifies the address, or a browser that asks before it
 * sends, may do so. */
static bool brings_body(const struct http_request *request)
{
	return !slice_is(request->method, "GET") && !slice_is(request->method, "HEAD") &&
	       !slice_is(request->method, "OPTIONS");
}

static bool has_room(const struct turnstile *turnstile, const struct source *source,
		     struct http_request *request)
{
	const char *reason;

	if (!outbox_ready(turnstile->outbox, &reason))
		return refuse(source, SOURCE_NO_ROOM, request, 503, reason, RETRY_AFTER_STORE_S);
	if (outbox_is_busy(turnstile->outbox))
		return refuse(source, SOURCE_NO_QUEUE, request, 503, DETAIL_QUEUE,
			      RETRY_AFTER_QUEUE_S);
	return true;
}

bool turnstile_admits_client(const struct turnstile *turnstile, const struct source *source,
			     struct http_request *request)
{
	int64_t wait_ms = draw_address(turnstile, request);

	return wait_ms == 0 ||
	       refuse_rate(source, SOURCE_OVER_ADDRESS_RATE, request, DETAIL_ADDRESS, wait_ms);
}

bool turnstile_admits_to(const struct turnstile *turnstile, struct source *source,
			 struct http_request *request)
{
	bool limited = source->rate.interval_ns > 0;
	int64_t wait_ms = limited ? meter_take(&source->meter, &source->rate,
					       clock_monotonic_us() * 1000)
				  : 0;

	if (wait_ms > 0)
		return refuse_rate(source, SOURCE_OVER_RATE, request, DETAIL_SOURCE, wait_ms);
	return !brings_body(request) || has_room(turnstile, source, request);
}
