#include "http/h1_body.h"

#include "http/h1_char.h"

/* A chunk's size has at most so many digits; leading zeros count. */
#define DIGITS_MAX 16

enum state {
	FIXED,	    /* content whose length is known */
	SIZE,	    /* digits of a chunk's size */
	SIZE_BLANK, /* blanks before an extension */
	EXTENSION,  /* skipped to the end of the line */
	SIZE_END,   /* LF after the size */
	CONTENT,    /* of a chunk */
	CONTENT_CR, /* after the content */
	CONTENT_LF,
	TRAILER_BEGIN, /* of a trailer, or of the last empty line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	LAST_LF,
	ENDED
};

void h1_body_init(struct h1_body *body, uint64_t content_length)
{
	*body = (struct h1_body){.state = content_length > 0 ? FIXED : ENDED,
				 .left = content_length};
}

void h1_body_init_chunked(struct h1_body *body, size_t extras_limit)
{
	*body = (struct h1_body){.state = SIZE, .extras_limit = extras_limit};
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool refuse(struct h1_body *body, enum http_refusal refusal)
{
	body->refusal = refusal;
	return false;
}

/* Goes on to `next` when `c` is what must come. */
static bool expect(struct h1_body *body, char c, char wanted, enum state next,
		   enum http_refusal otherwise)
{
	if (c != wanted)
		return refuse(body, otherwise);
	body->state = next;
	return true;
}

static bool take_size(struct h1_body *body, char c)
{
	int digit = hex_value(c);

	if (digit >= 0) {
		if (++body->digits > DIGITS_MAX || body->left > INT64_MAX >> 4)
			return refuse(body, HTTP_REFUSED_CHUNK);
		body->left = body->left << 4 | (unsigned)digit;
		return true;
	}
	if (body->digits == 0)
		return refuse(body, HTTP_REFUSED_CHUNK);
	switch (c) {
	case '\r': body->state = SIZE_END; return true;
	case ';': body->state = EXTENSION; return true;
	case ' ':
	case '\t': body->state = SIZE_BLANK; return true;
	default: return refuse(body, HTTP_REFUSED_CHUNK);
	}
}

static bool take_size_blank(struct h1_body *body, char c)
{
	if (c == ' ' || c == '\t')
		return true;
	return expect(body, c, ';', EXTENSION, HTTP_REFUSED_CHUNK);
}

static bool take_extension(struct h1_body *body, char c)
{
	if (h1_is(c, H1_VALUE))
		return true;
	return expect(body, c, '\r', SIZE_END, HTTP_REFUSED_CHUNK);
}

static bool take_size_end(struct h1_body *body, char c)
{
	enum state next = body->left > 0 ? CONTENT : TRAILER_BEGIN;

	body->digits = 0;
	return expect(body, c, '\n', next, HTTP_REFUSED_CHUNK);
}

static bool take_trailer_begin(struct h1_body *body, char c)
{
	if (h1_is(c, H1_TOKEN)) {
		body->state = TRAILER_NAME;
		return true;
	}
	return expect(body, c, '\r', LAST_LF, HTTP_REFUSED_TRAILER);
}

static bool take_trailer_name(struct h1_body *body, char c)
{
	if (h1_is(c, H1_TOKEN))
		return true;
	return expect(body, c, ':', TRAILER_VALUE, HTTP_REFUSED_TRAILER);
}

static bool take_trailer_value(struct h1_body *body, char c)
{
	if (h1_is(c, H1_VALUE))
		return true;
	return expect(body, c, '\r', TRAILER_LF, HTTP_REFUSED_TRAILER);
}

/* Whether bytes of this state count as extras. */
static bool is_extra(int state)
{
	return state == SIZE_BLANK || state == EXTENSION ||
	       (state >= TRAILER_BEGIN && state <= TRAILER_LF);
}

/* One byte of a chunked body that is not content. */
static bool take_byte(struct h1_body *body, char c)
{
	if (is_extra(body->state) && ++body->extras > body->extras_limit)
		return refuse(body, HTTP_REFUSED_EXTRAS_TOO_LARGE);
	switch ((enum state)body->state) {
	case SIZE: return take_size(body, c);
	case SIZE_BLANK: return take_size_blank(body, c);
	case EXTENSION: return take_extension(body, c);
	case SIZE_END: return take_size_end(body, c);
	case CONTENT_CR: return expect(body, c, '\r', CONTENT_LF, HTTP_REFUSED_CHUNK);
	case CONTENT_LF: return expect(body, c, '\n', SIZE, HTTP_REFUSED_CHUNK);
	case TRAILER_BEGIN: return take_trailer_begin(body, c);
	case TRAILER_NAME: return take_trailer_name(body, c);
	case TRAILER_VALUE: return take_trailer_value(body, c);
	case TRAILER_LF: return expect(body, c, '\n', TRAILER_BEGIN, HTTP_REFUSED_TRAILER);
	case LAST_LF: return expect(body, c, '\n', ENDED, HTTP_REFUSED_TRAILER);
	case FIXED:
	case CONTENT:
	case ENDED: break;
	}
	return true;
}

static void take_content(struct h1_body *body, struct lg_slice *input, struct lg_slice *piece)
{
	size_t size = input->length < body->left ? input->length : (size_t)body->left;

	*piece = slice_cut(*input, 0, size);
	*input = slice_cut(*input, size, input->length);
	body->left -= size;
	if (body->left == 0)
		body->state = body->state == FIXED ? ENDED : CONTENT_CR;
}

enum h1_result h1_body_feed(struct h1_body *body, struct lg_slice *input, struct lg_slice *piece)
{
	size_t i = 0;

	*piece = slice_cut(*input, 0, 0);
	while (i < input->length && body->state != CONTENT && body->state != FIXED &&
	       body->state != ENDED)
		if (!take_byte(body, input->data[i++]))
			return H1_REFUSED;
	*input = slice_cut(*input, i, input->length);
	if (input->length > 0 && body->state != ENDED)
		take_content(body, input, piece);
	return body->state == ENDED ? H1_WHOLE : H1_MORE;
}
