#include "base/suggestion.h"

#include "config/bind.h"

const char *bind_suggestion(struct lg_slice word, const char *const *names)
{
	struct suggestion suggestion;

	suggestion_init(&suggestion, word);
	for (; *names; names++)
		suggestion_try(&suggestion, slice_from(*names));
	return suggestion.nearest.data; /* all of a terminated name */
}
