/* Fields to a lead: each goes, by its name, to the record's field that it means;
 * what nobody knows is kept as it was sent. */
#include "webform.h"

#define KEY_BYTES 255 /* of an Idempotency-Key */
#define WORD_BITS 64
#define NUMBER_DIGITS 5 /* that a phone number has at least */

/* What a field was set to, and the name with which it came. */
struct answer {
	struct lg_slice name, value;
};

struct filling {
	struct visitor visitor; /* first */
	const struct settings *settings;
	struct lg_request *request;
	struct lg_lead *lead;
	bool granted, denied; /* what the consent's field said; several are one statement */
	/* What fields were set to, where their bit says that they were: most are not,
	 * and to clear all of them takes longer than to fill those. */
	struct answer *taken;
	uint64_t is_taken[(LG_FIELD_COUNT + WORD_BITS - 1) / WORD_BITS];
};

/* What each field of the record can hold. */
#define LG_FIELD(id, path, type, limit, flags, names) limit,
static const size_t field_bytes[LG_FIELD_COUNT] = {
#include <leadgate/fields.def>
};
#undef LG_FIELD

/* ---- names ----------------------------------------------------------------------- */

static bool is_number(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return true;
}

/* Names as frameworks spell lists and objects: "products[]" and "products[3]" mean
 * products, "person[email]" means person.email. What is not spelt so to its end is
 * left as it is. Memory that is short leaves it, too. */
static struct lg_slice plain_name(struct lg_request *request, struct lg_slice name)
{
	struct lg_slice rest = name, part = lg_slice_part(&rest, '[');
	char *plain;
	size_t length;

	if (part.length == 0 || part.length == name.length)
		return name;
	plain = lg_allocate(request, name.length);
	if (!plain)
		return name;
	memcpy(plain, part.data, part.length);
	length = part.length;
	for (;;) {
		size_t before = rest.length;

		part = lg_slice_part(&rest, ']');
		if (part.length == before)
			return name; /* no bracket closes it */
		if (!is_number(part)) {
			plain[length++] = '.';
			memcpy(plain + length, part.data, part.length);
			length += part.length;
		}
		if (rest.length == 0)
			return (struct lg_slice){plain, length};
		if (rest.data[0] != '[')
			return name;
		rest = lg_slice_cut(rest, 1, rest.length);
	}
}

static int32_t mapped(const struct settings *settings, struct lg_slice name)
{
	const struct lg_field_map *map = &settings->fields;

	for (size_t i = 0; i < map->count; i++)
		if (lg_slice_equal(map->entries[i].name, name))
			return map->entries[i].field;
	return LG_FAIL;
}

int32_t fields_named(const struct settings *settings, struct lg_request *request,
		     struct lg_slice name)
{
	struct lg_slice plain = plain_name(request, name);
	int32_t field = mapped(settings, name);

	if (field < 0)
		field = mapped(settings, plain);
	return field < 0 ? lg_field_named(request, plain) : field;
}

/* ---- values ------------------------------------------------------------------------ */

/* NULL for fields that were not set, and for those of a later table than this plugin
 * was built with. */
static const struct answer *taken(const struct filling *filling, int32_t field)
{
	if (field < LG_FIELD_COUNT && filling->is_taken[field / WORD_BITS] >> field % WORD_BITS & 1)
		return &filling->taken[field];
	return NULL;
}

static void note_taken(struct filling *filling, int32_t field, struct answer answer)
{
	if (field >= LG_FIELD_COUNT)
		return;
	filling->is_taken[field / WORD_BITS] |= UINT64_C(1) << field % WORD_BITS;
	filling->taken[field] = answer;
}

static bool keep_extra(struct filling *filling, struct lg_slice name, struct lg_slice value,
		       struct problem *problem)
{
	if (lg_lead_extra(filling->lead, name, value) == LG_OK)
		return true;
	return problem_set(problem, 422,
			   "The form has more unknown fields than this gateway keeps.");
}

/* Digits and, as those of other scripts are among them, what is not ASCII. */
static size_t count_digits(struct lg_slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += (text.data[i] >= '0' && text.data[i] <= '9') ||
			 (unsigned char)text.data[i] >= 0xc0;
	return count;
}

/* Whether it may be an address or a number: "n/a" is neither. */
static bool may_reach(int32_t field, struct lg_slice value)
{
	return field == LG_EMAIL ? lg_slice_find(value, "@") != NULL
				 : count_digits(value) >= NUMBER_DIGITS;
}

/* A value that another one displaced. A further address stands in the list of its kind,
 * where it is a key to the person. One that came under the winner's own name is the form's
 * default, which all of its visitors send: it is a key only where nothing else can be. */
static bool keep_displaced(struct filling *filling, int32_t field, const struct answer *answer,
			   const struct answer *winner, struct problem *problem)
{
	int32_t list = field == LG_EMAIL   ? LG_OTHER_EMAILS
		       : field == LG_PHONE ? LG_OTHER_PHONES
					   : LG_FAIL;

	if (list >= 0 &&
	    (!lg_slice_equal(answer->name, winner->name) || !may_reach(field, winner->value)) &&
	    lg_lead_add(filling->lead, list, answer->value) == LG_OK)
		return true;
	return keep_extra(filling, answer->name, answer->value, problem);
}

static bool set_field(struct filling *filling, int32_t field, struct lg_slice name,
		      struct lg_slice value, struct problem *problem)
{
	const struct answer *before = taken(filling, field), answer = {name, value};

	if (lg_slice_trim(value).length == 0)
		return true; /* an empty box is no answer */
	/* What a field cuts off is kept whole beside it. */
	if (field < LG_FIELD_COUNT && value.length > field_bytes[field] &&
	    !keep_extra(filling, name, value, problem))
		return false;
	if (lg_lead_set(filling->lead, field, value) != LG_OK)
		return lg_lead_add(filling->lead, field, value) == LG_OK ||
		       keep_extra(filling, name, value, problem);
	/* The last one wins, as in a form that hides a default before a box. */
	if (before && !lg_slice_equal(before->value, value) &&
	    !keep_displaced(filling, field, before, &answer, problem))
		return false;
	note_taken(filling, field, answer);
	return true;
}

static bool is_unchecked(struct lg_slice value)
{
	return value.length == 0 || lg_slice_is(value, "0") || lg_slice_is(value, "false") ||
	       lg_slice_is(value, "off") || lg_slice_is(value, "no");
}

int32_t fields_consent(const struct settings *settings, struct lg_slice value)
{
	const struct lg_list *denied = &settings->consent_denied;

	value = lg_slice_trim(value);
	for (size_t i = 0; i < denied->count; i++)
		if (lg_slice_same(denied->items[i], value))
			return LG_CONSENT_DENIED;
	return is_unchecked(value) ? 0 : LG_CONSENT_GRANTED;
}

/* The word itself is evidence: it may say what exactly was chosen. */
static bool note_consent(struct filling *filling, struct lg_slice name, struct lg_slice value,
			 struct problem *problem)
{
	int32_t state = fields_consent(filling->settings, value);

	filling->granted |= state == LG_CONSENT_GRANTED;
	filling->denied |= state == LG_CONSENT_DENIED;
	return lg_slice_trim(value).length == 0 || keep_extra(filling, name, value, problem);
}

/* "email,sms" of the list that the configuration gives. */
static struct lg_slice consent_channels(struct filling *filling)
{
	const struct lg_list *list = &filling->settings->consent_channels;
	struct lg_slice none = {NULL, 0};
	size_t length = 0;
	char *joined;

	for (size_t i = 0; i < list->count; i++)
		length += list->items[i].length + 1;
	joined = length ? lg_allocate(filling->request, length) : NULL;
	if (!joined)
		return none;
	length = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			joined[length++] = ',';
		memcpy(joined + length, list->items[i].data, list->items[i].length);
		length += list->items[i].length;
	}
	return (struct lg_slice){joined, length};
}

/* A form that sends "no" with every form, and "yes" for a checked box beside it, grants. */
static bool state_consent(struct filling *filling, struct problem *problem)
{
	const struct settings *settings = filling->settings;
	struct lg_consent consent = {
		.size = sizeof(consent),
		.state = filling->granted ? LG_CONSENT_GRANTED : LG_CONSENT_DENIED,
		.purpose = settings->consent_purpose,
		.channels = consent_channels(filling),
		.basis = LG_SLICE("consent"),
		.text = settings->consent_text,
		.version = settings->consent_version,
		.method = LG_SLICE("checkbox"),
	};

	return (!filling->granted && !filling->denied) ||
	       lg_lead_consent(filling->lead, &consent) == LG_OK ||
	       problem_set(problem, 503, "The consent could not be kept.");
}

static bool put_field(struct visitor *visitor, struct lg_slice name, struct lg_slice value,
		      struct problem *problem)
{
	struct filling *filling = (struct filling *)visitor;
	const struct settings *settings = filling->settings;
	int32_t field;

	if (settings->honeypot.length && lg_slice_equal(name, settings->honeypot)) {
		if (lg_slice_trim(value).length)
			lg_lead_trap(filling->lead, LG_SLICE("honeypot"));
		return true;
	}
	if (settings->consent_field.length && lg_slice_equal(name, settings->consent_field))
		return note_consent(filling, name, value, problem);
	if (settings->redirects.count && lg_slice_equal(name, settings->redirect_field))
		return true; /* says where to go afterwards, nothing of the person */
	field = fields_named(settings, filling->request, name);
	return field >= 0 ? set_field(filling, field, name, value, problem)
			  : keep_extra(filling, name, value, problem);
}

static bool put_profile(struct visitor *visitor, struct lg_slice network, struct lg_slice id,
			struct lg_slice url, struct problem *problem)
{
	struct filling *filling = (struct filling *)visitor;

	(void)problem;
	return lg_lead_profile(filling->lead, network, id, url) == LG_OK;
}

/* ---- the whole lead ------------------------------------------------------------------ */

/* Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a structured
 * field string in quotes; senders that leave the quotes out are understood. */
static bool take_key(struct filling *filling, struct problem *problem)
{
	struct lg_slice key = lg_slice_trim(request_header(filling->request, "idempotency-key"));

	if (!key.data)
		return true;
	if (key.length >= 2 && key.data[0] == '"' && key.data[key.length - 1] == '"')
		key = lg_slice_cut(key, 1, key.length - 2);
	if (key.length == 0 || key.length > KEY_BYTES)
		return problem_set(problem, 400,
				   "The Idempotency-Key must have 1 to 255 characters.");
	for (size_t i = 0; i < key.length; i++)
		if (key.data[i] < ' ' || key.data[i] > '~')
			return problem_set(problem, 400,
					   "The Idempotency-Key must be printable ASCII.");
	return lg_lead_key(filling->lead, LG_KEY_IDEMPOTENCY, key) == LG_OK ||
	       problem_set(problem, 503, "The Idempotency-Key could not be kept.");
}

static void add_what_the_form_left_out(struct filling *filling)
{
	struct lg_slice referer;

	if (!taken(filling, LG_INQUIRY_KIND))
		lg_lead_set(filling->lead, LG_INQUIRY_KIND,
			    lg_choice(LG_INQUIRY_KINDS, filling->settings->kind));
	if (taken(filling, LG_PAGE_URL))
		return;
	referer = lg_slice_trim(request_header(filling->request, "referer"));
	if (referer.length)
		lg_lead_set(filling->lead, LG_PAGE_URL, referer);
}

bool fields_fill(const struct settings *settings, struct lg_request *request, struct lg_lead *lead,
		 struct lg_slice body, struct problem *problem)
{
	struct answer answers[LG_FIELD_COUNT];
	struct filling filling = {
		.visitor = {put_field, put_profile},
		.settings = settings,
		.request = request,
		.lead = lead,
		.taken = answers,
	};

	if (!take_key(&filling, problem) ||
	    !body_read(request, settings, body, &filling.visitor, problem) ||
	    !state_consent(&filling, problem))
		return false;
	add_what_the_form_left_out(&filling);
	return true;
}
