#include "conn/listener.h"

#include "base/clock.h"
#include "base/counter.h"
#include "base/list.h"
#include "base/log.h"
#include "conn/listen_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* So many in one go, then the other connections of the loop have their turn. */
#define ACCEPT_BATCH 64
#define RETRY_MS 25
#define LOOK_MS 1000
/* A queue that is filled while it is emptied is not emptied for ever. */
#define EMPTY_MOST 4096

static int pauses, paused;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void register_counters(void)
{
	pauses = counter_register(COUNTER_COUNTER, "leadgate_accept_pauses_total", "",
				  "Times that a listener stopped accepting for want of "
				  "descriptors or memory");
	paused = counter_register(COUNTER_GAUGE, "leadgate_accept_paused", "",
				  "Listeners that accept nothing for want of descriptors or "
				  "memory");
}

/* No descriptor, no memory: the queue keeps them while we wait for some to be
 * closed. A level-triggered watch would spin. */
static void pause_accepting(struct listener *listener, const char *why)
{
	if (listener->paused_ms == 0) {
		log_warning("listener.paused", LOG_TEXT("why", why),
			    LOG_INT("port", listener_port(listener)));
		counter_inc(pauses);
		counter_inc(paused);
		listener->paused_ms = clock_monotonic_ms();
	}
	if (loop_timer_set(&listener->retry, RETRY_MS))
		loop_watch_set(&listener->watch, 0);
	if (listener->starving)
		listener->starving(listener);
}

/* The episode is over. */
static void note_resumed(struct listener *listener)
{
	if (listener->paused_ms == 0)
		return;
	log_notice("listener.resumed", LOG_INT("port", listener_port(listener)),
		   LOG_INT("paused_for_ms", clock_monotonic_ms() - listener->paused_ms));
	counter_add(paused, -1);
	listener->paused_ms = 0;
}

/* Whether a descriptor that is free now would be for a connection. */
static bool has_descriptor(const struct listener *listener)
{
	int fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && fd < listener->ceiling;
}

/* False: the peer's family is none that we listen on. */
static bool hand_out(struct listener *listener, int fd, const struct sockaddr_storage *socket)
{
	struct address peer;

	if (socket->ss_family == AF_UNIX)
		listener->accepted(listener, fd, NULL);
	else if (address_from_socket((const struct sockaddr *)socket, &peer))
		listener->accepted(listener, fd, &peer);
	else
		return false;
	return true;
}

static bool is_shortage(int code)
{
	return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

/* What waits in the queue; a shortage is over when nothing does any more, which is
 * asked for again after a batch that may have been the last. */
static void accept_some(struct listener *listener, int most)
{
	for (int i = 0; i < most && listener->fd >= 0; i++) {
		struct sockaddr_storage socket = {.ss_family = AF_UNSPEC};
		socklen_t length = sizeof(socket);
		int fd = accept4(listener->fd, (struct sockaddr *)&socket, &length,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0 && !hand_out(listener, fd, &socket))
			close(fd);
		if (listener->fd < 0) /* whom it was handed to has closed it */
			return;
		if (fd >= listener->ceiling)
			return pause_accepting(listener,
					       "the descriptors that are left are reserved");
		if (fd >= 0 || errno == EINTR || errno == ECONNABORTED)
			continue;
		if (is_shortage(errno))
			return pause_accepting(listener, strerror(errno));
		/* EAGAIN, or the trouble of one peer (accept(2)): asked again. */
		if (errno == EAGAIN)
			note_resumed(listener);
		return;
	}
	if (listener->paused_ms > 0)
		loop_timer_set(&listener->retry, RETRY_MS);
}

static void on_retry(struct loop_timer *timer)
{
	struct listener *listener = container_of(timer, struct listener, retry);

	if (!has_descriptor(listener))
		pause_accepting(listener, NULL);
	else if (!loop_watch_set(&listener->watch, LOOP_READ))
		loop_timer_set(timer, RETRY_MS);
	else
		accept_some(listener, ACCEPT_BATCH);
}

static void on_ready(struct loop_watch *watch, int events)
{
	(void)events;
	accept_some(container_of(watch, struct listener, watch), ACCEPT_BATCH);
}

/* ---- a unix socket's file ------------------------------------------------------- */

/* Another socket at the same path takes the place of the one that nobody finds. */
static bool open_again(struct listener *listener, struct error *error)
{
	struct loop *loop = listener->watch.loop;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_set(error, "%s", strerror(errno));
	if (!socket_file_bind_again(listener->file, fd, error) ||
	    (listen(fd, listener->backlog) != 0 && !error_set(error, "%s", strerror(errno)))) {
		close(fd);
		return false;
	}
	accept_some(listener, EMPTY_MOST);
	if (listener->fd < 0) { /* whom it hands them to has closed it */
		close(fd);
		return false;
	}
	loop_watch_fini(&listener->watch);
	close(listener->fd);
	listener->fd = fd;
	loop_watch_init(&listener->watch, loop, fd, on_ready);
	return loop_watch_set(&listener->watch, LOOP_READ) || error_set(error, "no memory");
}

static void on_look(struct loop_timer *timer)
{
	struct listener *listener = container_of(timer, struct listener, look);
	struct error error = {""};

	if (!socket_file_is_there(listener->file)) {
		bool again = open_again(listener, &error);
		if (listener->fd < 0)
			return;
		if (again)
			log_warning("listener.made-again",
				    LOG_TEXT("path", socket_file_path(listener->file)),
				    LOG_TEXT("why", "somebody has removed its file"));
		else if (!listener->lost)
			log_error("listener.lost",
				  LOG_TEXT("path", socket_file_path(listener->file)),
				  LOG_TEXT("reason", error.text));
		listener->lost = !again;
	}
	loop_timer_set(timer, LOOK_MS);
}

/* What a started listener waits for. */
static void init_watches(struct listener *listener, struct loop *loop)
{
	loop_watch_init(&listener->watch, loop, listener->fd, on_ready);
	loop_timer_init(&listener->retry, loop, on_retry);
	loop_timer_init(&listener->look, loop, on_look);
}

static void fini_watches(struct listener *listener)
{
	loop_watch_fini(&listener->watch);
	loop_timer_fini(&listener->retry);
	loop_timer_fini(&listener->look);
}

/* ---- opening -------------------------------------------------------------------- */

/* A socket of our own; the listener closes it when this fails. */
static bool open_own(struct listener *listener, struct bind_address *address, struct lg_slice text,
		     int backlog, const struct socket_access *access, struct error *error)
{
	listener->fd = listen_socket_new(address, text, error);
	if (listener->fd < 0)
		return false;
	if (address->kind == BIND_UNIX) {
		listener->file = socket_file_bind(listener->fd, address->name, access, error);
		if (!listener->file)
			return false;
	} else if (!listen_socket_bind(listener->fd, address, text, error)) {
		return false;
	}
	return listen_socket_listen(listener->fd, backlog, text, error);
}

/* One that the process was started with; how many may wait in its queue was
 * said by whoever made it. */
static void open_inherited(struct listener *listener, struct inherited *inherited)
{
	listener->inherited = inherited;
	listener->fd = inherited_fd(inherited);
	listen_socket_tune(listener->fd); /* of a unix socket there is nothing to set */
}

bool listener_open(struct listener *listener, struct loop *loop, struct lg_slice text, int backlog,
		   const struct socket_access *access, struct error *error)
{
	struct bind_address address;
	struct inherited *inherited;

	pthread_once(&once, register_counters);
	*listener = (struct listener){.fd = -1, .ceiling = INT_MAX};
	if (!bind_address_parse(text, &address, error))
		return false;
	inherited = inherited_lend(&address);
	if (inherited) {
		open_inherited(listener, inherited);
	} else if (address.kind == BIND_SYSTEMD) {
		return error_set(error,
				 "cannot listen on %.*s: the process was started with no such "
				 "socket, or another entry has it",
				 SLICE_ARGS(text));
	} else if (!open_own(listener, &address, text, backlog, access, error)) {
		listener_close(listener);
		return false;
	}
	listener->backlog = backlog;
	init_watches(listener, loop);
	return true;
}

bool listener_start(struct listener *listener,
		    void (*accepted)(struct listener *listener, int fd, const struct address *peer),
		    void *context)
{
	listener->accepted = accepted;
	listener->context = context;
	listener->started = true;
	return loop_watch_set(&listener->watch, LOOP_READ) &&
	       (!listener->file || loop_timer_set(&listener->look, LOOK_MS));
}

bool listener_adopt(struct listener *listener, struct listener *from, int backlog,
		    const struct socket_access *access,
		    void (*accepted)(struct listener *listener, int fd, const struct address *peer),
		    void *context)
{
	struct loop *loop = from->watch.loop;
	struct error error;

	fini_watches(from);
	note_resumed(from);
	*listener = (struct listener){
		.fd = from->fd,
		.file = from->file,
		.inherited = from->inherited,
		.ceiling = from->ceiling,
		.lost = from->lost,
		.backlog = backlog,
	};
	from->fd = -1;
	from->file = NULL;
	from->inherited = NULL;
	init_watches(listener, loop);
	if (!listener->inherited)
		listen(listener->fd, backlog);
	if (listener->file && !socket_file_set_access(listener->file, access, &error))
		log_error("listener.access", LOG_TEXT("reason", error.text));
	return listener_start(listener, accepted, context);
}

void listener_reserve(struct listener *listener, int64_t count)
{
	struct rlimit limit;
	int64_t most;

	listener->ceiling = INT_MAX;
	if (count == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX)
		return;
	most = (int64_t)limit.rlim_cur;
	listener->ceiling = (int)(count < most / 2 ? most - count : most - most / 2);
}

/* What waits for an inherited socket is for whoever has it next. */
void listener_empty(struct listener *listener)
{
	if (listener->started && !listener->inherited)
		accept_some(listener, EMPTY_MOST);
}

void listener_close(struct listener *listener)
{
	if (listener->fd < 0)
		return;
	note_resumed(listener);
	if (listener->started)
		fini_watches(listener);
	if (listener->inherited)
		inherited_give_back(listener->inherited);
	else
		close(listener->fd);
	socket_file_remove(&listener->file);
	listener->inherited = NULL;
	listener->fd = -1;
}

int listener_port(const struct listener *listener)
{
	return listener->fd < 0 ? 0 : listen_socket_port(listener->fd);
}
