/* Where HTTP/2 frames begin (RFC 9113, section 4.1): pure, resumable byte by
 * byte. It looks at frame headers alone, so that a flood of frames is counted
 * before anybody takes the trouble to understand them. */
#ifndef HTTP_H2_FRAME_H
#define HTTP_H2_FRAME_H

#include "base/slice.h"

#define H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" /* section 3.4 */
#define H2_PREFACE_LENGTH 24
#define H2_FRAME_HEADER_LENGTH 9

struct h2_frame {
	uint32_t length; /* of its payload */
	uint32_t stream;
	uint8_t type, flags; /* of nghttp2_frame_type, nghttp2_flag, or unknown */
};

struct h2_frame_reader {
	struct h2_frame frame; /* the one whose header came last */
	size_t skip;   /* bytes of its payload that have not come; of the preface at first */
	unsigned have; /* bytes of the next header that have come */
	unsigned char header[H2_FRAME_HEADER_LENGTH];
	bool in_block;	 /* header block not ended: CONTINUATION must follow */
	uint32_t blocks; /* things begun that must come in time: see h2_frame_is_head */
};

/* For the bytes of a connection from its preface on. */
void h2_frame_reader_init(struct h2_frame_reader *reader);

/* Goes on from `*at` of `bytes`, which begins where the call before ended. True:
 * reader->frame is the next frame, and `*at` is behind its header. False: all
 * bytes are seen. */
bool h2_frame_next(struct h2_frame_reader *reader, struct lg_slice bytes, size_t *at);

/* Whether the connection cannot go on before the rest of something other than
 * DATA has come. `blocks` grows with each such thing. */
static inline bool h2_frame_is_head(const struct h2_frame_reader *reader)
{
	bool is_data = reader->frame.type == 0 && !reader->in_block;

	return reader->have > 0 || reader->in_block || (reader->skip > 0 && !is_data);
}

/* Whether the payload of a DATA frame is coming. */
static inline bool h2_frame_is_data(const struct h2_frame_reader *reader)
{
	return reader->skip > 0 && !h2_frame_is_head(reader);
}

#endif
