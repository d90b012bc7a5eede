#include "supervise/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervise/descriptors.h"
#include "supervise/notify.h"
#include "supervise/reload.h"

/* How often a drain looks whether the last connection is gone. */
#define DRAIN_POLL_MS 10
/* How often a long start tells the service manager to wait, and how long. */
#define EXTEND_EVERY_MS 1000
#define EXTEND_MS 15000
/* Whatever is written holds people: it is for the gateway's own user alone. */
#define UMASK 0077

struct daemon {
	struct gateway gateway;
	const char *config_path;
	struct loop_watch signals;
	struct loop_timer drain_timer;
	int64_t drain_until_ms; /* monotonic */
	bool serving;		/* the start is over */
	bool reload_asked;	/* before that */
	int64_t extended_ms;	/* monotonic: when the service manager was told to wait */
	bool deaf;		/* accepts no connection any more */
	bool at_once;		/* no more waiting */
	struct gateway_left left;
};

/* ---- before anything is opened ------------------------------------------- */

static void print_errors(struct buffer *errors)
{
	fwrite(buffer_slice(errors).data, 1, buffer_length(errors), stderr);
	buffer_clear(errors);
}

/* ---- signals ---------------------------------------------------------------- */

static void stop_serving(struct daemon *daemon)
{
	loop_stop(daemon->gateway.loop);
}

static void on_drain_timer(struct loop_timer *timer)
{
	struct daemon *daemon = container_of(timer, struct daemon, drain_timer);
	struct http_server *server = daemon->gateway.server;
	size_t open;

	if (!daemon->deaf) {
		daemon->deaf = true;
		http_server_drain(server);
	}
	if (!http_server_is_drained(server) && clock_monotonic_ms() < daemon->drain_until_ms &&
	    !daemon->at_once && loop_timer_set(timer, DRAIN_POLL_MS))
		return;
	open = http_server_connections(server);
	if (open > 0)
		log_warning("gateway.cut", LOG_INT("connections", (int64_t)open));
	stop_serving(daemon);
}

/* Readiness falls at once; connections are accepted for core.stop_delay yet. */
static void begin_drain(struct daemon *daemon)
{
	struct gateway *gateway = &daemon->gateway;
	const struct core_settings *core = &gateway->settings->core;

	log_notice("gateway.draining",
		   LOG_INT("connections", (int64_t)http_server_connections(gateway->server)));
	gateway->draining = true;
	daemon->drain_until_ms = clock_monotonic_ms() + core->shutdown_ms;
	notify_stopping(core->shutdown_ms);
	if (!loop_timer_set(&daemon->drain_timer, core->stop_delay_ms))
		stop_serving(daemon);
}

/* A delay or a grace that is being waited for ends with it. */
static void hurry(struct daemon *daemon)
{
	daemon->at_once = true;
	loop_timer_set(&daemon->drain_timer, 0);
}

/* While the store is being opened: a stop gives the start up, a reload waits. */
static void take_early_signal(struct daemon *daemon, uint32_t number)
{
	if (number == SIGHUP)
		daemon->reload_asked = true;
	else
		daemon->at_once = true;
}

static void take_signal(struct daemon *daemon, uint32_t number)
{
	if (!daemon->serving)
		take_early_signal(daemon, number);
	else if (number == SIGHUP)
		reload_ask(daemon->gateway.reload, NULL);
	else if (daemon->gateway.draining)
		hurry(daemon);
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

/* Between the steps of opening the store, which may take long. */
static bool goes_on(void *arg, enum outbox_stage stage)
{
	struct daemon *daemon = arg;
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms - daemon->extended_ms >= EXTEND_EVERY_MS) {
		daemon->extended_ms = now_ms;
		notify_extend(EXTEND_MS);
		notify_status(stage == OUTBOX_WAITS ? "waiting for another gateway to leave the "
						      "store"
						    : "reading the index of the store");
	}
	read_signals(daemon);
	return !daemon->at_once;
}

static bool start(struct daemon *daemon, struct error *error)
{
	const struct outbox_patience patience = {goes_on, daemon};
	struct gateway *gateway = &daemon->gateway;

	gateway->loop = loop_new();
	if (!gateway->loop)
		return error_set(error, "making an event loop: not enough memory or descriptors");
	return watch_signals(daemon, error) &&
	       gateway_start(gateway, daemon->config_path, &patience, error);
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
	if (!gateway_stop(gateway, daemon->drain_until_ms, is_patient, daemon, &daemon->left))
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

	if (daemon->at_once)
		return EXIT_DONE; /* somebody wanted it to end */
	if (buffer_length(errors) > 0) {
		print_errors(errors);
		return daemon->gateway.unhoused ? EXIT_FAILED : EXIT_CONFIG;
	}
	log_error("gateway.failed", LOG_TEXT("reason", error->text));
	return EXIT_FAILED;
}

/* What was left undone harms no lead that was acknowledged: it is on disk. */
static void report_stop(const struct gateway_left *left)
{
	log_notice("gateway.stopped", LOG_INT("connections_cut", (int64_t)left->connections),
		   LOG_INT("requests_cut", (int64_t)left->requests),
		   LOG_INT("lanes_left", (int64_t)left->lanes));
}

static void run(struct daemon *daemon)
{
	daemon->serving = true;
	notify_ready();
	if (daemon->reload_asked)
		reload_ask(daemon->gateway.reload, NULL);
	loop_run(daemon->gateway.loop);
}

static int serve(struct daemon *daemon)
{
	struct gateway *gateway = &daemon->gateway;
	const struct core_settings *core = &gateway->first->settings->core;
	struct error error = {0};
	int status = EXIT_DONE;
	bool ended;

	log_setup(STDERR_FILENO, (enum log_format)core->log_format, core->log_level);
	descriptors_raise();
	descriptors_check(gateway->first->settings);
	umask(UMASK);
	if (start(daemon, &error)) {
		gateway->started_ms = clock_wall_ms();
		gateway_log(gateway);
		run(daemon);
	} else {
		status = report_failure(daemon, &error);
	}
	ended = stop(daemon);
	if (status == EXIT_DONE)
		report_stop(&daemon->left);
	if (!ended)
		_exit(status); /* exit would take libraries from under the threads that are left */
	return status;
}

/* Before there is anything to reload somebody may ask for it: left alone the
 * signal would end the process. The others may, until they are watched. */
static void keep_reloads(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int daemon_run(const char *config_path)
{
	static struct daemon daemon; /* a hanging lane may outlive this function */
	struct buffer errors;
	struct error error = {0};
	int status = EXIT_CONFIG;

	keep_reloads();
	if (!normalize_setup(&error)) {
		fprintf(stderr, "leadgate: %s\n", error.text);
		return EXIT_FAILED;
	}
	buffer_init(&errors, SIZE_MAX);
	daemon.config_path = config_path;
	daemon.gateway.home.fd = -1;
	list_init(&daemon.gateway.generations);
	daemon.gateway.first = generation_load(config_path, settings_load, &errors);
	if (daemon.gateway.first)
		status = serve(&daemon);
	else
		normalize_teardown();
	print_errors(&errors);
	buffer_fini(&errors);
	return status;
}
