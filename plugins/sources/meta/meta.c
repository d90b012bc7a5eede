/* meta: lead ads of Facebook and Instagram. The webhook brings the id of a lead, signed;
 * the answers to its form are fetched from the Graph API by the gateway, with the token
 * of the page. docs/sources/meta.md says what to enter at Meta. */
#include "meta.h"

static const struct lg_option options[] = {
	{.name = "app_secret",
	 .type = LG_SECRET,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct settings, app_secret),
	 .help = "the app's secret, with which Meta signs what it sends"},
	{.name = "verify_token",
	 .type = LG_SECRET,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct settings, verify_token),
	 .help = "a word of your choice that is entered at Meta with the address of the webhook"},
	{.name = "access_token",
	 .type = LG_SECRET,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct settings, access_token),
	 .help = "a token of the page or a system user with leads_retrieval, for the Graph API"},
	{.name = "graph_url",
	 .type = LG_URL,
	 .fallback = "https://graph.facebook.com/v21.0",
	 .offset = offsetof(struct settings, graph_url),
	 .help = "the Graph API with its version"},
	{.name = "forms",
	 .type = LG_LIST,
	 .offset = offsetof(struct settings, forms),
	 .help = "ids of the forms whose leads a back-fill fetches; events of others are taken, "
		 "too"},
	{.name = "fields",
	 .type = LG_FIELD_MAP,
	 .offset = offsetof(struct settings, fields),
	 .help = "names of questions whose answers go to a field of the record"},
	{.name = "consents",
	 .type = LG_MAP,
	 .offset = offsetof(struct settings, consents),
	 .help = "keys of consent boxes and the purpose of each, of up to 255 bytes; without one "
		 "the key is the purpose"},
	{.name = "rate_pause",
	 .type = LG_DURATION,
	 .fallback = "5m",
	 .min = 1,
	 .max = 86400000,
	 .offset = offsetof(struct settings, rate_pause),
	 .help = "how long nothing is asked after Meta has said that it was too often, at most "
		 "max_retry_after"},
	{.name = "max_pages",
	 .type = LG_INTEGER,
	 .fallback = "20000",
	 .min = 1,
	 .max = 999999999,
	 .offset = offsetof(struct settings, max_pages),
	 .help = "most pages, of 50 leads each, that a back-fill reads of one form; a form with "
		 "more parks it"},
};

static void explain(struct lg_text problem, const char *text)
{
	size_t length = strlen(text);

	if (problem.capacity == 0)
		return;
	if (length >= problem.capacity)
		length = problem.capacity - 1;
	memcpy(problem.data, text, length);
	problem.data[length] = '\0';
}

static bool purposes_fit(const struct settings *settings, struct lg_text problem)
{
	for (size_t i = 0; i < settings->consents.count; i++) {
		const struct lg_pair *box = &settings->consents.pairs[i];
		char option[128];

		snprintf(option, sizeof(option), "\"consents\": the purpose of %.*s",
			 (int)box->name.length, box->name.data);
		if (!lg_consent_fits(option, box->value.length, problem))
			return false;
	}
	return true;
}

static int32_t check(const void *given, struct lg_text problem)
{
	const struct settings *settings = given;

	if (!lg_slice_trim(settings->app_secret).length ||
	    !lg_slice_trim(settings->verify_token).length ||
	    !lg_slice_trim(settings->access_token).length) {
		explain(problem, "app_secret, verify_token and access_token must not be empty: "
				 "anybody could sign with an empty secret");
		return LG_FAIL;
	}
	for (size_t i = 0; i < settings->forms.count; i++) {
		if (is_id(settings->forms.items[i]))
			continue;
		explain(problem, "\"forms\": an id of a form has digits alone");
		return LG_FAIL;
	}
	return purposes_fit(settings, problem) ? LG_OK : LG_FAIL;
}

static int32_t open_source(struct lg_host *host, const void *settings, void **instance,
			   struct lg_text problem)
{
	(void)host;
	(void)problem;
	*instance = (void *)(uintptr_t)settings; /* nothing of it ever changes */
	return LG_OK;
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.check = check,
	.open = open_source,
	.receive = webhook_receive,
	.reply = webhook_reply,
	.claim = graph_claim,
	.backfill = graph_backfill,
};

LG_SOURCE_PLUGIN(0, 4, "meta", .version = "1", .flags = LG_HAS_AUTH | LG_CALLS_HTTP,
		 .summary = "lead ads of Facebook and Instagram", .channel = "social",
		 .methods = "GET POST", LG_OPTIONS(options, struct settings),
		 .source = &operations);
