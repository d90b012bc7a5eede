#include "conn/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>

struct inherited {
	int fd;
	char name[INHERITED_NAME_BYTES];
	atomic_bool lent;
};

static struct inherited sockets[INHERITED_MAX];
static size_t socket_count;

static int option_of(int fd, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

static bool is_listener(int fd)
{
	int domain = option_of(fd, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6 || domain == AF_UNIX) &&
	       option_of(fd, SO_TYPE) == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) == 1;
}

/* Accepting must not block; the flag is shared with whoever keeps the socket. */
static bool set_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	       fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

bool inherited_add(int fd, const char *name, struct error *error)
{
	struct inherited *inherited = &sockets[socket_count];

	if (!is_listener(fd))
		return error_set(error,
				 "the socket \"%s\" that the process was started with is no "
				 "listening stream socket",
				 name);
	if (socket_count == INHERITED_MAX)
		return error_set(error, "the process was started with more than %d sockets",
				 INHERITED_MAX);
	if (!set_flags(fd))
		return error_set(error, "the socket \"%s\": %s", name, strerror(errno));
	inherited->fd = fd;
	snprintf(inherited->name, sizeof(inherited->name), "%s", name);
	atomic_store(&inherited->lent, false);
	socket_count++;
	return true;
}

typedef bool fits_fn(const struct bind_address *address, int fd);

static struct inherited *lend(const struct bind_address *address, fits_fn *fits)
{
	bool by_name = address->kind == BIND_SYSTEMD;

	for (size_t i = 0; i < socket_count; i++) {
		struct inherited *inherited = &sockets[i];
		bool does_fit = by_name ? slice_is(address->name, inherited->name)
					: fits(address, inherited->fd);
		if (does_fit && !atomic_exchange(&inherited->lent, true))
			return inherited;
	}
	return NULL;
}

struct inherited *inherited_lend(const struct bind_address *address)
{
	struct inherited *exact = lend(address, bind_address_is_of);

	return exact ? exact : lend(address, bind_address_is_met_by);
}

int inherited_fd(const struct inherited *inherited)
{
	return inherited->fd;
}

void inherited_give_back(struct inherited *inherited)
{
	atomic_store(&inherited->lent, false);
}

const char *inherited_idle(size_t index)
{
	for (size_t i = 0; i < socket_count; i++)
		if (!atomic_load(&sockets[i].lent) && index-- == 0)
			return sockets[i].name;
	return NULL;
}

void inherited_forget(void)
{
	socket_count = 0;
}
