#include "lead/profile_url.h"

#include "unit.h"

/* NULL: it names nobody. */
static const struct {
	const char *url, *identity;
} rows[] = {
	{"https://www.linkedin.com/in/eve/", "linkedin.com/in/eve"},
	{"https://linkedin.com/in/eve", "linkedin.com/in/eve"},
	{"http://de.linkedin.com/in/Eve//", "linkedin.com/in/eve"},
	{"https://www.linkedin.com/in/eve/?originalSubdomain=de#about", "linkedin.com/in/eve"},
	{"https://linkedin.com/in/j%C3%BCrgen%2d1", "linkedin.com/in/j\xc3\xbcrgen-1"},
	{"https://linkedin.com/in/j\xc3\xbcrgen-1", "linkedin.com/in/j\xc3\xbcrgen-1"},
	{"https://linkedin.com/in/a%2Fb%4", "linkedin.com/in/a%2fb%4"},
	{"https://notlinkedin.com/in/Eve", "notlinkedin.com/in/Eve"},
	{"https://a.b.linkedin.com/in/Eve", "a.b.linkedin.com/in/Eve"},
	{"https://m.facebook.com/Eve.Adams", "facebook.com/eve.adams"},
	{"https://de-de.facebook.com/eve", "facebook.com/eve"},
	{"https://fb.com/eve", "facebook.com/eve"},
	{"https://www.facebook.com/profile.php?ref=x&id=100&y#z",
	 "facebook.com/profile.php?id=100"},
	{"https://instagram.com/Eve?igsh=x", "instagram.com/eve"},
	{"https://mobile.twitter.com/Eve", "x.com/eve"},
	{"https://x.com/eve", "x.com/eve"},
	{"https://max.com/Eve", "max.com/Eve"},
	{"https://www.tiktok.com/@Eve", "tiktok.com/@eve"},
	{"https://www.tiktok.com/@Explore?lang=de", "tiktok.com/@explore"},
	{"https://www.tiktok.com/%40Eve", "tiktok.com/%40eve"},
	{"https://vm.tiktok.com/ZMx/", "vm.tiktok.com/ZMx"},
	{"https://www.xing.com/profile/Eve_Adams", "xing.com/profile/eve_adams"},
	{"https://github.com/Eve", "github.com/eve"},
	/* elsewhere case, query and fragment may be what names somebody */
	{"http://www.forum.example/User/?id=7#Eve", "forum.example/User?id=7#Eve"},
	{"https://eve.example/", "eve.example"},
	{"https://eve.example:8443/%7Eeve", "eve.example:8443/~eve"},
	{"https://linkedin.com/pub/eve-adams/1/2/3", "linkedin.com/pub/eve-adams/1/2/3"},
	{"https://linkedin.com/in/search", "linkedin.com/in/search"},
	{"https://linkedin.com/company/eve-ltd", "linkedin.com/company/eve-ltd"},
	{"https://linkedin.com/sales/lead/ACw,NAME", "linkedin.com/sales/lead/acw,name"},
	{"https://linkedin.com/profile/view?trk=x&id=7", "linkedin.com/profile/view?id=7"},
	{"https://facebook.com/people/Eve/100", "facebook.com/people/eve/100"},
	{"https://facebook.com/eve?id=7", "facebook.com/eve"},
	{"https://facebook.com/meyer", "facebook.com/meyer"},
	{"https://facebook.com/photos.by.eve", "facebook.com/photos.by.eve"},
	{"https://instagram.com/p.eve", "instagram.com/p.eve"},
	/* nobody: what networks show everybody */
	{"https://www.linkedin.com/authwall?sessionRedirect=https%3A%2F%2Fl.com%2Fin%2Fdia", NULL},
	{"https://linkedin.com/authwall?id=1", NULL},
	{"https://linkedin.com/in/me?a=1", NULL},
	{"https://linkedin.com/in/Me/details/skills", NULL},
	{"https://linkedin.com/in//%6De/", NULL},
	{"https://linkedin.com/me?a=1", NULL},
	{"https://linkedin.com/pub/dir/Eve/Adams", NULL},
	{"https://linkedin.com/sales/home", NULL},
	{"https://linkedin.com/uas/login?a=1", NULL},
	{"https://linkedin.com/mynetwork?a=1", NULL},
	{"https://linkedin.com/checkpoint/lg/login?a=1", NULL},
	{"https://linkedin.com/search/results/people?a=1", NULL},
	{"https://facebook.com/me?a=1", NULL},
	{"https://facebook.com//Home.php?a=1", NULL},
	{"https://facebook.com/profile?a=1", NULL},
	{"https://fb.com/story.php?id=100&story_fbid=1", NULL},
	{"https://facebook.com/photo/?fbid=1", NULL},
	{"https://facebook.com/photo?fbid=3", NULL},
	{"https://facebook.com/photos/1", NULL},
	{"https://facebook.com/friends", NULL},
	{"https://m.facebook.com/marketplace/", NULL},
	{"https://facebook.com/permalink?story_fbid=1", NULL},
	{"https://facebook.com/gaming", NULL},
	{"https://facebook.com/reel/1", NULL},
	{"https://facebook.com/reels", NULL},
	{"https://facebook.com/stories/1", NULL},
	{"https://instagram.com/p/Cx1", NULL},
	{"https://instagram.com/tv/Cx1", NULL},
	{"https://instagram.com/reel/Cx1", NULL},
	{"https://instagram.com/reels", NULL},
	{"https://instagram.com/stories/highlights", NULL},
	{"https://tiktok.com/foryou", NULL},
	{"https://tiktok.com/explore?a=1", NULL},
	{"https://tiktok.com/@", NULL},
	{"https://x.com/compose/post", NULL},
	{"https://twitter.com/compose", NULL},
	{"https://instagram.com/accounts/login?a=1", NULL},
	{"https://instagram.com/direct/inbox?a=1", NULL},
	{"https://twitter.com/home?a=1", NULL},
	{"https://x.com/i/flow/login?a=1", NULL},
	{"https://x.com/settings/profile?a=1", NULL},
	{"https://github.com/settings/profile?a=1", NULL},
	{"https://xing.com/app/profile?id=1", NULL},
	/* nobody */
	{"https://www.linkedin.com/", NULL},
	{"https://www.linkedin.com/in/", NULL},
	{"https://www.facebook.com/profile.php?id=", NULL},
	{"https://x.com?lang=de", NULL},
	{"n/a", NULL},
	{"linkedin.com/in/eve", NULL},
	{"", NULL},
};

static void spellings_have_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[LEAD_PROFILE_URL_BYTES];

		expect_slice(rows[i].url, profile_url_identity(slice_from(rows[i].url), out),
			     rows[i].identity);
	}
}

/* Who is behind it may be a secret: it is somebody's all the same. */
static void front_pages_lead_to_nobody(void **state)
{
	static const struct {
		const char *url;
		bool on;
	} pages[] = {
		{"https://linkedin.com/in/eve", true},
		{"https://linkedin.com/in/me", true},
		{"https://linkedin.com/authwall?sessionRedirect=x", true},
		{"https://linkedin.com/profile/view?id=7", true},
		{"https://facebook.com/login?next=x", true},
		{"https://eve.example/", true},
		{"https://linkedin.com/", false},
		{"https://linkedin.com/In//?trk=x", false},
		{"https://linkedin.com/sales/people", false},
		{"https://linkedin.com/profile/view?id=", false},
		{"https://facebook.com/people", false},
		{"https://x.com?lang=de", false},
		{"https://xing.com/profile", false},
		{"linkedin.com/in/eve", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pages); i++)
		if (profile_url_leads_on(slice_from(pages[i].url)) != pages[i].on)
			fail_msg("%s", pages[i].url);
}

/* The longest URL still has a form, the next one has none. */
static void length_is_bounded(void **state)
{
	char url[LEAD_PROFILE_URL_BYTES + 2], out[LEAD_PROFILE_URL_BYTES];
	const char *start = "http://fb.com/";

	(void)state;
	memset(url, 'e', sizeof(url));
	memcpy(url, start, strlen(start));
	assert_int_equal(profile_url_identity(slice_of(url, LEAD_PROFILE_URL_BYTES), out).length,
			 LEAD_PROFILE_URL_BYTES - strlen(start) + strlen("facebook.com/"));
	assert_null(profile_url_identity(slice_of(url, LEAD_PROFILE_URL_BYTES + 1), out).data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings_have_one_form),
		cmocka_unit_test(front_pages_lead_to_nobody),
		cmocka_unit_test(length_is_bounded),
	};

	return RUN(tests);
}
