/* Any bytes as a multipart body whose boundary is their first line. What is read
 * lies inside of the body; written again it reads the same. */
#include "base/buffer.h"
#include "base/error.h"
#include "codec/charset.h"
#include "codec/media_type.h"
#include "codec/multipart.h"
#include "fuzz.h"

static const struct multipart_limits limits = {50, 1024};

static void check_inside(struct lg_slice part, struct lg_slice body)
{
	ALWAYS(part.data >= body.data && part.data + part.length <= body.data + body.length);
}

static void write_again(struct buffer *out, struct lg_slice delimiter,
			const struct multipart *multipart)
{
	for (size_t i = 0; i < multipart->count; i++) {
		buffer_add_slice(out, delimiter);
		buffer_add_literal(out, "\r\nContent-Disposition: form-data; name=x\r\n\r\n");
		buffer_add_slice(out, multipart->parts[i].value);
		buffer_add_literal(out, "\r\n");
	}
	buffer_add_slice(out, delimiter);
	buffer_add_literal(out, "--");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice rest = slice_of((const char *)data, size), line = {NULL, 0}, type, boundary;
	struct multipart multipart, again;
	struct error error = {""};
	struct buffer out;
	struct arena arena;

	slice_split(&rest, '\n', &line);
	arena_init(&arena, 4096, 0);
	buffer_init(&out, SIZE_MAX);
	type = arena_printf(&arena, "multipart/form-data; boundary=\"%.*s\"", SLICE_ARGS(line));
	boundary = media_type_parameter(type, "boundary"); /* a quote in the line ends it sooner */
	if (!multipart_parse(&arena, type, rest, &limits, &multipart, &error)) {
		ALWAYS(error.text[0] != '\0');
	} else {
		ALWAYS(multipart.count <= limits.parts);
		for (size_t i = 0; i < multipart.count; i++) {
			check_inside(multipart.parts[i].value, rest);
			ALWAYS(slice_present(multipart.parts[i].name));
		}
		write_again(&out, arena_printf(&arena, "--%.*s", SLICE_ARGS(boundary)), &multipart);
		ALWAYS(multipart_parse(&arena, type, buffer_slice(&out), &limits, &again, &error));
		ALWAYS(again.count == multipart.count);
		for (size_t i = 0; i < again.count; i++)
			ALWAYS(slice_equal(again.parts[i].value, multipart.parts[i].value));
	}
	buffer_fini(&out);
	arena_fini(&arena);
	return 0;
}
