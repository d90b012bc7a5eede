#include "supervise/control_client.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "supervise/control.h"
#include "supervise/errand.h"
#include "supervise/imports.h"
#include "supervise/picture.h"
#include "supervise/reload.h"
#include "supervise/rights.h"

/* Of a request that was read: many short texts. */
#define REQUEST_MEMORY (CONTROL_REQUEST_BYTES * 16)

struct client {
	struct list link;
	struct control_clients *all;
	struct loop_watch watch;
	struct loop_timer timer;
	struct buffer in, out;
	struct reload_ticket ticket;
	struct errand_ticket errand;
	struct import_ticket import;
	int files[RIGHTS_MAX]; /* came with the request */
	size_t file_count;
	enum {
		CLIENT_ASKS,
		CLIENT_WAITS,
		CLIENT_FOLLOWS, /* hears lines while its import goes on */
		CLIENT_HEARS
	} state;
	bool ticket_is_out; /* its answer is still to come */
	bool hung_up;	    /* one that follows has closed its side */
};

/* Commands are carried out at once, or begun: then the client waits. */
struct command {
	const char *name;
	void (*run)(struct client *client, const struct json *request);
};

static void client_free(struct client *client)
{
	list_remove(&client->link);
	reload_forget(&client->ticket);
	errand_forget(&client->errand);
	import_forget(&client->import);
	for (size_t i = 0; i < client->file_count; i++)
		close(client->files[i]);
	client->all->count--;
	loop_watch_fini(&client->watch);
	loop_timer_fini(&client->timer);
	close(client->watch.fd);
	buffer_fini(&client->in);
	buffer_fini(&client->out);
	alloc_free(client);
}

static void add_error(struct buffer *out, const char *text)
{
	buffer_printf(out, "{\"error\":\"%s\"}\n", text);
}

/* Sends what the socket takes. False: the client is gone. */
static bool send_what_goes(struct client *client)
{
	struct lg_slice rest = buffer_slice(&client->out);

	while (rest.length > 0) {
		ssize_t sent = send(client->watch.fd, rest.data, rest.length, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return errno == EAGAIN;
		if (sent > 0)
			buffer_take(&client->out, (size_t)sent);
		rest = buffer_slice(&client->out);
	}
	return true;
}

/* False: the client is gone, or all is said. */
static bool send_some(struct client *client)
{
	return send_what_goes(client) && buffer_length(&client->out) > 0 &&
	       loop_watch_set(&client->watch, LOOP_WRITE);
}

/* One who follows may also hang up, which is heard once. */
static bool follow_on(struct client *client)
{
	int events = client->hung_up ? 0 : LOOP_READ;

	if (!send_what_goes(client))
		return false;
	if (buffer_length(&client->out) > 0)
		events |= LOOP_WRITE;
	return loop_watch_set(&client->watch, events);
}

/* ---- commands ----------------------------------------------------------------- */

static void show_status(struct client *client, const struct json *request)
{
	(void)request;
	picture_status(client->all->gateway, &client->out);
}

static void show_sinks(struct client *client, const struct json *request)
{
	const struct gateway *gateway = client->all->gateway;

	(void)request;
	for (size_t i = 0; i < gateway->settings->sink_count; i++)
		picture_sink(gateway, i, &client->out);
}

static void hear(struct client *client)
{
	client->state = CLIENT_HEARS;
	if (!send_some(client))
		client_free(client);
}

/* From within a command that could be carried out at once, or later. */
static void on_ticket(struct reload_ticket *ticket)
{
	struct client *client = container_of(ticket, struct client, ticket);

	client->ticket_is_out = false;
	if (client->state == CLIENT_WAITS)
		hear(client);
}

/* The answer comes by on_ticket, within `limit_ms`. */
static void take_ticket(struct client *client, int64_t limit_ms)
{
	client->ticket_is_out = true;
	client->ticket.answer = &client->out;
	client->ticket.done = on_ticket;
	loop_timer_set(&client->timer, limit_ms);
}

static void reload_gateway(struct client *client, const struct json *request)
{
	(void)request;
	take_ticket(client, CONTROL_RELOAD_MS);
	reload_ask(client->all->gateway->reload, &client->ticket);
}

static void await_drain(struct client *client, const struct json *request)
{
	const struct gateway *gateway = client->all->gateway;

	(void)request;
	take_ticket(client, gateway->settings->core.shutdown_ms);
	client->ticket.generation = gateway->generation->number;
	reload_await_drain(gateway->reload, &client->ticket);
}

/* The writer has done it, or not. */
static void on_errand(struct errand_ticket *ticket)
{
	hear(container_of(ticket, struct client, errand));
}

static void begin_errand(struct client *client, const struct json *request)
{
	client->errand.answer = &client->out;
	client->errand.done = on_errand;
	if (errand_begin(client->all->errands, request, &client->errand))
		loop_timer_set(&client->timer, ERRAND_TIMEOUT_MS);
}

/* A line more for one who follows, or the last one, which has its time to be taken. */
static void on_import(struct import_ticket *ticket)
{
	struct client *client = container_of(ticket, struct client, import);

	if (ticket->import) {
		if (!follow_on(client))
			client_free(client);
	} else if (loop_timer_set(&client->timer, CONTROL_TIMEOUT_MS)) {
		hear(client);
	} else {
		client_free(client);
	}
}

/* Other commands find a place whatever is imported. */
static bool may_follow(const struct control_clients *clients)
{
	size_t following = 0;

	LIST_EACH(link, &clients->list)
		following += container_of(link, struct client, link)->state == CLIENT_FOLLOWS;
	return following < CONTROL_FOLLOWERS;
}

/* It takes as long as it does, so there is no limit. */
static void begin_import(struct client *client, const struct json *request)
{
	if (!may_follow(client->all)) {
		add_error(&client->out, "as many imports as can be are under way or wait for "
					"their turn; try again when one has ended");
		return;
	}
	client->import.answer = &client->out;
	client->import.said = on_import;
	if (!import_begin(client->all->imports, request, client->files, client->file_count,
			  &client->import))
		return;
	client->file_count = 0;
	loop_timer_stop(&client->timer);
}

static const struct command commands[] = {
	{"status", show_status},    {"sinks", show_sinks},    {"reload", reload_gateway},
	{"drain", await_drain},	    {"pause", begin_errand},  {"resume", begin_errand},
	{"replay", begin_errand},   {"forget", begin_errand}, {"fetch", begin_errand},
	{"backfill", begin_errand}, {"import", begin_import},
};

static void run_command(struct client *client, const struct json *request)
{
	struct lg_slice name = json_member_text(request, "command");

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (slice_is(name, commands[i].name)) {
			commands[i].run(client, request);
			return;
		}
	add_error(&client->out, "unknown command; this gateway knows status, sinks, reload, drain, "
				"pause, resume, replay, forget, fetch, backfill and import");
}

static void answer_line(struct client *client, struct lg_slice line)
{
	struct arena arena;
	struct error error;
	const struct json *request;

	arena_init(&arena, 1024, REQUEST_MEMORY);
	request = json_parse(&arena, line, &error);
	if (request)
		run_command(client, request);
	else
		add_error(&client->out, "the request is no line of JSON");
	arena_fini(&arena);
	if (client->out.failed) {
		buffer_clear(&client->out);
		add_error(&client->out, "the answer is too long");
	}
}

static void on_timeout(struct loop_timer *timer)
{
	struct client *client = container_of(timer, struct client, timer);

	if (client->state == CLIENT_WAITS && client->errand.errand) {
		add_error(&client->out, "it is still under way, and goes on");
		send_some(client);
	} else if (client->state == CLIENT_WAITS) {
		reload_say_waiting(client->all->gateway->reload, &client->out);
		send_some(client);
	}
	client_free(client);
}

/* ---- an exchange ---------------------------------------------------------------- */

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
		got = rights_receive(client->watch.fd, room, 512, client->files,
				     &client->file_count);
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
	answer_line(client, slice_cut(line, 0, (size_t)end));
	if (client->import.import)
		client->state = CLIENT_FOLLOWS;
	else if (client->ticket_is_out || client->errand.errand)
		client->state = CLIENT_WAITS;
	else
		client->state = CLIENT_HEARS;
	return client->state != CLIENT_HEARS || send_some(client);
}

/* One who waits has nothing to say, but may leave. */
static bool is_there(struct client *client)
{
	char nothing[64];
	ssize_t got = recv(client->watch.fd, nothing, sizeof(nothing), 0);

	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* One who hangs up wants the end, and may still want to hear of it. */
static bool follow(struct client *client, int events)
{
	if ((events & LOOP_READ) && !is_there(client)) {
		client->hung_up = true;
		import_stop(&client->import);
	}
	return follow_on(client);
}

static void on_client(struct loop_watch *watch, int events)
{
	struct client *client = container_of(watch, struct client, watch);
	bool stays;

	switch (client->state) {
	case CLIENT_ASKS: stays = read_some(client); break;
	case CLIENT_WAITS: stays = is_there(client); break;
	case CLIENT_FOLLOWS: stays = follow(client, events); break;
	default: stays = send_some(client);
	}
	if (!stays)
		client_free(client);
}

void control_clients_add(struct control_clients *clients, int fd)
{
	struct client *client = alloc_zalloc(sizeof(*client));

	if (!client) {
		close(fd);
		return;
	}
	client->all = clients;
	buffer_init(&client->in, CONTROL_REQUEST_BYTES);
	buffer_init(&client->out, CONTROL_ANSWER_BYTES);
	list_init(&client->ticket.link);
	list_append(&clients->list, &client->link);
	clients->count++;
	loop_watch_init(&client->watch, clients->gateway->loop, fd, on_client);
	loop_timer_init(&client->timer, clients->gateway->loop, on_timeout);
	if (!loop_timer_set(&client->timer, CONTROL_TIMEOUT_MS) ||
	    !loop_watch_set(&client->watch, LOOP_READ))
		client_free(client);
}

/* ---- all of them ----------------------------------------------------------------- */

bool control_clients_init(struct control_clients *clients, struct gateway *gateway)
{
	clients->gateway = gateway;
	clients->count = 0;
	list_init(&clients->list);
	clients->errands = errands_new(gateway);
	clients->imports = imports_new(gateway);
	return clients->errands && clients->imports;
}

void control_clients_fini(struct control_clients *clients)
{
	imports_free(&clients->imports); /* who follows hears how it ended */
	LIST_EACH_SAFE(link, &clients->list)
		client_free(container_of(link, struct client, link));
	errands_free(&clients->errands);
}
