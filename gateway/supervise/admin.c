#include "supervise/admin.h"

#include "supervise/metrics.h"
#include "supervise/picture.h"

/* Whoever watches us is few; a crowd here must not cost the loop its time. */
#define CONNECTIONS_MAX 64
#define BODY_BYTES_MAX 4096

static void respond(struct http_request *request, int status, const char *type,
		    const struct buffer *body)
{
	const struct http_header headers[] = {
		{LG_SLICE("Content-Type"), slice_from(type)},
		{LG_SLICE("Cache-Control"), LG_SLICE("no-store")},
	};
	const struct http_response response = {
		.status = status,
		.headers = headers,
		.header_count = 2,
		.body = buffer_slice(body),
	};

	if (body->failed)
		http_respond_problem(request, 503, "the gateway is short of memory", 1);
	else
		http_respond(request, &response);
}

static void show_health(struct gateway *gateway, struct http_request *request, struct buffer *out)
{
	(void)gateway;
	buffer_add_literal(out, "{\"status\":\"ok\"}\n");
	respond(request, 200, "application/json", out);
}

static void show_ready(struct gateway *gateway, struct http_request *request, struct buffer *out)
{
	const char *reason = NULL;

	if (!picture_ready(gateway, &reason)) {
		http_respond_problem(request, 503, reason, 1);
		return;
	}
	picture_readiness(gateway, out);
	respond(request, 200, "application/json", out);
}

static void show_metrics(struct gateway *gateway, struct http_request *request, struct buffer *out)
{
	metrics_print(gateway, out);
	respond(request, 200, "text/plain; version=0.0.4; charset=utf-8", out);
}

static void show_sinks(struct gateway *gateway, struct http_request *request, struct buffer *out)
{
	buffer_add_literal(out, "{\"sinks\":[\n");
	for (size_t i = 0; i < gateway->settings->sink_count; i++) {
		if (i)
			buffer_add_byte(out, ',');
		picture_sink(gateway, i, out);
	}
	buffer_add_literal(out, "]}\n");
	respond(request, 200, "application/json", out);
}

static const struct page {
	const char *path;
	void (*show)(struct gateway *gateway, struct http_request *request, struct buffer *out);
} pages[] = {
	{"/healthz", show_health},
	{"/readyz", show_ready},
	{"/metrics", show_metrics},
	{"/sinks", show_sinks},
};

static const struct page *page_at(struct lg_slice path)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (slice_is(path, pages[i].path))
			return &pages[i];
	return NULL;
}

static void handle(struct http_request *request, void *arg)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	page_at(request->path)->show(arg, request, &out);
	buffer_fini(&out);
}

static void answer_method(struct http_request *request)
{
	const struct http_header allow = {LG_SLICE("Allow"), LG_SLICE("GET, HEAD")};
	const struct http_response response = {.status = 405, .headers = &allow, .header_count = 1};

	http_respond(request, &response);
}

static bool choose(void *arg, struct http_request *request, struct http_route *route)
{
	if (!page_at(request->path)) {
		http_respond_problem(
			request, 404,
			"the admin listener has /healthz, /readyz, /metrics and /sinks", 0);
		return false;
	}
	if (!slice_is(request->method, "GET") && !slice_is(request->method, "HEAD")) {
		answer_method(request);
		return false;
	}
	route->handle = handle;
	route->arg = arg;
	route->body_limit_bytes = BODY_BYTES_MAX;
	return true;
}

static struct http_limits limits_of(const struct settings *settings)
{
	struct http_limits limits = settings->http;

	limits.connections = limits.connections_per_address = CONNECTIONS_MAX;
	limits.reserved_descriptors = 0; /* it draws from the reserve */
	return limits;
}

static struct http_listen listen_of(const struct settings *settings)
{
	return (struct http_listen){
		.address = settings->admin.address,
		.backlog = CONNECTIONS_MAX,
	};
}

bool admin_open(struct gateway *gateway, struct error *error)
{
	const struct http_service service = {.route = choose, .arg = gateway};
	const struct settings *settings = gateway->settings;
	struct http_limits limits = limits_of(settings);
	struct http_listen listen = listen_of(settings);

	gateway->admin = http_server_open(&gateway->loop, 1, &listen, slice_present(listen.address),
					  &limits, &service, error);
	return gateway->admin || error_prefix(error, "admin listener: ");
}

struct http_change *admin_change(struct gateway *gateway, const struct settings *settings,
				 struct error *error)
{
	struct http_limits limits = limits_of(settings);
	struct http_listen listen = listen_of(settings);
	struct http_change *change = http_change_new(gateway->admin, &listen,
						     slice_present(listen.address), &limits, error);

	if (!change)
		error_prefix(error, "admin listener: ");
	return change;
}
