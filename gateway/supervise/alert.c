#include "supervise/alert.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"
#include "codec/date.h"
#include "codec/json.h"

#define TEXT_BYTES_MAX 4096
#define NOT_CONFIGURED "it is not configured any more"

static const char *const kinds[] = {[ALERT_SILENT] = "silent",
				    [ALERT_PARKED] = "parked",
				    [ALERT_LAG] = "lag",
				    [ALERT_CLAIMS] = "claims"};

/* What last_ms is of. */
static const char *const last_names[] = {[ALERT_SILENT] = "last_lead",
					 [ALERT_PARKED] = "last",
					 [ALERT_LAG] = "oldest_pending",
					 [ALERT_CLAIMS] = "last"};

/* ---- one alert --------------------------------------------------------------- */

static void register_gauge(struct alert *alert)
{
	char labels[COUNTER_LABEL_BYTES] = "";

	counter_label(labels, "kind", slice_from(kinds[alert->kind]));
	counter_label(labels, "name", slice_from(alert->name));
	alert->gauge = counter_register(COUNTER_GAUGE, "leadgate_alert", labels,
					"Whether this alert is raised");
}

static struct alert *alert_new(enum alert_kind kind, struct lg_slice name)
{
	struct alert *alert = alloc_zalloc(sizeof(*alert));

	if (!alert)
		return NULL;
	alert->kind = kind;
	slice_to_text(name, alert->name, sizeof(alert->name));
	snprintf(alert->key, sizeof(alert->key), "%s/%s", kinds[kind], alert->name);
	buffer_init(&alert->text, TEXT_BYTES_MAX);
	register_gauge(alert);
	return alert;
}

static void alert_free(struct alert *alert)
{
	list_remove(&alert->link);
	buffer_fini(&alert->text);
	alloc_free(alert);
}

static void write_alert(const struct alert *alert, struct json_writer *writer)
{
	json_write_open(writer, '{');
	json_write_member_text(writer, "kind", slice_from(kinds[alert->kind]));
	json_write_member_text(writer, "name", slice_from(alert->name));
	json_write_member_text(writer, "state", slice_from(alert->raised ? "raised" : "cleared"));
	json_write_member_time(writer, "since", alert->since_ms);
	if (alert->last_ms)
		json_write_member_time(writer, last_names[alert->kind], alert->last_ms);
	if (*alert->reason)
		json_write_member_text(writer, "reason", slice_from(alert->reason));
	json_write_close(writer, '}');
}

/* A lane that parks has said so itself. */
static void log_alert(const struct alert *alert)
{
	int level = alert->raised && alert->kind != ALERT_PARKED ? LG_LOG_WARNING : LG_LOG_NOTICE;

	LOG_AT(level, "gateway.alert", LOG_TEXT("kind", kinds[alert->kind]),
	       LOG_TEXT("name", alert->name),
	       LOG_TEXT("state", alert->raised ? "raised" : "cleared"),
	       LOG_TEXT("reason", alert->reason));
}

static void set_reason(struct alert *alert, struct lg_slice reason)
{
	slice_to_text(reason, alert->reason, sizeof(alert->reason));
}

static void turn(struct alert *alert, bool raised, struct lg_slice reason)
{
	alert->raised = raised;
	alert->since_ms = clock_wall_ms();
	set_reason(alert, reason);
	log_alert(alert);
}

/* ---- the journal --------------------------------------------------------------- */

/* Tells the journal, unless it knows or nobody wants to hear it. What was noted
 * is cleared there in any case. */
static void tell(struct alerts *alerts, struct alert *alert)
{
	struct json_writer writer;

	if (alert->under_way || alert->noted == alert->raised || (alert->raised && !alerts->asked))
		return;
	buffer_clear(&alert->text);
	json_writer_init(&writer, &alert->text);
	write_alert(alert, &writer);
	if (alert->text.failed)
		return; /* no memory: the next round tries again */
	alert->chore = (struct chore){
		.reply = &alerts->mailbox,
		.kind = CHORE_ALERT,
		.sink = slice_from(alert->key),
		.text = buffer_slice(&alert->text),
		.raised = alert->raised,
	};
	alert->under_way = true;
	outbox_do(alerts->outbox, &alert->chore);
}

/* One that could not be written is told again in the next round. */
static void on_letter(struct loop_mailbox *box, struct letter *letter)
{
	struct alert *alert = container_of(container_of(letter, struct chore, letter), struct alert,
					   chore);

	(void)box;
	alert->under_way = false;
	if (alert->chore.done)
		alert->noted = alert->chore.raised;
}

/* ---- all of them ---------------------------------------------------------------- */

bool alerts_open(struct alerts *alerts, struct loop *loop, struct outbox *outbox)
{
	list_init(&alerts->all);
	alerts->outbox = outbox;
	alerts->asked = false;
	if (!mailbox_init(&alerts->mailbox))
		return false;
	if (loop_mailbox_init(&alerts->box, loop, &alerts->mailbox, on_letter))
		return true;
	mailbox_fini(&alerts->mailbox);
	return false;
}

void alerts_close(struct alerts *alerts)
{
	LIST_EACH_SAFE(link, &alerts->all)
		alert_free(container_of(link, struct alert, link));
	loop_mailbox_fini(&alerts->box);
	mailbox_fini(&alerts->mailbox);
}

struct alert *alerts_find(const struct alerts *alerts, enum alert_kind kind, struct lg_slice name)
{
	LIST_EACH(link, &alerts->all) {
		struct alert *alert = container_of(link, struct alert, link);
		if (alert->kind == kind && slice_is(name, alert->name))
			return alert;
	}
	return NULL;
}

static struct alert *find_or_add(struct alerts *alerts, enum alert_kind kind, struct lg_slice name)
{
	struct alert *alert = alerts_find(alerts, kind, name);

	if (!alert) {
		alert = alert_new(kind, name);
		if (alert)
			list_append(&alerts->all, &alert->link);
	}
	return alert;
}

/* Whether the key names a kind that we know. */
static bool read_key(struct lg_slice key, enum alert_kind *kind, struct lg_slice *name)
{
	struct lg_slice word;

	*name = key;
	if (!slice_split(name, '/', &word))
		return false;
	for (int k = 0; k < ALERT_KINDS; k++) {
		*kind = (enum alert_kind)k;
		if (slice_is(word, kinds[k]))
			return true;
	}
	return false;
}

static void inherit(struct alerts *alerts, const struct noted_alert *note, struct arena *arena)
{
	struct error error;
	struct lg_slice name;
	enum alert_kind kind;
	struct alert *alert;
	const struct json *said = json_parse(arena, note->text, &error);

	if (!read_key(note->key, &kind, &name))
		return;
	alert = find_or_add(alerts, kind, name);
	if (!alert)
		return;
	alert->raised = alert->noted = alert->inherited = true;
	alert->since_ms = clock_wall_ms();
	if (said) {
		time_parse(json_member_text(said, "since"), &alert->since_ms);
		time_parse(json_member_text(said, last_names[kind]), &alert->last_ms);
		set_reason(alert, json_member_text(said, "reason"));
	}
	counter_set(alert->gauge, 1);
}

void alerts_inherit(struct alerts *alerts, struct reader *reader)
{
	struct noted_alert *notes = NULL;
	struct error error;
	struct arena arena;

	arena_init(&arena, 4096, 0);
	ptrdiff_t count = reader_alerts(reader, &arena, &notes, &error);
	if (count < 0)
		log_warning("gateway.alerts", LOG_TEXT("reason", error.text));
	for (ptrdiff_t i = 0; i < count; i++)
		inherit(alerts, &notes[i], &arena);
	arena_fini(&arena);
}

void alerts_begin(struct alerts *alerts, bool asked)
{
	alerts->asked = asked;
	LIST_EACH(link, &alerts->all)
		container_of(link, struct alert, link)->seen = false;
}

void alerts_take(struct alerts *alerts, const struct alert_finding *finding)
{
	struct alert *alert = find_or_add(alerts, finding->kind, finding->name);

	if (!alert)
		return; /* the next round finds it again */
	alert->seen = true;
	alert->inherited = false;
	alert->last_ms = finding->last_ms;
	if (alert->raised != finding->raised)
		turn(alert, finding->raised, finding->reason);
	else if (alert->raised)
		set_reason(alert, finding->reason);
	counter_set(alert->gauge, alert->raised);
	tell(alerts, alert);
}

void alerts_keep(struct alerts *alerts, enum alert_kind kind, struct lg_slice name)
{
	struct alert *alert = alerts_find(alerts, kind, name);

	if (!alert)
		return;
	alert->seen = true;
	tell(alerts, alert);
}

void alerts_end(struct alerts *alerts)
{
	LIST_EACH_SAFE(link, &alerts->all) {
		struct alert *alert = container_of(link, struct alert, link);
		if (alert->seen)
			continue;
		if (alert->raised)
			turn(alert, false, LG_SLICE(NOT_CONFIGURED));
		counter_set(alert->gauge, 0);
		tell(alerts, alert);
		if (!alert->noted && !alert->under_way)
			alert_free(alert);
	}
}

size_t alerts_raised(const struct alerts *alerts)
{
	size_t count = 0;

	LIST_EACH(link, &alerts->all)
		count += container_of(link, struct alert, link)->raised;
	return count;
}

void alerts_write(const struct alerts *alerts, struct json_writer *writer)
{
	json_write_open(writer, '[');
	LIST_EACH(link, &alerts->all) {
		const struct alert *alert = container_of(link, struct alert, link);
		if (alert->raised)
			write_alert(alert, writer);
	}
	json_write_close(writer, ']');
}
