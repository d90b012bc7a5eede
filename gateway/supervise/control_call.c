/* The commands' end of the control socket: plain blocking calls with a limit. */
#include "supervise/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

/* sun_path holds 107 bytes; an operator's path may be longer. The way through
 * /proc/self/fd is always short. */
bool control_address(struct lg_slice store_path, int *folder, char *path, size_t path_bytes,
		     bool *absent, struct error *error)
{
	char name[4096];
	const char *base = name;
	char *slash;
	int length;

	*folder = -1;
	*absent = false;
	if (store_path.length >= sizeof(name))
		return error_set(error, "the store's path is longer than %zu bytes",
				 sizeof(name) - 1);
	slice_to_text(store_path, name, sizeof(name));
	slash = strrchr(name, '/');
	if (slash) {
		base = slash + 1;
		*slash = '\0';
	}
	*folder = open(!slash ? "." : (slash == name ? "/" : name),
		       O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*folder < 0) {
		*absent = errno == ENOENT;
		return error_set(error, "opening the folder of the store %.*s: %s",
				 SLICE_ARGS(store_path), strerror(errno));
	}
	length = snprintf(path, path_bytes, "/proc/self/fd/%d/%s.sock", *folder, base);
	if (length > 0 && (size_t)length < path_bytes)
		return true;
	close(*folder);
	*folder = -1;
	return error_set(error, "the name of the store's file is too long for a socket beside it");
}

static bool none_runs(struct lg_slice store_path, struct error *error)
{
	return error_set(error, "no gateway runs on the store %.*s", SLICE_ARGS(store_path));
}

bool control_connect(struct lg_slice store_path, int *fd, bool *absent, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int folder, failure;

	if (!control_address(store_path, &folder, address.sun_path, sizeof(address.sun_path),
			     absent, error)) {
		if (*absent)
			none_runs(store_path, error);
		return false;
	}
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	failure = *fd < 0 || connect(*fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno
											    : 0;
	close(folder);
	if (!failure)
		return true;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	*absent = failure == ENOENT || failure == ECONNREFUSED;
	if (*absent)
		return none_runs(store_path, error);
	return error_set(error, "connecting to the running gateway: %s", strerror(failure));
}

/* Waits for `events` until the deadline. */
static bool wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = deadline_ms - clock_monotonic_ms();
		int ready = left > 0 ? poll(&poll_fd, 1, (int)left) : 0;

		if (ready > 0)
			return true;
		if (ready == 0 || errno != EINTR)
			return false;
	}
}

/* After a call that did not go through: whether it may now. */
static bool may_go_on(int fd, short events, int64_t deadline_ms)
{
	return errno == EINTR || (errno == EAGAIN && wait_for(fd, events, deadline_ms));
}

static bool send_all(int fd, struct lg_slice text, int64_t deadline_ms)
{
	while (text.length > 0) {
		ssize_t sent = send(fd, text.data, text.length, MSG_NOSIGNAL);

		if (sent >= 0)
			text = slice_cut(text, (size_t)sent, SIZE_MAX);
		else if (!may_go_on(fd, POLLOUT, deadline_ms))
			return false;
	}
	return true;
}

static bool receive_all(int fd, struct buffer *answer, int64_t deadline_ms)
{
	for (;;) {
		char *room = buffer_room(answer, 4096);
		ssize_t got = room ? recv(fd, room, 4096, 0) : 0;

		if (got == 0)
			return room != NULL;
		if (got > 0)
			buffer_added(answer, (size_t)got);
		else if (!may_go_on(fd, POLLIN, deadline_ms))
			return false;
	}
}

bool control_call(struct lg_slice store_path, const char *request, struct buffer *answer,
		  bool *absent, struct error *error)
{
	return control_call_within(store_path, CONTROL_TIMEOUT_MS, request, answer, absent, error);
}

bool control_call_within(struct lg_slice store_path, int64_t timeout_ms, const char *request,
			 struct buffer *answer, bool *absent, struct error *error)
{
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	bool good;
	int fd;

	*absent = false;
	if (!control_connect(store_path, &fd, absent, error))
		return false;
	good = send_all(fd, slice_from(request), deadline_ms) &&
	       send_all(fd, LG_SLICE("\n"), deadline_ms) && receive_all(fd, answer, deadline_ms);
	close(fd);
	if (!good || buffer_length(answer) == 0)
		return error_set(error, "the running gateway did not answer in time");
	return true;
}
