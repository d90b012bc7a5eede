#include "h2_server.h"

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct stream {
	size_t got;
	char path[32];
};

static void must(bool condition)
{
	if (!condition)
		abort();
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	(void)context;
	must(stream != NULL);
	return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
		     void *context)
{
	struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	(void)flags;
	(void)context;
	if (name_length == 5 && memcmp(name, ":path", 5) == 0)
		snprintf(stream->path, sizeof(stream->path), "%.*s", (int)value_length,
			 (const char *)value);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
		   size_t length, void *context)
{
	struct stream *stream = nghttp2_session_get_stream_user_data(session, id);

	(void)flags;
	(void)data;
	(void)context;
	stream->got += length;
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
	static uint8_t status[] = ":status", ok[] = "200", x_got[] = "x-got";
	struct server *server = context;
	struct stream *stream;
	uint8_t got[24];
	int length;

	if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
	    (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
		return 0;
	server->requests++;
	stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (strcmp(stream->path, "/silent") == 0)
		return 0;
	if (strcmp(stream->path, "/reset") == 0)
		return nghttp2_submit_rst_stream(session, 0, frame->hd.stream_id,
						 NGHTTP2_INTERNAL_ERROR);
	length = snprintf((char *)got, sizeof(got), "%zu", stream->got);
	const nghttp2_nv head[] = {
		{status, ok, sizeof(status) - 1, sizeof(ok) - 1, 0},
		{x_got, got, sizeof(x_got) - 1, (size_t)length, 0},
	};
	return nghttp2_submit_response(session, frame->hd.stream_id, head, 2, NULL);
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *context)
{
	(void)code;
	(void)context;
	free(nghttp2_session_get_stream_user_data(session, id));
	return 0;
}

static nghttp2_session *new_session(struct server *server)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_session *session;

	must(nghttp2_session_callbacks_new(&callbacks) == 0);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
	must(nghttp2_session_server_new(&session, callbacks, server) == 0);
	nghttp2_session_callbacks_del(callbacks);
	must(nghttp2_submit_settings(session, 0, NULL, 0) == 0);
	return session;
}

/* A connection, with or without TLS. */
struct pipe {
	int fd;
	SSL *ssl;
};

static bool flush(nghttp2_session *session, struct pipe *pipe)
{
	const uint8_t *bytes;
	ssize_t size;

	while ((size = nghttp2_session_mem_send(session, &bytes)) > 0)
		if (pipe->ssl ? SSL_write(pipe->ssl, bytes, (int)size) <= 0
			      : !server_write(pipe->fd, (const char *)bytes, (size_t)size))
			return false;
	return size == 0;
}

static ssize_t receive(struct pipe *pipe, uint8_t *bytes, size_t capacity)
{
	return pipe->ssl ? SSL_read(pipe->ssl, bytes, (int)capacity)
			 : recv(pipe->fd, bytes, capacity, 0);
}

static void serve(struct server *server, struct pipe *pipe)
{
	nghttp2_session *session = new_session(server);
	uint8_t bytes[16384];
	ssize_t size;

	while (flush(session, pipe) && (size = receive(pipe, bytes, sizeof(bytes))) > 0)
		if (nghttp2_session_mem_recv(session, bytes, (size_t)size) < 0)
			break;
	/* streams that are still open keep their memory otherwise */
	for (int32_t id = 1; id < 1000; id += 2)
		free(nghttp2_session_get_stream_user_data(session, id));
	nghttp2_session_del(session);
}

void h2_server_serve(struct server *server, int fd)
{
	serve(server, &(struct pipe){.fd = fd});
}

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_length,
		     const unsigned char *in, unsigned int in_length, void *context)
{
	static const unsigned char ours[] = "\x02h2";
	unsigned char *chosen = NULL;

	(void)ssl;
	(void)context;
	if (SSL_select_next_proto(&chosen, out_length, ours, sizeof(ours) - 1, in, in_length) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

void h2_server_serve_tls(struct server *server, int fd)
{
	struct pipe pipe = {.fd = fd};

	SSL_CTX_set_alpn_select_cb(server->context, choose_h2, NULL);
	pipe.ssl = SSL_new(server->context);
	SSL_set_fd(pipe.ssl, fd);
	if (SSL_accept(pipe.ssl) == 1)
		serve(server, &pipe);
	SSL_free(pipe.ssl);
}
