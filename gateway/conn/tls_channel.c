#include "conn/tls_channel.h"

#include "base/alloc.h"
#include "base/counter.h"
#include "conn/conn_group.h"
#include "conn/tls_reason.h"
#include "conn/tls_socket.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <sys/socket.h>

/* The largest record, sealed (RFC 5246, section 6.2.3), and its header. */
#define RECORD_BYTES (16384 + 2048 + 5)
/* What is asked of a caller: a record that was begun before, and as much again. */
#define ROOM_BYTES (2 * RECORD_BYTES)

struct tls {
	struct tls_socket socket;
	struct tls_context *context; /* a reference */
	SSL *ssl;		     /* NULL until the peer has said something */
	bool failed;		     /* nothing can be said any more */
	bool refused_name;
	bool flooding;	     /* asks for new keys without end */
	int64_t key_updates; /* since … */
	int64_t key_updates_since_ms;
};

static int full, resumed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void register_counters(void)
{
	static const char name[] = "leadgate_tls_handshakes_total";
	static const char help[] = "TLS handshakes that were done, by kind";

	full = counter_register(COUNTER_COUNTER, name, "kind=\"full\"", help);
	resumed = counter_register(COUNTER_COUNTER, name, "kind=\"resumed\"", help);
}

void tls_channel_register(void)
{
	pthread_once(&once, register_counters);
}

void tls_channel_refuse_name(void *data)
{
	struct tls *tls = data;

	tls->refused_name = true;
}

/* ---- operations --------------------------------------------------------------------- */

/* `room_bytes` hold what this operation may bring: all of one recv, and the
 * rest of a record that was begun before. */
static void begin(struct tls *tls, size_t room_bytes)
{
	ERR_clear_error();
	tls_socket_begin(&tls->socket, room_bytes - RECORD_BYTES);
}

static enum conn_reason reason_of(const struct tls *tls)
{
	const struct tls_socket *socket = &tls->socket;

	if (socket->plain)
		return CONN_TLS_PLAIN;
	if (socket->refused)
		return CONN_HANDSHAKE_RATE;
	if (tls->flooding)
		return CONN_TLS_KEY_UPDATES;
	if (tls->refused_name)
		return CONN_TLS_NAME;
	if (socket->code != 0)
		return socket->code == ECONNRESET || socket->code == EPIPE ? CONN_PEER_RESET
									   : CONN_IO_ERROR;
	if (socket->ended)
		return socket->began ? CONN_TLS_LEFT : CONN_PEER_CLOSED;
	return tls_reason_of(ERR_peek_error());
}

static int fail(struct tls *tls, enum conn_reason reason)
{
	tls->failed = true;
	tls_socket_drop(&tls->socket);
	tls->socket.conn->failure = reason;
	ERR_clear_error();
	return CONN_FAILED;
}

/* What became of an operation that did not get on. */
static int result_of(struct tls *tls, int result)
{
	int code = SSL_get_error(tls->ssl, result);

	if (code == SSL_ERROR_WANT_WRITE)
		tls->socket.conn->blocked = true;
	if (code != SSL_ERROR_WANT_WRITE && code != SSL_ERROR_WANT_READ)
		return fail(tls, reason_of(tls));
	return tls_socket_keep(&tls->socket) ? CONN_AGAIN : fail(tls, CONN_NO_MEMORY);
}

static bool is_beyond_budget(struct tls *tls)
{
	const struct conn_settings *settings = &tls->socket.conn->group->settings;
	int64_t now_ms = loop_now_ms(tls->socket.conn->group->loop);

	if (now_ms - tls->key_updates_since_ms >= settings->flood_interval_ms) {
		tls->key_updates_since_ms = now_ms;
		tls->key_updates = 0;
	}
	return ++tls->key_updates > settings->key_updates && settings->key_updates > 0;
}

/* After the handshake its messages ask for new keys: KeyUpdate (RFC 8446, section
 * 4.6.3), which brings no data and makes us derive keys, or in TLS 1.2 a renegotiation,
 * which is refused each time. Either has a record of its own, inside of which only TLS
 * 1.3 says what it is. OpenSSL takes any number of them in one call, but it asks for each
 * record. */
static void on_message(int sending, int version, int type, const void *bytes, size_t length,
		       SSL *ssl, void *arg)
{
	struct tls *tls = arg;
	const unsigned char *first = bytes;

	(void)version;
	(void)ssl;
	if (sending || length == 0 || *first != SSL3_RT_HANDSHAKE ||
	    (type != SSL3_RT_HEADER && type != SSL3_RT_INNER_CONTENT_TYPE))
		return;
	if (!tls->flooding && is_beyond_budget(tls))
		tls->flooding = tls->socket.deaf = true;
}

static bool make_session(struct tls *tls)
{
	BIO *bio = tls_socket_bio(&tls->socket);
	if (!bio)
		return false;
	tls->ssl = tls_context_open(tls->context, tls);
	if (!tls->ssl) {
		BIO_free(bio);
		return false;
	}
	SSL_set_bio(tls->ssl, bio, bio);
	return true;
}

static int refuse_plain(struct conn *conn, const struct tls_terms *terms)
{
	buffer_add_slice(conn_out(conn), slice_from(terms->plain_answer));
	conn_set_channel(conn, &conn_channel_plain, NULL);
	return CONN_FAILED;
}

static int tls_open(struct conn *conn)
{
	struct tls *tls = conn->channel_data;
	int result;

	if (!tls->ssl && !make_session(tls))
		return fail(tls, CONN_NO_MEMORY);
	begin(tls, CONN_GROUP_SCRATCH_BYTES);
	result = SSL_accept(tls->ssl);
	if (result <= 0) {
		result = result_of(tls, result);
		if (tls->socket.plain)
			return refuse_plain(conn, tls_context_terms(tls->context));
		return result;
	}
	tls->socket.opened = true;
	SSL_set_msg_callback(tls->ssl, on_message);
	SSL_set_msg_callback_arg(tls->ssl, tls);
	counter_inc(SSL_session_reused(tls->ssl) ? resumed : full);
	return 0;
}

static ssize_t tls_receive(struct conn *conn, char *room, size_t size)
{
	struct tls *tls = conn->channel_data;
	size_t got = 0;
	int step;

	begin(tls, size);
	do {
		step = SSL_read(tls->ssl, room + got, (int)(size - got));
		got += step > 0 ? (size_t)step : 0;
	} while (step > 0 && got < size && tls_socket_has_waiting(&tls->socket));
	if (step <= 0 && SSL_get_error(tls->ssl, step) == SSL_ERROR_ZERO_RETURN) {
		tls_socket_drop(&tls->socket);
		conn->last = true;
		conn->abrupt = tls->socket.ended;
		return (ssize_t)got;
	}
	if (step <= 0 && result_of(tls, step) == CONN_FAILED)
		return CONN_FAILED;
	if (!tls_socket_keep(&tls->socket))
		return fail(tls, CONN_NO_MEMORY);
	conn->blocked |= tls_socket_has_waiting(&tls->socket);
	return got > 0 ? (ssize_t)got : CONN_AGAIN;
}

static ssize_t tls_send(struct conn *conn, const char *data, size_t size)
{
	struct tls *tls = conn->channel_data;
	size_t sent = 0;

	ERR_clear_error();
	while (sent < size) {
		size_t part = size - sent > INT32_MAX ? INT32_MAX : size - sent;
		int step = SSL_write(tls->ssl, data + sent, (int)part);
		if (step > 0) {
			sent += (size_t)step;
			continue;
		}
		if (SSL_get_error(tls->ssl, step) != SSL_ERROR_WANT_WRITE)
			return fail(tls, reason_of(tls));
		break;
	}
	return sent > 0 ? (ssize_t)sent : CONN_AGAIN;
}

/* close_notify (RFC 8446, section 6.1), but not amid a record. */
static void say_end(struct tls *tls)
{
	bool amid = buffer_length(&tls->socket.conn->out) > 0;

	if (!tls->socket.opened || tls->failed || amid ||
	    SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN)
		return;
	ERR_clear_error();
	SSL_shutdown(tls->ssl);
	ERR_clear_error();
}

static void tls_shutdown(struct conn *conn)
{
	say_end(conn->channel_data);
	shutdown(conn->fd, SHUT_WR);
}

static void tls_free(struct conn *conn)
{
	struct tls *tls = conn->channel_data;

	say_end(tls);
	SSL_free(tls->ssl);
	tls_socket_fini(&tls->socket);
	tls_context_unref(&tls->context);
	alloc_free(tls);
}

static struct lg_slice tls_alpn(const struct conn *conn)
{
	const struct tls *tls = conn->channel_data;
	const unsigned char *name;
	unsigned length;

	SSL_get0_alpn_selected(tls->ssl, &name, &length);
	return slice_of((const char *)name, length);
}

static const struct conn_channel tls_channel = {
	.open = tls_open,
	.receive = tls_receive,
	.send = tls_send,
	.shutdown = tls_shutdown,
	.free = tls_free,
	.alpn = tls_alpn,
	.room_bytes = ROOM_BYTES,
	.is_tls = true,
};

bool tls_channel_begin(struct conn *conn, struct tls_context *context, struct lg_slice early)
{
	struct tls *tls = alloc_zalloc(sizeof(*tls));

	if (!tls)
		return false;
	if (!tls_socket_init(&tls->socket, conn, early)) {
		alloc_free(tls);
		return false;
	}
	tls->context = tls_context_ref(context);
	conn_set_channel(conn, &tls_channel, tls);
	conn->received_bytes = early.length;
	return true;
}
