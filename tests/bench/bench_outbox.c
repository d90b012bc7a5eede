/* How many leads the journal takes: captures of ever new people with an email
 * and a phone, durably, with a reader that settles and checkpoints running.
 *
 *   bench_outbox [-p PRELOADED] [-d SECONDS] [-w IN_FLIGHT] [-t PERCENT]
 *                [-s WAL_MIB] [-g PAGE_BYTES]
 *
 * -p fills the store first, -t makes a share of the posts come from people who
 * are known. Prints one line of name=value pairs. */
#include <dirent.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../unit/outbox/kit.h"
#include "base/clock.h"
#include "lead/event.h"
#include "lead/record.h"

#define TEMPLATES 64
#define SAMPLES_MAX 4000000

struct options {
	int64_t preload, seconds, in_flight, touch_percent, wal_mib, page_bytes;
};

/* A prepared body, of which only the ids and keys change from post to post. */
struct template
{
	struct arena arena;
	struct lead *lead;
	char body[1024];
	size_t length;
};

struct slot {
	struct submission submission; /* first */
	struct capture capture;
	struct arena arena;
	char body[1024];
	int64_t sent_us;
};

static struct kit kit;
static struct options options = {.seconds = 5, .in_flight = 64, .wal_mib = 32, .page_bytes = 4096};
static struct template templates[TEMPLATES];
static uint64_t people;
static uint32_t *latencies;
static size_t latency_count;
static atomic_bool settling = true;
static _Atomic(int64_t) lane_cpu_us;

static void make_template(struct template *t, int number)
{
	char message[200], email[64];

	arena_init(&t->arena, 8192, 0);
	snprintf(email, sizeof(email), "person%d@somewhere.example", number);
	memset(message, 'm', sizeof(message));
	message[sizeof(message) - 1] = '\0';
	t->lead = lead_new(&t->arena, &kit.limits);
	lead_set(t->lead, LG_ID, LG_SLICE("01890a5d-ac96-774b-bcce-b302099a8057"));
	lead_set(t->lead, LG_CAPTURED_AT, LG_SLICE("2026-01-02T03:04:05.678Z"));
	lead_set(t->lead, LG_SOURCE_NAME, LG_SLICE("bench"));
	lead_set(t->lead, LG_FULL_NAME, LG_SLICE("Some Person"));
	lead_set(t->lead, LG_EMAIL, slice_from(email));
	lead_set(t->lead, LG_PHONE, LG_SLICE("+15005550006"));
	lead_set(t->lead, LG_MESSAGE, slice_from(message));
	lead_status_new(t->lead);
}

/* The keys of person number `who`: hashes need not come from addresses here. */
static void fill_capture(struct slot *slot, uint64_t who)
{
	struct capture *c = &slot->capture;
	const struct template *t = &templates[who % TEMPLATES];
	struct buffer record = {.data = NULL}, event = {.data = NULL};
	uint64_t mixed = (who + 1) * UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ mixed >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed ^= mixed >> 32;
	memset(c, 0, sizeof(*c));
	c->lead = t->lead;
	c->at_ms = clock_wall_ms();
	uuid_new(c->at_ms, c->lead_id);
	uuid_new(c->at_ms, c->event_id);
	c->person.count = 2;
	c->person.keys[0] = (struct identity_key){mixed, IDENTITY_EMAIL, 0};
	c->person.keys[1] = (struct identity_key){mixed * UINT64_C(0x94d049bb133111eb),
						  IDENTITY_PHONE, 0};
	uint64_t nonce = random_u64();
	memcpy(c->digest, &nonce, sizeof(nonce));
	c->submission = (struct identity_key){nonce, IDENTITY_SUBMISSION, 0};
	buffer_init(&record, SIZE_MAX);
	buffer_init(&event, SIZE_MAX);
	record_encode(c->lead, &record);
	event_encode(&event, c->event_id, EVENT_CREATED, c->at_ms, buffer_slice(&record),
		     slice_of(NULL, 0));
	struct lg_slice body = buffer_slice(&event);
	if (body.length > sizeof(slot->body))
		kit_fail("the body is too long");
	memcpy(slot->body, body.data, body.length);
	c->event_json = slice_of(slot->body, body.length);
	buffer_fini(&record);
	buffer_fini(&event);
	slot->submission = (struct submission){
		.reply = &kit.replies, .captures = c, .count = 1, .bytes = body.length};
}

static uint64_t choose_person(void)
{
	if (options.touch_percent > 0 && people > 100 &&
	    random_below(100) < (uint64_t)options.touch_percent)
		return random_below(people);
	return people++;
}

static void send_slot(struct slot *slot)
{
	fill_capture(slot, choose_person());
	slot->sent_us = clock_monotonic_us();
	if (!outbox_submit(kit.outbox, &slot->submission))
		kit_fail("the store takes no submission");
}

/* Keeps `in_flight` captures under way until the time or the count is over. */
static int64_t run_posts(int64_t count, int64_t until_us, bool measure)
{
	size_t in_flight = (size_t)options.in_flight, out = 0;
	int64_t done = 0, sent = 0;
	struct slot *slots = calloc(in_flight, sizeof(*slots));

	for (; out < in_flight && sent < count; sent++)
		send_slot(&slots[out++]);
	while (out > 0) {
		struct slot *slot = (struct slot *)(void *)kit_reply(&kit);
		int64_t now_us = clock_monotonic_us();
		if (slot->submission.status != SUBMISSION_STORED)
			kit_fail("not stored: %d", (int)slot->submission.status);
		if (measure && latency_count < SAMPLES_MAX)
			latencies[latency_count++] = (uint32_t)(now_us - slot->sent_us);
		done++;
		out--;
		if (sent < count && now_us < until_us) {
			send_slot(slot);
			sent++;
			out++;
		}
	}
	free(slots);
	return done;
}

/* Reads what comes and settles it, as a lane does whose sink is at once done. */
static void *lane(void *argument)
{
	struct error error = {""};
	struct reader *reader = reader_open(kit.store.path, &error);
	struct mailbox box;
	struct settled_event *settled = calloc(1000, sizeof(*settled));
	struct settlement settlement;
	struct journal_event *events;
	struct arena arena;
	int64_t position = *(int64_t *)argument;

	if (!reader || !mailbox_init(&box))
		kit_fail("no lane: %s", error.text);
	arena_init(&arena, 1 << 20, 0);
	outbox_watch(kit.outbox, &box);
	while (atomic_load(&settling)) {
		mailbox_wait(&box, 100);
		mailbox_take(&box);
		ptrdiff_t count;
		while ((count = reader_events(reader, &arena, position, 1000, 1 << 20, &events,
					      &error)) > 0) {
			for (ptrdiff_t i = 0; i < count; i++)
				settled[i] = (struct settled_event){.seq = events[i].seq,
								    .state = DELIVERY_DELIVERED};
			settlement = (struct settlement){.reply = &box,
							 .sink = LG_SLICE("bench"),
							 .first = true,
							 .first_seq = position + 1,
							 .last_seq = events[count - 1].seq,
							 .events = settled,
							 .count = (size_t)count,
							 .at_ms = clock_wall_ms()};
			outbox_settle(kit.outbox, &settlement);
			while (!mailbox_take(&box))
				mailbox_wait(&box, -1);
			position = settlement.last_seq;
			arena_reset(&arena);
		}
		if (count < 0)
			kit_fail("%s", error.text);
	}
	atomic_store(&lane_cpu_us, clock_thread_cpu_us());
	outbox_unwatch(kit.outbox, &box);
	reader_close(&reader);
	arena_fini(&arena);
	mailbox_fini(&box);
	free(settled);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* CPU time so far of our thread of that name. */
static int64_t thread_cpu_us(const char *name)
{
	DIR *tasks = opendir("/proc/self/task");
	int64_t us = 0;

	for (struct dirent *task; tasks && (task = readdir(tasks));) {
		char path[300], comm[32] = "";
		unsigned long long ns = 0;
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task->d_name);
		FILE *file = fopen(path, "r");
		if (!file || !fgets(comm, sizeof(comm), file))
			comm[0] = '\0';
		if (file)
			fclose(file);
		if (!slice_is(slice_trim(slice_from(comm)), name))
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", task->d_name);
		file = fopen(path, "r");
		if (file && fscanf(file, "%llu", &ns) == 1)
			us = (int64_t)(ns / 1000);
		if (file)
			fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return us;
}

static void preload(void)
{
	int64_t started_us = clock_monotonic_us(), flight = options.in_flight;

	if (options.preload == 0)
		return;
	options.in_flight = 2000;
	int64_t touch = options.touch_percent;
	options.touch_percent = 0;
	run_posts(options.preload, INT64_MAX, false);
	options.touch_percent = touch;
	options.in_flight = flight;
	double preloaded_s = (double)(clock_monotonic_us() - started_us) / 1e6;
	kit_close(&kit);
	started_us = clock_monotonic_us();
	kit_open(&kit);
	printf("preload=%lld preload_s=%.1f start_s_per_million=%.3f\n", (long long)options.preload,
	       preloaded_s, (double)(clock_monotonic_us() - started_us) / (double)options.preload);
}

static void report(int64_t done, int64_t took_us, int64_t own_us, int64_t writer_us,
		   int64_t checkpointer_us)
{
	struct outbox_stats stats;

	outbox_stats(kit.outbox, &stats);
	qsort(latencies, latency_count, sizeof(*latencies), by_value);
	printf("leads_per_s=%.0f writer_us=%.2f checkpoint_us=%.2f lane_us=%.2f client_us=%.2f "
	       "p50_us=%u p99_us=%u max_us=%u batch=%.1f sync_p50_us=%lld sync_p99_us=%lld "
	       "hold_p99_us=%lld checkpoints=%lld wal_mib=%.1f index_bytes_per_lead=%.1f "
	       "store_bytes_per_lead=%.0f\n",
	       (double)done * 1e6 / (double)took_us, (double)writer_us / (double)done,
	       (double)checkpointer_us / (double)done,
	       (double)atomic_load(&lane_cpu_us) / (double)done, (double)own_us / (double)done,
	       latencies[latency_count / 2], latencies[latency_count * 99 / 100],
	       latencies[latency_count - 1], (double)stats.captures / (double)stats.commits,
	       (long long)stats.sync_p50_us, (long long)stats.sync_p99_us,
	       (long long)stats.checkpoint_hold_p99_us, (long long)stats.checkpoints,
	       (double)stats.wal_bytes / 1048576, (double)stats.index_bytes / (double)stats.leads,
	       (double)stats.store_bytes / (double)stats.leads);
}

static void read_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "p:d:w:t:s:g:")) >= 0) {
		int64_t value = optarg ? strtoll(optarg, NULL, 10) : 0;
		switch (c) {
		case 'p': options.preload = value; break;
		case 'd': options.seconds = value; break;
		case 'w': options.in_flight = value; break;
		case 't': options.touch_percent = value; break;
		case 's': options.wal_mib = value; break;
		case 'g': options.page_bytes = value; break;
		default: exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	pthread_t thread;

	read_options(argc, argv);
	kit_init(&kit);
	kit.store.wal_bytes = options.wal_mib << 20;
	kit.store.page_bytes = options.page_bytes;
	kit.store.max_size_bytes = INT64_C(1) << 40;
	kit_open(&kit);
	for (int i = 0; i < TEMPLATES; i++)
		make_template(&templates[i], i);
	latencies = calloc(SAMPLES_MAX, sizeof(*latencies));
	preload();
	int64_t position = outbox_last_seq(kit.outbox);
	pthread_create(&thread, NULL, lane, &position);
	int64_t own_us = clock_thread_cpu_us(), began_us = clock_monotonic_us();
	int64_t writer_us = thread_cpu_us("writer"),
		checkpointer_us = thread_cpu_us("checkpointer");
	int64_t done = run_posts(INT64_MAX, began_us + options.seconds * 1000000, true);
	int64_t took_us = clock_monotonic_us() - began_us;
	writer_us = thread_cpu_us("writer") - writer_us;
	checkpointer_us = thread_cpu_us("checkpointer") - checkpointer_us;
	own_us = clock_thread_cpu_us() - own_us;
	atomic_store(&settling, false);
	pthread_join(thread, NULL);
	report(done, took_us, own_us, writer_us, checkpointer_us);
	kit_fini(&kit);
	return 0;
}
