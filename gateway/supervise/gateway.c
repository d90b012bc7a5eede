#include "supervise/gateway.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "outbox/store_files.h"
#include "supervise/admin.h"
#include "supervise/control.h"
#include "supervise/monitor.h"
#include "supervise/reload.h"
#include "supervise/systemd.h"
#include "supervise/watchdog.h"

static bool start_store(struct gateway *gateway, const struct outbox_patience *patience,
			struct error *error)
{
	const struct settings *settings = gateway->settings;

	if (!store_files_prepare(settings->store.path, error))
		return false;
	gateway->outbox = outbox_open_patiently(&settings->store, &settings->dedup, &settings->lead,
						patience, error);
	if (gateway->outbox)
		settings_use_store(settings->store.path);
	return gateway->outbox != NULL;
}

static bool start_errands(struct gateway *gateway, struct error *error)
{
	struct lg_slice path = gateway->settings->store.path;
	struct reader *reader = reader_open(path, error);

	if (!reader)
		return false;
	gateway->keep = keep_open(reader, error);
	reader_close(&reader);
	if (gateway->keep)
		gateway->fetcher = fetcher_start(gateway->outbox, path, error);
	return gateway->fetcher != NULL;
}

static bool make_workers(struct gateway *gateway, struct error *error)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = (size_t)gateway->settings->core.loops;

	if (!mailbox_init(&gateway->home))
		return error_set(error, "no descriptor is left");
	if (count == 0)
		count = cores > 0 ? (size_t)cores : 1;
	gateway->workers = alloc_zalloc(count * sizeof(*gateway->workers));
	gateway->addresses = meter_table_new();
	if (!gateway->workers || !gateway->addresses)
		return error_set(error, "not enough memory");
	for (; gateway->worker_count < count; gateway->worker_count++)
		if (!worker_init(&gateway->workers[gateway->worker_count], &gateway->home, error))
			return false;
	return true;
}

/* Says itself where in the configuration a mistake is. */
static bool open_generation(struct gateway *gateway, struct error *error)
{
	if (!generation_open(gateway->generation, gateway->outbox, gateway->addresses,
			     &gateway->settings->lead, gateway->worker_count, error))
		return false;
	gateway->lanes = gateway->generation->lanes;
	generation_fetch(gateway->generation, gateway->fetcher, gateway->keep, &gateway->home);
	generation_hand_out(gateway->generation, gateway->workers);
	return true;
}

static bool start_access_log(struct gateway *gateway, struct error *error)
{
	const struct access_log_settings *settings = &gateway->settings->access_log;
	int fd;

	gateway->access_log = access_log_new();
	if (!gateway->access_log)
		return error_set(error, "not enough memory or threads for the access log");
	if (!access_log_prepare(settings, &fd, error)) {
		settings_error(gateway->settings, "access_log", error->text);
		return false;
	}
	access_log_change(gateway->access_log, settings, fd);
	return true;
}

static bool listen_for_leads(struct gateway *gateway, struct error *error)
{
	const struct settings *settings = gateway->settings;
	const struct http_service service = {
		.route = worker_route,
		.answered = worker_answered,
		.closed = worker_closed,
		.arg = gateway->access_log,
	};
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

/* What fails by a mistake in the configuration is shown where it stands there. */
static bool start_listeners(struct gateway *gateway, struct error *error)
{
	if (!systemd_take_sockets(error))
		return false;
	if (!listen_for_leads(gateway, error))
		settings_error(gateway->settings, "listen", error->text);
	else if (!admin_open(gateway, error))
		settings_error(gateway->settings, "admin", error->text);
	else
		return true;
	gateway->unhoused = true;
	return false;
}

/* What a start takes although it is hardly what somebody wants. */
static void warn_of_sinks(const struct settings *settings)
{
	if (settings->sink_count == 0)
		log_warning("gateway.no-sinks",
			    LOG_TEXT("reason", "leads are stored and delivered to nobody"));
	for (size_t i = 0; i < settings->sink_count; i++) {
		const struct sink_section *sink = &settings->sinks[i];

		if (settings_start_is_ahead(sink))
			log_warning("sink.start-ahead", LOG_SLICE("sink", sink->instance->name),
				    LOG_SLICE("start", sink->settings.start),
				    LOG_TEXT("reason", "a sink does not wait for its start: what "
						       "comes until then is delivered, too"));
	}
}

static bool start_lanes(struct gateway *gateway, struct error *error)
{
	const struct settings *settings = gateway->settings;

	berths_open(&gateway->berths, gateway->outbox, settings->store.path);
	if (!berths_prepare(&gateway->berths, settings))
		return error_set(error, "not enough memory");
	if (!berths_adopt(&gateway->berths, gateway->generation, error))
		return false;
	for (size_t i = 0; i < settings->sink_count; i++)
		gateway->lanes[i] = berths_lane(&gateway->berths,
						settings->sinks[i].instance->name);
	warn_of_sinks(settings);
	return true;
}

static bool start_workers(struct gateway *gateway, struct error *error)
{
	for (size_t i = 0; i < gateway->worker_count; i++)
		if (!worker_start(&gateway->workers[i], (int)i, error))
			return false;
	return true;
}

/* Listeners come before lanes: a taken port is the commonest mistake, and then
 * nothing should have been delivered yet. Loops run last. */
bool gateway_start(struct gateway *gateway, const char *config_path,
		   const struct outbox_patience *patience, struct error *error)
{
	gateway->generation = generation_ref(gateway->first);
	gateway->settings = gateway->first->settings;
	gateway->first->number = 1;
	list_append(&gateway->generations, &gateway->first->link);
	return start_store(gateway, patience, error) && start_errands(gateway, error) &&
	       make_workers(gateway, error) && reload_open(gateway, config_path, error) &&
	       open_generation(gateway, error) && start_access_log(gateway, error) &&
	       start_listeners(gateway, error) && control_open(gateway, error) &&
	       start_lanes(gateway, error) && monitor_open(gateway, error) &&
	       watchdog_open(gateway, error) && start_workers(gateway, error);
}

void gateway_log_addresses(const struct gateway *gateway)
{
	const struct settings *settings = gateway->settings;

	for (size_t i = 0; i < settings->listen_count; i++)
		log_notice("gateway.listening", LOG_TEXT("for", "leads"),
			   LOG_SLICE("address", settings->listens[i].address),
			   LOG_INT("port", http_server_port(gateway->server, i)));
	if (slice_present(settings->admin.address))
		log_notice("gateway.listening", LOG_TEXT("for", "admin"),
			   LOG_SLICE("address", settings->admin.address),
			   LOG_INT("port", http_server_port(gateway->admin, 0)));
	systemd_log_idle_sockets();
}

void gateway_log(const struct gateway *gateway)
{
	const struct settings *settings = gateway->settings;

	gateway_log_addresses(gateway);
	for (size_t i = 0; i < settings->source_count; i++)
		log_notice("gateway.source", LOG_SLICE("name", settings->sources[i].instance->name),
			   LOG_SLICE("path", settings->sources[i].settings.path));
	for (size_t i = 0; i < settings->sink_count; i++)
		log_notice("gateway.sink", LOG_SLICE("name", settings->sinks[i].instance->name),
			   LOG_SLICE("plugin", settings->sinks[i].settings.plugin));
	log_notice("gateway.ready", LOG_TEXT("version", PACKAGE_VERSION), LOG_INT("pid", getpid()),
		   LOG_SLICE("store", settings->store.path));
}

/* Loops have stopped: what they had of generations is given back for them. */
static void free_generations(struct gateway *gateway)
{
	LIST_EACH_SAFE(link, &gateway->generations)
		generation_recall(container_of(link, struct generation, link));
	generation_unref(&gateway->generation);
	settings_use_store((struct lg_slice){NULL, 0});
	generation_unref(&gateway->first);
}

/* Whoever comes next binds the same addresses as soon as it has the store. */
static void stop_listening(struct gateway *gateway, struct gateway_left *left)
{
	*left = (struct gateway_left){0};
	if (gateway->reload)
		reload_deafen(gateway->reload);
	if (gateway->server) {
		left->connections = http_server_connections(gateway->server);
		left->requests = http_server_busy(gateway->server);
		http_server_deafen(gateway->server);
	}
	if (gateway->admin)
		http_server_deafen(gateway->admin);
}

/* Its plugins do not block, so a moment is enough however little time is left. */
#define ERRANDS_MS_MIN 1000
#define ERRANDS_SLICE_MS 50

/* False: a plugin does not return. */
static bool stop_errands(struct fetcher *fetcher, int64_t until_ms, bool (*patient)(void *arg),
			 void *arg)
{
	const struct source *source;
	int64_t for_ms;

	if (fetcher_stop(fetcher, ERRANDS_MS_MIN))
		return true;
	while (clock_monotonic_ms() < until_ms && patient(arg))
		if (fetcher_stop(fetcher, ERRANDS_SLICE_MS))
			return true;
	source = fetcher_called(fetcher, &for_ms);
	if (source)
		log_warning("source.hangs", LOG_SLICE("source", source->instance->name),
			    LOG_INT("for_ms", for_ms),
			    LOG_TEXT("reason", "its plugin does not return from an errand"));
	return false;
}

/* The writer's letters come until the outbox is closed, so requests and mailboxes
 * outlive it; and what is cut with the connections is still noted. */
bool gateway_stop(struct gateway *gateway, int64_t until_ms, bool (*patient)(void *arg), void *arg,
		  struct gateway_left *left)
{
	bool ended, fetched;

	for (size_t i = 0; i < gateway->worker_count; i++)
		worker_stop(&gateway->workers[i]);
	stop_listening(gateway, left);
	if (gateway->fetcher)
		fetcher_halt(gateway->fetcher);
	ended = !gateway->reload || berths_stop(&gateway->berths, until_ms, patient, arg);
	fetched = !gateway->fetcher || stop_errands(gateway->fetcher, until_ms, patient, arg);
	left->lanes = (ended ? 0 : berths_count(&gateway->berths)) + !fetched;
	ended = ended && fetched;
	if (gateway->control)
		control_close(&gateway->control);
	if (!ended) {
		if (gateway->access_log)
			access_log_stop(gateway->access_log);
		return false;
	}
	if (gateway->outbox)
		outbox_close(&gateway->outbox);
	fetcher_free(&gateway->fetcher);
	keep_close(&gateway->keep);
	monitor_close(&gateway->monitor);
	watchdog_close(&gateway->watchdog);
	if (gateway->admin)
		http_server_close(&gateway->admin);
	if (gateway->server)
		http_server_close(&gateway->server);
	access_log_free(&gateway->access_log);
	for (size_t i = 0; i < gateway->worker_count; i++)
		worker_fini(&gateway->workers[i]);
	alloc_free(gateway->workers);
	meter_table_free(&gateway->addresses);
	if (gateway->reload) {
		berths_fini(&gateway->berths);
		reload_close(&gateway->reload);
	}
	mailbox_fini(&gateway->home);
	free_generations(gateway);
	return true;
}
