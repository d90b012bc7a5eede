#include "host/services.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"
#include "codec/base64.h"
#include "codec/digest.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "host/instance.h"
#include "host/once.h"

/* What a plugin holds is the first member of an instance. */
static struct instance *instance_of(struct lg_host *host)
{
	return (struct instance *)(void *)host;
}

/* ---- log and clock -------------------------------------------------------- */

static void service_log(struct lg_host *host, int32_t level, struct lg_slice message)
{
	struct instance *instance = instance_of(host);
	int known = level >= LG_LOG_ERROR && level <= LG_LOG_DEBUG ? level : LG_LOG_ERROR;

	LOG_AT(known, "plugin.message", LOG_SLICE("instance", instance->name),
	       LOG_TEXT("plugin", instance->library->plugin.name),
	       LOG_SLICE("message", slice_known(message)));
}

/* ---- counters ------------------------------------------------------------- */

/* Names of counters live for ever, as counter.h asks: one copy a name. */
static struct {
	pthread_mutex_t lock;
	char *names[SERVICES_COUNTER_NAMES];
	size_t count;
} interned = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *intern(const char *name)
{
	const char *found = NULL;

	pthread_mutex_lock(&interned.lock);
	for (size_t i = 0; i < interned.count && !found; i++)
		if (strcmp(interned.names[i], name) == 0)
			found = interned.names[i];
	if (!found && interned.count < SERVICES_COUNTER_NAMES) {
		found = interned.names[interned.count] = strdup(name);
		if (found)
			interned.count++;
	}
	pthread_mutex_unlock(&interned.lock);
	return found;
}

static bool is_counter_name(const char *name)
{
	size_t length = name ? strspn(name, "abcdefghijklmnopqrstuvwxyz_") : 0;
	return length > 0 && length <= 40 && !name[length];
}

static int32_t service_counter(struct lg_host *host, const char *name, const char *help)
{
	char full[80], label[COUNTER_LABEL_BYTES] = "";
	const char *kept, *kept_help;
	int row;

	if (!is_counter_name(name) || !counter_label(label, "instance", instance_of(host)->name))
		return LG_FAIL;
	snprintf(full, sizeof(full), "leadgate_plugin_%s_total", name);
	kept = intern(full);
	kept_help = intern(help && *help ? help : "Counted by a plugin");
	row = kept && kept_help ? counter_register(COUNTER_COUNTER, kept, label, kept_help)
				: COUNTER_NONE;
	return row == COUNTER_NONE ? LG_FAIL : row;
}

static void service_count(struct lg_host *host, int32_t counter, int64_t n)
{
	(void)host;
	if (counter >= 0 && n > 0)
		counter_add(counter, n);
}

/* ---- once ----------------------------------------------------------------- */

static struct once *once_table;

/* A reload must not forget nonces, so the table is the process's. It is made
 * when a plugin first asks. */
static void make_once_table(void)
{
	once_table = once_new(SERVICES_ONCE_KEYS);
}

static int32_t service_once(struct lg_host *host, struct lg_slice key, int64_t ttl)
{
	static pthread_once_t made = PTHREAD_ONCE_INIT;

	pthread_once(&made, make_once_table);
	if (!once_table)
		return LG_FAIL; /* a replay that nobody can rule out is refused */
	return once_take(once_table, instance_of(host)->name, slice_known(key), ttl,
			 clock_monotonic_ms())
		       ? LG_OK
		       : LG_FAIL;
}

/* ---- digests and encodings ------------------------------------------------ */

static int32_t service_hmac(int32_t digest, struct lg_slice key, struct lg_slice message,
			    unsigned char *out, size_t capacity)
{
	uint8_t mac[DIGEST_MAX_BYTES];
	size_t size;

	if (digest != LG_SHA1 && digest != LG_SHA256 && digest != LG_SHA512)
		return LG_FAIL;
	size = hmac((enum digest_kind)digest, slice_known(key), slice_known(message), mac);
	if (size == 0 || size > capacity)
		return LG_FAIL;
	memcpy(out, mac, size);
	return (int32_t)size;
}

static int32_t service_sha256(struct lg_slice message, unsigned char out[32])
{
	message = slice_known(message);
	sha256(&message, 1, out);
	return SHA256_BYTES;
}

static int32_t service_equal(struct lg_slice a, struct lg_slice b)
{
	return digest_equal(slice_known(a), slice_known(b));
}

/* hex_encode closes with a zero byte, for which a plugin need not have room. */
static int32_t service_hex(struct lg_slice bytes, char *out, size_t capacity)
{
	char piece[2 * 64 + 1];

	bytes = slice_known(bytes);
	if (bytes.length > INT32_MAX / 2 || bytes.length * 2 > capacity)
		return LG_FAIL;
	for (size_t at = 0; at < bytes.length; at += 64) {
		struct lg_slice part = slice_cut(bytes, at, 64);
		hex_encode(part, piece);
		memcpy(out + 2 * at, piece, 2 * part.length);
	}
	return (int32_t)(bytes.length * 2);
}

static int32_t service_base64(struct lg_slice bytes, int32_t url, char *out, size_t capacity)
{
	ptrdiff_t size;

	bytes = slice_known(bytes);
	if (bytes.length > INT32_MAX / 2)
		return LG_FAIL;
	size = base64_encode(bytes, url != 0, out, capacity);
	return size < 0 ? LG_FAIL : (int32_t)size;
}

/* ---- JSON values: what a plugin sees is codec's tree ----------------------- */

static const struct json *tree(const struct lg_json *value)
{
	return (const struct json *)(const void *)value;
}

static const struct lg_json *handle(const struct json *value)
{
	return (const struct lg_json *)(const void *)value;
}

static int32_t service_json_kind(const struct lg_json *value)
{
	return value ? (int32_t)tree(value)->kind : LG_JSON_NULL;
}

static struct lg_slice service_json_text(const struct lg_json *value)
{
	return value ? tree(value)->text : (struct lg_slice){NULL, 0};
}

static const struct lg_json *service_json_member(const struct lg_json *value, struct lg_slice name)
{
	return handle(json_member_slice(tree(value), slice_known(name)));
}

static const struct lg_json *service_json_first(const struct lg_json *value)
{
	return value ? handle(tree(value)->first) : NULL;
}

static const struct lg_json *service_json_next(const struct lg_json *value)
{
	return value ? handle(tree(value)->next) : NULL;
}

static struct lg_slice service_json_name(const struct lg_json *value)
{
	return value ? tree(value)->name : (struct lg_slice){NULL, 0};
}

void services_init(struct lg_services *services)
{
	*services = (struct lg_services){
		.size = sizeof(*services),
		.log = service_log,
		.now = clock_wall_ms,
		.monotonic = clock_monotonic_ms,
		.counter = service_counter,
		.count = service_count,
		.once = service_once,
		.hmac = service_hmac,
		.sha256 = service_sha256,
		.equal = service_equal,
		.hex = service_hex,
		.base64 = service_base64,
		.json_kind = service_json_kind,
		.json_text = service_json_text,
		.json_member = service_json_member,
		.json_first = service_json_first,
		.json_next = service_json_next,
		.json_name = service_json_name,
	};
}
