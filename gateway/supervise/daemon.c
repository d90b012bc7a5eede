#include "supervise/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "supervise/admin.h"
#include "supervise/control.h"

/* How often a drain looks whether the last connection is gone. */
#define DRAIN_POLL_MS 10
/* Whatever is written holds people: it is for the gateway's own user alone. */
#define UMASK 0077
/* A lane's end is awaited in slices, so that a second signal is heard. */
#define JOIN_SLICE_MS 50

struct daemon {
	struct gateway gateway;
	struct buffer errors; /* of the configuration */
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

/* Makes the folders above the store's file that are not there. */
static bool make_folders(struct lg_slice path, struct error *error)
{
	char folder[4096];

	if (path.length >= sizeof(folder))
		return error_set(error, "store.path is longer than %zu bytes", sizeof(folder) - 1);
	slice_to_text(path, folder, sizeof(folder));
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(folder, 0750) < 0 && errno != EEXIST)
			return error_set(error, "making the folder %s: %s", folder,
					 strerror(errno));
		*slash = '/';
	}
	return true;
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
	if (number == SIGHUP) {
		log_warning("gateway.reload", LOG_TEXT("reason", "this version does not reload; "
								 "restart to take a new "
								 "configuration"));
		return;
	}
	if (daemon->gateway.draining)
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

/* ---- start ------------------------------------------------------------------ */

static bool start_store(struct gateway *gateway, struct error *error)
{
	const struct settings *settings = gateway->settings;

	if (!make_folders(settings->store.path, error))
		return false;
	gateway->outbox = outbox_open(&settings->store, &settings->dedup, &settings->lead, error);
	return gateway->outbox != NULL;
}

static bool start_sources(struct gateway *gateway, struct error *error)
{
	struct settings *settings = gateway->settings;

	for (size_t i = 0; i < settings->source_count; i++) {
		source_register(&settings->sources[i]);
		if (!instance_open(settings->sources[i].instance, error))
			return false;
	}
	gateway->ingest = (struct ingest){
		.outbox = gateway->outbox,
		.limits = &settings->lead,
		.sources = settings->sources,
		.source_count = settings->source_count,
		.slow_us = settings->core.slow_ms * 1000,
	};
	return true;
}

static bool start_lanes(struct gateway *gateway, struct error *error)
{
	struct settings *settings = gateway->settings;

	gateway->lanes = alloc_zalloc((settings->sink_count + 1) * sizeof(struct lane *));
	if (!gateway->lanes)
		return error_set(error, "not enough memory");
	for (size_t i = 0; i < settings->sink_count; i++) {
		struct sink_section *sink = &settings->sinks[i];

		gateway->lanes[i] = lane_start(sink->instance, &sink->settings, gateway->outbox,
					       settings->store.path, error);
		if (!gateway->lanes[i])
			return error_prefix(error, "sink %.*s: ", SLICE_ARGS(sink->instance->name));
	}
	if (settings->sink_count == 0)
		log_warning("gateway.no-sinks",
			    LOG_TEXT("reason", "leads are stored and delivered to nobody"));
	return true;
}

static bool make_workers(struct gateway *gateway, struct error *error)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = (size_t)gateway->settings->core.loops;

	if (count == 0)
		count = cores > 0 ? (size_t)cores : 1;
	gateway->workers = alloc_zalloc(count * sizeof(*gateway->workers));
	if (!gateway->workers)
		return error_set(error, "not enough memory");
	for (; gateway->worker_count < count; gateway->worker_count++)
		if (!worker_init(&gateway->workers[gateway->worker_count], error))
			return false;
	return true;
}

static bool listen_for_leads(struct gateway *gateway, struct error *error)
{
	const struct settings *settings = gateway->settings;
	const struct http_service service = {.route = worker_route, .arg = &gateway->ingest};
	struct loop **loops = alloc_zalloc(gateway->worker_count * sizeof(struct loop *));

	if (!loops)
		return error_set(error, "not enough memory");
	for (size_t i = 0; i < gateway->worker_count; i++)
		loops[i] = gateway->workers[i].loop;
	gateway->server = http_server_open(loops, gateway->worker_count, settings->listens,
					   settings->listen_count, &settings->http, &service,
					   error);
	alloc_free(loops);
	return gateway->server != NULL;
}

static bool start_workers(struct gateway *gateway, struct error *error)
{
	for (size_t i = 0; i < gateway->worker_count; i++)
		if (!worker_start(&gateway->workers[i], (int)i, error))
			return false;
	return true;
}

/* What fails by a mistake in the configuration is shown where it stands there. */
static bool start_configured(struct daemon *daemon, struct error *error)
{
	const struct {
		const char *section;
		bool (*start)(struct gateway *gateway, struct error *error);
	} parts[] = {
		{"sources", start_sources},
		{"listen", listen_for_leads},
		{"admin", admin_open},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].start(&daemon->gateway, error))
			continue;
		settings_error(daemon->gateway.settings, parts[i].section, error->text);
		return false;
	}
	return true;
}

/* Listeners come before lanes: a taken port is the commonest mistake, and then
 * nothing should have been delivered yet. Loops run last. */
static bool start(struct daemon *daemon, struct error *error)
{
	struct gateway *gateway = &daemon->gateway;

	gateway->loop = loop_new();
	if (!gateway->loop)
		return error_set(error, "making an event loop: not enough memory or descriptors");
	return watch_signals(daemon, error) && start_store(gateway, error) &&
	       make_workers(gateway, error) && start_configured(daemon, error) &&
	       control_open(gateway, error) && start_lanes(gateway, error) &&
	       start_workers(gateway, error);
}

static void log_listeners(const struct gateway *gateway)
{
	const struct settings *settings = gateway->settings;

	for (size_t i = 0; i < settings->listen_count; i++)
		log_notice("gateway.listening", LOG_TEXT("for", "leads"),
			   LOG_SLICE("address", settings->listens[i].address),
			   LOG_INT("port", http_server_port(gateway->server, i)));
	if (gateway->admin)
		log_notice("gateway.listening", LOG_TEXT("for", "admin"),
			   LOG_SLICE("address", settings->admin.address),
			   LOG_INT("port", http_server_port(gateway->admin, 0)));
	for (size_t i = 0; i < settings->source_count; i++)
		log_notice("gateway.source", LOG_SLICE("name", settings->sources[i].instance->name),
			   LOG_SLICE("path", settings->sources[i].settings.path));
	for (size_t i = 0; i < settings->sink_count; i++)
		log_notice("gateway.sink", LOG_SLICE("name", settings->sinks[i].instance->name),
			   LOG_SLICE("plugin", settings->sinks[i].settings.plugin));
	log_notice("gateway.ready", LOG_TEXT("version", PACKAGE_VERSION), LOG_INT("pid", getpid()),
		   LOG_SLICE("store", settings->store.path));
}

/* ---- stop ------------------------------------------------------------------- */

/* False: the lane hangs in its plugin. */
static bool join_lane(struct daemon *daemon, struct lane **lane)
{
	for (;;) {
		if (lane_join(lane, JOIN_SLICE_MS))
			return true;
		read_signals(daemon);
		if (daemon->at_once || clock_monotonic_ms() >= daemon->drain_until_ms)
			return false;
	}
}

/* True when every lane has ended, so that what they use may be freed. */
static bool stop_lanes(struct daemon *daemon)
{
	struct gateway *gateway = &daemon->gateway;
	bool ended = true;

	if (!gateway->lanes)
		return true;
	for (size_t i = 0; i < gateway->settings->sink_count; i++)
		if (gateway->lanes[i])
			lane_stop(gateway->lanes[i]);
	for (size_t i = 0; i < gateway->settings->sink_count; i++) {
		if (!gateway->lanes[i] || join_lane(daemon, &gateway->lanes[i]))
			continue;
		log_warning("sink.hangs",
			    LOG_SLICE("sink", gateway->settings->sinks[i].instance->name));
		ended = false;
	}
	return ended;
}

/* In the opposite order. False when a hanging lane still uses the settings. The
 * writer's letters come until the outbox is closed, so requests and mailboxes
 * outlive it. */
static bool stop(struct daemon *daemon)
{
	struct gateway *gateway = &daemon->gateway;
	bool ended;

	for (size_t i = 0; i < gateway->worker_count; i++)
		worker_stop(&gateway->workers[i]);
	ended = stop_lanes(daemon);
	if (gateway->control)
		control_close(&gateway->control);
	if (!ended)
		return false; /* all that was acknowledged is on disk; the process ends */
	if (gateway->outbox)
		outbox_close(&gateway->outbox);
	if (gateway->admin)
		http_server_close(&gateway->admin);
	if (gateway->server)
		http_server_close(&gateway->server);
	for (size_t i = 0; i < gateway->worker_count; i++)
		worker_fini(&gateway->workers[i]);
	for (size_t i = 0; i < gateway->settings->source_count; i++)
		instance_close(gateway->settings->sources[i].instance);
	alloc_free(gateway->workers);
	alloc_free(gateway->lanes);
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
	if (buffer_length(&daemon->errors) > 0) {
		print_errors(&daemon->errors);
		return EXIT_CONFIG;
	}
	log_error("gateway.failed", LOG_TEXT("reason", error->text));
	return EXIT_FAILED;
}

static int serve(struct daemon *daemon)
{
	struct gateway *gateway = &daemon->gateway;
	struct error error = {0};
	int status = EXIT_DONE;
	bool ended;

	log_setup(STDERR_FILENO, (enum log_format)gateway->settings->core.log_format,
		  gateway->settings->core.log_level);
	raise_descriptor_limit();
	umask(UMASK);
	if (start(daemon, &error)) {
		gateway->started_ms = clock_wall_ms();
		gateway->generation = 1;
		log_listeners(gateway);
		loop_run(gateway->loop);
	} else {
		status = report_failure(daemon, &error);
	}
	ended = stop(daemon);
	if (status == EXIT_DONE)
		log_notice("gateway.stopped");
	if (!ended)
		_exit(status); /* exit would take libraries from under the threads that are left */
	settings_free(&gateway->settings);
	return status;
}

int daemon_run(const char *config_path)
{
	static struct daemon daemon; /* a hanging lane may outlive this function */
	struct error error = {0};
	int status;

	if (!normalize_setup(&error)) {
		fprintf(stderr, "leadgate: %s\n", error.text);
		return EXIT_FAILED;
	}
	buffer_init(&daemon.errors, SIZE_MAX);
	daemon.gateway.settings = settings_load(config_path, &daemon.errors);
	status = daemon.gateway.settings ? serve(&daemon) : EXIT_CONFIG;
	print_errors(&daemon.errors);
	if (!daemon.gateway.settings) {
		buffer_fini(&daemon.errors);
		normalize_teardown();
	}
	return status;
}
