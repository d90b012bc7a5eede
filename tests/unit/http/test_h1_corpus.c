/* The corpus of requests, corpus/NAME.request: each file is what a peer sends on one
 * connection, several requests in a row too, good and refused. How the bytes come
 * makes no difference: every prefix, every split in two, byte by byte and many random
 * splits in more come to the same transcript, and that of the whole file is the one
 * in corpus/transcripts. The fuzzer's corpus has no transcripts, but must not care
 * for splits either.
 *
 * With an argument it prints the transcripts instead, for that file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "message.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_BYTES 65536
#define RANDOM_SPLITS 300
#define MOST_PIECES 9

static char folder[4000];

/* What was read of a connection, as text that only ever grows. */
struct reader {
	struct message message;
	size_t base;  /* where it begins */
	size_t shown; /* bytes of its body */
	bool has_shown_head;
	struct buffer text;
};

static void begin_message(struct reader *reader)
{
	message_init(&reader->message);
	reader->shown = 0;
	reader->has_shown_head = false;
}

static void reader_init(struct reader *reader)
{
	reader->base = 0;
	buffer_init(&reader->text, SIZE_MAX);
	begin_message(reader);
}

static void reader_fini(struct reader *reader)
{
	message_fini(&reader->message);
	buffer_fini(&reader->text);
}

static void show_bytes(struct buffer *text, struct lg_slice bytes)
{
	for (size_t i = 0; i < bytes.length; i++) {
		unsigned char byte = (unsigned char)bytes.data[i];
		if (byte >= 0x20 && byte < 0x7f && byte != '\\')
			buffer_add_byte(text, (char)byte);
		else
			buffer_printf(text, "\\%02x", byte);
	}
}

static void show_part(struct buffer *text, const char *name, struct lg_slice head,
		      struct h1_part part)
{
	buffer_printf(text, "%s [", name);
	show_bytes(text, slice_of(head.data + part.at, part.length));
	buffer_add_literal(text, "]\n");
}

static void show_head(struct buffer *text, const struct h1_parser *parser, struct lg_slice head)
{
	show_part(text, "method", head, parser->method);
	show_part(text, "target", head, parser->target);
	show_part(text, "path", head, parser->path);
	if (parser->has_query)
		show_part(text, "query", head, parser->query);
	if (parser->is_absolute)
		show_part(text, "scheme", head, parser->scheme);
	show_part(text, "host", head, parser->host);
	for (size_t i = 0; i < parser->field_count; i++) {
		show_part(text, "field", head, parser->fields[i].name);
		show_part(text, "value", head, parser->fields[i].value);
	}
	buffer_printf(text, "head %zu HTTP/1.%d%s%s\n", parser->head_length, parser->minor,
		      h1_parser_persists(parser) ? " persists" : "",
		      parser->expects_continue ? " expects" : "");
	if (parser->is_chunked)
		buffer_add_literal(text, "chunked [");
	else
		buffer_printf(text, "length %llu [", (unsigned long long)parser->content_length);
}

static void show(struct reader *reader, struct lg_slice bytes)
{
	const struct message *message = &reader->message;
	struct lg_slice body = buffer_slice(&message->body);

	if (message->has_head && !reader->has_shown_head)
		show_head(&reader->text, &message->parser, bytes);
	reader->has_shown_head = message->has_head;
	show_bytes(&reader->text, slice_cut(body, reader->shown, body.length));
	reader->shown = body.length;
	if (message->result == H1_WHOLE)
		buffer_printf(&reader->text, "]\nwhole %zu\n", message->seen);
}

/* `bytes` is everything since the first byte of the connection. They are copied to
 * memory of their very size, which is gone afterwards: so sanitizers see a read
 * beyond the end, and one of what the call before saw. */
static void reader_feed(struct reader *reader, struct lg_slice bytes)
{
	while (reader->message.result == H1_MORE) {
		size_t length = bytes.length - reader->base;
		char *copy = test_malloc(length ? length : 1);

		memcpy(copy, bytes.data + reader->base, length);
		enum h1_result result = message_feed(&reader->message, slice_of(copy, length));
		show(reader, slice_of(copy, length));
		test_free(copy);
		if (result != H1_WHOLE)
			return;
		reader->base += reader->message.seen;
		message_fini(&reader->message);
		begin_message(reader);
		if (reader->base == bytes.length)
			return;
	}
}

/* How it stands after `length` bytes. */
static struct lg_slice state_of(const struct reader *reader, size_t length)
{
	static char text[64];
	const struct message *message = &reader->message;

	if (message->result == H1_REFUSED) {
		int size = snprintf(text, sizeof(text), "refused %d %s",
				    http_refusal_status(message->refusal),
				    http_refusal_label(message->refusal));
		return slice_of(text, (size_t)size);
	}
	if (message->has_head || h1_parser_has_begun(&message->parser, length - reader->base))
		return LG_SLICE("more");
	return LG_SLICE("end");
}

static void expect_same(const char *name, const struct reader *a, const struct reader *b,
			size_t length, const char *how)
{
	struct lg_slice one = buffer_slice(&a->text), other = buffer_slice(&b->text);
	char state[64];

	slice_to_text(state_of(a, length), state, sizeof(state));
	if (!slice_equal(one, other) || !slice_is(state_of(b, length), state))
		fail_msg("%s, %s of %zu bytes: %s after\n%.*s\nnot %.*s after\n%.*s", name, how,
			 length, state, SLICE_ARGS(one), SLICE_ARGS(state_of(b, length)),
			 SLICE_ARGS(other));
}

/* Every prefix at once, and byte by byte up to it. A prefix never says what the
 * whole does not, and what is refused by then is refused for the same reason. */
static void check_prefixes(const char *name, struct lg_slice raw, const struct reader *whole)
{
	struct lg_slice all = buffer_slice(&whole->text);
	struct reader by_bytes;

	reader_init(&by_bytes);
	for (size_t end = 0; end <= raw.length; end++) {
		struct lg_slice prefix = slice_of(raw.data, end);
		struct reader at_once;

		reader_init(&at_once);
		reader_feed(&at_once, prefix);
		reader_feed(&by_bytes, prefix);
		expect_same(name, &at_once, &by_bytes, end, "byte by byte");
		struct lg_slice text = buffer_slice(&at_once.text);
		if (text.length > 0 && !slice_equal(slice_cut(all, 0, text.length), text))
			fail_msg("%s: %zu bytes say what the whole does not:\n%.*s", name, end,
				 SLICE_ARGS(text));
		if (at_once.message.result == H1_REFUSED)
			expect_same(name, &at_once, whole, raw.length, "refused early");
		reader_fini(&at_once);
	}
	reader_fini(&by_bytes);
}

static void check_split(const char *name, struct lg_slice raw, const struct reader *whole,
			const size_t *ends, size_t count, const char *how)
{
	struct reader split;

	reader_init(&split);
	for (size_t i = 0; i < count; i++)
		reader_feed(&split, slice_of(raw.data, ends[i]));
	reader_feed(&split, raw);
	expect_same(name, whole, &split, raw.length, how);
	reader_fini(&split);
}

static void check_splits_in_two(const char *name, struct lg_slice raw, const struct reader *whole)
{
	for (size_t at = 1; at < raw.length; at++)
		check_split(name, raw, whole, &at, 1, "in two");
}

/* Numbers of xorshift: the same in each run. */
static size_t next_number(uint64_t *state, size_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (size_t)(*state % below);
}

static int by_size(const void *a, const void *b)
{
	const size_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

static void check_random_splits(const char *name, struct lg_slice raw, const struct reader *whole)
{
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15) + raw.length;
	size_t ends[MOST_PIECES - 1];

	for (size_t i = 0; i < RANDOM_SPLITS; i++) {
		size_t count = 2 + next_number(&state, MOST_PIECES - 2);

		for (size_t k = 0; k < count; k++)
			ends[k] = next_number(&state, raw.length + 1);
		qsort(ends, count, sizeof(ends[0]), by_size);
		check_split(name, raw, whole, ends, count, "in random pieces");
	}
}

static void check_all_ways(const char *name, struct lg_slice raw)
{
	struct reader whole;

	reader_init(&whole);
	reader_feed(&whole, raw);
	check_prefixes(name, raw, &whole);
	check_splits_in_two(name, raw, &whole);
	check_random_splits(name, raw, &whole);
	reader_fini(&whole);
}

/* ---- files ---------------------------------------------------------------------- */

static struct lg_slice read_file(const char *path, char *room)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		fail_msg("%s cannot be read", path);
	size_t length = fread(room, 1, FILE_BYTES, file);
	fclose(file);
	assert_true(length > 0 && length < FILE_BYTES);
	return slice_of(room, length);
}

static int is_request(const struct dirent *entry)
{
	return slice_ends(slice_from(entry->d_name), ".request");
}

static int is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Calls for each file of a folder, in the order of names; returns how many. */
static int each_file(const char *of, int (*wanted)(const struct dirent *),
		     void (*call)(const char *name, struct lg_slice raw, void *arg), void *arg)
{
	static char room[FILE_BYTES];
	struct dirent **entries;
	char path[4300];
	int count;

	snprintf(path, sizeof(path), "%s/%s", folder, of);
	count = scandir(path, &entries, wanted, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", folder, of, entries[i]->d_name);
		call(entries[i]->d_name, read_file(path, room), arg);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return count;
}

#define CORPUS "tests/unit/http/corpus"

static void check_file(const char *name, struct lg_slice raw, void *arg)
{
	(void)arg;
	check_all_ways(name, raw);
}

static void does_not_care_how_the_corpus_comes(void **state)
{
	(void)state;
	assert_true(each_file(CORPUS, is_request, check_file, NULL) >= 100);
}

/* There the first byte is for the fuzzer. */
static void check_fuzzed(const char *name, struct lg_slice raw, void *arg)
{
	(void)arg;
	check_all_ways(name, slice_cut(raw, 1, raw.length));
}

static void does_not_care_how_the_fuzzed_come(void **state)
{
	(void)state;
	assert_true(each_file("tests/fuzz/corpus/h1_parser", is_file, check_fuzzed, NULL) >= 40);
}

static void add_transcript(const char *name, struct lg_slice raw, void *arg)
{
	struct buffer *out = arg;
	struct reader reader;

	reader_init(&reader);
	reader_feed(&reader, raw);
	buffer_printf(out, "==== %s\n", name);
	buffer_add_slice(out, buffer_slice(&reader.text));
	/* A body that is not whole has no end of line. */
	if (reader.has_shown_head)
		buffer_add_byte(out, '\n');
	buffer_printf(out, "%.*s\n", SLICE_ARGS(state_of(&reader, raw.length)));
	reader_fini(&reader);
}

static void reads_the_corpus_as_written_down(void **state)
{
	static char room[FILE_BYTES];
	struct buffer said;
	char path[4300];

	(void)state;
	snprintf(path, sizeof(path), "%s/" CORPUS "/transcripts", folder);
	struct lg_slice expected = read_file(path, room), line, got;
	buffer_init(&said, SIZE_MAX);
	each_file(CORPUS, is_request, add_transcript, &said);
	struct lg_slice rest = buffer_slice(&said), name = LG_SLICE("");
	while (slice_split(&expected, '\n', &line)) {
		if (slice_starts(line, "==== "))
			name = line;
		if (!slice_split(&rest, '\n', &got) || !slice_equal(line, got))
			fail_msg("%.*s: not \"%.*s\"", SLICE_ARGS(name), SLICE_ARGS(line));
	}
	assert_int_equal(rest.length, 0);
	buffer_fini(&said);
}

static int print_transcripts(void)
{
	struct buffer said;

	buffer_init(&said, SIZE_MAX);
	each_file(CORPUS, is_request, add_transcript, &said);
	fwrite(buffer_slice(&said).data, 1, buffer_length(&said), stdout);
	buffer_fini(&said);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_corpus_as_written_down),
		cmocka_unit_test(does_not_care_how_the_corpus_comes),
		cmocka_unit_test(does_not_care_how_the_fuzzed_come),
	};
	const char *source = getenv("LG_SRCDIR");

	(void)argv;
	snprintf(folder, sizeof(folder), "%s", source ? source : ".");
	if (argc > 1)
		return print_transcripts();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
