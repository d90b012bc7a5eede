/* A call's method, headers and body for curl. Inner header of client/. */
#ifndef CLIENT_HTTP_REQUEST_H
#define CLIENT_HTTP_REQUEST_H

#include <curl/curl.h>

#include "client/http_client.h"

/* Sets them on `easy`; `*headers` is for the caller to free after the handle.
 * The body stays where it is. Refused are names and values that HTTP does not
 * allow (RFC 9110, section 5), and headers that frame the message, which are
 * curl's. False with a reason, or with `*no_memory` set. */
bool http_request_set(CURL *easy, const struct http_call *call, struct lg_slice user_agent,
		      struct curl_slist **headers, bool *no_memory, struct error *error);

#endif
