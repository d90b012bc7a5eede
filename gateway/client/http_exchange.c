#include "client/http_exchange.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/http_request.h"
#include "client/private_address.h"

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
	struct http_exchange *exchange = context;
	int64_t room = exchange->settings->answer_keep_bytes -
		       (int64_t)buffer_length(&exchange->body);
	size_t kept = (int64_t)size < room ? size : room > 0 ? (size_t)room : 0;

	exchange->body_bytes += (int64_t)(one * size);
	if (kept > 0 && !buffer_add(&exchange->body, data, kept))
		return 0;
	if (exchange->body_bytes > exchange->settings->answer_max_bytes) {
		exchange->broken_off = true;
		return 0;
	}
	return size;
}

/* curl gives one line at a time, of interim answers and trailers, too: the head
 * begins anew at each status line, and what follows the final head is left out. */
static size_t on_head(char *data, size_t one, size_t size, void *context)
{
	struct http_exchange *exchange = context;
	struct lg_slice line = slice_of(data, one * size);
	long status = 0;

	if (exchange->status)
		return size;
	if (slice_starts(line, "HTTP/")) {
		buffer_clear(&exchange->head);
		return size;
	}
	if (slice_trim(line).length > 0)
		return buffer_add_slice(&exchange->head, line) ? size : 0;
	curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200)
		exchange->status = (int)status;
	return size;
}

static curl_socket_t on_open_socket(void *context, curlsocktype purpose,
				    struct curl_sockaddr *address)
{
	struct http_exchange *exchange = context;

	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	if (!exchange->settings->allow_private && private_address_is(&address->addr)) {
		exchange->private_refused = true;
		return CURL_SOCKET_BAD;
	}
	if (exchange->joining.joins) {
		exchange->joining.alone = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		      address->protocol);
}

/* The last moment before the request goes out, on a new connection or a used one. */
static int on_request(void *context, char *peer, char *own, int peer_port, int own_port)
{
	struct http_exchange *exchange = context;

	(void)own;
	(void)peer_port;
	(void)own_port;
	if (!exchange->settings->allow_private && private_address_is_text(peer)) {
		exchange->private_refused = true;
		return CURL_PREREQFUNC_ABORT;
	}
	exchange->sent = true;
	if (exchange->joining.opening)
		h2_opening_done(exchange->joining.opening);
	return CURL_PREREQFUNC_OK;
}

static void set_callbacks(struct http_exchange *exchange)
{
	CURL *easy = exchange->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->curl_error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
}

/* Waiting for a connection that may turn out to be HTTP/2 saves others. */
static void set_protocol(struct http_exchange *exchange)
{
	const struct http_client_settings *settings = exchange->settings;
	CURL *easy = exchange->easy;
	long version = exchange->target.tls    ? CURL_HTTP_VERSION_2TLS
		       : settings->http2_plain ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
					       : CURL_HTTP_VERSION_1_1;

	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, version == CURL_HTTP_VERSION_1_1 ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout_ms);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)(settings->idle_ms + 999) / 1000);
	curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN,
			 (long)(settings->connection_life_ms + 999) / 1000);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static bool set_ca_file(struct http_exchange *exchange)
{
	char path[4096];

	if (!exchange->settings->ca_file.data)
		return true;
	slice_to_text(exchange->settings->ca_file, path, sizeof(path));
	curl_easy_setopt(exchange->easy, CURLOPT_CAPATH, NULL);
	return curl_easy_setopt(exchange->easy, CURLOPT_CAINFO, path) == CURLE_OK;
}

bool http_exchange_init(struct http_exchange *exchange, const struct http_call *call)
{
	const struct http_client_settings *settings = exchange->settings;
	struct error error;
	bool no_memory = false;

	exchange->begun_us = clock_monotonic_us();
	exchange->timeout_ms = call->timeout_ms > 0 ? call->timeout_ms : settings->timeout_ms;
	buffer_init(&exchange->head, (size_t)settings->answer_head_bytes);
	buffer_init(&exchange->body, (size_t)settings->answer_keep_bytes);
	exchange->easy = curl_easy_init();
	if (!exchange->easy)
		return false;
	if (!http_target_init(&exchange->target, call->url, &error)) {
		http_exchange_end(exchange, HTTP_CALL_INVALID, error.text);
		return true;
	}
	set_callbacks(exchange);
	set_protocol(exchange);
	if (!set_ca_file(exchange) ||
	    curl_easy_setopt(exchange->easy, CURLOPT_CURLU, exchange->target.url) != CURLE_OK)
		return false;
	if (http_request_set(exchange->easy, call, settings->user_agent, &exchange->headers,
			     &no_memory, &error))
		return true;
	if (!no_memory)
		http_exchange_end(exchange, HTTP_CALL_INVALID, error.text);
	return !no_memory;
}

void http_exchange_fini(struct http_exchange *exchange)
{
	curl_easy_cleanup(exchange->easy);
	curl_share_cleanup(exchange->share);
	curl_slist_free_all(exchange->headers);
	curl_slist_free_all(exchange->resolve);
	http_target_fini(&exchange->target);
	buffer_fini(&exchange->head);
	buffer_fini(&exchange->body);
}

void http_exchange_end(struct http_exchange *exchange, enum http_result result, const char *reason)
{
	exchange->ended = true;
	exchange->result = result;
	error_set(&exchange->error, "%s", reason);
}

static bool refuse_private(struct http_exchange *exchange)
{
	http_exchange_end(exchange, HTTP_ADDRESS_PRIVATE,
			  "the host's address is in a private network; allow_private allows that");
	return false;
}

/* The names are in a share of this call alone and stay valid for it: curl's own
 * resolver, whose threads can hold the loop up, is never asked. */
bool http_exchange_aim(struct http_exchange *exchange, const struct resolver_addresses *addresses)
{
	char entry[HTTP_TARGET_RESOLVE_BYTES];
	bool allow_private = exchange->settings->allow_private;

	if (exchange->target.numeric) {
		if (allow_private || !private_address_is((void *)&exchange->target.address))
			return true;
		return refuse_private(exchange);
	}
	if (!http_target_resolve(&exchange->target, addresses, allow_private, entry))
		return refuse_private(exchange);
	exchange->resolve = curl_slist_append(NULL, entry);
	exchange->share = curl_share_init();
	if (exchange->resolve && exchange->share &&
	    curl_share_setopt(exchange->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK &&
	    curl_easy_setopt(exchange->easy, CURLOPT_SHARE, exchange->share) == CURLE_OK &&
	    curl_easy_setopt(exchange->easy, CURLOPT_RESOLVE, exchange->resolve) == CURLE_OK &&
	    curl_easy_setopt(exchange->easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L) == CURLE_OK)
		return true;
	http_exchange_end(exchange, HTTP_FAILED, "no memory for the host's addresses");
	return false;
}

/* curl checks the name after OpenSSL has found the certificate itself good, and
 * then leaves OpenSSL's verdict as it was before the handshake. */
static enum http_result judge_certificate(CURL *easy)
{
	long verdict = 0;

	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
	return verdict == 0 || verdict == 1 ? HTTP_TLS_NAME : HTTP_TLS_UNTRUSTED;
}

static enum http_result judge_unsent(const struct http_exchange *exchange, CURLcode code)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION: return judge_certificate(exchange->easy);
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR: return HTTP_TLS_UNTRUSTED;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_USE_SSL_FAILED: return HTTP_TLS_FAILED;
	case CURLE_OPERATION_TIMEDOUT: return HTTP_CONNECT_TIMEOUT;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL: return HTTP_CALL_INVALID;
	case CURLE_COULDNT_RESOLVE_HOST: return HTTP_NAME_FAILED;
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT: return HTTP_FAILED;
	default: return HTTP_CONNECT_FAILED;
	}
}

enum http_result http_exchange_judge(const struct http_exchange *exchange, CURLcode code)
{
	if (exchange->status)
		return code == CURLE_OK || exchange->broken_off ? HTTP_ANSWERED : HTTP_ANSWER_CUT;
	if (exchange->private_refused && !exchange->sent)
		return HTTP_ADDRESS_PRIVATE;
	if (!exchange->sent)
		return judge_unsent(exchange, code);
	switch (code) {
	case CURLE_OK: /* without a final status */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9 */
	case CURLE_WRITE_ERROR:		 /* the head is longer than allowed */
	case CURLE_BAD_CONTENT_ENCODING: return HTTP_ANSWER_BROKEN;
	default: return HTTP_NO_ANSWER;
	}
}

enum http_result http_exchange_judge_late(const struct http_exchange *exchange)
{
	if (exchange->status)
		return HTTP_ANSWER_CUT;
	return exchange->sent ? HTTP_TIMEOUT_SENT : HTTP_TIMEOUT_UNSENT;
}

static void read_connection(const struct http_exchange *exchange, struct http_answer *answer)
{
	long version = 0, connects = 1;
	char *address = NULL;

	curl_easy_getinfo(exchange->easy, CURLINFO_HTTP_VERSION, &version);
	curl_easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_getinfo(exchange->easy, CURLINFO_PRIMARY_IP, &address);
	answer->version = version == CURL_HTTP_VERSION_2_0   ? 20
			  : version == CURL_HTTP_VERSION_1_1 ? 11
			  : version == CURL_HTTP_VERSION_1_0 ? 10
							     : 0;
	answer->reused = exchange->sent && connects == 0;
	slice_to_text(slice_from(address), answer->address, sizeof(answer->address));
}

void http_exchange_answer(const struct http_exchange *exchange, enum http_result result,
			  struct http_answer *answer)
{
	const char *said = exchange->error.text[0] ? exchange->error.text : exchange->curl_error;

	*answer = (struct http_answer){
		.result = result,
		.status = exchange->status,
		.head = buffer_slice(&exchange->head),
		.body = buffer_slice(&exchange->body),
		.body_bytes = exchange->body_bytes,
		.body_cut = exchange->broken_off || result == HTTP_ANSWER_CUT ||
			    exchange->body_bytes > (int64_t)buffer_length(&exchange->body),
		.duration_us = clock_monotonic_us() - exchange->begun_us,
	};
	read_connection(exchange, answer);
	if (result == HTTP_ANSWERED || !said[0])
		said = http_result_text(result);
	slice_to_text(slice_from(said), answer->reason, sizeof(answer->reason));
}

struct lg_slice http_answer_header(const struct http_answer *answer, const char *name)
{
	struct lg_slice rest = answer->head, line;

	while (slice_split(&rest, '\n', &line)) {
		ptrdiff_t colon = slice_find(line, ':');
		if (colon > 0 &&
		    slice_equal_nocase(slice_cut(line, 0, (size_t)colon), slice_from(name)))
			return slice_trim(slice_cut(line, (size_t)colon + 1, SIZE_MAX));
	}
	return (struct lg_slice){0};
}
