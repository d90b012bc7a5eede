#include "lead/url.h"

#include "unit.h"

/* NULL: cannot be read. "=": as the input. */
static const struct {
	const char *input, *url, *website;
} rows[] = {
	{"https://example.com/", "=", "="},
	{"https://example.com", "=", "="},
	{"HTTP://Example.COM/Path", "http://example.com/Path", "http://example.com/Path"},
	{" https://example.com ", "https://example.com", "https://example.com"},
	{"https://example.com:443/a", "https://example.com/a", "https://example.com/a"},
	{"http://example.com:80", "http://example.com", "http://example.com"},
	{"http://example.com:8080/a?b=c#d", "=", "="},
	{"https://example.com:80/", "=", "="},
	{"https://example.com:/", "https://example.com/", "https://example.com/"},
	{"https://example.com?q=1", "=", "="},
	{"https://example.com/a b", "https://example.com/a%20b", "https://example.com/a%20b"},
	{"https://example.com/%C3%A9", "=", "="},
	{"https://example.com/\xc3\xa9", "=", "="},
	{"https://m\xc3\xbcller.de/x", "https://xn--mller-kva.de/x", "https://xn--mller-kva.de/x"},
	{"https://localhost/", "=", "="},
	{"https://192.0.2.1/", "=", "="},
	{"https://a_b.example.com/", "=", "="},
	{"example.com", NULL, "https://example.com"},
	{"www.Example.com/About", NULL, "https://www.example.com/About"},
	{"//example.com/x", NULL, "https://example.com/x"},
	{"example.com:8080", NULL, "https://example.com:8080"},
	{"m\xc3\xbcller.de", NULL, "https://xn--mller-kva.de"},
	{"example", NULL, NULL},
	{"none", NULL, NULL},
	{"n/a", NULL, NULL},
	{"", NULL, NULL},
	{"jane@example.com", NULL, NULL},
	{"we have no site.", NULL, NULL},
	{"ftp://example.com/", NULL, NULL},
	{"javascript:alert(1)", NULL, NULL},
	{"JavaScript://example.com/%0aalert(1)", NULL, NULL},
	{"data:text/html,x.y", NULL, NULL},
	{"http:example.com", NULL, NULL},
	{"http://", NULL, NULL},
	{"https:///path", NULL, NULL},
	{"https://user:secret@example.com/", NULL, NULL},
	{"https://user@example.com/", NULL, NULL},
	{"https://example.com:0/", NULL, NULL},
	{"https://example.com:65536/", NULL, NULL},
	{"https://example.com:x/", NULL, NULL},
	{"https://exa mple.com/", NULL, NULL},
	{"https://-example.com/", NULL, NULL},
	{"https://.example.com/", NULL, NULL},
	{"https://[2001:db8::1]/", NULL, NULL},
	{"https://example.com/a\nb", NULL, NULL},
	{"https://example.com/\xff", NULL, NULL},
	{"https://exa\x01mple.com/", NULL, NULL},
	{"https://example.com\\@evil.example/", "=", "="},
};

static const char *expected(const char *input, const char *text)
{
	return text && strcmp(text, "=") == 0 ? input : text;
}

static void urls_have_one_form(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lg_slice input = slice_from(rows[i].input);
		struct lg_slice url = url_normalize(&arena, input);
		struct lg_slice website = url_normalize_website(&arena, input);

		expect_slice(rows[i].input, url, expected(rows[i].input, rows[i].url));
		expect_slice(rows[i].input, website, expected(rows[i].input, rows[i].website));
		if (slice_present(website)) {
			struct lg_slice again = url_normalize_website(&arena, website);

			assert_ptr_equal(again.data, website.data);
		}
	}
	assert_false(arena.failed);
	arena_fini(&arena);
}

static void queries_are_cut_out(void **state)
{
	static const struct {
		const char *url, *query;
	} cuts[] = {
		{"https://example.com/?a=b", "a=b"},
		{"https://example.com/?a=b#c", "a=b"},
		{"https://example.com/?a=b?c", "a=b?c"},
		{"https://example.com/?", ""},
		{"https://example.com/", NULL},
		{"https://example.com/#?a=b", NULL},
		{"?a", "a"},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cuts); i++)
		expect_slice(cuts[i].url, url_query(slice_from(cuts[i].url)), cuts[i].query);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_have_one_form),
		cmocka_unit_test(queries_are_cut_out),
	};

	return RUN(tests);
}
