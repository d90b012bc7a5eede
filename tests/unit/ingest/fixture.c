#include "fixture.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/list.h"
#include "host/services.h"

static void keep_header(struct answer *answer, const struct http_header *header)
{
	if (slice_equal_nocase(header->name, LG_SLICE("Content-Type"))) {
		slice_to_text(header->value, answer->type, sizeof(answer->type));
		answer->types++;
	}
	if (slice_equal_nocase(header->name, LG_SLICE("Location")))
		slice_to_text(header->value, answer->location, sizeof(answer->location));
	if (slice_equal_nocase(header->name, LG_SLICE("X-Added")))
		slice_to_text(header->value, answer->added, sizeof(answer->added));
	if (slice_equal_nocase(header->name, LG_SLICE("Retry-After")))
		slice_to_text(header->value, answer->retry_after, sizeof(answer->retry_after));
}

static void keep_answer(struct http_transport *transport, struct http_request *request,
			const struct http_response *response)
{
	struct fixture *fixture = container_of(transport, struct fixture, transport);

	(void)request;
	if (fixture->answer.status)
		kit_fail("answered twice");
	fixture->answer.status = response->status;
	for (size_t i = 0; i < response->header_count; i++)
		keep_header(&fixture->answer, &response->headers[i]);
	slice_to_text(response->body, fixture->answer.body, ANSWER_BYTES);
	loop_stop(fixture->loop);
}

static const struct http_transport_operations operations = {.respond = keep_answer};

void fixture_init(struct fixture *fixture, int32_t (*receive)(void *, struct lg_request *),
		  int32_t (*reply)(void *, struct lg_request *, struct lg_reply *))
{
	memset(fixture, 0, sizeof(*fixture));
	kit_init(&fixture->kit);
	kit_open(&fixture->kit);
	fixture->loop = loop_new();
	fixture->ingest_loop = fixture->loop ? ingest_loop_new(fixture->loop) : NULL;
	if (!fixture->ingest_loop)
		kit_fail("no loop");
	services_init(&fixture->services);
	ingest_services_add(&fixture->services);
	fixture->library.plugin = (struct lg_plugin){
		.kind = LG_SOURCE, .name = "test", .channel = "web", .methods = "POST GET"};
	fixture->instance = (struct instance){
		.host = {&fixture->services},
		.library = &fixture->library,
		.name = LG_SLICE("form"),
		.source = {.receive = receive, .reply = reply},
	};
	fixture->source.instance = &fixture->instance;
	fixture->source.settings = (struct source_settings){.path = LG_SLICE("/f"),
							    .items = 3,
							    .form_fields = 10,
							    .part_head = 4096,
							    .body_bytes = 1 << 20};
	memcpy(fixture->source.normalize.region, "US", 3);
	source_register(&fixture->source);
	fixture->ingest = (struct ingest){
		.outbox = fixture->kit.outbox,
		.limits = &fixture->kit.limits,
		.sources = &fixture->source,
		.source_count = 1,
		.slow_us = 60000000,
	};
	fixture->transport.operations = &operations;
}

void fixture_fini(struct fixture *fixture)
{
	kit_close(&fixture->kit);
	ingest_loop_free(&fixture->ingest_loop);
	loop_free(&fixture->loop);
	kit_fini(&fixture->kit);
}

const struct answer *fixture_send(struct fixture *fixture, const char *body,
				  struct http_header *headers, size_t header_count)
{
	struct http_request request = {
		.method = LG_SLICE("POST"),
		.target = LG_SLICE("/f?a=b"),
		.path = LG_SLICE("/f"),
		.query = LG_SLICE("a=b"),
		.scheme = LG_SLICE("http"),
		.host = LG_SLICE("test"),
		.origins = {{LG_SLICE("https"), LG_SLICE("forms.example")},
			    {LG_SLICE("http"), LG_SLICE("test")}},
		.origin_count = 2,
		.headers = headers,
		.header_count = header_count,
		.peer_address = LG_SLICE("127.0.0.1"),
		.client_address = LG_SLICE("192.0.2.1"),
		.received_ms = clock_wall_ms(),
		.transport = &fixture->transport,
	};

	arena_init(&request.arena, 16384, 0);
	request.body = arena_copy(&request.arena, slice_from(body));
	memset(&fixture->answer, 0, sizeof(fixture->answer));
	ingest_handle(&fixture->ingest, fixture->ingest_loop, &fixture->source, &request);
	loop_run(fixture->loop);
	arena_fini(&request.arena);
	return &fixture->answer;
}

const struct answer *fixture_post(struct fixture *fixture, const char *body)
{
	return fixture_send(fixture, body, NULL, 0);
}
