#include "supervise/imports.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "codec/json_writer.h"
#include "ingest/fetcher.h"
#include "supervise/import_order.h"

/* The errand thread has stopped or hangs when this is waited for. */
#define LAST_LETTERS_MS 1000

struct import {
	struct import_job job; /* first: its letter comes back from the errand thread */
	struct list link;
	struct imports *imports;
	struct import_ticket *ticket; /* NULL: nobody listens */
	struct loop_timer tick;
	struct arena arena; /* what the request says */
};

struct imports {
	struct gateway *gateway;
	struct mailbox mailbox;
	struct loop_mailbox letters;
	struct list under_way;
};

static void import_free(struct import *import)
{
	list_remove(&import->link);
	loop_timer_fini(&import->tick);
	import_job_fini(&import->job);
	if (import->job.file >= 0)
		close(import->job.file);
	if (import->job.rejects >= 0)
		close(import->job.rejects);
	arena_fini(&import->arena);
	alloc_free(import);
}

/* Who does not read hears less, and nothing piles up. */
static void on_tick(struct loop_timer *timer)
{
	struct import *import = container_of(timer, struct import, tick);

	loop_timer_set(timer, IMPORT_PROGRESS_MS);
	if (!import->ticket || buffer_length(import->ticket->answer) > 0)
		return;
	import_order_progress(import->ticket->answer, &import->job);
	import->ticket->said(import->ticket);
}

static void come_home(struct import *import)
{
	struct import_ticket *ticket = import->ticket;

	if (ticket) {
		ticket->import = NULL;
		import_order_end(ticket->answer, &import->job);
	}
	import_free(import);
	if (ticket)
		ticket->said(ticket);
}

static void on_letter(struct loop_mailbox *box, struct letter *letter)
{
	(void)box;
	come_home((struct import *)(void *)letter);
}

struct imports *imports_new(struct gateway *gateway)
{
	struct imports *imports = alloc_zalloc(sizeof(*imports));

	if (!imports)
		return NULL;
	imports->gateway = gateway;
	list_init(&imports->under_way);
	if (mailbox_init(&imports->mailbox)) {
		if (loop_mailbox_init(&imports->letters, gateway->loop, &imports->mailbox,
				      on_letter))
			return imports;
		mailbox_fini(&imports->mailbox);
	}
	alloc_free(imports);
	return NULL;
}

static void take_last_letters(struct imports *imports)
{
	for (struct letter *l = mailbox_take(&imports->mailbox), *next; l; l = next) {
		next = l->next;
		come_home((struct import *)(void *)l);
	}
}

void imports_free(struct imports **pointer)
{
	struct imports *imports = *pointer;
	int64_t until_ms = clock_monotonic_ms() + LAST_LETTERS_MS, left_ms;

	*pointer = NULL;
	if (!imports)
		return;
	loop_mailbox_fini(&imports->letters);
	LIST_EACH(link, &imports->under_way)
		atomic_store(&container_of(link, struct import, link)->job.cancelled, true);
	while (!list_empty(&imports->under_way) &&
	       (left_ms = until_ms - clock_monotonic_ms()) > 0) {
		mailbox_wait(&imports->mailbox, left_ms);
		take_last_letters(imports);
	}
	if (!list_empty(&imports->under_way))
		return; /* the thread that hangs may still send them */
	mailbox_fini(&imports->mailbox);
	alloc_free(imports);
}

static bool refuse(struct import_ticket *ticket, struct import *import, const struct error *error)
{
	buffer_add_literal(ticket->answer, "{\"error\":\"");
	json_escape(ticket->answer, slice_from(error->text));
	buffer_add_literal(ticket->answer, "\"}\n");
	if (import)
		import_free(import);
	return false;
}

static struct import *import_new(struct imports *imports)
{
	struct import *import = alloc_zalloc(sizeof(*import));

	if (!import)
		return NULL;
	import->imports = imports;
	import->job.file = import->job.rejects = -1;
	import->job.reply = &imports->mailbox;
	arena_init(&import->arena, 1024, 0);
	list_init(&import->link);
	loop_timer_init(&import->tick, imports->gateway->loop, on_tick);
	return import;
}

bool import_begin(struct imports *imports, const struct json *request, const int *files,
		  size_t file_count, struct import_ticket *ticket)
{
	const struct settings *settings = imports->gateway->settings;
	struct import *import = import_new(imports);
	struct error error = {""};

	ticket->import = NULL;
	if (!import) {
		error_set(&error, "there is not enough memory");
		return refuse(ticket, NULL, &error);
	}
	if (file_count == 0) {
		error_set(&error, "no file came with the request");
		return refuse(ticket, import, &error);
	}
	if (!import_order_read(&import->job, request, &import->arena, &error) ||
	    !import_order_source(settings, import->job.source, &error) ||
	    !import_order_file(files[0], false, &error) ||
	    (file_count > 1 && (!import_order_file(files[1], true, &error) ||
				!import_order_apart(files[0], files[1], &error))))
		return refuse(ticket, import, &error);
	if (!loop_timer_set(&import->tick, IMPORT_PROGRESS_MS)) {
		error_set(&error, "there is not enough memory");
		return refuse(ticket, import, &error);
	}
	import->job.file = files[0];
	import->job.rejects = file_count > 1 ? files[1] : -1;
	import->ticket = ticket;
	ticket->import = import;
	list_append(&imports->under_way, &import->link);
	fetcher_import(imports->gateway->fetcher, &import->job);
	return true;
}

void import_stop(struct import_ticket *ticket)
{
	if (ticket->import)
		atomic_store(&ticket->import->job.cancelled, true);
}

void import_forget(struct import_ticket *ticket)
{
	import_stop(ticket);
	if (ticket->import)
		ticket->import->ticket = NULL;
	ticket->import = NULL;
}
