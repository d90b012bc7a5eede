#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/forwarded.h"
#include "http/forwarded_element.h"

#define LINES_MAX 8

static const struct address_prefix *trusted(void)
{
	static struct address_prefix prefixes[2];

	assert_true(address_prefix_parse(LG_SLICE("127.0.0.0/8"), &prefixes[0]));
	assert_true(address_prefix_parse(LG_SLICE("2001:db8::/32"), &prefixes[1]));
	return prefixes;
}

/* A request with one header, whose lines are separated by LF. */
static void apply(enum forwarded_header kind, const char *peer_text, const char *name,
		  const char *value, struct http_request *request)
{
	static struct http_header headers[LINES_MAX];
	struct forwarded_trust trust = {trusted(), 2, kind};
	struct lg_slice rest = slice_from(value), line;
	struct address peer;

	*request = (struct http_request){
		.headers = headers, .scheme = LG_SLICE("http"), .host = LG_SLICE("a")};
	while (slice_split(&rest, '\n', &line)) {
		assert_true(request->header_count < LINES_MAX);
		headers[request->header_count++] = (struct http_header){slice_from(name), line};
	}
	arena_init(&request->arena, 512, 0);
	request->client_address = slice_from(peer_text);
	if (peer_text)
		assert_true(address_parse(slice_from(peer_text), &peer));
	forwarded_apply(&trust, peer_text ? &peer : NULL, request);
}

struct row {
	const char *peer; /* NULL: a unix socket */
	const char *value;
	const char *client; /* NULL: nobody knows */
};

static void check_rows(enum forwarded_header kind, const char *name, const struct row *rows,
		       size_t count)
{
	struct http_request request;

	for (size_t i = 0; i < count; i++) {
		apply(kind, rows[i].peer, name, rows[i].value, &request);
		if (slice_present(request.client_address) != (rows[i].client != NULL) ||
		    !slice_equal(request.client_address, slice_from(rows[i].client)))
			fail_msg("%s: got %.*s, not %s", rows[i].value,
				 SLICE_ARGS(request.client_address),
				 rows[i].client ? rows[i].client : "nobody");
		arena_fini(&request.arena);
	}
}

#define CHECK_ROWS(kind, name, rows) check_rows(kind, name, rows, sizeof(rows) / sizeof((rows)[0]))
#define ME "127.0.0.1"

static void reads_x_forwarded_for(void **state)
{
	static const struct row rows[] = {
		/* the rightmost that is no trusted proxy */
		{ME, "192.0.2.7", "192.0.2.7"},
		{ME, "192.0.2.7, 127.0.0.2", "192.0.2.7"},
		{ME, "198.51.100.1, 192.0.2.7", "192.0.2.7"},
		{ME, "198.51.100.1,192.0.2.7 ,2001:db8::5, 127.9.9.9", "192.0.2.7"},
		{ME, "127.0.0.3", "127.0.0.3"},
		{ME, "127.0.0.3, 127.0.0.4", "127.0.0.3"},
		{ME, "  192.0.2.7  ", "192.0.2.7"},
		{ME, "\t192.0.2.7\t", "192.0.2.7"},
		{"2001:db8::1", "192.0.2.7", "192.0.2.7"},
		{NULL, "192.0.2.7", "192.0.2.7"},
		{NULL, "198.51.100.1, 192.0.2.7", "192.0.2.7"},
		{NULL, "192.0.2.7, 127.0.0.2", "192.0.2.7"},
		/* ports and brackets */
		{ME, "192.0.2.7:1234", "192.0.2.7"},
		{ME, "192.0.2.7:0", "192.0.2.7"},
		{ME, "192.0.2.7:_hidden", "192.0.2.7"},
		{ME, "2001:db9::1", "2001:db9::1"},
		{ME, "[2001:db9::1]", "2001:db9::1"},
		{ME, "[2001:db9::1]:80", "2001:db9::1"},
		{ME, "[2001:DB9:0:0:0:0:0:1]:80", "2001:db9::1"},
		{ME, "::ffff:192.0.2.7", "192.0.2.7"},
		{ME, "[::ffff:192.0.2.7]:80", "192.0.2.7"},
		{ME, "192.0.2.7, ::ffff:127.0.0.2", "192.0.2.7"},
		/* several lines are one list */
		{ME, "198.51.100.1\n192.0.2.7", "192.0.2.7"},
		{ME, "198.51.100.1\n192.0.2.7, 127.0.0.2", "192.0.2.7"},
		{ME, "192.0.2.7\n127.0.0.2\n127.0.0.3", "192.0.2.7"},
		{ME, "192.0.2.7\n", ME},
		/* what cannot be read ends the walk where it stands */
		{ME, "", ME},
		{ME, "unknown", ME},
		{ME, "192.0.2.7, unknown", ME},
		{ME, "192.0.2.7, unknown, 127.0.0.2", "127.0.0.2"},
		{ME, "192.0.2.7, _hidden", ME},
		{ME, "192.0.2.7, 999.0.0.1, 127.0.0.2", "127.0.0.2"},
		{ME, "192.0.2.7,", "192.0.2.7"},
		{ME, "192.0.2.7 , , ", "192.0.2.7"},
		{ME, "198.51.100.1, 192.0.2.7,,", "192.0.2.7"},
		{ME, "198.51.100.1,\n192.0.2.7,", "192.0.2.7"},
		{ME, "192.0.2.7,,,,,,,,", "192.0.2.7"},
		{ME, "192.0.2.7,,,,,,,,,", ME},
		{ME, ",192.0.2.7", "192.0.2.7"},
		{ME, "192.0.2.7,,127.0.0.2", "192.0.2.7"},
		{ME, "192.0.2.7\n\n127.0.0.2", "127.0.0.2"},
		{ME, "192.0.2.7, [::1", ME},
		{ME, "192.0.2.7, ::1]", ME},
		{ME, "192.0.2.7, []", ME},
		{ME, "192.0.2.7, [2001:db9::1]x", ME},
		{ME, "192.0.2.7, [2001:db9::1]:", ME},
		{ME, "192.0.2.7, [2001:db9::1]:8x", ME},
		{ME, "192.0.2.7, [2001:db9::1]:123456", ME},
		{ME, "192.0.2.7, [192.0.2.8]:80", ME},
		{ME, "192.0.2.7, 192.0.2.8:", ME},
		{ME, "192.0.2.7, 192.0.2.8:x", ME},
		{ME, "192.0.2.7, 192.0.2.8:123456", ME},
		{ME, "192.0.2.7, 192.0.2.8:_", ME},
		{ME, "192.0.2.7, 192.0.2.8 192.0.2.9", ME},
		{ME, "192.0.2.7, \"192.0.2.8\"", ME},
		{ME, "192.0.2.7, for=192.0.2.8", ME},
		{ME, "192.0.2.7, 192.0.2", ME},
		{ME, "192.0.2.7, 0x7f000001", ME},
		{ME, "192.0.2.7, 3221225991", ME},
		{ME, "192.0.2.7, 192.0.2.08", ME},
		{ME, "192.0.2.7, localhost", ME},
		{ME, "192.0.2.7, fe80::1%eth0", ME},
		{ME, "192.0.2.7, <script>", ME},
		{ME, "192.0.2.7, 11111111111111111111111111111111111111111111111111111111111", ME},
		{NULL, "", NULL},
		{NULL, "unknown", NULL},
		{NULL, "192.0.2.7, _hidden", NULL},
	};

	(void)state;
	CHECK_ROWS(FORWARDED_X_FORWARDED_FOR, "X-Forwarded-For", rows);
}

static void reads_forwarded(void **state)
{
	static const struct row rows[] = {
		{ME, "for=192.0.2.7", "192.0.2.7"},
		{ME, "For=192.0.2.7", "192.0.2.7"},
		{ME, "FOR=\"192.0.2.7\"", "192.0.2.7"},
		{ME, "for=\"192.0.2.7:4711\"", "192.0.2.7"},
		{ME, "for=\"192.0.2.7:_secret\"", "192.0.2.7"},
		{ME, "for=\"[2001:db9::7]\"", "2001:db9::7"},
		{ME, "for=\"[2001:db9::7]:4711\"", "2001:db9::7"},
		{ME, "for=\"[2001:db9::7]:_x.y-z\"", "2001:db9::7"},
		{ME, "for=192.0.2.7;by=127.0.0.1;proto=https;host=h", "192.0.2.7"},
		{ME, "by=127.0.0.1;proto=https;host=h;for=192.0.2.7", "192.0.2.7"},
		{ME, "for=198.51.100.1, for=192.0.2.7", "192.0.2.7"},
		{ME, "for=192.0.2.7, for=127.0.0.2", "192.0.2.7"},
		{ME, "for=192.0.2.7,for=\"[2001:db8::5]\" , for=127.0.0.2", "192.0.2.7"},
		{ME, "for=198.51.100.1\nfor=192.0.2.7", "192.0.2.7"},
		{ME, "for=192.0.2.7\nfor=127.0.0.2", "192.0.2.7"},
		{ME, "for=192.0.2.7;ext=\"a, for=198.51.100.1\"", "192.0.2.7"},
		{ME, "for=192.0.2.7;ext=\"a; for=198.51.100.1\"", "192.0.2.7"},
		{ME, "for=192.0.2.7;ext=\"a\\\", for=198.51.100.1\"", "192.0.2.7"},
		{ME, "for=192.0.2.7;ext=\"a\\\\\"", "192.0.2.7"},
		{ME, "ext=\"a\\\\\", for=192.0.2.7", "192.0.2.7"},
		{ME, "for=192.0.2.7;", "192.0.2.7"},
		{ME, ";for=192.0.2.7", "192.0.2.7"},
		{NULL, "for=192.0.2.7", "192.0.2.7"},
		/* whatever a stranger sent before */
		{ME, "for=\"198.51.100.1, for=192.0.2.7", "192.0.2.7"},
		{ME, "\", for=192.0.2.7", "192.0.2.7"},
		{ME, "for=\"a\\, for=192.0.2.7", "192.0.2.7"},
		{ME, "for=\", for=192.0.2.7;by=\"127.0.0.1\"", "192.0.2.7"},
		{ME, ",,;;==, for=192.0.2.7", "192.0.2.7"},
		{ME, "for=198.51.100.1;for=198.51.100.2, for=192.0.2.7", "192.0.2.7"},
		/* names nobody */
		{ME, "", ME},
		{ME, "for=unknown", ME},
		{ME, "for=_hidden", ME},
		{ME, "for=\"_SEVKISEK\"", ME},
		{ME, "for=192.0.2.1, for=_hidden", ME},
		{ME, "for=192.0.2.1, for=unknown, for=127.0.0.2", "127.0.0.2"},
		{ME, "for=192.0.2.1, proto=https", ME},
		{ME, "for=192.0.2.1, by=127.0.0.3", ME},
		/* not by the grammar */
		{ME, "for=192.0.2.1, for=192.0.2.2;for=192.0.2.3", ME},
		{ME, "for=192.0.2.1, for = 192.0.2.2", ME},
		{ME, "for=192.0.2.1, for", ME},
		{ME, "for=192.0.2.1, for=", ME},
		{ME, "for=192.0.2.1, =192.0.2.2", ME},
		{ME, "for=192.0.2.1, for=[2001:db9::7]", ME},
		{ME, "for=192.0.2.1, for=192.0.2.2:80", ME},
		{ME, "for=192.0.2.1, for=\"192.0.2.2", ME},
		{ME, "for=192.0.2.1, for=192.0.2.2\"", ME},
		{ME, "for=192.0.2.1, for=\"192.0.2.\\2\"", ME},
		{ME, "for=192.0.2.1, for='192.0.2.2'", ME},
		{ME, "for=192.0.2.1, for=\"\"", ME},
		{ME, "for=192.0.2.1, for=192.0.2.2;b@d=1", ME},
		{ME, "192.0.2.2", ME},
		{ME, "for=192.0.2.1,", "192.0.2.1"},
		{ME, "for=192.0.2.1,,for=127.0.0.2", "192.0.2.1"},
		{ME, "for=192.0.2.1,,,,,,,,,", ME},
	};

	(void)state;
	CHECK_ROWS(FORWARDED_FORWARDED, "Forwarded", rows);
}

/* Elements are found from the right, whatever stands on the left. */
static void cuts_elements(void **state)
{
	struct lg_slice rest = LG_SLICE("for=a;x=\"1,2;3\" , for, for=\"b,c\";proto=https");
	struct forwarded_element element;

	(void)state;
	assert_true(forwarded_element_last(&rest, &element));
	assert_false(element.broken);
	assert_true(slice_is(element.node, "b,c"));
	assert_true(slice_is(element.scheme, "https"));
	assert_true(forwarded_element_last(&rest, &element));
	assert_true(element.broken);
	assert_true(slice_is(rest, "for=a;x=\"1,2;3\" "));
	assert_true(forwarded_element_last(&rest, &element));
	assert_true(slice_is(element.node, "a"));
	assert_false(forwarded_element_last(&rest, &element));
}

/* ---- what was asked for ----------------------------------------------------------- */

/* Origins as "scheme://host" with blanks between. */
static void expect_origins(const struct http_header *headers, size_t count,
			   enum forwarded_header kind, const char *wanted)
{
	struct http_request request = {.headers = (struct http_header *)(uintptr_t)headers,
				       .header_count = count,
				       .scheme = LG_SLICE("http"),
				       .host = LG_SLICE("a")};
	struct forwarded_trust trust = {trusted(), 2, kind};
	struct lg_slice rest = slice_from(wanted), word;
	struct address peer;
	size_t i = 0;

	arena_init(&request.arena, 512, 0);
	assert_true(address_parse(LG_SLICE(ME), &peer));
	forwarded_apply(&trust, &peer, &request);
	while (slice_split(&rest, ' ', &word)) {
		struct lg_slice url = http_request_url(&request, i++);
		if (!slice_equal(url, word))
			fail_msg("origin %zu: %.*s, not %.*s", i, SLICE_ARGS(url),
				 SLICE_ARGS(word));
	}
	assert_false(slice_present(http_request_url(&request, i)));
	arena_fini(&request.arena);
}

#define NAMED(n, v)                      \
	{                                \
		LG_SLICE(n), LG_SLICE(v) \
	}
#define EXPECT_COMMON(wanted, ...)                                         \
	expect_origins((const struct http_header[]){__VA_ARGS__},          \
		       sizeof((const struct http_header[]){__VA_ARGS__}) / \
			       sizeof(struct http_header),                 \
		       FORWARDED_X_FORWARDED_FOR, wanted)
#define EXPECT_STANDARD(value, wanted)                                             \
	expect_origins((const struct http_header[]){NAMED("Forwarded", value)}, 1, \
		       FORWARDED_FORWARDED, wanted)

static void tells_what_the_proxy_was_asked_for(void **state)
{
	(void)state;
	EXPECT_COMMON("https://forms.example http://a https://a",
		      NAMED("X-Forwarded-Proto", "https"),
		      NAMED("X-Forwarded-Host", "forms.example"),
		      NAMED("Forwarded", "for=192.0.2.9;proto=http;host=evil"));
	EXPECT_COMMON("https://a http://a", NAMED("X-Forwarded-Proto", "HTTPS"));
	EXPECT_COMMON("http://forms.example https://forms.example http://a https://a",
		      NAMED("X-Forwarded-Host", "forms.example"));
	EXPECT_COMMON("http://a https://a", NAMED("X-Forwarded-Proto", "gopher"),
		      NAMED("X-Forwarded-Host", "a b"));
	EXPECT_COMMON("http://a https://a", NAMED("X-Forwarded-For", "192.0.2.7"));
	/* Of several values the last is the nearest proxy's; one trusted hop
	 * makes one value believed. */
	EXPECT_COMMON("https://real http://a https://a", NAMED("X-Forwarded-For", "192.0.2.7"),
		      NAMED("X-Forwarded-Proto", "gopher, https"),
		      NAMED("X-Forwarded-Host", "forged, real"));
	EXPECT_COMMON("https://inner http://outer http://a https://a",
		      NAMED("X-Forwarded-For", "192.0.2.7, 127.0.0.2"),
		      NAMED("X-Forwarded-Proto", "gopher, http, https"),
		      NAMED("X-Forwarded-Host", "forged, outer, inner"));
}

static void tells_what_the_first_proxy_was_asked_for(void **state)
{
	(void)state;
	EXPECT_STANDARD("for=192.0.2.7;proto=https;host=\"forms.example:8443\"",
			"https://forms.example:8443 http://a https://a");
	EXPECT_STANDARD("for=192.0.2.7;proto=https;host=outer, for=127.0.0.2;proto=http;host=inner",
			"https://outer http://inner http://a https://a");
	EXPECT_STANDARD("for=198.51.100.1;proto=https;host=forged, for=192.0.2.7;host=real",
			"http://real https://real http://a https://a");
	EXPECT_STANDARD("for=192.0.2.7;proto=https;host=outer, for=127.0.0.2",
			"https://outer http://a https://a");
	EXPECT_STANDARD("for=unknown;proto=https;host=real", "https://real http://a https://a");
	EXPECT_STANDARD("for=192.0.2.7;host=\"a b\";proto=ftp", "http://a https://a");
	EXPECT_STANDARD("nonsense", "http://a https://a");
	EXPECT_STANDARD("for=127.0.0.9;host=h9, for=127.0.0.8;host=h8, for=127.0.0.7;host=h7, "
			"for=127.0.0.6;host=h6, for=127.0.0.5;host=h5, for=127.0.0.4;host=h4, "
			"for=127.0.0.3;host=h3;proto=http, for=127.0.0.2;host=h2",
			"http://h9 https://h9 http://h8 https://h8 http://h7 https://h7");
}

static void finds_its_headers(void **state)
{
	static const char *const yes[] = {"Forwarded", "x-forwarded-for", "X-FORWARDED-PROTO",
					  "X-Forwarded-Host"};
	static const char *const no[] = {"Forwarded-For", "Fforwarde", "X-Forwarded",
					 "Host",	  "X-Real-IP", "xforwardedfor",
					 "From",	  "Referer"};
	struct http_header header = {.value = LG_SLICE("x")};
	struct http_request request = {.headers = &header, .header_count = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		header.name = slice_from(yes[i]);
		assert_true(forwarded_is_there(&request));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		header.name = slice_from(no[i]);
		assert_false(forwarded_is_there(&request));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_x_forwarded_for),
		cmocka_unit_test(reads_forwarded),
		cmocka_unit_test(cuts_elements),
		cmocka_unit_test(tells_what_the_proxy_was_asked_for),
		cmocka_unit_test(tells_what_the_first_proxy_was_asked_for),
		cmocka_unit_test(finds_its_headers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
