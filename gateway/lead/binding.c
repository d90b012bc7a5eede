#include "lead/binding.h"

#include <errno.h>
#include <stdlib.h>

#define NUMBER_BYTES 64

/* True when the text is a whole number, whether or not it fits. */
static bool is_whole(struct lg_slice text)
{
	size_t i = text.length > 0 && text.data[0] == '-';

	while (i < text.length && text.data[i] >= '0' && text.data[i] <= '9')
		i++;
	return i == text.length;
}

/* JSON's grammar of numbers is a part of C's. */
static void read_number(struct lg_slice text, struct expr_value *value)
{
	char digits[NUMBER_BYTES];

	*value = (struct expr_value){.kind = EXPR_TEXT, .text = text};
	if (text.length >= sizeof(digits))
		return;
	slice_to_text(text, digits, sizeof(digits));
	errno = 0;
	if (is_whole(text)) {
		value->integer = strtoll(digits, NULL, 10);
		if (errno == 0)
			value->kind = EXPR_INTEGER;
	} else {
		value->number = strtod(digits, NULL);
		value->kind = EXPR_NUMBER;
	}
}

void binding_value(const struct json *json, struct expr_value *value)
{
	*value = (struct expr_value){.kind = EXPR_NIL};
	if (!json)
		return;
	switch (json->kind) {
	case JSON_NULL: break;
	case JSON_TRUE:
	case JSON_FALSE:
		value->kind = EXPR_BOOL;
		value->truth = json->kind == JSON_TRUE;
		break;
	case JSON_NUMBER: read_number(json->text, value); break;
	case JSON_STRING:
		value->kind = EXPR_TEXT;
		value->text = json->text;
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		value->kind = EXPR_NODE;
		value->node = json;
		break;
	}
}

static void member(const void *context, const void *node, struct lg_slice name,
		   struct expr_value *value)
{
	binding_value(json_member_slice(node ? node : context, name), value);
}

static bool next(const void *context, const void *list, const void **at, struct expr_value *value)
{
	const struct json *array = list, *last = *at, *item = last ? last->next : array->first;

	(void)context;
	if (array->kind != JSON_ARRAY || !item)
		return false;
	binding_value(item, value);
	*at = item;
	return true;
}

struct expr_reader binding_reader(const struct json *root)
{
	return (struct expr_reader){.context = root, .member = member, .next = next};
}

/* "[]" behind the path of a list. */
#define ITEMS_TEXT ""
#define ITEMS_BLOCK ""
#define ITEMS_EMAIL ""
#define ITEMS_PHONE ""
#define ITEMS_URL ""
#define ITEMS_DATE ""
#define ITEMS_TIME ""
#define ITEMS_COUNTRY ""
#define ITEMS_LANGUAGE ""
#define ITEMS_IP ""
#define ITEMS_INTEGER ""
#define ITEMS_BOOLEAN ""
#define ITEMS_LIST "[]"

/* What an event has beside its record; then the fields table, and what the record
 * holds beside it. */
#define EVENT_PATHS 7
static const char *const paths[] = {
	"event.type",
	"event.id",
	"event.seq",
	"event.at",
	"event.external_id",
	"event.changes.*",
	"event.alert.*",
#define LG_FIELD(id, path, type, limit, flags, names) path ITEMS_##type,
#include <leadgate/fields.def>
#undef LG_FIELD
	"schema",
	"person.profiles[].network",
	"person.profiles[].id",
	"person.profiles[].url",
	"consent[].purpose",
	"consent[].channels[]",
	"consent[].state",
	"consent[].basis",
	"consent[].text",
	"consent[].text_sha256",
	"consent[].version",
	"consent[].method",
	"consent[].at",
	"consent[].evidence.*",
	"status.reasons[].rule",
	"status.reasons[].axis",
	"status.reasons[].from",
	"status.reasons[].to",
	"status.reasons[].points",
	"status.reasons[].at",
	"suggestions[].path",
	"suggestions[].value",
	"suggestions[].why",
	"raw.*",
	"extra.*",
};

const struct expr_names *binding_names(void)
{
	static const struct expr_names names = {paths + EVENT_PATHS,
						sizeof(paths) / sizeof(paths[0]) - EVENT_PATHS};

	return &names;
}

const struct expr_names *binding_event_names(void)
{
	static const struct expr_names names = {paths, sizeof(paths) / sizeof(paths[0])};

	return &names;
}

bool binding_check(struct lg_slice text, struct error *error)
{
	return expr_check_answer(text, binding_names(), error);
}
