/* The first byte says how large the pieces are in which the rest comes; the
 * result must be the same as when it comes at once. */
#include "fuzz.h"

#include "../unit/http/message.h"
#include "base/error.h"

#include <stdlib.h>

/* Every part that a whole head names lies within it. */
static void check_parts(const struct message *message)
{
	const struct h1_parser *parser = &message->parser;
	const struct h1_part parts[] = {parser->method, parser->target, parser->path,
					parser->query,	parser->scheme, parser->host};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		ALWAYS(parts[i].at + parts[i].length <= parser->head_length);
	for (size_t i = 0; i < parser->field_count; i++) {
		const struct h1_field *field = &parser->fields[i];
		ALWAYS(field->name.length > 0);
		ALWAYS(field->name.at + field->name.length < field->value.at);
		ALWAYS(field->value.at + field->value.length < parser->head_length);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message at_once, in_pieces;

	if (size == 0)
		return 0;
	size_t piece = data[0] % 64 + 1;
	struct lg_slice bytes = slice_of((const char *)data + 1, size - 1);
	message_init(&at_once);
	message_init(&in_pieces);
	message_feed(&at_once, bytes);
	for (size_t end = 0; end < bytes.length; end += piece)
		message_feed(&in_pieces, slice_cut(bytes, 0, end));
	message_feed(&in_pieces, bytes);
	ALWAYS(message_equal(&at_once, &in_pieces));
	ALWAYS(at_once.seen <= bytes.length);
	if (at_once.has_head)
		check_parts(&at_once);
	message_fini(&at_once);
	message_fini(&in_pieces);
	return 0;
}
