/* The peer's flow-control windows, where libnghttp2 is kinder than the rule: SETTINGS
 * that make a window too large end the connection and not the stream alone (RFC
 * 9113, section 6.9.2). Loop thread. */
#ifndef HTTP_H2_WINDOW_H
#define HTTP_H2_WINDOW_H

#include "http/h2_session.h"

#include <nghttp2/nghttp2.h>

/* Notes by how much the largest window of a stream is beyond the initial one, which
 * no setting changes. For when the library is about to take a SETTINGS frame and
 * has taken all that was before; looks at every stream. */
void h2_window_note(struct h2_session *h2);

/* Whether all streams bear the initial windows of these settings, as it was noted
 * before they were taken. */
bool h2_window_bears(const struct h2_session *h2, const nghttp2_settings *settings);

#endif
