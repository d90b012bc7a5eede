/* multipart/form-data (RFC 7578 over RFC 2046, section 5.1) to parts, as browsers
 * send it (WHATWG HTML, "multipart form data"). Pure; any thread.
 *
 * Strict where senders agree: lines end with CRLF, each part says that it is
 * form-data and has a name, the last boundary is there. What stands before the
 * first boundary and after the last one is skipped. */
#ifndef CODEC_MULTIPART_H
#define CODEC_MULTIPART_H

#include "base/arena.h"
#include "base/error.h"

struct multipart_part {
	struct lg_slice name;	  /* decoded: %22, %0D and %0A stand for what they say */
	struct lg_slice filename; /* absent: a field; otherwise a file, "" for none chosen */
	struct lg_slice type;	  /* Content-Type; absent without one */
	struct lg_slice value;	  /* raw, whatever its character set */
};

struct multipart {
	struct multipart_part *parts; /* in the order they came */
	size_t count;
};

struct multipart_limits {
	size_t parts;
	size_t head_bytes; /* of the header lines of one part */
};

/* `type` is the Content-Type with its boundary. The parts live in the arena and
 * borrow from `bytes` and `type`. False with a sentence when it is no such body, is
 * cut off, or holds more than the limits; or memory ran out (then the arena has
 * failed). The sentence quotes nothing that was sent. */
bool multipart_parse(struct arena *arena, struct lg_slice type, struct lg_slice bytes,
		     const struct multipart_limits *limits, struct multipart *multipart,
		     struct error *error);

#endif
