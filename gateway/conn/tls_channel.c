#include "conn/tls_channel.h"

#include "base/alloc.h"
#include "base/counter.h"
#include "conn/conn_group.h"
#include "conn/tls_reason.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <pthread.h>
#include <sys/socket.h>

/* The largest record, sealed (RFC 5246, section 6.2.3), and its header. */
#define RECORD_BYTES (16384 + 2048 + 5)
/* What is asked of a caller: a record that was begun before, and as much again. */
#define ROOM_BYTES (2 * RECORD_BYTES)

/* One recv brings as much as there is room for, into memory that all connections
 * of a loop share, and OpenSSL takes its records from there: it would ask for
 * each header and each record by itself. What it has not taken when an operation
 * ends is kept in `early`. */
struct tls {
	struct conn *conn;
	struct tls_context *context; /* a reference */
	SSL *ssl;		     /* NULL until the peer has said something */
	struct buffer early;
	struct lg_slice fetched; /* in the group's `sealed`, during one operation */
	size_t may_fetch;	 /* so many bytes by one recv */
	int code;		 /* errno of a call that failed for good */
	bool began;		 /* something has come */
	bool plain;		 /* and it was no TLS */
	bool refused;		 /* and it may not begin a handshake now */
	bool open;		 /* the handshake is done */
	bool ended;		 /* the socket's end has come */
	bool failed;		 /* nothing can be said any more */
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

/* ---- below OpenSSL: the socket ------------------------------------------------------- */

static bool is_passing(int code)
{
	return code == EAGAIN || code == EINTR;
}

static void fetch(struct tls *tls)
{
	char *sealed = tls->conn->group->sealed;
	ssize_t size = recv(tls->conn->fd, sealed, tls->may_fetch, 0);

	tls->may_fetch = 0;
	if (size > 0) {
		tls->fetched = slice_of(sealed, (size_t)size);
		tls->conn->received_bytes += tls->open ? 0 : (size_t)size;
	} else if (size == 0) {
		tls->ended = true;
	} else if (!is_passing(errno)) {
		tls->code = errno;
	}
}

/* A record begins with its type, 20 to 24; a method of HTTP with a letter. */
static bool is_plain(char byte)
{
	return byte >= 'A' && byte <= 'Z';
}

static bool has_waiting(const struct tls *tls)
{
	return tls->fetched.length > 0 || buffer_length(&tls->early) > 0;
}

/* By its first byte, before anything is computed for it. */
static void begin_handshake(struct tls *tls, char first)
{
	struct conn_group *group = tls->conn->group;

	tls->began = true;
	tls->plain = is_plain(first);
	tls->refused = !tls->plain && group->on_handshake && !group->on_handshake(group, tls->conn);
}

static size_t copy_waiting(struct tls *tls, char *out, size_t size)
{
	struct lg_slice waiting = buffer_length(&tls->early) > 0 ? buffer_slice(&tls->early)
								 : tls->fetched;

	if (size > waiting.length)
		size = waiting.length;
	memcpy(out, waiting.data, size);
	if (buffer_length(&tls->early) > 0)
		buffer_take(&tls->early, size);
	else
		tls->fetched = slice_cut(tls->fetched, size, tls->fetched.length);
	return size;
}

static int on_read(BIO *bio, char *out, size_t size, size_t *got)
{
	struct tls *tls = BIO_get_data(bio);

	*got = 0;
	BIO_clear_retry_flags(bio);
	if (tls->plain || tls->refused || tls->flooding)
		return 0;
	if (!has_waiting(tls) && tls->may_fetch > 0)
		fetch(tls);
	if (!has_waiting(tls)) {
		if (!tls->ended && tls->code == 0)
			BIO_set_retry_read(bio);
		return 0;
	}
	*got = copy_waiting(tls, out, size);
	if (!tls->began)
		begin_handshake(tls, *out);
	if (tls->plain || tls->refused)
		*got = 0;
	return *got > 0;
}

static int on_write(BIO *bio, const char *data, size_t size, size_t *sent)
{
	struct tls *tls = BIO_get_data(bio);
	ssize_t result = send(tls->conn->fd, data, size, MSG_NOSIGNAL);

	*sent = result > 0 ? (size_t)result : 0;
	BIO_clear_retry_flags(bio);
	if (result < 0 && is_passing(errno))
		BIO_set_retry_write(bio);
	else if (result < 0)
		tls->code = errno;
	return result > 0;
}

static long on_control(BIO *bio, int command, long number, void *data)
{
	const struct tls *tls = BIO_get_data(bio);

	(void)number;
	(void)data;
	if (command == BIO_CTRL_EOF)
		return tls->ended;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
	if (!method)
		return;
	BIO_meth_set_read_ex(method, on_read);
	BIO_meth_set_write_ex(method, on_write);
	BIO_meth_set_ctrl(method, on_control);
}

/* ---- operations --------------------------------------------------------------------- */

/* `room_bytes` hold what this operation may bring: all of one recv, and the
 * rest of a record that was begun before. */
static void begin(struct tls *tls, size_t room_bytes)
{
	size_t most = room_bytes - RECORD_BYTES;

	ERR_clear_error();
	if (most > CONN_GROUP_SCRATCH_BYTES)
		most = CONN_GROUP_SCRATCH_BYTES;
	tls->may_fetch = has_waiting(tls) ? 0 : most;
}

/* Before another connection uses the loop's memory. */
static bool keep_fetched(struct tls *tls)
{
	struct lg_slice rest = tls->fetched;

	tls->fetched = (struct lg_slice){0};
	return buffer_add_slice(&tls->early, rest);
}

static enum conn_reason reason_of(const struct tls *tls)
{
	if (tls->plain)
		return CONN_TLS_PLAIN;
	if (tls->refused)
		return CONN_HANDSHAKE_RATE;
	if (tls->flooding)
		return CONN_TLS_KEY_UPDATES;
	if (tls->refused_name)
		return CONN_TLS_NAME;
	if (tls->code != 0)
		return tls->code == ECONNRESET || tls->code == EPIPE ? CONN_PEER_RESET
								     : CONN_IO_ERROR;
	if (tls->ended)
		return tls->began ? CONN_TLS_LEFT : CONN_PEER_CLOSED;
	return tls_reason_of(ERR_peek_error());
}

static int fail(struct tls *tls, enum conn_reason reason)
{
	tls->failed = true;
	tls->fetched = (struct lg_slice){0};
	tls->conn->failure = reason;
	ERR_clear_error();
	return CONN_FAILED;
}

/* What became of an operation that did not get on. */
static int result_of(struct tls *tls, int result)
{
	int code = SSL_get_error(tls->ssl, result);

	if (code == SSL_ERROR_WANT_WRITE)
		tls->conn->blocked = true;
	if (code != SSL_ERROR_WANT_WRITE && code != SSL_ERROR_WANT_READ)
		return fail(tls, reason_of(tls));
	return keep_fetched(tls) ? CONN_AGAIN : fail(tls, CONN_NO_MEMORY);
}

static bool is_beyond_budget(struct tls *tls)
{
	const struct conn_settings *settings = &tls->conn->group->settings;
	int64_t now_ms = loop_now_ms(tls->conn->group->loop);

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
	tls->flooding = tls->flooding || is_beyond_budget(tls);
}

static bool make_session(struct tls *tls)
{
	pthread_once(&method_once, make_method);
	BIO *bio = method ? BIO_new(method) : NULL;
	if (!bio)
		return false;
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
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
		if (tls->plain)
			return refuse_plain(conn, tls_context_terms(tls->context));
		return result;
	}
	tls->open = true;
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
	} while (step > 0 && got < size && has_waiting(tls));
	if (step <= 0 && SSL_get_error(tls->ssl, step) == SSL_ERROR_ZERO_RETURN) {
		tls->fetched = (struct lg_slice){0};
		conn->last = true;
		conn->abrupt = tls->ended;
		return (ssize_t)got;
	}
	if (step <= 0 && result_of(tls, step) == CONN_FAILED)
		return CONN_FAILED;
	if (!keep_fetched(tls))
		return fail(tls, CONN_NO_MEMORY);
	conn->blocked |= buffer_length(&tls->early) > 0;
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
	bool amid = buffer_length(&tls->conn->out) > 0;

	if (!tls->open || tls->failed || amid || SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN)
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
	buffer_fini(&tls->early);
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
	buffer_init(&tls->early, CONN_GROUP_SCRATCH_BYTES);
	if (!buffer_add_slice(&tls->early, early)) {
		buffer_fini(&tls->early);
		alloc_free(tls);
		return false;
	}
	tls->conn = conn;
	tls->context = tls_context_ref(context);
	conn_set_channel(conn, &tls_channel, tls);
	conn->received_bytes = early.length;
	return true;
}
