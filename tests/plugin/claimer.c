/* claimer: a source that must fetch what it takes. Each line of a request's body is
 *
 *   claim KEY [PARTS GROUP [AFTER]]   a claim; the group's errand is due after so many ms
 *   lead ADDRESS                      a lead
 *   keep KEY VALUE                    lg_state_set
 *   blob TEXT                         the blob of the claims that follow
 *
 * and the answer's body is what the results say, a word each. An errand asks for
 * URL/claim/KEY,KEY… (URL/poll/CURSOR, URL/backfill/SINCE) and does what the JSON of the
 * answer says: {"leads": [ADDRESS …], "next": PATH, "blob": TEXT, "state": TEXT,
 * "verdict": "dead", "reason": TEXT, "after": ms, "pause": ms, "hang": PATH}; with "hang" it
 * does not return until that file is there. A status of 401 parks, 404
 * is dead, others than 200 are tried again. Nobody proves anything here. */
#include <leadgate/source.h>
#include <leadgate/text.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct settings {
	struct lg_slice url, token;
};

static const struct lg_option options[] = {
	{.name = "url",
	 .type = LG_URL,
	 .offset = offsetof(struct settings, url),
	 .flags = LG_REQUIRED,
	 .help = "whom to ask"},
	{.name = "token",
	 .type = LG_SECRET,
	 .offset = offsetof(struct settings, token),
	 .help = "sent as a bearer token"},
};

static int32_t open_source(struct lg_host *host, const void *settings, void **instance,
			   struct lg_text problem)
{
	(void)host;
	(void)problem;
	*instance = (void *)(uintptr_t)settings;
	return LG_OK;
}

/* Takes the text before the next `end` off the rest. */
static struct lg_slice take(struct lg_slice *rest, char end)
{
	struct lg_slice word = {rest->data, 0};

	while (word.length < rest->length && rest->data[word.length] != end)
		word.length++;
	rest->data += word.length + (word.length < rest->length);
	rest->length -= word.length + (word.length < rest->length);
	return word;
}

static int64_t number(struct lg_slice digits)
{
	int64_t value = 0;

	for (size_t i = 0; i < digits.length; i++)
		value = value * 10 + (digits.data[i] - '0');
	return value;
}

static int32_t add_lead(struct lg_request *request, struct lg_slice address)
{
	struct lg_lead *lead = lg_lead(request);

	if (!lead || lg_lead_key(lead, LG_KEY_PROVIDER, address) != LG_OK)
		return LG_FAIL;
	/* "-…": somebody whom nobody can reach. */
	return address.length && address.data[0] == '-' ? LG_OK
							: lg_lead_set(lead, LG_EMAIL, address);
}

static int32_t add_claim(struct lg_request *request, struct lg_slice rest, struct lg_slice blob)
{
	struct lg_request_info info;
	struct lg_claim claim = {.size = sizeof(claim), .key = take(&rest, ' '), .blob = blob};
	struct lg_slice parts = take(&rest, ' '), group = take(&rest, ' ');

	lg_request_info(request, &info);
	claim.parts = number(parts);
	if (group.length)
		claim.group = group;
	if (rest.length)
		claim.due = info.received_at + number(rest);
	return lg_claim(request, &claim);
}

static int32_t receive(void *instance, struct lg_request *request)
{
	struct lg_request_info info;
	struct lg_slice blob = {NULL, 0};

	(void)instance;
	lg_request_info(request, &info);
	while (info.body.length) {
		struct lg_slice line = take(&info.body, '\n'), word = take(&line, ' ');
		int32_t done = LG_OK;

		if (lg_slice_is(word, "claim"))
			done = add_claim(request, line, blob);
		else if (lg_slice_is(word, "lead"))
			done = add_lead(request, line);
		else if (lg_slice_is(word, "keep"))
			done = lg_state_set(request, take(&line, ' '), line);
		else if (lg_slice_is(word, "blob"))
			blob = line;
		if (done != LG_OK)
			return lg_refuse(request, 422, LG_SLICE("the gateway takes no such item"));
	}
	return LG_OK;
}

static int32_t reply(void *instance, struct lg_request *request, struct lg_reply *answer)
{
	static const char *const words[] = {"", "accepted ", "repeated ", "refused ", "ignored "};
	struct lg_result result;
	char text[4096] = "";

	(void)instance;
	for (size_t i = 0; i < 200 && lg_result(request, i, &result) == LG_OK; i++)
		strcat(text, words[result.verdict]);
	lg_reply_status(answer, 200);
	return lg_reply_body(answer, "text/plain", (struct lg_slice){text, strlen(text)});
}

/* ---- errands ------------------------------------------------------------------------- */

static int32_t call(const struct settings *settings, struct lg_request *request, const char *path)
{
	char url[2048], bearer[256];
	const struct lg_pair header = {LG_SLICE("Authorization"), {bearer, 0}};
	struct lg_http_call call = {.size = sizeof(call), .headers = &header, .header_count = 1};
	struct lg_pair mine = header;

	snprintf(url, sizeof(url), "%.*s%s", (int)settings->url.length, settings->url.data, path);
	mine.value.length = (size_t)snprintf(bearer, sizeof(bearer), "Bearer %.*s",
					     (int)settings->token.length, settings->token.data);
	call.headers = &mine;
	call.url = (struct lg_slice){url, strlen(url)};
	return lg_errand_call(request, &call);
}

static struct lg_slice text_of(struct lg_request *request, const struct lg_json *root,
			       const char *name)
{
	return lg_json_text(request,
			    lg_json_member(request, root, (struct lg_slice){name, strlen(name)}));
}

static void hang(struct lg_slice path)
{
	const struct timespec moment = {0, 2000000};
	char name[1024];

	snprintf(name, sizeof(name), "%.*s", (int)path.length, path.data ? path.data : "");
	while (path.data && access(name, F_OK) != 0)
		nanosleep(&moment, NULL);
}

static int32_t obey(const struct settings *settings, struct lg_request *request,
		    const struct lg_json *root, struct lg_verdict *verdict)
{
	static const char *const words[] = {"retry", "done", "more", "park", "dead"};
	const struct lg_json *leads = lg_json_member(request, root, LG_SLICE("leads"));
	struct lg_slice word = text_of(request, root, "verdict"), next, state;
	char path[1024];

	hang(text_of(request, root, "hang"));
	for (const struct lg_json *l = lg_json_first(request, leads); l;
	     l = lg_json_next(request, l))
		if (add_lead(request, lg_json_text(request, l)) != LG_OK)
			return LG_FAIL;
	state = text_of(request, root, "state");
	if (state.data && lg_state_set(request, LG_SLICE("cursor"), state) != LG_OK)
		return LG_FAIL;
	verdict->verdict = LG_ERRAND_DONE;
	for (int32_t i = 0; i < 5; i++)
		if (word.data && lg_slice_is(word, words[i]))
			verdict->verdict = i;
	verdict->reason = text_of(request, root, "reason");
	verdict->blob = text_of(request, root, "blob");
	verdict->retry_after = number(text_of(request, root, "after"));
	verdict->pause = number(text_of(request, root, "pause"));
	next = text_of(request, root, "next");
	if (!next.data)
		return LG_OK;
	verdict->verdict = LG_ERRAND_MORE;
	snprintf(path, sizeof(path), "%.*s", (int)next.length, next.data);
	return call(settings, request, path);
}

static int32_t judge(const struct settings *settings, struct lg_request *request,
		     const struct lg_errand *errand, struct lg_verdict *verdict)
{
	char problem[200];
	const struct lg_json *root;

	if (errand->status == 401) {
		verdict->verdict = LG_ERRAND_PARK;
		verdict->reason = LG_SLICE("the token is not taken");
	} else if (errand->status == 404) {
		verdict->verdict = LG_ERRAND_DEAD;
		verdict->reason = LG_SLICE("there is no such lead");
	} else if (errand->status != 200) {
		verdict->retry_after = errand->retry_after;
		verdict->pause = errand->retry_after;
		verdict->reason = LG_SLICE("the vendor is not well");
	} else if (lg_json(request, errand->body, &root,
			   (struct lg_text){problem, sizeof(problem)}) != LG_OK) {
		verdict->reason = LG_SLICE("the answer is no JSON");
	} else {
		return obey(settings, request, root, verdict);
	}
	return LG_OK;
}

static int32_t begin(const struct settings *settings, struct lg_request *request, const char *kind,
		     struct lg_slice what, struct lg_verdict *verdict)
{
	char path[1024];

	snprintf(path, sizeof(path), "/%s/%.*s", kind, (int)what.length,
		 what.data ? what.data : "");
	verdict->verdict = LG_ERRAND_MORE;
	return call(settings, request, path);
}

static int32_t fetch_claim(void *instance, struct lg_request *request,
			   const struct lg_errand *errand, struct lg_verdict *verdict)
{
	char keys[900] = "";
	struct lg_claim part;

	if (errand->cause == LG_CAUSE_RESPONSE)
		return judge(instance, request, errand, verdict);
	for (size_t i = 0; lg_errand_part(request, i, &part) == LG_OK; i++)
		snprintf(keys + strlen(keys), sizeof(keys) - strlen(keys), "%s%.*s%s", i ? "," : "",
			 (int)part.key.length, part.key.data, part.blob.length ? "+" : "");
	if (errand->cause == LG_CAUSE_GROUP)
		strcat(keys, ".");
	return begin(instance, request, "claim", (struct lg_slice){keys, strlen(keys)}, verdict);
}

static int32_t poll_source(void *instance, struct lg_request *request,
			   const struct lg_errand *errand, struct lg_verdict *verdict)
{
	struct lg_slice cursor = LG_SLICE("none");

	if (errand->cause == LG_CAUSE_RESPONSE)
		return judge(instance, request, errand, verdict);
	lg_state_get(request, LG_SLICE("cursor"), &cursor);
	return begin(instance, request, "poll", cursor, verdict);
}

static int32_t backfill(void *instance, struct lg_request *request, const struct lg_errand *errand,
			struct lg_verdict *verdict)
{
	struct lg_slice from;

	if (errand->cause == LG_CAUSE_RESPONSE)
		return judge(instance, request, errand, verdict);
	from = errand->blob.length ? errand->blob : lg_time_text(request, errand->since);
	return begin(instance, request, "backfill", from, verdict);
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.open = open_source,
	.receive = receive,
	.reply = reply,
	.claim = fetch_claim,
	.poll = poll_source,
	.backfill = backfill,
};

LG_SOURCE_PLUGIN(0, 4, "claimer", .version = "1", .flags = LG_CALLS_HTTP,
		 .summary = "fetches what it takes", LG_OPTIONS(options, struct settings),
		 .source = &operations);
