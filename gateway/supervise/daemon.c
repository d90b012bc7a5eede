#include "supervise/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervise/reload.h"

/* How often a drain looks whether the last connection is gone. */
#define DRAIN_POLL_MS 10
/* Whatever is written holds people: it is for the gateway's own user alone. */
#define UMASK 0077

struct daemon {
	struct gateway gateway;
	const char *config_path;
	struct loop_watch signals;
	struct loop_timer drain_timer;
	int64_t drain_until_ms; /* monotonic */
	bool at_once;		/* no more waiting */
};

/* ---- before anything is opened ------------------------------------------- */

static void print_errors(struct buffer *errors)
{
	fwrite(buffer_slice(errors).data, 1, buffer_length(errors), stderr);
	buffer_clear(errors);
}

/* Every connection is a descriptor; the soft limit of a shell is made for
 * select(2). */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("process.descriptors", LOG_TEXT("reason", strerror(errno)));
}

/* ---- signals ---------------------------------------------------------------- */

static void stop_serving(struct daemon *daemon)
{
	loop_stop(daemon->gateway.loop);
}

static void on_drain_timer(struct loop_timer *timer)
{
	struct daemon *daemon = container_of(timer, struct daemon, drain_timer);
	size_t open = http_server_connections(daemon->gateway.server);

	if (open > 0 && clock_monotonic_ms() < daemon->drain_until_ms && !daemon->at_once &&
	    loop_timer_set(timer, DRAIN_POLL_MS))
		return;
	if (open > 0)
		log_warning("gateway.cut", LOG_INT("connections", (int64_t)open));
	stop_serving(daemon);
}

static void begin_drain(struct daemon *daemon)
{
	struct gateway *gateway = &daemon->gateway;

	log_notice("gateway.draining",
		   LOG_INT("connections", (int64_t)http_server_connections(gateway->server)));
	gateway->draining = true;
	daemon->drain_until_ms = clock_monotonic_ms() + gateway->settings->core.shutdown_ms;
	http_server_drain(gateway->server);
	if (!loop_timer_set(&daemon->drain_timer, 0))
		stop_serving(daemon);
}

static void take_signal(struct daemon *daemon, uint32_t number)
{
	if (number == SIGHUP)
		reload_ask(daemon->gateway.reload, NULL);
	else if (daemon->gateway.draining)
		daemon->at_once = true;
	else
		begin_drain(daemon);
}

static void read_signals(struct daemon *daemon)
{
	struct signalfd_siginfo info;

	while (read(daemon->signals.fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		take_signal(daemon, info.ssi_signo);
}

static void on_signal(struct loop_watch *watch, int events)
{
	(void)events;
	read_signals(container_of(watch, struct daemon, signals));
}

/* Before any thread starts, so that all of them inherit the mask. */
static bool watch_signals(struct daemon *daemon, struct error *error)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error like a full disk */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_set(error, "watching signals: %s", strerror(errno));
	loop_watch_init(&daemon->signals, daemon->gateway.loop, fd, on_signal);
	loop_timer_init(&daemon->drain_timer, daemon->gateway.loop, on_drain_timer);
	if (!loop_watch_set(&daemon->signals, LOOP_READ))
		return error_set(error, "watching signals: not enough memory");
	return true;
}

/* ---- from start to end ---------------------------------------------------------- */

static bool start(struct daemon *daemon, struct error *error)
{
	struct gateway *gateway = &daemon->gateway;

	gateway->loop = loop_new();
	if (!gateway->loop)
		return error_set(error, "making an event loop: not enough memory or descriptors");
	return watch_signals(daemon, error) && gateway_start(gateway, daemon->config_path, error);
}

/* A second signal, or the end of the time, ends the waiting for a lane. */
static bool is_patient(void *arg)
{
	struct daemon *daemon = arg;

	read_signals(daemon);
	return !daemon->at_once && clock_monotonic_ms() < daemon->drain_until_ms;
}

static bool stop(struct daemon *daemon)
{
	struct gateway *gateway = &daemon->gateway;

	gateway->draining = true;
	if (!gateway_stop(gateway, daemon->drain_until_ms, is_patient, daemon))
		return false;
	if (daemon->signals.loop) {
		loop_watch_fini(&daemon->signals);
		loop_timer_fini(&daemon->drain_timer);
		close(daemon->signals.fd);
	}
	if (gateway->loop)
		loop_free(&gateway->loop);
	return true;
}

/* Exit status of a start that failed; the reason goes where it belongs. */
static int report_failure(struct daemon *daemon, const struct error *error)
{
	struct buffer *errors = &daemon->gateway.first->errors;

	if (buffer_length(errors) > 0) {
		print_errors(errors);
		return EXIT_CONFIG;
	}
	log_error("gateway.failed", LOG_TEXT("reason", error->text));
	return EXIT_FAILED;
}

static int serve(struct daemon *daemon)
{
	struct gateway *gateway = &daemon->gateway;
	const struct core_settings *core = &gateway->first->settings->core;
	struct error error = {0};
	int status = EXIT_DONE;
	bool ended;

	log_setup(STDERR_FILENO, (enum log_format)core->log_format, core->log_level);
	raise_descriptor_limit();
	umask(UMASK);
	if (start(daemon, &error)) {
		gateway->started_ms = clock_wall_ms();
		gateway_log(gateway);
		loop_run(gateway->loop);
	} else {
		status = report_failure(daemon, &error);
	}
	ended = stop(daemon);
	if (status == EXIT_DONE)
		log_notice("gateway.stopped");
	if (!ended)
		_exit(status); /* exit would take libraries from under the threads that are left */
	return status;
}

int daemon_run(const char *config_path)
{
	static struct daemon daemon; /* a hanging lane may outlive this function */
	struct buffer errors;
	struct error error = {0};
	int status = EXIT_CONFIG;

	if (!normalize_setup(&error)) {
		fprintf(stderr, "leadgate: %s\n", error.text);
		return EXIT_FAILED;
	}
	buffer_init(&errors, SIZE_MAX);
	daemon.config_path = config_path;
	daemon.gateway.home.fd = -1;
	list_init(&daemon.gateway.generations);
	daemon.gateway.first = generation_load(config_path, &errors);
	if (daemon.gateway.first)
		status = serve(&daemon);
	else
		normalize_teardown();
	print_errors(&errors);
	buffer_fini(&errors);
	return status;
}
