/* Any bytes as a URL, a website, a language, a day, an address, a number and a
 * country: what is read stays as it is when it is read again. */
#include "base/error.h"
#include "fuzz.h"
#include "lead/country.h"
#include "lead/day.h"
#include "lead/ip.h"
#include "lead/language.h"
#include "lead/number.h"
#include "lead/url.h"

static void check_urls(struct arena *arena, struct lg_slice text)
{
	struct lg_slice url = url_normalize(arena, text);
	struct lg_slice website = url_normalize_website(arena, text);

	ALWAYS(!arena->failed);
	if (slice_present(url)) {
		ALWAYS(slice_starts(url, "http://") || slice_starts(url, "https://"));
		ALWAYS(url_normalize(arena, url).data == url.data);
		ALWAYS(slice_present(website));
		url_query(url);
	}
	if (slice_present(website))
		ALWAYS(url_normalize_website(arena, website).data == website.data);
}

static void check_short_forms(struct lg_slice text)
{
	char out[64], again[64];

	if (language_normalize(text, out))
		ALWAYS(language_normalize(slice_from(out), again) && strcmp(out, again) == 0);
	if (day_normalize(text, out))
		ALWAYS(day_normalize(slice_from(out), again) && strcmp(out, again) == 0);
	if (ip_normalize(text, out))
		ALWAYS(ip_normalize(slice_from(out), again) && strcmp(out, again) == 0);
	if (number_normalize(text, out))
		ALWAYS(number_normalize(slice_from(out), again) && strcmp(out, again) == 0);
	if (country_find(text, out))
		ALWAYS(country_find(slice_from(out), again) && strcmp(out, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice text = slice_of((const char *)data, size);
	struct arena arena;

	arena_init(&arena, 4096, 0);
	check_urls(&arena, text);
	check_short_forms(text);
	arena_fini(&arena);
	return 0;
}
