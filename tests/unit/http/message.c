#include "message.h"

void message_init(struct message *message)
{
	memset(message, 0, sizeof(*message));
	h1_parser_init(&message->parser, message->fields, MESSAGE_FIELDS, MESSAGE_HEAD_BYTES);
	buffer_init(&message->body, SIZE_MAX);
}

void message_fini(struct message *message)
{
	buffer_fini(&message->body);
}

static enum h1_result refuse(struct message *message, enum http_refusal refusal)
{
	message->refusal = refusal;
	return message->result = H1_REFUSED;
}

static enum h1_result feed_head(struct message *message, struct lg_slice bytes)
{
	enum h1_result result = h1_parser_feed(&message->parser, bytes);

	if (result == H1_REFUSED)
		return refuse(message, message->parser.refusal);
	if (result == H1_MORE)
		return H1_MORE;
	message->has_head = true;
	message->seen = message->parser.head_length;
	if (message->parser.is_chunked)
		h1_body_init_chunked(&message->framing, MESSAGE_HEAD_BYTES);
	else
		h1_body_init(&message->framing, message->parser.content_length);
	return H1_WHOLE;
}

enum h1_result message_feed(struct message *message, struct lg_slice bytes)
{
	enum h1_result result;

	if (message->result != H1_MORE)
		return message->result;
	if (!message->has_head && feed_head(message, bytes) != H1_WHOLE)
		return message->result;
	struct lg_slice rest = slice_cut(bytes, message->seen, bytes.length), piece;
	do {
		result = h1_body_feed(&message->framing, &rest, &piece);
		if (result == H1_REFUSED)
			return refuse(message, message->framing.refusal);
		buffer_add_slice(&message->body, piece);
	} while (result == H1_MORE && rest.length > 0);
	message->seen = bytes.length - rest.length;
	return message->result = result;
}

/* Not the memory: only what a caller may look at. */
bool message_equal(const struct message *a, const struct message *b)
{
	const struct h1_parser *p = &a->parser, *q = &b->parser;

	if (a->result != b->result || a->refusal != b->refusal || a->has_head != b->has_head)
		return false;
	if (!slice_equal(buffer_slice(&a->body), buffer_slice(&b->body)))
		return false;
	if (a->result == H1_REFUSED)
		return true;
	return a->seen == b->seen && p->head_length == q->head_length &&
	       p->field_count == q->field_count &&
	       memcmp(a->fields, b->fields, p->field_count * sizeof(a->fields[0])) == 0 &&
	       memcmp(&p->method, &q->method, sizeof(p->method)) == 0 &&
	       memcmp(&p->path, &q->path, sizeof(p->path)) == 0 &&
	       memcmp(&p->query, &q->query, sizeof(p->query)) == 0 &&
	       memcmp(&p->host, &q->host, sizeof(p->host)) == 0 &&
	       p->content_length == q->content_length && p->is_chunked == q->is_chunked &&
	       p->minor == q->minor && h1_parser_persists(p) == h1_parser_persists(q);
}
