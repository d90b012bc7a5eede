#include "client/http_target.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>

#include "client/private_address.h"

#define URL_BYTES_MAX 8192

static bool set_url(CURLU *parser, struct lg_slice url, struct error *error)
{
	char text[URL_BYTES_MAX];
	CURLUcode code;

	if (url.length >= sizeof(text))
		return error_set(error, "the URL is longer than %d bytes", URL_BYTES_MAX);
	if (url.length != strnlen(url.data ? url.data : "", url.length))
		return error_set(error, "the URL holds a zero byte");
	slice_to_text(url, text, sizeof(text));
	code = curl_url_set(parser, CURLUPART_URL, text, CURLU_DISALLOW_USER);
	if (code == CURLUE_USER_NOT_ALLOWED)
		return error_set(error, "the URL holds a user's name; use an Authorization header");
	if (code != CURLUE_OK)
		return error_set(error, "the URL cannot be read: %s", curl_url_strerror(code));
	return true;
}

static bool read_scheme(struct http_target *target, struct error *error)
{
	char *scheme = NULL;
	bool known;

	if (curl_url_get(target->url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		return error_set(error, "the URL has no scheme");
	target->tls = strcmp(scheme, "https") == 0;
	known = target->tls || strcmp(scheme, "http") == 0;
	curl_free(scheme);
	return known || error_set(error, "the URL must begin with https:// or http://");
}

/* curl has turned 0x7f.1 and 2130706433 into 127.0.0.1 here. */
static bool read_host(struct http_target *target, struct error *error)
{
	struct sockaddr_in *v4 = (void *)&target->address;
	struct sockaddr_in6 *v6 = (void *)&target->address;
	char *zone = NULL;
	size_t length;

	/* curl reads names beyond ASCII only in a locale that has them. */
	if (curl_url_get(target->url, CURLUPART_HOST, &target->host, CURLU_PUNYCODE) != CURLUE_OK)
		return error_set(error, "the URL's host cannot be read; a name beyond ASCII is "
					"written xn--…");
	if (curl_url_get(target->url, CURLUPART_ZONEID, &zone, 0) == CURLUE_OK) {
		curl_free(zone);
		return error_set(error, "the URL's address has a zone");
	}
	length = strlen(target->host);
	if (target->host[0] == '[' && target->host[length - 1] == ']') {
		memmove(target->host, target->host + 1, length - 2);
		target->host[length - 2] = 0;
	}
	if (inet_pton(AF_INET, target->host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		target->numeric = true;
	} else if (inet_pton(AF_INET6, target->host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		target->numeric = true;
	}
	return length > 0 || error_set(error, "the URL has no host");
}

bool http_target_init(struct http_target *target, struct lg_slice url, struct error *error)
{
	*target = (struct http_target){.url = curl_url()};
	if (!target->url)
		return error_set(error, "no memory for the URL");
	if (!set_url(target->url, url, error) || !read_scheme(target, error) ||
	    !read_host(target, error))
		return false;
	if (curl_url_get(target->url, CURLUPART_PORT, &target->port, CURLU_DEFAULT_PORT) !=
	    CURLUE_OK)
		return error_set(error, "the URL has no port");
	return true;
}

void http_target_fini(struct http_target *target)
{
	curl_free(target->host);
	curl_free(target->port);
	curl_url_cleanup(target->url);
	*target = (struct http_target){.url = NULL};
}

bool http_target_resolve(const struct http_target *target,
			 const struct resolver_addresses *addresses, bool allow_private,
			 char out[HTTP_TARGET_RESOLVE_BYTES])
{
	int used = snprintf(out, HTTP_TARGET_RESOLVE_BYTES, "%s:%s:", target->host, target->port);
	size_t count = 0;

	if (used >= HTTP_TARGET_RESOLVE_BYTES)
		return false;
	for (size_t i = 0; i < addresses->count; i++) {
		const struct sockaddr *address = (const void *)&addresses->list[i];
		char text[NI_MAXHOST];
		bool v6 = address->sa_family == AF_INET6;
		if (!allow_private && private_address_is(address))
			continue;
		if (getnameinfo(address,
				v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in), text,
				sizeof(text), NULL, 0, NI_NUMERICHOST) != 0 ||
		    used + (int)strlen(text) + 4 > HTTP_TARGET_RESOLVE_BYTES)
			continue;
		used += snprintf(out + used, (size_t)(HTTP_TARGET_RESOLVE_BYTES - used),
				 v6 ? "%s[%s]" : "%s%s", count++ ? "," : "", text);
	}
	return count > 0;
}
