#include "supervise/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "supervise/control_client.h"

struct control {
	struct control_clients clients;
	struct loop_watch watch;
	int fd, folder;
	char path[108]; /* below /proc/self/fd: valid while `folder` is open */
};

static bool may_talk(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void on_connection(struct loop_watch *watch, int events)
{
	struct control *control = container_of(watch, struct control, watch);
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	if (control->clients.count >= CONTROL_CLIENTS || !may_talk(fd)) {
		log_notice("control.refused",
			   LOG_TEXT("reason", control->clients.count >= CONTROL_CLIENTS
						      ? "too-many"
						      : "another-user"));
		close(fd);
		return;
	}
	control_clients_add(&control->clients, fd);
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
	bool absent;

	if (!control)
		return error_set(error, "control socket: not enough memory");
	control->fd = control->folder = -1;
	gateway->control = control;
	if (!control_clients_init(&control->clients, gateway)) {
		control_close(&gateway->control);
		return error_set(error, "control socket: not enough memory or descriptors");
	}
	if (!control_address(gateway->settings->store.path, &control->folder, control->path,
			     sizeof(control->path), &absent, error) ||
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
	control_clients_fini(&c->clients);
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
