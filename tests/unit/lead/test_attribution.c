#include "lead/attribution.h"

#include "unit.h"

#define PAGE "https://example.com/pricing"

static const struct {
	const char *lines;
	const char *landing, *raw, *utm_source, *gclid;
} rows[] = {
	{"attribution.last.landing_url=" PAGE "?utm_source=news&utm_medium=email", PAGE,
	 PAGE "?utm_source=news&utm_medium=email", "news", NULL},
	{"attribution.last.landing_url=" PAGE "?a=1&utm_source=news&b=2#top", PAGE "?a=1&b=2#top",
	 PAGE "?a=1&utm_source=news&b=2#top", "news", NULL},
	{"attribution.last.landing_url=" PAGE "?gclid=Ab-1_2#x", PAGE "#x", PAGE "?gclid=Ab-1_2#x",
	 NULL, "Ab-1_2"},
	{"attribution.last.landing_url=" PAGE "?UTM_Source=News", PAGE, PAGE "?UTM_Source=News",
	 "News", NULL},
	{"attribution.last.landing_url=" PAGE "?utm_source=a%20b+c%26d", PAGE,
	 PAGE "?utm_source=a%20b+c%26d", "a b c&d", NULL},
	{"attribution.last.landing_url=" PAGE "?utm_source=", PAGE, PAGE "?utm_source=", NULL,
	 NULL},
	{"attribution.last.landing_url=" PAGE "?utm_source=a&utm_source=b", PAGE,
	 PAGE "?utm_source=a&utm_source=b", "a", NULL},
	{"attribution.last.utm_source=given\nattribution.last.landing_url=" PAGE "?utm_source=a",
	 PAGE, PAGE "?utm_source=a", "given", NULL},
	/* nothing of ours */
	{"attribution.last.landing_url=" PAGE "?a=1&at=2&landing_url=x&utm=3&&",
	 PAGE "?a=1&at=2&landing_url=x&utm=3&&", NULL, NULL, NULL},
	{"attribution.last.landing_url=" PAGE, PAGE, NULL, NULL, NULL},
	{"attribution.last.landing_url=" PAGE "#?gclid=1", PAGE "#?gclid=1", NULL, NULL, NULL},
	{"attribution.last.landing_url=" PAGE "?referrer_url=x&first.gclid=1",
	 PAGE "?referrer_url=x&first.gclid=1", NULL, NULL, NULL},
	/* the page with the form, where no landing page is known */
	{"client.page_url=" PAGE "?utm_source=page&gclid=9", NULL, NULL, "page", "9"},
	{"client.page_url=" PAGE "?utm_source=page\nattribution.last.landing_url=" PAGE, PAGE, NULL,
	 NULL, NULL},
	{"person.email=a@b.c", NULL, NULL, NULL, NULL},
};

static void campaign_parameters_leave_the_landing_page(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lead *lead = unit_lead(&arena, rows[i].lines);
		struct lg_slice page = lead_get(lead, LG_PAGE_URL);
		const struct lead_pair *raw;

		assert_true(attribution_collect(lead));
		raw = lead_raw(lead, LG_LANDING_URL);
		expect_slice(rows[i].lines, lead_get(lead, LG_LANDING_URL), rows[i].landing);
		expect_slice(rows[i].lines, raw ? raw->value : slice_of(NULL, 0), rows[i].raw);
		expect_slice(rows[i].lines, lead_get(lead, LG_UTM_SOURCE), rows[i].utm_source);
		expect_slice(rows[i].lines, lead_get(lead, LG_GCLID), rows[i].gclid);
		assert_true(slice_equal(page, lead_get(lead, LG_PAGE_URL)));
	}
	arena_fini(&arena);
}

static void every_parameter_has_its_field(void **state)
{
	static const char *const names[] = {"utm_source",  "utm_medium", "utm_campaign", "utm_term",
					    "utm_content", "utm_id",	 "gclid",	 "gbraid",
					    "wbraid",	   "fbclid",	 "msclkid",	 "ttclid",
					    "twclid",	   "li_fat_id"};
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	assert_int_equal(COUNT(names), LG_LI_FAT_ID - LG_UTM_SOURCE + 1);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct lead *lead = unit_lead(&arena, "");

		lead_set(lead, LG_LANDING_URL,
			 arena_printf(&arena, PAGE "?%s=value&x=y", names[i]));
		assert_true(attribution_collect(lead));
		expect_slice(names[i], lead_get(lead, LG_UTM_SOURCE + (int)i), "value");
		expect_slice(names[i], lead_get(lead, LG_LANDING_URL), PAGE "?x=y");
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(campaign_parameters_leave_the_landing_page),
		cmocka_unit_test(every_parameter_has_its_field),
	};

	field_setup();
	return RUN(tests);
}
