#include "codec/json_writer.h"
#include "sink/mapped.h"

static void write_value(struct json_writer *writer, const struct expr_value *value)
{
	switch (value->kind) {
	case EXPR_NIL: json_write_null(writer); break;
	case EXPR_BOOL: json_write_bool(writer, value->truth); break;
	case EXPR_INTEGER: json_write_int(writer, value->integer); break;
	case EXPR_NUMBER: json_write_number(writer, value->number); break;
	case EXPR_TEXT: json_write_text(writer, value->text); break;
	case EXPR_NODE: json_write_value(writer, value->node); break;
	case EXPR_LIST:
		json_write_open(writer, '[');
		for (size_t i = 0; i < value->count; i++)
			write_value(writer, &value->items[i]);
		json_write_close(writer, ']');
		break;
	}
}

static void write_mapped(struct json_writer *writer, const struct mapped *mapped)
{
	bool map = mapped->kind == OUTLINE_MAP;

	if (mapped->kind == OUTLINE_VALUE) {
		write_value(writer, &mapped->value);
		return;
	}
	json_write_open(writer, map ? '{' : '[');
	for (size_t i = 0; i < mapped->count; i++) {
		if (map)
			json_write_name(writer, mapped->items[i].name);
		write_mapped(writer, &mapped->items[i]);
	}
	json_write_close(writer, map ? '}' : ']');
}

void mapped_json(const struct mapped *root, struct buffer *out)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	write_mapped(&writer, root);
}
