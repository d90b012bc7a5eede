#include "codec/json.h"

const struct json *json_member_slice(const struct json *value, struct lg_slice name)
{
	if (!value || value->kind != JSON_OBJECT)
		return NULL;
	for (const struct json *member = value->first; member; member = member->next) {
		if (slice_equal(member->name, name))
			return member;
	}
	return NULL;
}

const struct json *json_member(const struct json *value, const char *name)
{
	return json_member_slice(value, slice_from(name));
}

struct lg_slice json_member_text(const struct json *value, const char *name)
{
	const struct json *member = json_member(value, name);

	if (!member || (member->kind != JSON_STRING && member->kind != JSON_NUMBER))
		return (struct lg_slice){NULL, 0};
	return member->text;
}
