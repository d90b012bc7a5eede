/* Lines "name=value" as a lead: known names are fields, others are extra. After
 * normalization the record can be written and read, normalizing again changes
 * nothing, and neither does it change what makes the content the same. */
#include "base/error.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "lead/identity.h"
#include "lead/normalize.h"
#include "lead/record.h"

static const struct lead_limits limits = {100, 128, 64 << 10, 50, 1024, INT64_C(16) << 20};
static const struct normalize_settings settings = {.region = "US"};

static void add_line(struct lead *lead, struct lg_slice line)
{
	struct lg_consent consent = {.size = sizeof(consent), .state = LG_CONSENT_GRANTED};
	struct lg_slice name = {0};
	int field;

	if (!slice_split(&line, '=', &name) || !slice_present(line))
		return;
	field = field_by_name(name);
	consent.purpose = consent.text = line;
	if (field >= 0 && field_table[field].type == FIELD_LIST)
		lead_add(lead, field, line);
	else if (field >= 0)
		lead_set(lead, field, line);
	else if (slice_is(name, "profile"))
		lead_add_profile(lead, line, line, line);
	else if (slice_is(name, "consent"))
		lead_add_consent(lead, &consent);
	else
		lead_add_extra(lead, name, line);
}

static struct lg_slice written(const struct lead *lead)
{
	struct buffer out;
	struct lg_slice json;

	buffer_init(&out, 64 << 20);
	record_encode(lead, &out);
	ALWAYS(!out.failed);
	json = arena_copy(lead->arena, buffer_slice(&out));
	buffer_fini(&out);
	return json;
}

static void check_values(const struct lead *lead)
{
	for (int field = 0; field < LG_FIELD_COUNT; field++) {
		struct lg_slice value = lead->value[field];

		ALWAYS(!slice_present(value) || value.length > 0);
		ALWAYS(value.length <= field_table[field].limit_bytes);
		ALWAYS(value.length == 0 || utf8_valid(value));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t digest[IDENTITY_DIGEST_BYTES], again[IDENTITY_DIGEST_BYTES];
	struct lg_slice rest = slice_of((const char *)data, size), line, json;
	struct error error = {""};
	struct arena arena;
	struct lead *lead;

	ALWAYS(normalize_setup(&error));
	arena_init(&arena, 16 << 10, 0);
	lead = lead_new(&arena, &limits);
	while (slice_split(&rest, '\n', &line))
		add_line(lead, line);
	ALWAYS(lead_normalize(lead, &settings));
	check_values(lead);
	identity_digest(lead, digest);
	json = written(lead);
	ALWAYS(record_decode(&arena, &limits, json, &error));
	ALWAYS(lead_normalize(lead, &settings));
	identity_digest(lead, again);
	ALWAYS(slice_equal(written(lead), json));
	ALWAYS(memcmp(digest, again, sizeof(digest)) == 0);
	arena_fini(&arena);
	return 0;
}
