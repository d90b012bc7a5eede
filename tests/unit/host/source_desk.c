#include "source_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "host/services.h"
#include "lead/field.h"

struct desk desk;

void tell(const char *format, ...)
{
	char line[8192];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	assert_true(n >= 0 && n < (int)sizeof(line));
	buffer_add(&desk.story, line, (size_t)n);
	buffer_add_byte(&desk.story, '\n');
}

/* Whether this is the call that is to fail. */
static bool fails(void)
{
	return ++desk.calls == desk.fail_at;
}

static int32_t fake_info(struct lg_request *request, struct lg_request_info *info)
{
	(void)request;
	if (fails())
		return LG_FAIL;
	info->method = desk.method ? slice_from(desk.method) : LG_SLICE("POST");
	info->body = desk.body;
	if (desk.query)
		info->query = slice_from(desk.query);
	info->received_at = 1700000000000;
	return LG_OK;
}

static int32_t fake_header(struct lg_request *request, const char *name, size_t index,
			   struct lg_slice *value)
{
	(void)request;
	for (size_t i = 0; i < 8 && desk.headers[i][0]; i++)
		if (strcasecmp(desk.headers[i][0], name) == 0 && index-- == 0) {
			*value = slice_from(desk.headers[i][1]);
			return LG_OK;
		}
	return LG_FAIL;
}

static int32_t fake_refusal(struct lg_request *request, struct lg_result *result)
{
	(void)request;
	if (desk.result.verdict != LG_REFUSED)
		return LG_FAIL;
	*result = desk.result;
	return LG_OK;
}

static int32_t fake_answer_header(struct lg_request *request, const char *name,
				  struct lg_slice value)
{
	(void)request;
	tell("%s: %.*s", name, SLICE_ARGS(value));
	return LG_OK;
}

static int32_t fake_refuse(struct lg_request *request, int32_t status, struct lg_slice detail)
{
	(void)request;
	tell("refuse %d %.*s", status, SLICE_ARGS(detail));
	return LG_FAIL;
}

static struct lg_lead *fake_lead(struct lg_request *request)
{
	(void)request;
	return fails() ? NULL : &desk.lead;
}

static int32_t fake_set(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	(void)lead;
	if (field < 0 || field >= LG_FIELD_COUNT || field_table[field].type == FIELD_LIST)
		return LG_FAIL;
	tell("%s=%.*s", field_table[field].path, SLICE_ARGS(value));
	return LG_OK;
}

static int32_t fake_add(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	(void)lead;
	if (field < 0 || field >= LG_FIELD_COUNT || field_table[field].type != FIELD_LIST)
		return LG_FAIL;
	tell("%s+=%.*s", field_table[field].path, SLICE_ARGS(value));
	return LG_OK;
}

static int32_t fake_profile(struct lg_lead *lead, struct lg_slice network, struct lg_slice id,
			    struct lg_slice url)
{
	(void)lead;
	tell("profile %.*s %.*s %.*s", SLICE_ARGS(network), SLICE_ARGS(id), SLICE_ARGS(url));
	return LG_OK;
}

static int32_t fake_consent(struct lg_lead *lead, const struct lg_consent *c)
{
	(void)lead;
	if (c->purpose.length > LG_CONSENT_WORD_MAX)
		return LG_FAIL;
	tell("consent %d %.*s by %.*s: %.*s v%.*s", c->state, SLICE_ARGS(c->purpose),
	     SLICE_ARGS(c->channels), SLICE_ARGS(c->text), SLICE_ARGS(c->version));
	return LG_OK;
}

static int32_t fake_extra(struct lg_lead *lead, struct lg_slice name, struct lg_slice value)
{
	(void)lead;
	if (desk.extra_limit-- == 0)
		return LG_FAIL;
	tell("extra %.*s=%.*s", SLICE_ARGS(name), SLICE_ARGS(value));
	return LG_OK;
}

static int32_t fake_key(struct lg_lead *lead, int32_t kind, struct lg_slice key)
{
	(void)lead;
	if (fails())
		return LG_FAIL;
	tell("key %d %.*s", kind, SLICE_ARGS(key));
	return LG_OK;
}

static int32_t fake_trap(struct lg_lead *lead, struct lg_slice rule)
{
	(void)lead;
	tell("trap %.*s", SLICE_ARGS(rule));
	return LG_OK;
}

static int32_t fake_ignore(struct lg_request *request, struct lg_slice reason)
{
	(void)request;
	if (fails())
		return LG_FAIL;
	tell("ignore %.*s", SLICE_ARGS(reason));
	return LG_OK;
}

/* The real one, which fails when it is told to. */
static int32_t fake_hmac(int32_t digest, struct lg_slice key, struct lg_slice message,
			 unsigned char *out, size_t capacity)
{
	return fails() ? LG_FAIL : desk.hmac(digest, key, message, out, capacity);
}

static int32_t fake_public_url(struct lg_request *request, size_t index, struct lg_slice *url)
{
	(void)request;
	if (index > 0 || !desk.url)
		return LG_FAIL;
	*url = slice_from(desk.url);
	return LG_OK;
}

/* ---- claims and errands ------------------------------------------------------ */

static int32_t fake_claim(struct lg_request *request, const struct lg_claim *claim)
{
	(void)request;
	if (fails())
		return LG_FAIL;
	tell("claim %.*s (%.*s)", SLICE_ARGS(claim->key), SLICE_ARGS(claim->blob));
	return LG_OK;
}

static int32_t fake_errand_call(struct lg_request *request, const struct lg_http_call *call)
{
	(void)request;
	if (fails())
		return LG_FAIL;
	tell("call %.*s", SLICE_ARGS(call->url));
	for (size_t i = 0; i < call->header_count; i++)
		tell("%.*s: %.*s", SLICE_ARGS(call->headers[i].name),
		     SLICE_ARGS(call->headers[i].value));
	return LG_OK;
}

/* ---- the answer -------------------------------------------------------------- */

static int32_t fake_result(struct lg_request *request, size_t index, struct lg_result *result)
{
	(void)request;
	if (index > 0)
		return LG_FAIL;
	*result = desk.result;
	return LG_OK;
}

static int32_t fake_status(struct lg_reply *reply, int32_t status)
{
	(void)reply;
	tell("status %d", status);
	return LG_OK;
}

static int32_t fake_reply_header(struct lg_reply *reply, const char *name, struct lg_slice value)
{
	(void)reply;
	tell("%s: %.*s", name, SLICE_ARGS(value));
	return LG_OK;
}

static int32_t fake_reply_body(struct lg_reply *reply, const char *type, struct lg_slice body)
{
	(void)reply;
	tell("%s: %.*s", type, SLICE_ARGS(body));
	return LG_OK;
}

/* ---- the desk --------------------------------------------------------------- */

void set_setting(const char *name, const void *value, size_t size)
{
	for (size_t i = 0; i < desk_plugin->option_count; i++)
		if (strcmp(desk_plugin->options[i].name, name) == 0) {
			memcpy(desk.settings + desk_plugin->options[i].offset, value, size);
			return;
		}
	fail_msg("no option %s", name);
}

void set_text(const char *name, const char *value)
{
	struct lg_slice text = slice_from(value);
	set_setting(name, &text, sizeof(text));
}

void set_number(const char *name, int64_t number)
{
	set_setting(name, &number, sizeof(number));
}

static void add_services(struct lg_services *services)
{
	services_init(services);
	readers_services(services);
	desk.hmac = services->hmac;
	services->hmac = fake_hmac;
	services->ignore = fake_ignore;
	services->public_url = fake_public_url;
	services->claim = fake_claim;
	services->errand_call = fake_errand_call;
	services->request_info = fake_info;
	services->header = fake_header;
	services->refusal = fake_refusal;
	services->answer_header = fake_answer_header;
	services->refuse = fake_refuse;
	services->lead = fake_lead;
	services->lead_set = fake_set;
	services->lead_add = fake_add;
	services->lead_profile = fake_profile;
	services->lead_consent = fake_consent;
	services->lead_extra = fake_extra;
	services->lead_key = fake_key;
	services->lead_trap = fake_trap;
	services->result = fake_result;
	services->reply_status = fake_status;
	services->reply_header = fake_reply_header;
	services->reply_body = fake_reply_body;
}

int desk_init(void **state)
{
	(void)state;
	memset(&desk, 0, sizeof(desk));
	add_services(&desk.services);
	desk.request.services = desk.lead.services = desk.reply.services = &desk.services;
	desk.extra_limit = 50;
	readers = (struct readers){.pairs = 100, .fails = fails};
	arena_init(&readers.arena, 65536, 0);
	buffer_init(&desk.story, SIZE_MAX);
	return 0;
}

int desk_fini(void **state)
{
	(void)state;
	arena_fini(&readers.arena);
	buffer_fini(&desk.story);
	return 0;
}

void header(const char *name, const char *value)
{
	size_t i = 0;

	while (desk.headers[i][0])
		i++;
	assert_true(i < 7);
	desk.headers[i][0] = name;
	desk.headers[i][1] = value;
}

const char *story(void)
{
	buffer_add_byte(&desk.story, '\0');
	return desk.story.data;
}

/* What the plugin makes of a body. */
const char *receive(const char *type, const char *body)
{
	char text[64];

	if (type)
		header("Content-Type", type);
	if (body)
		desk.body = slice_from(body);
	assert_int_equal(desk_plugin->source->open(NULL, desk.settings, &desk.instance,
						   (struct lg_text){text, sizeof(text)}),
			 LG_OK);
	desk.outcome = desk_plugin->source->receive(desk.instance, &desk.request);
	return story();
}

const char *run_errand(desk_operation operation, int32_t cause, int32_t status, const char *body)
{
	static const char *const words[] = {"retry", "done", "more", "park", "dead"};
	struct lg_verdict verdict = {.size = sizeof(verdict)};

	desk.errand.size = sizeof(desk.errand);
	desk.errand.cause = cause;
	desk.errand.status = status;
	desk.errand.body = slice_from(body);
	desk.outcome = operation(desk.settings, &desk.request, &desk.errand, &verdict);
	if (desk.outcome != LG_OK)
		return story();
	tell("%s: %.*s", words[verdict.verdict], SLICE_ARGS(verdict.reason));
	if (verdict.blob.data)
		tell("blob %.*s", SLICE_ARGS(verdict.blob));
	if (verdict.pause || verdict.retry_after)
		tell("pause %lld, after %lld", (long long)verdict.pause,
		     (long long)verdict.retry_after);
	return story();
}

void sweep(void **state, void (*prepare)(void), void (*run)(void))
{
	char *whole;
	size_t calls;

	prepare();
	run();
	assert_int_equal(desk.outcome, LG_OK);
	whole = strdup(story());
	calls = desk.calls;
	assert_true(calls > 0);
	for (size_t n = 1; n <= calls; n++) {
		desk_again(state);
		prepare();
		desk.calls = 0;
		desk.fail_at = n;
		run();
		if (desk.outcome == LG_OK && !strstr(story(), "retry: "))
			assert_string_equal(desk.story.data, whole);
	}
	free(whole);
}
