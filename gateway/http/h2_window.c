#include "http/h2_window.h"

void h2_window_note(struct h2_session *h2)
{
	int64_t initial = nghttp2_session_get_remote_settings(h2->library,
							      NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);

	h2->surplus = 0;
	LIST_EACH(node, &h2->streams) {
		const struct h2_stream *s = container_of(node, struct h2_stream, node);
		int64_t window = nghttp2_session_get_stream_remote_window_size(h2->library, s->id);
		if (window - initial > h2->surplus)
			h2->surplus = window - initial;
	}
}

bool h2_window_bears(const struct h2_session *h2, const nghttp2_settings *settings)
{
	for (size_t i = 0; i < settings->niv; i++)
		if (settings->iv[i].settings_id == NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE &&
		    h2->surplus + settings->iv[i].value > NGHTTP2_MAX_WINDOW_SIZE)
			return false;
	return true;
}
