/* Events to a destination that takes JSON over HTTP, as they are or as the sink's
 * mapping has made them: one a call, or many in an array or in lines; or mapped
 * to a form, one a call. Each call has an Idempotency-Key that is the same whenever
 * the same events are sent again, and, with a secret, the signature of Standard
 * Webhooks (https://www.standardwebhooks.com, spec version 1). What an answer
 * means is the gateway's to say; see lg_http_send. */
#include <leadgate/sink.h>
#include <leadgate/text.h>

#include <stdio.h>
#include <stdlib.h>

#define KEYS_MAX 8	 /* secrets that sign at once */
#define KEY_BYTES_MIN 24 /* "between 24 bytes and 64 bytes" */
#define KEY_BYTES_MAX 64
#define HEADERS_MAX 32	  /* of the configuration */
#define OWN_HEADERS_MAX 8 /* beside them */
#define KEY_HEADER_BYTES 65
#define SIGNATURE_BYTES (KEYS_MAX * 48)
#define PLACE ":external_id" /* in update_url */

enum form { FORM_SINGLE, FORM_ARRAY, FORM_NDJSON };

struct settings {
	struct lg_slice url, update_url;
	int32_t method, update_method;
	int32_t form;
	struct lg_map headers;
	struct lg_slice secret, bearer, user, password;
};

#define SETTING(member) offsetof(struct settings, member)
static const char *const methods[] = {"POST", "PUT", "PATCH"};

static const struct lg_option options[] = {
	{.name = "url",
	 .type = LG_URL,
	 .flags = LG_REQUIRED,
	 .offset = SETTING(url),
	 .help = "where events are sent, such as https://crm.example/leads"},
	{.name = "method",
	 .type = LG_ENUM,
	 .offset = SETTING(method),
	 .fallback = "POST",
	 .choices = "POST|PUT|PATCH",
	 .help = "method of the requests"},
	{.name = "update_url",
	 .type = LG_URL,
	 .offset = SETTING(update_url),
	 .help = "where events go whose lead the destination has given an id, by external_id, with "
		 ":external_id in its place, such as https://crm.example/leads/:external_id"},
	{.name = "update_method",
	 .type = LG_ENUM,
	 .offset = SETTING(update_method),
	 .fallback = "PATCH",
	 .choices = "POST|PUT|PATCH",
	 .help = "method of the requests to update_url"},
	{.name = "batch",
	 .type = LG_ENUM,
	 .offset = SETTING(form),
	 .fallback = "single",
	 .choices = "single|array|ndjson",
	 .help = "what a request carries: one event, a JSON array of events, or one event a line"},
	{.name = "headers",
	 .type = LG_MAP,
	 .offset = SETTING(headers),
	 .help = "further headers of each request"},
	{.name = "secret",
	 .type = LG_SECRET,
	 .offset = SETTING(secret),
	 .help = "key that requests are signed with as Standard Webhooks say: base64 of 24 to 64 "
		 "bytes, with whsec_ before it or not; several, with blanks between, all sign"},
	{.name = "bearer",
	 .type = LG_SECRET,
	 .offset = SETTING(bearer),
	 .help = "token that is sent as Authorization: Bearer"},
	{.name = "user",
	 .type = LG_STRING,
	 .offset = SETTING(user),
	 .help = "name for Basic authentication"},
	{.name = "password",
	 .type = LG_SECRET,
	 .offset = SETTING(password),
	 .help = "password for Basic authentication"},
};

struct key {
	unsigned char bytes[KEY_BYTES_MAX];
	size_t length;
};

struct sink {
	struct lg_host *host;
	const struct settings *settings;
	struct key keys[KEYS_MAX];
	size_t key_count;
	char *authorization; /* the header's value; NULL: none */
};

/* A call under way: it carries all of its batch. */
struct call {
	struct lg_batch *batch;
	char *body; /* NULL: it is the event's own JSON */
};

/* ---- keys ------------------------------------------------------------------ */

static int digit_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Base64, padded or not. False: it is none, or too short or too long for a key. */
static bool read_key(struct lg_slice text, struct key *key)
{
	unsigned int bits = 0, value = 0;

	if (text.length > 6 && memcmp(text.data, "whsec_", 6) == 0)
		text = lg_slice_cut(text, 6, text.length);
	if (text.length % 4 == 0 && text.length && text.data[text.length - 1] == '=' &&
	    text.length > 2 && text.data[text.length - 3] != '=')
		text.length -= 1 + (text.data[text.length - 2] == '=');
	key->length = 0;
	for (size_t i = 0; i < text.length; i++) {
		int digit = digit_value(text.data[i]);
		if (digit < 0)
			return false;
		value = value << 6 | (unsigned int)digit;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (key->length == KEY_BYTES_MAX)
			return false;
		key->bytes[key->length++] = (unsigned char)(value >> bits);
	}
	return bits < 6 && !(value & ((1u << bits) - 1)) && key->length >= KEY_BYTES_MIN;
}

static bool read_keys(const struct settings *settings, struct key keys[KEYS_MAX], size_t *count,
		      struct lg_text problem)
{
	struct lg_slice rest = settings->secret, secret;

	for (*count = 0; (secret = lg_slice_word(&rest)).length; (*count)++) {
		if (*count == KEYS_MAX) {
			snprintf(problem.data, problem.capacity, "secret: more than %d", KEYS_MAX);
			return false;
		}
		if (!read_key(secret, &keys[*count])) {
			snprintf(problem.data, problem.capacity,
				 "secret %zu: give base64 of %d to %d bytes, such as openssl rand "
				 "-base64 32 makes",
				 *count + 1, KEY_BYTES_MIN, KEY_BYTES_MAX);
			return false;
		}
	}
	return true;
}

/* ---- checking -------------------------------------------------------------- */

static int32_t refuse(struct lg_text problem, const char *text)
{
	snprintf(problem.data, problem.capacity, "%s", text);
	return LG_FAIL;
}

/* RFC 9110, section 5.6.2 */
static bool is_token(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i], lower = lg_lower(c);
		if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') &&
		    (!c || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return text.length > 0;
}

static bool is_value(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Headers that the client or this plugin sets. */
static bool is_ours(struct lg_slice name)
{
	static const char *const ours[] = {"content-length",
					   "transfer-encoding",
					   "connection",
					   "upgrade",
					   "te",
					   "trailer",
					   "keep-alive",
					   "expect",
					   "host",
					   "idempotency-key",
					   "webhook-id",
					   "webhook-timestamp",
					   "webhook-signature"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (lg_slice_is(name, ours[i]))
			return true;
	return false;
}

static const struct lg_pair *find_header(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->headers.count; i++)
		if (lg_slice_is(settings->headers.pairs[i].name, name))
			return &settings->headers.pairs[i];
	return NULL;
}

/* Whether one of the headers before this one has its name, in whatever case. */
static bool is_repeated(const struct settings *settings, size_t index)
{
	const struct lg_pair *pairs = settings->headers.pairs;

	for (size_t i = 0; i < index; i++)
		if (lg_slice_same(pairs[i].name, pairs[index].name))
			return true;
	return false;
}

static int32_t check_headers(const struct settings *settings, struct lg_text problem)
{
	if (settings->headers.count > HEADERS_MAX)
		return refuse(problem, "headers: more than 32");
	for (size_t i = 0; i < settings->headers.count; i++) {
		const struct lg_pair *pair = &settings->headers.pairs[i];
		const char *wrong = !is_token(pair->name)    ? "is no name of a header"
				    : !is_value(pair->value) ? "has a value with control characters"
				    : is_ours(pair->name)    ? "is not yours to set"
				    : is_repeated(settings, i) ? "is there twice, whatever its case"
							       : NULL;
		if (!wrong)
			continue;
		snprintf(problem.data, problem.capacity, "headers: \"%.*s\" %s",
			 (int)(pair->name.length < 64 ? pair->name.length : 64), pair->name.data,
			 wrong);
		return LG_FAIL;
	}
	return LG_OK;
}

static int32_t check_credentials(const struct settings *settings, struct lg_text problem)
{
	bool basic = settings->user.data || settings->password.data;

	if (settings->bearer.data && basic)
		return refuse(problem, "bearer and user exclude each other");
	if (basic && !(settings->user.data && settings->password.data))
		return refuse(problem, "user and password go together");
	if ((basic || settings->bearer.data) && find_header(settings, "authorization"))
		return refuse(problem, "Authorization stands in headers and is made of bearer or "
				       "user, too");
	if (!is_value(settings->bearer) || !is_value(settings->user) ||
	    !is_value(settings->password))
		return refuse(problem, "control characters in bearer, user or password");
	if (settings->user.length && memchr(settings->user.data, ':', settings->user.length))
		return refuse(problem, "user: a name cannot hold a colon");
	return LG_OK;
}

/* The client refuses them at each call; here it is said before the first. */
static bool url_has_user(struct lg_slice url)
{
	size_t i = 0, slashes = 0;

	while (i < url.length && slashes < 2)
		slashes += url.data[i++] == '/';
	while (i < url.length && url.data[i] != '@' && !strchr("/?#", url.data[i]))
		i++;
	return i < url.length && url.data[i] == '@';
}

static int32_t check_update(const struct settings *settings, struct lg_text problem)
{
	struct lg_slice url = settings->update_url;

	if (!url.data)
		return LG_OK;
	if (!lg_slice_find(url, PLACE))
		return refuse(problem, "update_url: it has no " PLACE);
	if (settings->form != FORM_SINGLE)
		return refuse(problem, "update_url: it takes one event at a time, batch: single");
	return LG_OK;
}

static int32_t http_check(const void *settings, struct lg_text problem)
{
	const struct settings *s = settings;
	struct key keys[KEYS_MAX];
	size_t count;

	if (url_has_user(s->url) || url_has_user(s->update_url))
		return refuse(problem, "url: give user and password as options of their own");
	if (check_update(s, problem) != LG_OK || check_headers(s, problem) != LG_OK ||
	    check_credentials(s, problem) != LG_OK)
		return LG_FAIL;
	return read_keys(s, keys, &count, problem) ? LG_OK : LG_FAIL;
}

/* ---- opening --------------------------------------------------------------- */

static char *bearer_value(const struct settings *settings)
{
	size_t size = sizeof("Bearer ") + settings->bearer.length;
	char *value = malloc(size);

	if (value)
		snprintf(value, size, "Bearer %.*s", (int)settings->bearer.length,
			 settings->bearer.data);
	return value;
}

static char *basic_value(struct lg_host *host, const struct settings *settings)
{
	size_t length = settings->user.length + 1 + settings->password.length;
	size_t capacity = (length + 2) / 3 * 4;
	char *plain = malloc(length + 1), *value = malloc(sizeof("Basic ") + capacity);
	int32_t written = LG_FAIL;

	if (plain && value) {
		snprintf(plain, length + 1, "%.*s:%.*s", (int)settings->user.length,
			 settings->user.data, (int)settings->password.length,
			 settings->password.data);
		memcpy(value, "Basic ", 6);
		written = lg_sink_base64(host, (struct lg_slice){plain, length}, value + 6,
					 capacity);
	}
	free(plain);
	if (written < 0) {
		free(value);
		return NULL;
	}
	value[6 + written] = '\0';
	return value;
}

static void http_close(void *instance)
{
	struct sink *sink = instance;

	free(sink->authorization);
	free(sink);
}

static int32_t http_open(struct lg_host *host, const void *settings, void **instance,
			 struct lg_text problem)
{
	const struct settings *s = settings;
	struct sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return refuse(problem, "no memory");
	sink->host = host;
	sink->settings = s;
	if (s->bearer.data)
		sink->authorization = bearer_value(s);
	else if (s->user.data)
		sink->authorization = basic_value(host, s);
	if (!sink->authorization && (s->bearer.data || s->user.data)) {
		http_close(sink);
		return refuse(problem, "no memory");
	}
	if (!read_keys(s, sink->keys, &sink->key_count, problem)) {
		http_close(sink);
		return LG_FAIL;
	}
	*instance = sink;
	return LG_OK;
}

/* ---- requests -------------------------------------------------------------- */

/* All ids of a batch, each with a line feed. NULL: no memory. */
static char *join_ids(const struct lg_batch *batch, size_t *length)
{
	size_t count = lg_batch_count(batch), size = 1;
	struct lg_event event;
	char *ids, *at;

	for (size_t i = 0; i < count; i++) {
		lg_batch_event(batch, i, &event);
		size += event.id.length + 1;
	}
	at = ids = malloc(size);
	for (size_t i = 0; ids && i < count; i++) {
		lg_batch_event(batch, i, &event);
		memcpy(at, event.id.data, event.id.length);
		at += event.id.length;
		*at++ = '\n';
	}
	*length = size - 1;
	return ids;
}

/* What a request is called: its event's id, or a digest of its events' ids. */
static bool make_key(struct sink *sink, const struct lg_batch *batch, char key[KEY_HEADER_BYTES])
{
	unsigned char digest[32];
	struct lg_event event;
	size_t length;
	char *ids;

	if (sink->settings->form == FORM_SINGLE) {
		lg_batch_event(batch, 0, &event);
		snprintf(key, KEY_HEADER_BYTES, "%.*s", (int)event.id.length, event.id.data);
		return true;
	}
	ids = join_ids(batch, &length);
	if (!ids)
		return false;
	lg_sink_sha256(sink->host, (struct lg_slice){ids, length}, digest);
	free(ids);
	key[KEY_HEADER_BYTES - 1] = '\0';
	return lg_sink_hex(sink->host, (struct lg_slice){(const char *)digest, sizeof(digest)}, key,
			   KEY_HEADER_BYTES) == KEY_HEADER_BYTES - 1;
}

/* Appends "v1,…" of one key. False: the library has no memory. */
static bool add_signature(struct sink *sink, const struct key *key, struct lg_slice message,
			  char out[SIGNATURE_BYTES])
{
	struct lg_slice bytes = {(const char *)key->bytes, key->length};
	size_t used = strlen(out);
	unsigned char mac[32];
	int32_t written;

	if (lg_sink_hmac(sink->host, LG_SHA256, bytes, message, mac, sizeof(mac)) != sizeof(mac))
		return false;
	used += (size_t)snprintf(out + used, SIGNATURE_BYTES - used, "%sv1,", used ? " " : "");
	written = lg_sink_base64(sink->host, (struct lg_slice){(const char *)mac, sizeof(mac)},
				 out + used, SIGNATURE_BYTES - 1 - used);
	out[written > 0 ? used + (size_t)written : used] = '\0';
	return written > 0;
}

/* Of each key over "id.timestamp.body", with blanks between. */
static bool make_signature(struct sink *sink, const char *id, const char *timestamp,
			   struct lg_slice body, char out[SIGNATURE_BYTES])
{
	size_t capacity = strlen(id) + strlen(timestamp) + body.length + 3, head;
	char *message = malloc(capacity);
	bool good = true;

	if (!message)
		return false;
	head = (size_t)snprintf(message, capacity, "%s.%s.", id, timestamp);
	memcpy(message + head, body.data, body.length);
	out[0] = '\0';
	for (size_t i = 0; good && i < sink->key_count; i++)
		good = add_signature(sink, &sink->keys[i],
				     (struct lg_slice){message, head + body.length}, out);
	free(message);
	return good;
}

/* Whether it was mapped to the fields of a form. */
static bool is_form(const struct lg_event *event)
{
	return event->body_type.data &&
	       lg_slice_is(event->body_type, "application/x-www-form-urlencoded");
}

struct headers {
	struct lg_pair pairs[HEADERS_MAX + OWN_HEADERS_MAX];
	size_t count;
	char key[KEY_HEADER_BYTES], timestamp[24], signature[SIGNATURE_BYTES];
};

static void add_header(struct headers *headers, const char *name, const char *value)
{
	headers->pairs[headers->count++] = (struct lg_pair){lg_slice_from(name),
							    lg_slice_from(value)};
}

static bool make_headers(struct sink *sink, const struct lg_batch *batch, struct lg_slice body,
			 struct headers *headers)
{
	const struct settings *settings = sink->settings;
	struct lg_event event;

	headers->count = settings->headers.count;
	if (headers->count)
		memcpy(headers->pairs, settings->headers.pairs,
		       headers->count * sizeof(headers->pairs[0]));
	lg_batch_event(batch, 0, &event);
	if (!find_header(settings, "content-type"))
		add_header(headers, "Content-Type",
			   settings->form == FORM_NDJSON ? "application/x-ndjson"
			   : is_form(&event)		 ? "application/x-www-form-urlencoded"
							 : "application/json");
	if (!make_key(sink, batch, headers->key))
		return false;
	add_header(headers, "Idempotency-Key", headers->key);
	if (sink->authorization)
		add_header(headers, "Authorization", sink->authorization);
	if (!sink->key_count)
		return true;
	snprintf(headers->timestamp, sizeof(headers->timestamp), "%lld",
		 (long long)(lg_now(sink->host) / 1000));
	if (!make_signature(sink, headers->key, headers->timestamp, body, headers->signature))
		return false;
	add_header(headers, "webhook-id", headers->key);
	add_header(headers, "webhook-timestamp", headers->timestamp);
	add_header(headers, "webhook-signature", headers->signature);
	return true;
}

/* "[body,body]", or each body with a line feed. NULL: no memory. */
static char *join_events(const struct lg_batch *batch, enum form form, size_t *length)
{
	size_t count = lg_batch_count(batch), size = 2;
	struct lg_event event;
	struct lg_slice one;
	char *body, *at;

	for (size_t i = 0; i < count; i++) {
		lg_batch_event(batch, i, &event);
		size += lg_event_body(&event).length + 1;
	}
	at = body = malloc(size);
	if (!body)
		return NULL;
	if (form == FORM_ARRAY)
		*at++ = '[';
	for (size_t i = 0; i < count; i++) {
		lg_batch_event(batch, i, &event);
		one = lg_event_body(&event);
		memcpy(at, one.data, one.length);
		at += one.length;
		if (form == FORM_NDJSON)
			*at++ = '\n';
		else
			*at++ = i + 1 < count ? ',' : ']';
	}
	*length = (size_t)(at - body);
	return body;
}

/* Dots alone would lead elsewhere. */
static bool is_named(const struct sink *sink, const struct lg_event *event)
{
	struct lg_slice id = event->external_id;

	return sink->settings->update_url.data && id.length && !lg_slice_is(id, ".") &&
	       !lg_slice_is(id, "..");
}

/* update_url with the id, percent-encoded, in its place. NULL: no memory. */
static char *make_update_url(const struct sink *sink, struct lg_slice id)
{
	struct lg_slice url = sink->settings->update_url;
	const char *place = lg_slice_find(url, PLACE);
	size_t before = (size_t)(place - url.data), after = url.length - before - strlen(PLACE);
	char *made = malloc(before + 3 * id.length + after + 1), *at = made;

	if (!made)
		return NULL;
	memcpy(at, url.data, before);
	at += before;
	at += lg_percent_encode(id, at);
	memcpy(at, place + strlen(PLACE), after);
	at[after] = '\0';
	return made;
}

/* ---- delivering ------------------------------------------------------------ */

static void free_call(struct call *call)
{
	if (call)
		free(call->body);
	free(call);
}

static void on_answer(void *context, const struct lg_http_answer *answer)
{
	struct call *call = context;
	struct lg_settlement settlement = {
		.size = sizeof(settlement),
		.outcome = answer->outcome,
		.status = answer->status,
		.retry_after = answer->retry_after,
		.reason = answer->reason,
		.answer = answer->body,
	};

	/* One answer for many says nothing of what each of them is called. */
	if (lg_batch_count(call->batch) == 1)
		settlement.external_id = answer->external_id;
	lg_settle_all(call->batch, &settlement);
	free_call(call);
}

/* False: nothing is under way. */
static bool send_body(struct sink *sink, struct call *call, struct lg_slice body, int64_t deadline)
{
	const struct settings *settings = sink->settings;
	int64_t left = deadline - lg_monotonic(sink->host);
	struct headers headers;
	struct lg_event event;
	char *update = NULL;
	bool sent;
	struct lg_http_call request = {
		.size = sizeof(request),
		.method = lg_slice_from(methods[settings->method]),
		.url = settings->url,
		.headers = headers.pairs,
		.body = body,
		/* A little less than the lane waits, so that the reason is the call's. */
		.timeout = left > 20  ? left - left / 20
			   : left > 0 ? left
				      : 1,
	};

	if (!make_headers(sink, call->batch, body, &headers))
		return false;
	request.header_count = headers.count;
	lg_batch_event(call->batch, 0, &event);
	if (is_named(sink, &event)) {
		update = make_update_url(sink, event.external_id);
		request.url = lg_slice_from(update);
		request.method = lg_slice_from(methods[settings->update_method]);
		if (!update)
			return false;
	}
	sent = lg_http_send(sink->host, &request, on_answer, call) == LG_OK;
	free(update);
	return sent;
}

static int32_t http_deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	struct sink *sink = instance;
	struct lg_settlement not_sent = {
		.size = sizeof(not_sent),
		.outcome = LG_RETRY,
		.reason = LG_SLICE("not sent: the gateway has no room for one more call"),
	};
	struct call *call = calloc(1, sizeof(*call));
	struct lg_slice body = {NULL, 0};
	struct lg_event event;

	if (call) {
		call->batch = batch;
		if (sink->settings->form == FORM_SINGLE) {
			lg_batch_event(batch, 0, &event);
			body = lg_event_body(&event);
		} else {
			body.data = call->body = join_events(batch, (enum form)sink->settings->form,
							     &body.length);
		}
		if (body.data && send_body(sink, call, body, deadline))
			return LG_OK;
	}
	lg_settle_all(batch, &not_sent);
	free_call(call);
	return LG_OK;
}

static void http_limits(const void *settings, int64_t *events, int64_t *bytes)
{
	const struct settings *s = settings;

	(void)bytes;
	if (s->form == FORM_SINGLE)
		*events = 1;
}

static const struct lg_sink_operations operations = {
	.size = sizeof(operations),
	.check = http_check,
	.open = http_open,
	.deliver = http_deliver,
	.close = http_close,
	.limits = http_limits,
	.concurrency = 64,
	.events = "lead.created lead.touched",
};

LG_SINK_PLUGIN(0, 3, "http", .version = "1",
	       .summary = "Sends events as JSON to a URL, one by one or in batches, signed",
	       .flags = LG_CALLS_HTTP | LG_EXTERNAL_IDS, LG_OPTIONS(options, struct settings),
	       .sink = &operations);
