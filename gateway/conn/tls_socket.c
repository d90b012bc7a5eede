#include "conn/tls_socket.h"

#include "conn/conn_group.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

bool tls_socket_init(struct tls_socket *socket, struct conn *conn, struct lg_slice early)
{
	*socket = (struct tls_socket){.conn = conn};
	buffer_init(&socket->early, CONN_GROUP_SCRATCH_BYTES);
	if (buffer_add_slice(&socket->early, early))
		return true;
	tls_socket_fini(socket);
	return false;
}

void tls_socket_fini(struct tls_socket *socket)
{
	buffer_fini(&socket->early);
}

/* ---- operations ----------------------------------------------------------------------- */

void tls_socket_begin(struct tls_socket *socket, size_t most_bytes)
{
	if (most_bytes > CONN_GROUP_SCRATCH_BYTES)
		most_bytes = CONN_GROUP_SCRATCH_BYTES;
	socket->may_fetch = tls_socket_has_waiting(socket) ? 0 : most_bytes;
}

bool tls_socket_keep(struct tls_socket *socket)
{
	struct lg_slice rest = socket->fetched;

	socket->fetched = (struct lg_slice){0};
	return buffer_add_slice(&socket->early, rest);
}

void tls_socket_drop(struct tls_socket *socket)
{
	socket->fetched = (struct lg_slice){0};
}

/* ---- what OpenSSL asks ---------------------------------------------------------------- */

static bool is_passing(int code)
{
	return code == EAGAIN || code == EINTR;
}

static void fetch(struct tls_socket *socket)
{
	char *sealed = socket->conn->group->sealed;
	ssize_t size = recv(socket->conn->fd, sealed, socket->may_fetch, 0);

	socket->may_fetch = 0;
	if (size > 0) {
		socket->fetched = slice_of(sealed, (size_t)size);
		socket->conn->received_bytes += socket->opened ? 0 : (size_t)size;
	} else if (size == 0) {
		socket->ended = true;
	} else if (!is_passing(errno)) {
		socket->code = errno;
	}
}

/* A record begins with its type, 20 to 24; a method of HTTP with a letter. */
static bool is_plain(char byte)
{
	return byte >= 'A' && byte <= 'Z';
}

/* By its first byte, before anything is computed for it. */
static void begin_handshake(struct tls_socket *socket, char first)
{
	struct conn_group *group = socket->conn->group;

	socket->began = true;
	socket->plain = is_plain(first);
	socket->refused = !socket->plain && group->on_handshake &&
			  !group->on_handshake(group, socket->conn);
}

static size_t copy_waiting(struct tls_socket *socket, char *out, size_t size)
{
	struct lg_slice waiting = buffer_length(&socket->early) > 0 ? buffer_slice(&socket->early)
								    : socket->fetched;

	if (size > waiting.length)
		size = waiting.length;
	memcpy(out, waiting.data, size);
	if (buffer_length(&socket->early) > 0)
		buffer_take(&socket->early, size);
	else
		socket->fetched = slice_cut(socket->fetched, size, socket->fetched.length);
	return size;
}

static int on_read(BIO *bio, char *out, size_t size, size_t *got)
{
	struct tls_socket *socket = BIO_get_data(bio);

	*got = 0;
	BIO_clear_retry_flags(bio);
	if (socket->plain || socket->refused || socket->deaf)
		return 0;
	if (!tls_socket_has_waiting(socket) && socket->may_fetch > 0)
		fetch(socket);
	if (!tls_socket_has_waiting(socket)) {
		if (!socket->ended && socket->code == 0)
			BIO_set_retry_read(bio);
		return 0;
	}
	*got = copy_waiting(socket, out, size);
	if (!socket->began)
		begin_handshake(socket, *out);
	if (socket->plain || socket->refused)
		*got = 0;
	return *got > 0;
}

static int on_write(BIO *bio, const char *data, size_t size, size_t *sent)
{
	struct tls_socket *socket = BIO_get_data(bio);
	ssize_t result = send(socket->conn->fd, data, size, MSG_NOSIGNAL);

	*sent = result > 0 ? (size_t)result : 0;
	BIO_clear_retry_flags(bio);
	if (result < 0 && is_passing(errno))
		BIO_set_retry_write(bio);
	else if (result < 0)
		socket->code = errno;
	return result > 0;
}

static long on_control(BIO *bio, int command, long number, void *data)
{
	const struct tls_socket *socket = BIO_get_data(bio);

	(void)number;
	(void)data;
	if (command == BIO_CTRL_EOF)
		return socket->ended;
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

BIO *tls_socket_bio(struct tls_socket *socket)
{
	pthread_once(&method_once, make_method);
	BIO *bio = method ? BIO_new(method) : NULL;
	if (!bio)
		return NULL;
	BIO_set_data(bio, socket);
	BIO_set_init(bio, 1);
	return bio;
}
