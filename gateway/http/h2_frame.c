#include "http/h2_frame.h"

#include <nghttp2/nghttp2.h>

/* Not a frame of HTTP/2: what is skipped first is the preface. */
#define PREFACE_TYPE 0xff

void h2_frame_reader_init(struct h2_frame_reader *reader)
{
	*reader = (struct h2_frame_reader){.skip = H2_PREFACE_LENGTH, .frame.type = PREFACE_TYPE};
}

static uint32_t read_number(const unsigned char *bytes, size_t length)
{
	uint32_t number = 0;

	for (size_t i = 0; i < length; i++)
		number = number << 8 | bytes[i];
	return number;
}

/* Length, type, flags, a bit that means nothing, stream. */
static struct h2_frame unpack(const unsigned char *header)
{
	return (struct h2_frame){
		.length = read_number(header, 3),
		.type = header[3],
		.flags = header[4],
		.stream = read_number(header + 5, 4) & INT32_MAX,
	};
}

static void skip_payload(struct h2_frame_reader *reader, struct lg_slice bytes, size_t *at)
{
	size_t left = bytes.length - *at;
	size_t step = reader->skip < left ? reader->skip : left;

	reader->skip -= step;
	*at += step;
}

static bool read_header(struct h2_frame_reader *reader, struct lg_slice bytes, size_t *at)
{
	if (reader->have == 0 && !reader->in_block && *at < bytes.length)
		reader->blocks++;
	while (reader->have < H2_FRAME_HEADER_LENGTH && *at < bytes.length)
		reader->header[reader->have++] = (unsigned char)bytes.data[(*at)++];
	return reader->have == H2_FRAME_HEADER_LENGTH;
}

static bool opens_block(uint8_t type)
{
	return type == NGHTTP2_HEADERS || type == NGHTTP2_CONTINUATION ||
	       type == NGHTTP2_PUSH_PROMISE;
}

bool h2_frame_next(struct h2_frame_reader *reader, struct lg_slice bytes, size_t *at)
{
	skip_payload(reader, bytes, at);
	if (reader->skip > 0 || !read_header(reader, bytes, at))
		return false;
	reader->have = 0;
	reader->frame = unpack(reader->header);
	reader->skip = reader->frame.length;
	if (opens_block(reader->frame.type))
		reader->in_block = !(reader->frame.flags & NGHTTP2_FLAG_END_HEADERS);
	return true;
}
