/* Errors of the Graph API, by their codes. What is not known here is tried again until the
 * claim is too old: an error that passes must not cost a lead. */
#include "meta.h"

#include <stdio.h>
#include <stdlib.h>

enum meaning { PASSES, TOO_OFTEN, TOKEN, PERMISSION, QUESTION, NOT_THERE };

static const struct {
	int first, last;
	enum meaning meaning;
} codes[] = {
	{3, 3, PERMISSION},	   {4, 4, TOO_OFTEN},	   {10, 10, PERMISSION},
	{17, 17, TOO_OFTEN},	   {32, 32, TOO_OFTEN},	   {100, 100, QUESTION},
	{102, 102, TOKEN},	   {190, 190, TOKEN},	   {200, 299, PERMISSION},
	{341, 341, TOO_OFTEN},	   {368, 368, PERMISSION}, {613, 613, TOO_OFTEN},
	{80000, 80014, TOO_OFTEN},
};

static enum meaning meaning_of(int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (code >= codes[i].first && code <= codes[i].last)
			return codes[i].meaning;
	return PASSES;
}

/* Code 100 is said of whatever is wrong with a question, such as a field that a version of
 * the API does not have. That the object is not there has a subcode or type of its own. */
static bool is_not_there(struct lg_request *request, const struct lg_json *error, int subcode)
{
	return subcode == 33 ||
	       lg_slice_equal(text_of(request, error, "type"), LG_SLICE("GraphMethodException"));
}

void verdict_park(struct lg_verdict *verdict, struct lg_slice reason)
{
	verdict->verdict = LG_ERRAND_PARK;
	verdict->reason = reason;
}

void verdict_dead(struct lg_verdict *verdict, struct lg_slice reason)
{
	verdict->verdict = LG_ERRAND_DEAD;
	verdict->reason = reason;
}

/* Meta's own sentence may name people, so only its numbers are told. */
static struct lg_slice tell(struct lg_request *request, const char *what, int code, int subcode)
{
	char text[160];
	int length = snprintf(text, sizeof(text), "%s (code %d, subcode %d)", what, code, subcode);
	char *kept = length > 0 ? lg_allocate(request, (size_t)length) : NULL;
	struct lg_slice reason = lg_slice_from(what);

	if (!kept)
		return reason;
	memcpy(kept, text, (size_t)length);
	return (struct lg_slice){kept, (size_t)length};
}

static void try_again(struct lg_verdict *verdict, const struct lg_errand *errand,
		      struct lg_slice reason)
{
	verdict->verdict = LG_ERRAND_RETRY;
	verdict->retry_after = errand->retry_after;
	verdict->reason = reason;
}

bool verdict_of_error(const struct settings *settings, struct lg_request *request,
		      const struct lg_errand *errand, const struct lg_json *root,
		      struct lg_verdict *verdict)
{
	const struct lg_json *error = member(request, root, "error");
	const struct lg_json *transient = member(request, error, "is_transient");
	int code = number_of(text_of(request, error, "code"));
	int subcode = number_of(text_of(request, error, "error_subcode"));
	enum meaning meaning = meaning_of(code);

	if (meaning == QUESTION && is_not_there(request, error, subcode))
		meaning = NOT_THERE;
	if (transient && lg_json_kind(request, transient) == LG_JSON_TRUE && meaning != TOO_OFTEN)
		meaning = PASSES;
	switch (meaning) {
	case TOO_OFTEN:
		try_again(verdict, errand,
			  tell(request, "Meta was asked too often", code, subcode));
		verdict->pause = errand->retry_after > settings->rate_pause ? errand->retry_after
									    : settings->rate_pause;
		break;
	case TOKEN:
		verdict_park(verdict, tell(request, "the access_token is not valid any more", code,
					   subcode));
		break;
	case PERMISSION:
		verdict_park(verdict,
			     tell(request, "the access_token lacks a permission", code, subcode));
		break;
	case QUESTION:
		verdict_park(verdict, tell(request,
					   "the Graph API does not understand the question: does "
					   "graph_url name a version that it serves?",
					   code, subcode));
		break;
	case NOT_THERE: return true;
	default:
		try_again(verdict, errand,
			  root ? tell(request, "the Graph API gave an error", code, subcode)
			       : LG_SLICE("the Graph API's answer is no JSON"));
		break;
	}
	return false;
}
