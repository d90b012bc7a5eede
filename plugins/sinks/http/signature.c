#include "signature.h"

#include <leadgate/text.h>

#include <stdio.h>
#include <stdlib.h>

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

bool http_keys_read(struct lg_slice secret, struct keys *keys, struct lg_text problem)
{
	struct lg_slice word;

	for (keys->count = 0; (word = lg_slice_word(&secret)).length; keys->count++) {
		if (keys->count == KEYS_MAX) {
			snprintf(problem.data, problem.capacity, "secret: more than %d", KEYS_MAX);
			return false;
		}
		if (!read_key(word, &keys->all[keys->count])) {
			snprintf(problem.data, problem.capacity,
				 "secret %zu: give base64 of %d to %d bytes, such as openssl rand "
				 "-base64 32 makes",
				 keys->count + 1, KEY_BYTES_MIN, KEY_BYTES_MAX);
			return false;
		}
	}
	return true;
}

/* Appends "v1,…" of one key. False: the library has no memory. */
static bool add_signature(struct lg_host *host, const struct key *key, struct lg_slice message,
			  char out[SIGNATURE_BYTES])
{
	struct lg_slice bytes = {(const char *)key->bytes, key->length};
	size_t used = strlen(out);
	unsigned char mac[32];
	int32_t written;

	if (lg_sink_hmac(host, LG_SHA256, bytes, message, mac, sizeof(mac)) != sizeof(mac))
		return false;
	used += (size_t)snprintf(out + used, SIGNATURE_BYTES - used, "%sv1,", used ? " " : "");
	written = lg_sink_base64(host, (struct lg_slice){(const char *)mac, sizeof(mac)},
				 out + used, SIGNATURE_BYTES - 1 - used);
	out[written > 0 ? used + (size_t)written : used] = '\0';
	return written > 0;
}

/* Of each key over "id.timestamp.body", with blanks between. */
bool http_signature_make(struct lg_host *host, const struct keys *keys, const char *id,
			 const char *timestamp, struct lg_slice body, char out[SIGNATURE_BYTES])
{
	size_t capacity = strlen(id) + strlen(timestamp) + body.length + 3, head;
	char *message = malloc(capacity);
	bool good = true;

	if (!message)
		return false;
	head = (size_t)snprintf(message, capacity, "%s.%s.", id, timestamp);
	memcpy(message + head, body.data, body.length);
	out[0] = '\0';
	for (size_t i = 0; good && i < keys->count; i++)
		good = add_signature(host, &keys->all[i],
				     (struct lg_slice){message, head + body.length}, out);
	free(message);
	return good;
}
