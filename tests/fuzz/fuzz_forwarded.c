/* Lines of a forwarding header, the kind of which the first byte says. Whatever
 * they are, what a trusted proxy adds to them is what counts. */
#include "fuzz.h"

#include "base/error.h"
#include "http/forwarded.h"

#define LINES_MAX 8

struct lines {
	struct http_header headers[LINES_MAX + 1];
	size_t count;
};

static struct address_prefix proxies[1];

/* The request that has these lines; its client's address, as long as the arena. */
static struct lg_slice client_of(struct arena *arena, enum forwarded_header kind,
				 struct lines *lines)
{
	struct forwarded_trust trust = {proxies, 1, kind};
	struct http_request request = {.arena = *arena,
				       .headers = lines->headers,
				       .header_count = lines->count,
				       .scheme = LG_SLICE("http"),
				       .host = LG_SLICE("a")};

	forwarded_apply(&trust, &proxies[0].address, &request);
	ALWAYS(request.origin_count > 0);
	for (size_t i = 0; i < request.origin_count; i++)
		ALWAYS(slice_present(http_request_url(&request, i)));
	*arena = request.arena;
	return request.client_address;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines lines = {.count = 0};
	struct lg_slice rest, line, client;
	struct address address;
	struct arena arena;

	if (size == 0 || !address_prefix_parse(LG_SLICE("127.0.0.1"), &proxies[0]))
		return 0;
	enum forwarded_header kind = data[0] % 2 ? FORWARDED_FORWARDED : FORWARDED_X_FORWARDED_FOR;
	bool standard = kind == FORWARDED_FORWARDED;
	struct lg_slice name = standard ? LG_SLICE("Forwarded") : LG_SLICE("X-Forwarded-For");
	arena_init(&arena, 4096, 0);
	rest = slice_of((const char *)data + 1, size - 1);
	while (lines.count < LINES_MAX && slice_split(&rest, '\n', &line))
		lines.headers[lines.count++] = (struct http_header){name, line};
	client = client_of(&arena, kind, &lines);
	ALWAYS(address_parse(client, &address));

	/* A proxy that adds to the last line, and one that adds a line. */
	struct lg_slice last = lines.headers[lines.count - 1].value;
	lines.headers[lines.count - 1].value = arena_printf(
		&arena, standard ? "%.*s, for=192.0.2.7" : "%.*s, 192.0.2.7", SLICE_ARGS(last));
	if (!memchr(last.data, 0, last.length))
		ALWAYS(slice_is(client_of(&arena, kind, &lines), "192.0.2.7"));
	lines.headers[lines.count - 1].value = last;
	lines.headers[lines.count++] = (struct http_header){
		name, standard ? LG_SLICE("for=\"192.0.2.7:80\"") : LG_SLICE("192.0.2.7:80")};
	ALWAYS(slice_is(client_of(&arena, kind, &lines), "192.0.2.7"));
	arena_fini(&arena);
	return 0;
}
