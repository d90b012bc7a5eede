/* Errands: the calls of the Graph API that bring leads. */
#include "meta.h"

#include <stdio.h>

#define PAGE_LEADS "50"
#define CURSOR_BYTES 1024
#define URL_BYTES 8192

/* ---- calls ------------------------------------------------------------------------------ */

/* What an app may demand beside the token (Graph API, "Securing requests"): proof that
 * whoever has it knows the app's secret. False: it cannot be made. */
static bool add_proof(const struct settings *settings, struct lg_request *request, char proof[65])
{
	unsigned char mac[32];

	if (lg_hmac(request, LG_SHA256, settings->app_secret, settings->access_token, mac,
		    sizeof(mac)) != (int32_t)sizeof(mac))
		return false;
	proof[64] = '\0';
	return lg_hex(request, (struct lg_slice){(const char *)mac, sizeof(mac)}, proof, 64) == 64;
}

/* GET graph_url/PATH with the proof behind its query; the token goes in a header, for
 * URLs stand in logs. */
static int32_t call(const struct settings *settings, struct lg_request *request, const char *path,
		    struct lg_verdict *verdict)
{
	struct lg_slice token = settings->access_token, base = settings->graph_url;
	size_t room = token.length + sizeof("Bearer ");
	char url[URL_BYTES], proof[65], *bearer = lg_allocate(request, room);
	struct lg_pair header = {LG_SLICE("Authorization"), {bearer, room - 1}};
	struct lg_http_call call = {.size = sizeof(call), .headers = &header, .header_count = 1};
	int length;

	if (!bearer || !add_proof(settings, request, proof))
		return LG_FAIL;
	memcpy(bearer, "Bearer ", sizeof("Bearer ") - 1);
	memcpy(bearer + sizeof("Bearer ") - 1, token.data, token.length);
	while (base.length && base.data[base.length - 1] == '/')
		base.length--;
	length = snprintf(url, sizeof(url), "%.*s/%s&appsecret_proof=%s", (int)base.length,
			  base.data, path, proof);
	if (length < 0 || (size_t)length >= sizeof(url))
		return LG_FAIL;
	call.url = (struct lg_slice){url, (size_t)length};
	verdict->verdict = LG_ERRAND_MORE;
	return lg_errand_call(request, &call);
}

/* The answer's root; NULL: it is no JSON object. */
static const struct lg_json *read_answer(struct lg_request *request, const struct lg_errand *errand)
{
	const struct lg_json *root;
	char problem[200];

	if (lg_json(request, errand->body, &root, (struct lg_text){problem, sizeof(problem)}) !=
		    LG_OK ||
	    lg_json_kind(request, root) != LG_JSON_OBJECT)
		return NULL;
	return root;
}

static bool is_good(struct lg_request *request, const struct lg_errand *errand,
		    const struct lg_json *root)
{
	return errand->status == 200 && root && !member(request, root, "error");
}

/* The array that a good answer is about. NULL: it lacks it. */
static const struct lg_json *list_of(struct lg_request *request, const struct lg_json *root,
				     const char *name)
{
	const struct lg_json *list = member(request, root, name);

	return list && lg_json_kind(request, list) == LG_JSON_ARRAY ? list : NULL;
}

/* Half an answer says nothing, least of all that there is no more: it is asked for again. */
static int32_t ask_again(struct lg_verdict *verdict)
{
	verdict->verdict = LG_ERRAND_RETRY;
	verdict->reason = LG_SLICE("the Graph API's answer lacks its data");
	return LG_OK;
}

/* ---- one lead ---------------------------------------------------------------------------- */

static int32_t ask_lead(const struct settings *settings, struct lg_request *request,
			const struct lg_errand *errand, struct lg_verdict *verdict)
{
	char path[META_ID_BYTES + 400];

	snprintf(path, sizeof(path), "%.*s?fields=" META_FIELDS, (int)errand->key.length,
		 errand->key.data);
	return call(settings, request, path, verdict);
}

/* "Unsupported get request" is said of a lead that was deleted, of one that never was, and
 * of a permission that is missing. Whether the token may read leads of the form at all
 * tells them apart. */
static int32_t ask_form(const struct settings *settings, struct lg_request *request,
			const struct lg_errand *errand, struct lg_verdict *verdict)
{
	char path[META_ID_BYTES + 100];

	if (!is_id(errand->blob)) {
		verdict_park(verdict, LG_SLICE("the lead cannot be read, and its form is not "
					       "known: it was deleted, or the access_token lacks "
					       "leads_retrieval"));
		return LG_OK;
	}
	snprintf(path, sizeof(path), "%.*s/leads?fields=id&limit=1", (int)errand->blob.length,
		 errand->blob.data);
	return call(settings, request, path, verdict);
}

/* The button "Test" of Meta's dashboard sends ids such as 444444444444. */
static bool is_made_up(struct lg_slice key)
{
	for (size_t i = 0; i < key.length; i++)
		if (key.data[i] != '4')
			return false;
	return key.length >= 6;
}

static int32_t judge_lead(const struct settings *settings, struct lg_request *request,
			  const struct lg_errand *errand, struct lg_verdict *verdict)
{
	const struct lg_json *root = read_answer(request, errand);

	if (is_good(request, errand, root)) {
		if (!list_of(request, root, "field_data")) {
			verdict_park(verdict, LG_SLICE("the lead came without its answers: does "
						       "the access_token have leads_retrieval?"));
			return LG_OK;
		}
		if (!lg_slice_equal(text_of(request, root, "id"), errand->key)) {
			verdict->reason = LG_SLICE("the answer is of another lead");
			return LG_OK;
		}
		verdict->verdict = LG_ERRAND_DONE;
		return answers_add(settings, request, root);
	}
	if (!verdict_of_error(settings, request, errand, root, verdict))
		return LG_OK;
	if (is_made_up(errand->key)) {
		verdict_dead(verdict, LG_SLICE("the id is one that Meta's test button makes up"));
		return LG_OK;
	}
	return ask_form(settings, request, errand, verdict);
}

static int32_t judge_form(const struct settings *settings, struct lg_request *request,
			  const struct lg_errand *errand, struct lg_verdict *verdict)
{
	const struct lg_json *root = read_answer(request, errand);

	if (is_good(request, errand, root) && !list_of(request, root, "data"))
		return ask_again(verdict);
	if (is_good(request, errand, root))
		verdict_dead(verdict, LG_SLICE("Meta has no such lead: it was deleted, or is older "
					       "than 90 days"));
	else if (verdict_of_error(settings, request, errand, root, verdict))
		verdict_park(verdict, LG_SLICE("neither the lead nor its form can be read: the "
					       "access_token lacks leads_retrieval, or Leads "
					       "Access Manager denies it"));
	return LG_OK;
}

int32_t graph_claim(void *instance, struct lg_request *request, const struct lg_errand *errand,
		    struct lg_verdict *verdict)
{
	if (errand->cause != LG_CAUSE_RESPONSE)
		return ask_lead(instance, request, errand, verdict);
	if (errand->calls == 1)
		return judge_lead(instance, request, errand, verdict);
	return judge_form(instance, request, errand, verdict);
}

/* ---- all leads of the forms ----------------------------------------------------------------- */

/* Where a back-fill stands is "FORM PAGE LENGTH MARKCURSOR": the number of the page in its
 * form, from 1, and its cursor behind the mark, which has that length and is the cursor of
 * the last page whose number was a power of two. A page that leads to the mark closes a circle, and in each circle, however many
 * pages it has, one does sooner or later (R. P. Brent, 1980). */
struct place {
	size_t form; /* which of the option's */
	int64_t page;
	struct lg_slice mark, cursor; /* absent: of the form's first page */
};

static size_t form_at(const struct settings *settings, struct lg_slice form)
{
	size_t i = 0;

	while (i < settings->forms.count && !lg_slice_equal(settings->forms.items[i], form))
		i++;
	return i < settings->forms.count ? i : 0;
}

/* What cannot be read begins its form anew, and a form that was taken out of the
 * configuration the first one: to read a lead twice does no harm. */
static struct place read_place(const struct settings *settings, struct lg_slice blob)
{
	struct lg_slice form = lg_slice_part(&blob, ' '), page = lg_slice_part(&blob, ' ');
	size_t marked = (size_t)number_of(lg_slice_part(&blob, ' '));
	struct place place = {.form = form_at(settings, form), .page = 1};

	if (!lg_slice_equal(form, settings->forms.items[place.form]) || number_of(page) == 0)
		return place;
	place.page = number_of(page);
	place.mark = lg_slice_cut(blob, 0, marked);
	place.cursor = lg_slice_cut(blob, place.mark.length, blob.length);
	return place;
}

static struct place next_page(const struct place *place, struct lg_slice cursor)
{
	int64_t page = place->page + 1;
	bool marked = (page & (page - 1)) == 0;

	return (struct place){place->form, page, marked ? cursor : place->mark, cursor};
}

/* NULL: the page that `after` leads to can be asked for. */
static const char *refuse_page(const struct settings *settings, const struct place *place,
			       struct lg_slice after)
{
	if (lg_slice_equal(after, place->cursor) || lg_slice_equal(after, place->mark))
		return "the Graph API leads from a page to one that was read before";
	if (place->page >= settings->max_pages)
		return "a form has more pages of leads than max_pages";
	return NULL;
}

static int32_t ask_page(const struct settings *settings, struct lg_request *request,
			const struct lg_errand *errand, const struct place *place,
			struct lg_verdict *verdict)
{
	char filter[160], encoded[3 * sizeof(filter)], after[3 * CURSOR_BYTES + 8] = "&after=";
	char path[sizeof(encoded) + sizeof(after) + 600];
	struct lg_slice filtering = {filter, 0}, form = settings->forms.items[place->form];
	size_t used;

	if (place->cursor.length > CURSOR_BYTES)
		return LG_FAIL;
	used = strlen(after) + lg_percent_encode(place->cursor, after + strlen(after));
	filtering.length = (size_t)snprintf(filter, sizeof(filter),
					    "[{\"field\":\"time_created\",\"operator\":"
					    "\"GREATER_THAN_OR_EQUAL\",\"value\":%lld}]",
					    (long long)(errand->since / 1000));
	snprintf(path, sizeof(path),
		 "%.*s/leads?fields=" META_FIELDS "&limit=" PAGE_LEADS "&filtering=%.*s%.*s",
		 (int)form.length, form.data, (int)lg_percent_encode(filtering, encoded), encoded,
		 place->cursor.length ? (int)used : 0, after);
	return call(settings, request, path, verdict);
}

/* Has the place committed with what the page brought, and the next one asked for. */
static int32_t go_on(const struct settings *settings, struct lg_request *request,
		     const struct lg_errand *errand, const struct place *place,
		     struct lg_verdict *verdict)
{
	struct lg_slice form = settings->forms.items[place->form];
	size_t room = form.length + place->mark.length + place->cursor.length + 48, length;
	char *blob = lg_allocate(request, room);

	if (!blob)
		return LG_FAIL;
	length = (size_t)snprintf(blob, room, "%.*s %lld %zu ", (int)form.length, form.data,
				  (long long)place->page, place->mark.length);
	if (place->mark.length)
		memcpy(blob + length, place->mark.data, place->mark.length);
	length += place->mark.length;
	if (place->cursor.length)
		memcpy(blob + length, place->cursor.data, place->cursor.length);
	verdict->blob = (struct lg_slice){blob, length + place->cursor.length};
	return ask_page(settings, request, errand, place, verdict);
}

/* LG_FAIL: memory ran out, or max_items is below what a page has. */
static int32_t take_leads(const struct settings *settings, struct lg_request *request,
			  const struct lg_json *leads)
{
	for (const struct lg_json *lead = lg_json_first(request, leads); lead;
	     lead = lg_json_next(request, lead)) {
		bool named = is_id(text_of(request, lead, "id"));
		int32_t added = named ? answers_add(settings, request, lead)
				      : lg_ignore(request, LG_SLICE("a lead without its id"));
		if (added != LG_OK)
			return LG_FAIL;
	}
	return LG_OK;
}

/* Of a page that leads nowhere nothing is taken: it is asked for again when the back-fill is. */
static int32_t take_page(const struct settings *settings, struct lg_request *request,
			 const struct lg_errand *errand, const struct lg_json *root,
			 const struct place *place, struct lg_verdict *verdict)
{
	const struct lg_json *paging = member(request, root, "paging");
	const struct lg_json *cursors = member(request, paging, "cursors");
	struct lg_slice after = text_of(request, cursors, "after");
	const struct lg_json *leads = list_of(request, root, "data");
	bool is_last = !after.length || !text_of(request, paging, "next").length;
	const char *refusal = is_last ? NULL : refuse_page(settings, place, after);
	struct place next;

	if (!leads)
		return ask_again(verdict);
	if (refusal) {
		verdict_park(verdict, lg_slice_from(refusal));
		return LG_OK;
	}
	if (take_leads(settings, request, leads) != LG_OK)
		return LG_FAIL;
	if (is_last && place->form + 1 == settings->forms.count) {
		verdict->verdict = LG_ERRAND_DONE;
		return LG_OK;
	}
	next = is_last ? (struct place){.form = place->form + 1, .page = 1}
		       : next_page(place, after);
	return go_on(settings, request, errand, &next, verdict);
}

int32_t graph_backfill(void *instance, struct lg_request *request, const struct lg_errand *errand,
		       struct lg_verdict *verdict)
{
	const struct settings *settings = instance;
	const struct lg_json *root;
	struct place place;

	if (settings->forms.count == 0) {
		verdict_dead(verdict, LG_SLICE("the option forms names no form"));
		return LG_OK;
	}
	place = read_place(settings, errand->blob);
	if (errand->cause != LG_CAUSE_RESPONSE)
		return ask_page(settings, request, errand, &place, verdict);
	root = read_answer(request, errand);
	if (is_good(request, errand, root))
		return take_page(settings, request, errand, root, &place, verdict);
	if (verdict_of_error(settings, request, errand, root, verdict))
		verdict_park(verdict, LG_SLICE("a form cannot be read: is its id in forms right, "
					       "and does the access_token have leads_retrieval?"));
	return LG_OK;
}
