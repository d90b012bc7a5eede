/* What the rules cost a loop: microseconds of one thread for each step that a
 * typical form post goes through, as a table. The arena and the buffer are used
 * again, as a loop does. */
#include "base/buffer.h"
#include "base/random.h"
#include "lead/event.h"
#include "lead/identity.h"
#include "lead/merge.h"
#include "lead/normalize.h"
#include "lead/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LEADS 100000
#define ROUNDS 5

static const struct lead_limits limits = {100, 128, 64 << 10, 50, 1024, 256 << 10};
static const struct normalize_settings settings = {.region = "US"};
static const uint8_t secret[IDENTITY_SECRET_BYTES] = "bench";

enum step { BUILD, NORMALIZE, STATUS, KEYS, DIGEST, ENCODE, EVENT, DECODE, MERGE, STEPS };

static const char *const step_names[STEPS] = {"build",	"normalize", "status", "keys", "digest",
					      "encode", "event",     "decode", "merge"};

struct bench {
	struct arena arena;
	struct buffer record, event, changes;
};

/* The thread's own time: what else runs on the machine does not count. */
static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void set(struct lead *lead, int field, const char *before, unsigned int n, const char *after)
{
	char text[160];
	int length = snprintf(text, sizeof(text), "%s%u%s", before, n, after);

	lead_set(lead, field, slice_of(text, (size_t)length));
}

/* Two thirds North American numbers, as people type them, but for four digits. */
static const char *const phones[] = {"(650) 253-", "650-253-",	   "+1 650 253 ",
				     "(212) 555-", "+44 20 7946 ", "+49 30 123"};

static struct lead *build(struct bench *bench, unsigned int n)
{
	struct lead *lead = lead_new(&bench->arena, &limits);

	lead->value[LG_ID] = LG_SLICE("01934b2c-5d6e-7f80-91a2-b3c4d5e6f708");
	lead->value[LG_CAPTURED_AT] = LG_SLICE("2026-01-02T03:04:05.678Z");
	lead->value[LG_SOURCE_NAME] = LG_SLICE("contact-form");
	lead->value[LG_SOURCE_PLUGIN] = LG_SLICE("webform");
	lead->value[LG_SOURCE_CHANNEL] = LG_SLICE("web");
	lead->value[LG_CLIENT_IP] = LG_SLICE("192.0.2.1");
	set(lead, LG_FULL_NAME, "Jane Doe ", n, "");
	set(lead, LG_EMAIL, "jane.doe", n, "@example.com");
	set(lead, LG_PHONE, phones[n % 6], 1000 + n % 9000, "");
	set(lead, LG_ORGANIZATION_NAME, "Example Industries ", n % 1000, "");
	set(lead, LG_MESSAGE, "Hello, please send me an offer for ", n, " pieces.");
	set(lead, LG_USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64) Firefox/", 100 + n % 30, ".0");
	lead_add_extra(lead, LG_SLICE("color"), LG_SLICE("red"));
	return lead;
}

/* All steps up to `last`. */
static void run_lead(struct bench *bench, unsigned int n, enum step last)
{
	static const uint8_t id[UUID_BYTES] = {1};
	struct identity_keys keys;
	uint8_t digest[IDENTITY_DIGEST_BYTES];
	struct lead *lead = build(bench, n), *known = NULL;

	if (last >= NORMALIZE && !lead_normalize(lead, &settings))
		abort();
	if (last >= STATUS)
		lead_status_new(lead);
	if (last >= KEYS)
		identity_person(lead, secret, ~0u, &keys);
	if (last >= DIGEST)
		identity_digest(lead, digest);
	if (last >= ENCODE)
		record_encode(lead, &bench->record);
	if (last >= EVENT)
		event_encode(&bench->event, id, EVENT_CREATED, 0, buffer_slice(&bench->record),
			     slice_of(NULL, 0));
	if (last >= DECODE)
		known = record_decode(&bench->arena, &limits,
				      event_body_lead(buffer_slice(&bench->event)), NULL);
	if (last >= MERGE &&
	    !lead_merge(known, lead, MERGE_FILL, 1u << IDENTITY_EMAIL, &bench->changes))
		abort();
}

/* Microseconds a lead for all steps up to `last`. */
static double run_steps(struct bench *bench, enum step last)
{
	double start = cpu_us();

	for (unsigned int n = 0; n < LEADS; n++) {
		run_lead(bench, n, last);
		arena_reset(&bench->arena);
		buffer_clear(&bench->record);
		buffer_clear(&bench->event);
		buffer_clear(&bench->changes);
	}
	return (cpu_us() - start) / LEADS;
}

static void measure(struct bench *bench, double best[STEPS])
{
	for (int round = 0; round < ROUNDS; round++)
		for (enum step step = BUILD; step < STEPS; step++) {
			double us = run_steps(bench, step);

			if (round == 0 || us < best[step])
				best[step] = us;
		}
}

static void print(const double best[STEPS])
{
	printf("lead: microseconds a lead, best of %d rounds of %d\n", ROUNDS, LEADS);
	for (enum step step = BUILD; step < STEPS; step++)
		printf("  %-10s %6.2f\n", step_names[step],
		       best[step] - (step > BUILD ? best[step - 1] : 0));
	printf("  %-10s %6.2f  normalize to encode, as a loop does for each lead\n", "together",
	       best[ENCODE] - best[BUILD]);
}

int main(void)
{
	struct bench bench = {0};
	struct error error;
	double best[STEPS];

	arena_init(&bench.arena, 32 << 10, 0);
	buffer_init(&bench.record, 1 << 20);
	buffer_init(&bench.event, 1 << 20);
	buffer_init(&bench.changes, 1 << 20);
	if (!normalize_setup(&error)) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	measure(&bench, best);
	print(best);
	buffer_fini(&bench.record);
	buffer_fini(&bench.event);
	buffer_fini(&bench.changes);
	arena_fini(&bench.arena);
	return 0;
}
