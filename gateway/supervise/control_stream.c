#include "supervise/control_stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervise/control.h"
#include "supervise/rights.h"

/* The socket has room for a whole request, so that waiting is rare. */
static bool send_request(int fd, struct lg_slice text, const int *files, size_t count)
{
	int64_t until_ms = clock_monotonic_ms() + CONTROL_TIMEOUT_MS;

	while (text.length > 0) {
		struct pollfd writable = {.fd = fd, .events = POLLOUT};
		ssize_t sent = rights_send(fd, text.data, text.length, files, count);

		if (sent >= 0) {
			text = slice_cut(text, (size_t)sent, SIZE_MAX);
			count = 0;
		} else if (errno == EAGAIN) {
			poll(&writable, 1, 100);
		} else if (errno != EINTR) {
			return false;
		}
		if (clock_monotonic_ms() > until_ms)
			return false;
	}
	return true;
}

bool control_stream_open(struct control_stream *stream, struct lg_slice store_path,
			 struct lg_slice request, const int *files, size_t file_count, bool *absent,
			 struct error *error)
{
	*stream = (struct control_stream){.fd = -1};
	*absent = false;
	buffer_init(&stream->in, CONTROL_ANSWER_BYTES);
	if (!control_connect(store_path, &stream->fd, absent, error))
		return false;
	if (send_request(stream->fd, request, files, file_count) &&
	    send_request(stream->fd, LG_SLICE("\n"), NULL, 0))
		return true;
	control_stream_close(stream);
	return error_set(error, "the running gateway did not take the request");
}

static bool take_line(struct control_stream *stream, struct lg_slice *line)
{
	struct lg_slice all = buffer_slice(&stream->in);
	ptrdiff_t end = slice_find(all, '\n');

	if (end < 0)
		return false;
	*line = slice_cut(all, 0, (size_t)end);
	stream->taken = (size_t)end + 1;
	return true;
}

/* False: no more will come. */
static bool receive(struct control_stream *stream)
{
	char *room = buffer_room(&stream->in, 4096);
	ssize_t got = room ? recv(stream->fd, room, 4096, 0) : 0;

	if (got > 0)
		buffer_added(&stream->in, (size_t)got);
	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

enum control_news control_stream_next(struct control_stream *stream, int64_t wait_ms,
				      struct lg_slice *line)
{
	int64_t until_ms = clock_monotonic_ms() + wait_ms;

	buffer_take(&stream->in, stream->taken);
	stream->taken = 0;
	for (;;) {
		struct pollfd readable = {.fd = stream->fd, .events = POLLIN};
		int64_t left_ms = until_ms - clock_monotonic_ms();

		if (take_line(stream, line))
			return CONTROL_LINE;
		if (poll(&readable, 1, left_ms > 0 ? (int)left_ms : 0) <= 0)
			return CONTROL_SILENCE;
		if (!receive(stream))
			return CONTROL_END;
	}
}

void control_stream_finish(struct control_stream *stream)
{
	shutdown(stream->fd, SHUT_WR);
}

void control_stream_close(struct control_stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
	buffer_fini(&stream->in);
}
