/* failing_source: a source that does on demand what a source can do wrong.
 *
 * The request's body says what: each line is a command, carried out in order.
 *   lead MAIL        adds a lead with that address
 *   empty            adds a lead without any way to reach somebody
 *   key MAIL KEY     adds a lead with a provider's delivery key
 *   ignore           adds an item to be ignored
 *   refuse STATUS    refuses the request
 *   fail             returns LG_FAIL without a word
 *   strange          returns a number that means nothing
 *   quiet            makes no answer of its own
 *   sleep MS         blocks the loop */
#include <leadgate/source.h>
#include <leadgate/text.h>

#include <time.h>

struct settings {
	int32_t fail_check;
	int32_t fail_open;
	struct lg_slice secret;
};

static const struct lg_option options[] = {
	{.name = "fail_check",
	 .type = LG_BOOL,
	 .offset = offsetof(struct settings, fail_check),
	 .fallback = "false",
	 .help = "refuse the settings"},
	{.name = "fail_open",
	 .type = LG_BOOL,
	 .offset = offsetof(struct settings, fail_open),
	 .fallback = "false",
	 .help = "cannot be opened"},
	{.name = "secret",
	 .type = LG_SECRET,
	 .offset = offsetof(struct settings, secret),
	 .help = "any secret"},
};

static int32_t check(const void *memory, struct lg_text problem)
{
	const struct settings *settings = memory;
	static const char text[] = "fail_check is set: leave it out";

	if (settings->fail_check && problem.capacity >= sizeof(text))
		memcpy(problem.data, text, sizeof(text));
	return settings->fail_check ? LG_FAIL : LG_OK;
}

static int32_t open_source(struct lg_host *host, const void *memory, void **instance,
			   struct lg_text problem)
{
	const struct settings *settings = memory;
	static const char text[] = "fail_open is set: leave it out";

	(void)host;
	if (settings->fail_open && problem.capacity >= sizeof(text))
		memcpy(problem.data, text, sizeof(text));
	*instance = NULL;
	return settings->fail_open ? LG_FAIL : LG_OK;
}

static int64_t number_of(struct lg_slice text)
{
	int64_t n = 0;

	for (size_t i = 0; i < text.length && text.data[i] >= '0' && text.data[i] <= '9'; i++)
		n = n * 10 + (text.data[i] - '0');
	return n;
}

static int32_t add_lead(struct lg_request *request, struct lg_slice mail, struct lg_slice key)
{
	struct lg_lead *lead = lg_lead(request);

	if (!lead)
		return lg_refuse(request, 422, LG_SLICE("more items than the source may add"));
	if (mail.length)
		lg_lead_set(lead, LG_EMAIL, mail);
	if (key.length)
		lg_lead_key(lead, LG_KEY_PROVIDER, key);
	return LG_OK;
}

static int32_t obey(struct lg_request *request, struct lg_slice line)
{
	struct lg_slice word = lg_slice_part(&line, ' ');
	struct lg_slice first = lg_slice_part(&line, ' ');

	if (lg_slice_is(word, "lead") || lg_slice_is(word, "key") || lg_slice_is(word, "empty"))
		return add_lead(request, first, line);
	if (lg_slice_is(word, "ignore"))
		return lg_ignore(request, LG_SLICE("told to"));
	if (lg_slice_is(word, "refuse"))
		return lg_refuse(request, (int32_t)number_of(first), LG_SLICE("told to refuse"));
	if (lg_slice_is(word, "fail"))
		return LG_FAIL;
	if (lg_slice_is(word, "strange"))
		return 12345;
	if (lg_slice_is(word, "sleep")) {
		int64_t ms = number_of(first);
		struct timespec time = {ms / 1000, ms % 1000 * 1000000};
		nanosleep(&time, NULL);
	}
	return LG_OK;
}

static int32_t receive(void *instance, struct lg_request *request)
{
	struct lg_request_info info;
	int32_t result = lg_request_info(request, &info);

	(void)instance;
	while (result == LG_OK && info.body.length)
		result = obey(request, lg_slice_trim(lg_slice_part(&info.body, '\n')));
	return result;
}

/* One word an item, so that a test sees them all. */
static int32_t reply_to(void *instance, struct lg_request *request, struct lg_reply *reply)
{
	static const struct lg_slice words[] = {
		{"?", 1}, {"accepted ", 9}, {"repeated ", 9}, {"refused ", 8}, {"ignored ", 8}};
	struct lg_request_info info;
	size_t count = lg_result_count(request), length = 0;
	char *text = lg_allocate(request, count * 9 + 1);

	(void)instance;
	if (!text || lg_request_info(request, &info) != LG_OK)
		return LG_FAIL;
	if (info.body.length >= 5 && memcmp(info.body.data, "quiet", 5) == 0)
		return LG_OK;
	for (size_t i = 0; i < count; i++) {
		struct lg_result result;
		if (lg_result(request, i, &result) != LG_OK || result.verdict < 1 ||
		    result.verdict > 4)
			return LG_FAIL;
		memcpy(text + length, words[result.verdict].data, words[result.verdict].length);
		length += words[result.verdict].length;
	}
	lg_reply_status(reply, 200);
	return lg_reply_body(reply, "text/plain", (struct lg_slice){text, length});
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.check = check,
	.open = open_source,
	.receive = receive,
	.reply = reply_to,
};

LG_SOURCE_PLUGIN(0, 1, "failing_source", .version = "0.1",
		 .summary = "A source for tests that fails on demand", .channel = "test",
		 .flags = LG_HAS_AUTH, .source = &operations, LG_OPTIONS(options, struct settings));
