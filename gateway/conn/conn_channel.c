#include "conn/conn_channel.h"

#include "conn/conn.h"

#include <errno.h>
#include <sys/socket.h>

#define ROOM_BYTES 16384

static ssize_t fail(struct conn *conn)
{
	if (errno == EAGAIN || errno == EINTR)
		return CONN_AGAIN;
	bool reset = errno == ECONNRESET || errno == EPIPE;
	conn->failure = reset ? CONN_PEER_RESET : CONN_IO_ERROR;
	return CONN_FAILED;
}

static ssize_t plain_receive(struct conn *conn, char *room, size_t size)
{
	ssize_t got = recv(conn->fd, room, size, 0);

	return got >= 0 ? got : fail(conn);
}

static ssize_t plain_send(struct conn *conn, const char *data, size_t size)
{
	ssize_t sent = send(conn->fd, data, size, MSG_NOSIGNAL);

	return sent >= 0 ? sent : fail(conn);
}

static void plain_shutdown(struct conn *conn)
{
	shutdown(conn->fd, SHUT_WR);
}

const struct conn_channel conn_channel_plain = {
	.receive = plain_receive,
	.send = plain_send,
	.shutdown = plain_shutdown,
	.room_bytes = ROOM_BYTES,
};
