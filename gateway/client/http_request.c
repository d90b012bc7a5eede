#include "client/http_request.h"

#include <ctype.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/slice.h"

/* RFC 9110, section 5.6.2 */
static bool is_token(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c >= 0x7F || (!isalnum(c) && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c))))
			return false;
	}
	return text.length > 0;
}

/* RFC 9110, section 5.5; a line feed here would begin a header of its own. */
static bool is_value(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if ((c < 0x20 && c != '\t') || c == 0x7F)
			return false;
	}
	return true;
}

static bool frames_message(struct lg_slice name)
{
	static const char *const framing[] = {
		"content-length", "transfer-encoding", "connection", "upgrade", "te",
		"trailer",	  "keep-alive",	       "expect",     NULL};

	for (const char *const *f = framing; *f; f++)
		if (slice_equal_nocase(name, slice_from(*f)))
			return true;
	return false;
}

static bool append(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer)
		*list = longer;
	return longer != NULL;
}

/* curl drops a header without a value, unless it is written with a semicolon. */
static bool append_pair(struct curl_slist **list, struct lg_slice name, struct lg_slice value)
{
	size_t size = name.length + value.length + 3;
	char *line = alloc_malloc(size);
	bool done = false;

	if (line) {
		if (value.length > 0)
			snprintf(line, size, "%.*s: %.*s", SLICE_ARGS(name), SLICE_ARGS(value));
		else
			snprintf(line, size, "%.*s;", SLICE_ARGS(name));
		done = append(list, line);
	}
	alloc_free(line);
	return done;
}

static bool has_header(const struct http_call *call, const char *name)
{
	for (size_t i = 0; i < call->header_count; i++)
		if (slice_equal_nocase(call->headers[i].name, slice_from(name)))
			return true;
	return false;
}

static bool set_headers(CURL *easy, const struct http_call *call, struct lg_slice user_agent,
			struct curl_slist **list, bool *no_memory, struct error *error)
{
	bool done = true;

	for (size_t i = 0; done && i < call->header_count; i++) {
		struct lg_slice name = slice_known(call->headers[i].name);
		struct lg_slice value = slice_trim(slice_known(call->headers[i].value));
		if (!is_token(name) || !is_value(value))
			return error_set(error, "header %zu is no HTTP header", i + 1);
		if (frames_message(name))
			return error_set(error, "the header '%.*s' is not the caller's to set",
					 SLICE_ARGS(name));
		done = append_pair(list, name, value);
	}
	/* What curl would add by itself: a type that may be wrong, and a wait. */
	done = done && append(list, "Expect:");
	if (done && !has_header(call, "content-type"))
		done = append(list, "Content-Type:");
	if (done && user_agent.length > 0 && is_value(user_agent) &&
	    !has_header(call, "user-agent"))
		done = append_pair(list, LG_SLICE("User-Agent"), user_agent);
	*no_memory = !done;
	return done && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *list) == CURLE_OK;
}

static bool set_method(CURL *easy, const struct http_call *call, bool *no_memory,
		       struct error *error)
{
	char method[24];
	bool has_body = call->body.length > 0 || slice_is(call->method, "POST") ||
			slice_is(call->method, "PUT") || slice_is(call->method, "PATCH");

	if (!is_token(call->method) || call->method.length >= sizeof(method))
		return error_set(error, "the method is no HTTP method");
	if (slice_is(call->method, "CONNECT") || slice_is(call->method, "TRACE"))
		return error_set(error, "the method cannot be used");
	slice_to_text(call->method, method, sizeof(method));
	if (has_body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.length);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
				 call->body.length > 0 ? call->body.data : "");
	} else if (slice_is(call->method, "HEAD")) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else {
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	}
	*no_memory = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) != CURLE_OK;
	return !*no_memory;
}

bool http_request_set(CURL *easy, const struct http_call *call, struct lg_slice user_agent,
		      struct curl_slist **headers, bool *no_memory, struct error *error)
{
	*no_memory = false;
	return set_method(easy, call, no_memory, error) &&
	       set_headers(easy, call, user_agent, headers, no_memory, error);
}
