/* Any bytes as JSON: the reader and the scanner that explains mistakes decide
 * alike, and what was read is read again from what is written of it. */
#include "codec/json.h"
#include "codec/json_problem.h"
#include "codec/json_writer.h"
#include "fuzz.h"

static void write_value(struct json_writer *writer, const struct json *value)
{
	static const char brackets[] = "[]{}";
	const char *pair = value->kind == JSON_ARRAY ? brackets : brackets + 2;

	if (slice_present(value->name))
		json_write_name(writer, value->name);
	switch (value->kind) {
	case JSON_NULL: json_write_null(writer); return;
	case JSON_TRUE: json_write_bool(writer, true); return;
	case JSON_FALSE: json_write_bool(writer, false); return;
	case JSON_NUMBER: json_write_raw(writer, value->text); return;
	case JSON_STRING: json_write_text(writer, value->text); return;
	case JSON_ARRAY:
	case JSON_OBJECT: break;
	}
	json_write_open(writer, pair[0]);
	for (const struct json *child = value->first; child; child = child->next)
		write_value(writer, child);
	json_write_close(writer, pair[1]);
}

static void write_again(struct arena *arena, const struct json *value)
{
	struct buffer first, second;
	struct json_writer writer;
	struct error error;
	struct json *again;

	buffer_init(&first, SIZE_MAX);
	buffer_init(&second, SIZE_MAX);
	json_writer_init(&writer, &first);
	write_value(&writer, value);
	again = json_parse(arena, buffer_slice(&first), &error);
	ALWAYS(again);
	json_writer_init(&writer, &second);
	write_value(&writer, again);
	ALWAYS(slice_equal(buffer_slice(&first), buffer_slice(&second)));
	buffer_fini(&first);
	buffer_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice bytes = slice_of((const char *)data, size);
	struct error error = {""};
	struct json_problem problem;
	struct arena arena;
	struct json *value;
	bool is_json = !json_problem_find(bytes, &problem);

	arena_init(&arena, 4096, 0);
	value = json_parse(&arena, bytes, &error);
	if (value)
		write_again(&arena, value);
	if (value)
		ALWAYS(is_json);
	else
		ALWAYS(!is_json || strstr(error.text, "was there before"));
	arena_fini(&arena);
	return 0;
}
