#include "supervise/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"
#include "codec/json.h"
#include "supervise/picture.h"

struct control {
	struct gateway *gateway;
	struct loop_watch watch;
	struct list clients;
	size_t client_count;
	int fd, folder;
	char path[108]; /* below /proc/self/fd: valid while `folder` is open */
};

struct client {
	struct list link;
	struct control *control;
	struct loop_watch watch;
	struct loop_timer timer;
	struct buffer in, out;
	bool answering;
};

static void client_free(struct client *client)
{
	list_remove(&client->link);
	client->control->client_count--;
	loop_watch_fini(&client->watch);
	loop_timer_fini(&client->timer);
	close(client->watch.fd);
	buffer_fini(&client->in);
	buffer_fini(&client->out);
	alloc_free(client);
}

static void on_timeout(struct loop_timer *timer)
{
	client_free(container_of(timer, struct client, timer));
}

static void add_error(struct buffer *out, const char *text)
{
	buffer_printf(out, "{\"error\":\"%s\"}\n", text);
}

static void answer_command(const struct gateway *gateway, struct lg_slice command,
			   struct buffer *out)
{
	if (slice_is(command, "status")) {
		picture_status(gateway, out);
	} else if (slice_is(command, "sinks")) {
		for (size_t i = 0; i < gateway->settings->sink_count; i++)
			picture_sink(gateway, i, out);
	} else {
		add_error(out, "unknown command; this gateway knows status and sinks");
	}
}

static void answer_line(const struct gateway *gateway, struct lg_slice line, struct buffer *out)
{
	struct arena arena;
	struct error error;
	const struct json *request;

	arena_init(&arena, 1024, 64 << 10);
	request = json_parse(&arena, line, &error);
	if (request)
		answer_command(gateway, json_member_text(request, "command"), out);
	else
		add_error(out, "the request is no line of JSON");
	arena_fini(&arena);
	if (out->failed) {
		buffer_clear(out);
		add_error(out, "the answer is too long");
	}
}

/* False: the client is gone. */
static bool send_some(struct client *client)
{
	struct lg_slice rest = buffer_slice(&client->out);

	while (rest.length > 0) {
		ssize_t sent = send(client->watch.fd, rest.data, rest.length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			return loop_watch_set(&client->watch, LOOP_WRITE);
		if (sent < 0)
			return false;
		buffer_take(&client->out, (size_t)sent);
		rest = buffer_slice(&client->out);
	}
	return false; /* all is said */
}

/* False: the client is gone. */
static bool read_some(struct client *client)
{
	char *room = buffer_room(&client->in, 512);
	struct lg_slice line;
	ptrdiff_t end;
	ssize_t got;

	if (!room)
		return false;
	do
		got = recv(client->watch.fd, room, 512, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN;
	if (got == 0)
		return false;
	buffer_added(&client->in, (size_t)got);
	line = buffer_slice(&client->in);
	end = slice_find(line, '\n');
	if (end < 0)
		return line.length < CONTROL_REQUEST_BYTES - 512;
	client->answering = true;
	answer_line(client->control->gateway, slice_cut(line, 0, (size_t)end), &client->out);
	return send_some(client);
}

static void on_client(struct loop_watch *watch, int events)
{
	struct client *client = container_of(watch, struct client, watch);

	(void)events;
	if (!(client->answering ? send_some(client) : read_some(client)))
		client_free(client);
}

static bool may_talk(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void client_new(struct control *control, int fd)
{
	struct client *client = alloc_zalloc(sizeof(*client));

	if (!client) {
		close(fd);
		return;
	}
	client->control = control;
	buffer_init(&client->in, CONTROL_REQUEST_BYTES);
	buffer_init(&client->out, CONTROL_ANSWER_BYTES);
	list_append(&control->clients, &client->link);
	control->client_count++;
	loop_watch_init(&client->watch, control->gateway->loop, fd, on_client);
	loop_timer_init(&client->timer, control->gateway->loop, on_timeout);
	if (!loop_timer_set(&client->timer, CONTROL_TIMEOUT_MS) ||
	    !loop_watch_set(&client->watch, LOOP_READ))
		client_free(client);
}

static void on_connection(struct loop_watch *watch, int events)
{
	struct control *control = container_of(watch, struct control, watch);
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	if (control->client_count >= CONTROL_CLIENTS || !may_talk(fd)) {
		log_notice("control.refused",
			   LOG_TEXT("reason", control->client_count >= CONTROL_CLIENTS
						      ? "too-many"
						      : "another-user"));
		close(fd);
		return;
	}
	client_new(control, fd);
}

/* The mode is set before anybody can connect: until listen(2) a connection is
 * refused whatever the mode. */
static bool listen_at(struct control *control, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, control->path, sizeof(control->path));
	if (unlink(control->path) < 0 && errno != ENOENT)
		return error_set(error, "removing what is left of an old one: %s", strerror(errno));
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->fd < 0)
		return error_set(error, "%s", strerror(errno));
	if (bind(control->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(control->path, 0600) < 0 || listen(control->fd, CONTROL_CLIENTS) < 0)
		return error_set(error, "%s", strerror(errno));
	return true;
}

bool control_open(struct gateway *gateway, struct error *error)
{
	struct control *control = alloc_zalloc(sizeof(*control));

	if (!control)
		return error_set(error, "control socket: not enough memory");
	control->gateway = gateway;
	control->fd = control->folder = -1;
	list_init(&control->clients);
	gateway->control = control;
	if (!control_address(gateway->settings->store.path, &control->folder, control->path,
			     sizeof(control->path), error) ||
	    !listen_at(control, error)) {
		control_close(&gateway->control);
		return error_prefix(error, "control socket: ");
	}
	loop_watch_init(&control->watch, gateway->loop, control->fd, on_connection);
	if (loop_watch_set(&control->watch, LOOP_READ))
		return true;
	control_close(&gateway->control);
	return error_set(error, "control socket: not enough memory");
}

void control_close(struct control **control)
{
	struct control *c = *control;

	*control = NULL;
	if (!c)
		return;
	LIST_EACH_SAFE(link, &c->clients)
		client_free(container_of(link, struct client, link));
	if (c->watch.loop)
		loop_watch_fini(&c->watch);
	if (c->fd >= 0) {
		unlink(c->path);
		close(c->fd);
	}
	if (c->folder >= 0)
		close(c->folder);
	alloc_free(c);
}
