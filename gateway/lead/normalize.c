#include "lead/normalize.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/date.h"
#include "lead/attribution.h"
#include "lead/consent.h"
#include "lead/country.h"
#include "lead/day.h"
#include "lead/email.h"
#include "lead/ip.h"
#include "lead/language.h"
#include "lead/number.h"
#include "lead/phone.h"
#include "lead/profile.h"
#include "lead/text.h"
#include "lead/url.h"

bool normalize_setup(struct error *error)
{
	(void)error;
	field_setup();
	if (!phone_setup())
		log_notice("phone.table_off",
			   LOG_TEXT("reason", "another build of libphonenumber is loaded than the "
					      "table was made from; all numbers go through it"));
	return true;
}

/* ICU's and the library's tables live until exit. */
void normalize_teardown(void)
{
}

/* The region in which a number is read: the person's country, or the default. */
static const char *region_of(const struct lead *lead, const struct normalize_settings *settings,
			     char out[3])
{
	if (lead->value[LG_COUNTRY].length != 2)
		return settings->region;
	slice_to_text(lead->value[LG_COUNTRY], out, 3);
	return phone_region_known(out) ? out : settings->region;
}

struct normalizer {
	struct lead *lead;
	const struct normalize_settings *settings;
};

/* `out` where it says the same as `text`, so that nothing is copied; a copy in
 * the arena otherwise. */
static struct lg_slice copy_changed(struct lead *lead, struct lg_slice text, const char *out)
{
	struct lg_slice changed = slice_from(out);

	return slice_equal(changed, text) ? text : arena_copy(lead->arena, changed);
}

static struct lg_slice read_phone(const struct normalizer *normalizer, struct lg_slice text)
{
	char region[3], out[PHONE_E164_BYTES];

	if (!phone_normalize(text, region_of(normalizer->lead, normalizer->settings, region), out))
		return slice_of(NULL, 0);
	return copy_changed(normalizer->lead, text, out);
}

static struct lg_slice read_url(struct lead *lead, int field, struct lg_slice text)
{
	size_t limit = field_table[field].limit_bytes;
	struct lg_slice url, line;

	if (field == LG_WEBSITE)
		url = url_normalize_website(lead->arena, text);
	else
		url = url_normalize(lead->arena, text);
	/* Trackers send paths, apps names of their own: better than nothing. */
	if (!slice_present(url) && field != LG_WEBSITE) {
		line = text_line(lead->arena, text, limit);
		url = slice_present(line) ? url_normalize(lead->arena, line) : line;
		return slice_present(url) && url.length <= limit ? url : line;
	}
	/* A URL that was cut leads somewhere else. */
	return url.length <= limit ? url : slice_of(NULL, 0);
}

static struct lg_slice read_time(struct lead *lead, struct lg_slice text)
{
	char out[CLOCK_RFC3339_BYTES];
	int64_t wall_ms;

	if (!time_parse(slice_trim(text), &wall_ms))
		return slice_of(NULL, 0);
	clock_format(wall_ms, out);
	return copy_changed(lead, text, out);
}

/* Those whose result is short and is written into a buffer. */
static struct lg_slice read_short(struct lead *lead, enum field_type type, struct lg_slice text)
{
	char out[64];
	bool good = false;

	switch (type) {
	case FIELD_DATE: good = day_normalize(text, out); break;
	case FIELD_COUNTRY: good = country_find(text, out); break;
	case FIELD_LANGUAGE: good = language_normalize(text, out); break;
	case FIELD_IP: good = ip_normalize(text, out); break;
	case FIELD_INTEGER: good = number_normalize(text, out); break;
	case FIELD_BOOLEAN: good = number_normalize_boolean(text, out); break;
	default: break;
	}
	return good ? copy_changed(lead, text, out) : slice_of(NULL, 0);
}

/* Absent when it cannot be read, or memory ran out (then the arena has failed). */
static struct lg_slice read_value(const struct normalizer *normalizer, int field,
				  struct lg_slice text)
{
	struct lead *lead = normalizer->lead;
	const struct field *row = &field_table[field];

	switch (row->type) {
	case FIELD_TEXT:
	case FIELD_LIST: return text_line(lead->arena, text, row->limit_bytes);
	case FIELD_BLOCK: return text_block(lead->arena, text, row->limit_bytes);
	case FIELD_EMAIL: return email_normalize(lead->arena, text);
	case FIELD_PHONE: return read_phone(normalizer, text);
	case FIELD_URL: return read_url(lead, field, text);
	case FIELD_TIME: return read_time(lead, text);
	default: return read_short(lead, row->type, text);
	}
}

static bool plain_text(int field)
{
	enum field_type type = field_table[field].type;

	return type == FIELD_TEXT || type == FIELD_BLOCK || type == FIELD_LIST;
}

/* The texts of a list's items share their place in `raw`. */
static bool fits_raw(const struct lead *lead, int field, struct lg_slice text)
{
	const struct lead_pair *raw = field_table[field].type == FIELD_LIST ? lead_raw(lead, field)
									    : NULL;
	size_t used = raw ? raw->value.length + 1 : 0;

	return used + text.length <= (size_t)lead->limits->raw_bytes;
}

/* What nothing but `raw` would hold, and that not whole, is kept aside as well. What is
 * longer than its field may be is its source's to keep: only that has all of it. */
static bool keep_unread(struct lead *lead, int field, struct lg_slice text)
{
	const struct field *row = &field_table[field];

	if (!fits_raw(lead, field, text) && text.length <= row->limit_bytes &&
	    !lead_keep_extra(lead, slice_from(row->path), text))
		return false;
	return lead_keep_raw(lead, field, text);
}

/* Keeps what was sent where it says more than what became of it. */
static bool keep_changed(struct lead *lead, int field, struct lg_slice before,
			 struct lg_slice after)
{
	if (before.data == after.data && before.length == after.length)
		return true;
	if (slice_present(after) && (slice_equal(before, after) ||
				     (plain_text(field) && text_equal_but_space(before, after))))
		return true;
	return slice_present(after) ? lead_keep_raw(lead, field, before)
				    : keep_unread(lead, field, before);
}

static bool blank(struct lg_slice text)
{
	return text.length == 0 ||
	       ((unsigned char)text.data[0] <= ' ' && slice_trim(text).length == 0);
}

static bool normalize_field(const struct normalizer *normalizer, int field)
{
	struct lead *lead = normalizer->lead;
	struct lg_slice before = lead->value[field], after;

	lead->value[field] = slice_of(NULL, 0);
	if (blank(before))
		return true;
	after = read_value(normalizer, field, before);
	if (lead->arena->failed)
		return false;
	if (after.length > 0)
		lead->value[field] = after;
	else
		after = slice_of(NULL, 0);
	return keep_changed(lead, field, before, after);
}

static bool listed_before(const struct lead_text *first, const struct lead_text *item)
{
	for (; first != item; first = first->next)
		if (slice_equal(first->text, item->text))
			return true;
	return false;
}

static struct lg_slice read_item(const struct normalizer *normalizer, int field,
				 struct lg_slice text)
{
	if (blank(text))
		return slice_of(NULL, 0);
	if (field == LG_OTHER_EMAILS)
		return email_normalize(normalizer->lead->arena, text);
	if (field == LG_OTHER_PHONES)
		return read_phone(normalizer, text);
	return read_value(normalizer, field, text);
}

/* Items that cannot be read, are blank, or are there already go. */
static bool normalize_list(const struct normalizer *normalizer, int field)
{
	struct lead *lead = normalizer->lead;
	struct lead_text **link = &lead->list[field];

	while (*link) {
		struct lg_slice before = (*link)->text;
		struct lg_slice after = read_item(normalizer, field, before);

		if (lead->arena->failed ||
		    (!blank(before) && !keep_changed(lead, field, before, after)))
			return false;
		(*link)->text = after;
		if (after.length == 0 || listed_before(lead->list[field], *link) ||
		    (field == LG_OTHER_EMAILS && slice_equal(after, lead->value[LG_EMAIL])) ||
		    (field == LG_OTHER_PHONES && slice_equal(after, lead->value[LG_PHONE])))
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
	return true;
}

/* The type of a number in whose place another one stands: it is not that one's. */
static bool displace_type(struct lead *lead)
{
	struct lg_slice type = lead->value[LG_PHONE_TYPE];

	lead->value[LG_PHONE_TYPE] = slice_of(NULL, 0);
	return blank(type) || keep_unread(lead, LG_PHONE_TYPE, type);
}

/* The first address is one that can be read, if any can: most look at no other. */
static bool put_readable_first(const struct normalizer *normalizer, int field, int others)
{
	struct lead *lead = normalizer->lead;
	struct lead_text *item = lead->list[others];
	struct lg_slice first = lead->value[field];

	if (!item || read_item(normalizer, others, first).length > 0)
		return !lead->arena->failed;
	while (item && read_item(normalizer, others, item->text).length == 0)
		item = item->next;
	if (!item)
		return !lead->arena->failed;
	lead->value[field] = item->text;
	item->text = first;
	return !lead->arena->failed && (field != LG_PHONE || displace_type(lead));
}

static bool flag_email(struct lead *lead)
{
	struct lg_slice email = lead->value[LG_EMAIL];
	bool good = true;

	lead->list[LG_EMAIL_FLAGS] = NULL;
	if (email.length == 0)
		return true;
	if (email_free(email))
		good &= lead_add(lead, LG_EMAIL_FLAGS, LG_SLICE("free"));
	if (email_role(email))
		good &= lead_add(lead, LG_EMAIL_FLAGS, LG_SLICE("role"));
	if (email_disposable(email))
		good &= lead_add(lead, LG_EMAIL_FLAGS, LG_SLICE("disposable"));
	return good || !lead->arena->failed;
}

static bool compose_full_name(struct lead *lead)
{
	struct lg_slice given = lead->value[LG_GIVEN_NAME], family = lead->value[LG_FAMILY_NAME];

	if (slice_present(lead->value[LG_FULL_NAME]) || given.length == 0 || family.length == 0)
		return true;
	lead->value[LG_FULL_NAME] = arena_printf(lead->arena, "%.*s %.*s", SLICE_ARGS(given),
						 SLICE_ARGS(family));
	return slice_present(lead->value[LG_FULL_NAME]);
}

/* "Doe, Jane" tells the parts of a name; without a comma they would be guessed.
 * Even so it is only suggested: "Acme, Inc." looks the same. */
static bool suggest_names(struct lead *lead)
{
	struct lg_slice full = lead->value[LG_FULL_NAME], given, family;
	struct lg_slice why = LG_SLICE("person.full_name has a comma");
	ptrdiff_t comma = slice_find(full, ',');

	if (comma <= 0 || slice_present(lead->value[LG_GIVEN_NAME]) ||
	    slice_present(lead->value[LG_FAMILY_NAME]) || lead->suggestions)
		return true;
	family = slice_trim(slice_cut(full, 0, (size_t)comma));
	given = slice_trim(slice_cut(full, (size_t)comma + 1, SIZE_MAX));
	if (given.length == 0 || slice_find(given, ',') >= 0)
		return true;
	return lead_suggest(lead, slice_from(field_table[LG_GIVEN_NAME].path), given, why) &&
	       lead_suggest(lead, slice_from(field_table[LG_FAMILY_NAME].path), family, why);
}

static bool settle_kind(struct lead *lead)
{
	struct lg_slice kind = lead->value[LG_INQUIRY_KIND], kinds = LG_SLICE(LG_INQUIRY_KINDS),
			known;

	if (!slice_present(kind))
		return true;
	while (slice_split(&kinds, '|', &known))
		if (slice_equal_nocase(kind, known)) {
			lead->value[LG_INQUIRY_KIND] = known;
			return true;
		}
	lead->value[LG_INQUIRY_KIND] = LG_SLICE("other");
	return lead_keep_raw(lead, LG_INQUIRY_KIND, kind);
}

/* Before parameters are looked for: a hidden character may sit in their names. */
static bool clean_page(struct lead *lead, int field)
{
	struct lg_slice before = lead->value[field];

	if (!slice_present(before))
		return true;
	lead->value[field] = text_line(lead->arena, before, SIZE_MAX);
	return slice_present(lead->value[field]) &&
	       (blank(before) || keep_changed(lead, field, before, lead->value[field]));
}

static bool normalize_fields(const struct normalizer *normalizer)
{
	const struct lead *lead = normalizer->lead;

	for (int field = 0; (field = lead_next_field(lead, field, LG_FIELD_COUNT)) < LG_FIELD_COUNT;
	     field++) {
		/* The gateway's own are in their form; the country came first. */
		if (field_table[field].host_only || field == LG_COUNTRY)
			continue;
		if (lead->list[field] ? !normalize_list(normalizer, field)
				      : !normalize_field(normalizer, field))
			return false;
	}
	return true;
}

bool lead_normalize(struct lead *lead, const struct normalize_settings *settings)
{
	const struct normalizer normalizer = {lead, settings};

	return normalize_field(&normalizer, LG_COUNTRY) && clean_page(lead, LG_LANDING_URL) &&
	       clean_page(lead, LG_PAGE_URL) && attribution_collect(lead) &&
	       put_readable_first(&normalizer, LG_EMAIL, LG_OTHER_EMAILS) &&
	       put_readable_first(&normalizer, LG_PHONE, LG_OTHER_PHONES) &&
	       normalize_fields(&normalizer) && flag_email(lead) && settle_kind(lead) &&
	       compose_full_name(lead) && suggest_names(lead) && profile_normalize(lead) &&
	       consent_normalize(lead);
}
