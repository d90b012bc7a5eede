/* What libnghttp2 says of a connection's frames: which request begins, goes on
 * or ends by them. Loop thread. */
#ifndef HTTP_H2_CALLBACKS_H
#define HTTP_H2_CALLBACKS_H

#include <nghttp2/nghttp2.h>

/* Sets all that the sessions of a worker need; their context is the struct
 * h2_session. */
void h2_callbacks_fill(nghttp2_session_callbacks *callbacks);

#endif
