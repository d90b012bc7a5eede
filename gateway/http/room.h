/* Room for what requests bring, http.max_buffered for all of them together: bodies,
 * and heads of HTTP/2 whose body is to come, of which one connection may have many.
 *
 * When there is none, who has been sending for longest gives way and is answered
 * 503: a body that is sent in one go is through within moments, so nobody keeps
 * others out by holding all that there is. Where another loop has the oldest one it
 * is asked by letter, and nobody waits for its thread: until it has given way what is
 * held may be an eighth more. Loop thread. */
#ifndef HTTP_ROOM_H
#define HTTP_ROOM_H

#include "http/worker.h"

/* Whether there is room for so many bytes of the request now. */
bool http_room_has(struct http_worker *worker, const struct http_request *request, uint64_t bytes);
/* Takes it, for budget_give. False: there is none. */
bool http_room_take(struct http_worker *worker, const struct http_request *request, size_t bytes);

/* A body has begun: tells the other loops since when the oldest one is here. */
void http_room_note(struct http_worker *worker);
/* Another loop has asked by worker->room_letter. */
void http_room_give_way(struct http_worker *worker);

#endif
