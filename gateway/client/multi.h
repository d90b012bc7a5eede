/* libcurl's multi interface on a loop: its sockets and its timer. All functions
 * are for the loop's thread. */
#ifndef CLIENT_MULTI_H
#define CLIENT_MULTI_H

#include <curl/curl.h>

#include "base/loop.h"

/* `done` gets each transfer that has ended. It must take the handle out with
 * multi_remove, and may call any function of this header, multi_free too. */
struct multi;
struct multi *multi_new(struct loop *loop, void (*done)(void *context, CURL *easy, CURLcode code),
			void *context);

/* All handles must have been taken out. */
void multi_free(struct multi **multi);

/* For curl_multi_setopt. */
CURLM *multi_handle(struct multi *multi);

bool multi_add(struct multi *multi, CURL *easy);
void multi_remove(struct multi *multi, CURL *easy);

#endif
