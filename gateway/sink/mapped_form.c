#include "base/error.h"
#include "codec/form.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "sink/mapped.h"

/* A form while it is written. */
struct writing {
	struct buffer *out;
	size_t begin; /* of the form in the buffer */
	struct error *error;
};

static void begin_pair(struct writing *writing, struct lg_slice name)
{
	if (buffer_length(writing->out) > writing->begin)
		buffer_add_byte(writing->out, '&');
	form_encode(writing->out, name);
	buffer_add_byte(writing->out, '=');
}

static void write_pair(struct writing *writing, struct lg_slice name, struct lg_slice text)
{
	begin_pair(writing, name);
	form_encode(writing->out, text);
}

static bool write_node(struct writing *writing, struct lg_slice name, const struct json *node)
{
	bool good = true;

	switch (node->kind) {
	case JSON_NULL: break;
	case JSON_TRUE: write_pair(writing, name, LG_SLICE("true")); break;
	case JSON_FALSE: write_pair(writing, name, LG_SLICE("false")); break;
	case JSON_NUMBER:
	case JSON_STRING: write_pair(writing, name, node->text); break;
	case JSON_ARRAY:
		for (const struct json *item = node->first; good && item; item = item->next)
			good = write_node(writing, name, item);
		break;
	case JSON_OBJECT:
		return error_set(writing->error, "%.*s: a form cannot hold an object",
				 SLICE_ARGS(name));
	}
	return good;
}

/* Digits, points and signs mean nothing else in a form. */
static void write_number(struct writing *writing, struct lg_slice name,
			 const struct expr_value *value)
{
	struct json_writer writer;

	begin_pair(writing, name);
	json_writer_init(&writer, writing->out);
	if (value->kind == EXPR_INTEGER)
		json_write_int(&writer, value->integer);
	else
		json_write_number(&writer, value->number);
}

static bool write_value(struct writing *writing, struct lg_slice name,
			const struct expr_value *value)
{
	bool good = true;

	switch (value->kind) {
	case EXPR_NIL: break;
	case EXPR_BOOL:
		write_pair(writing, name, slice_from(value->truth ? "true" : "false"));
		break;
	case EXPR_INTEGER:
	case EXPR_NUMBER: write_number(writing, name, value); break;
	case EXPR_TEXT: write_pair(writing, name, value->text); break;
	case EXPR_NODE: return write_node(writing, name, value->node);
	case EXPR_LIST:
		for (size_t i = 0; good && i < value->count; i++)
			good = write_value(writing, name, &value->items[i]);
		break;
	}
	return good;
}

static bool write_mapped(struct writing *writing, struct lg_slice name, const struct mapped *mapped)
{
	bool good = true;

	if (mapped->kind == OUTLINE_VALUE)
		return write_value(writing, name, &mapped->value);
	for (size_t i = 0; good && i < mapped->count; i++)
		good = write_mapped(writing,
				    mapped->kind == OUTLINE_MAP ? mapped->items[i].name : name,
				    &mapped->items[i]);
	return good;
}

bool mapped_form(const struct mapped *root, struct buffer *out, struct error *error)
{
	struct writing writing = {out, buffer_length(out), error};

	return write_mapped(&writing, slice_of("", 0), root);
}
