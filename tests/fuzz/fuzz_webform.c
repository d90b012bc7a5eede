/* The webform plugin with any body, content type, Accept and Idempotency-Key,
 * over services that read all that they are handed.
 *
 * The input is three lines (Accept, Content-Type, Idempotency-Key) and a body.
 * The answers must be JSON that names the status, whatever a refusal says. */
#include <leadgate/source.h>

#include <stdio.h>
#include <stdlib.h>

#include "../unit/host/readers.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "fuzz.h"
#include "host/library.h"
#include "host/services.h"
#include "lead/field.h"

extern const struct lg_plugin plugin_webform;

static struct desk {
	struct lg_services services;
	struct lg_request request;
	struct lg_lead lead;
	struct lg_reply reply;
	struct lg_slice accept, type, key, body;
	struct lg_result result;
	int refused;
	_Alignas(16) char settings[1024];
} desk;

static volatile unsigned char sink;

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "fuzz_webform: %s\n", what);
	abort();
}

/* So that a sanitizer sees bytes that are not there. */
static int32_t touch(struct lg_slice s)
{
	must(s.data || s.length == 0, "an absent slice has a length");
	for (size_t i = 0; i < s.length; i++)
		sink = (unsigned char)(sink + (unsigned char)s.data[i]);
	return LG_OK;
}

static int32_t fake_info(struct lg_request *request, struct lg_request_info *info)
{
	(void)request;
	info->body = desk.body;
	return LG_OK;
}

static int32_t fake_header(struct lg_request *request, const char *name, size_t index,
			   struct lg_slice *value)
{
	(void)request;
	*value = strcmp(name, "accept") == 0		? desk.accept
		 : strcmp(name, "content-type") == 0	? desk.type
		 : strcmp(name, "idempotency-key") == 0 ? desk.key
							: slice_of(NULL, 0);
	return index == 0 && value->data ? LG_OK : LG_FAIL;
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
	must(name[0] != '\0', "a header without a name");
	return touch(value);
}

static int32_t fake_refuse(struct lg_request *request, int32_t status, struct lg_slice detail)
{
	(void)request;
	must(status >= 400 && status <= 599 && detail.length > 0, "a refusal without a reason");
	desk.refused++;
	return LG_FAIL;
}

static struct lg_lead *fake_lead(struct lg_request *request)
{
	(void)request;
	return &desk.lead;
}

static int32_t fake_set(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	(void)lead;
	must(field >= 0 && field < LG_FIELD_COUNT, "a field that is none");
	return field_table[field].type == FIELD_LIST ? LG_FAIL : touch(value);
}

static int32_t fake_add(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	(void)lead;
	return field_table[field].type == FIELD_LIST ? touch(value) : LG_FAIL;
}

static int32_t fake_profile(struct lg_lead *lead, struct lg_slice network, struct lg_slice id,
			    struct lg_slice url)
{
	(void)lead;
	return touch(network) + touch(id) + touch(url);
}

static int32_t fake_consent(struct lg_lead *lead, const struct lg_consent *consent)
{
	(void)lead;
	return touch(consent->purpose) + touch(consent->channels);
}

static int32_t fake_extra(struct lg_lead *lead, struct lg_slice name, struct lg_slice value)
{
	(void)lead;
	/* A byte that is not UTF-8 becomes U+FFFD, three bytes. */
	must(name.length <= 3 * desk.body.length, "a name longer than the body");
	return touch(name) + touch(value);
}

static int32_t fake_key(struct lg_lead *lead, int32_t kind, struct lg_slice key)
{
	(void)lead;
	must(kind == LG_KEY_IDEMPOTENCY && key.length >= 1 && key.length <= 255,
	     "a key out of bounds");
	return touch(key);
}

static int32_t fake_trap(struct lg_lead *lead, struct lg_slice rule)
{
	(void)lead;
	return touch(rule);
}

static int32_t fake_result(struct lg_request *request, size_t index, struct lg_result *result)
{
	(void)request;
	(void)index;
	*result = desk.result;
	return LG_OK;
}

static int32_t fake_status(struct lg_reply *reply, int32_t status)
{
	(void)reply;
	must(status == (desk.result.verdict == LG_REFUSED ? 422 : 202), "another status");
	return LG_OK;
}

static int32_t fake_reply_header(struct lg_reply *reply, const char *name, struct lg_slice value)
{
	(void)reply;
	(void)name;
	return touch(value);
}

static int32_t fake_reply_body(struct lg_reply *reply, const char *type, struct lg_slice body)
{
	struct error error;

	(void)reply;
	touch(body);
	if (strstr(type, "json") && utf8_valid(desk.result.reason))
		must(json_parse(&readers.arena, body, &error) != NULL, "an answer that is no JSON");
	return LG_OK;
}

static void set_text(const char *name, const char *text)
{
	struct lg_slice value = slice_from(text);

	for (size_t i = 0; i < plugin_webform.option_count; i++)
		if (strcmp(plugin_webform.options[i].name, name) == 0)
			memcpy(desk.settings + plugin_webform.options[i].offset, &value,
			       sizeof(value));
}

static void set_number(const char *name, int64_t number)
{
	for (size_t i = 0; i < plugin_webform.option_count; i++)
		if (strcmp(plugin_webform.options[i].name, name) == 0)
			memcpy(desk.settings + plugin_webform.options[i].offset, &number,
			       sizeof(number));
}

static void set_up(void)
{
	struct lg_services *s = &desk.services;

	field_setup();
	services_init(s);
	readers_services(s);
	readers.pairs = 200;
	s->request_info = fake_info;
	s->header = fake_header;
	s->refusal = fake_refusal;
	s->answer_header = fake_answer_header;
	s->refuse = fake_refuse;
	s->lead = fake_lead;
	s->lead_set = fake_set;
	s->lead_add = fake_add;
	s->lead_profile = fake_profile;
	s->lead_consent = fake_consent;
	s->lead_extra = fake_extra;
	s->lead_key = fake_key;
	s->lead_trap = fake_trap;
	s->result = fake_result;
	s->reply_status = fake_status;
	s->reply_header = fake_reply_header;
	s->reply_body = fake_reply_body;
	desk.request.services = desk.lead.services = desk.reply.services = s;
	set_text("honeypot", "hp");
	set_text("consent_field", "ok");
	set_text("consent_purpose", "marketing");
	set_text("thanks", "Thanks <&\">");
	set_text("redirect_field", "_next");
	set_number("max_name", 128);
	set_number("max_value", 4096);
	set_number("max_page", 65536);
}

/* A line as a header's value; absent when it is empty. */
static struct lg_slice next_line(struct lg_slice *rest)
{
	struct lg_slice line = {NULL, 0};

	slice_split(rest, '\n', &line);
	return line.length ? line : slice_of(NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice rest = slice_of((const char *)data, size);

	if (!desk.services.size)
		set_up();
	arena_init(&readers.arena, 16384, 64 << 20);
	desk.accept = next_line(&rest);
	desk.type = next_line(&rest);
	desk.key = next_line(&rest);
	desk.body = rest.data ? rest : slice_of("", 0);
	desk.refused = 0;
	int32_t said = plugin_webform.source->receive(desk.settings, &desk.request);
	must(said == LG_OK || said == LG_FAIL, "a strange return");
	must((said == LG_FAIL) == (desk.refused == 1), "refused not exactly once");
	desk.result = (struct lg_result){.verdict = LG_ACCEPTED, .receipt = LG_SLICE("0190")};
	plugin_webform.source->reply(desk.settings, &desk.request, &desk.reply);
	desk.result.verdict = LG_REFUSED;
	desk.result.status = 422;
	desk.result.reason = desk.body;
	plugin_webform.source->reply(desk.settings, &desk.request, &desk.reply);
	arena_fini(&readers.arena);
	return 0;
}
