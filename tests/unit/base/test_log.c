#include "unit.h"

#include "base/buffer.h"
#include "base/counter.h"
#include "base/log.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TIME_BYTES 24

static int ends[2]; /* a pipe: the log writes into ends[1] */
static char line[8192];

static int open_pipe(void **state)
{
	(void)state;
	return pipe2(ends, O_NONBLOCK);
}

static int close_pipe(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* What the log has written since the last time. */
static struct lg_slice written(void)
{
	ssize_t got = read(ends[0], line, sizeof(line));
	return slice_of(line, got > 0 ? (size_t)got : 0);
}

/* The same without the time, which is checked for its shape alone. */
static struct lg_slice written_after(const char *before)
{
	struct lg_slice all = written();
	assert_true(slice_starts(all, before));
	assert_int_equal(all.data[strlen(before) + 10], 'T');
	assert_int_equal(all.data[strlen(before) + TIME_BYTES - 1], 'Z');
	return slice_cut(all, strlen(before) + TIME_BYTES, SIZE_MAX);
}

static void logfmt_line(void **state)
{
	(void)state;
	log_setup(ends[1], LOG_LOGFMT, LG_LOG_INFO);
	log_info("conn.closed", LOG_TEXT("reason", "head-timeout"), LOG_INT("port", 80),
		 LOG_SLICE("peer", LG_SLICE("[::1]:9")));
	assert_slice_is(written_after("time="), " level=info event=conn.closed reason=head-timeout "
						"port=80 peer=[::1]:9\n");
	log_error("plain");
	assert_slice_is(written_after("time="), " level=error event=plain\n");
	log_notice("n", LOG_INT("least", INT64_MIN));
	assert_slice_is(written_after("time="),
			" level=notice event=n least=-9223372036854775808\n");
}

static void json_line(void **state)
{
	(void)state;
	log_setup(ends[1], LOG_JSON, LG_LOG_INFO);
	log_warning("conn.closed", LOG_TEXT("reason", "head-timeout"), LOG_INT("port", -80));
	assert_slice_is(written_after("{\"time\":\""),
			"\",\"level\":\"warning\",\"event\":\"conn.closed\","
			"\"reason\":\"head-timeout\",\"port\":-80}\n");
}

static void values_are_quoted_and_escaped(void **state)
{
	static const struct {
		const char *value, *logfmt;
	} rows[] = {
		{"", " v=\"\""},
		{"a b", " v=\"a b\""},
		{"a=b", " v=\"a=b\""},
		{"say \"x\"", " v=\"say \\\"x\\\"\""},
		{"a\\b", " v=\"a\\\\b\""},
		{"a\nlevel=error", " v=\"a\\nlevel=error\""},
		{"\r\t\x01\x7f", " v=\"\\r\\t\\u0001\\u007f\""},
		{"caf\xC3\xA9", " v=caf\xC3\xA9"},
		{"\xC2\x9B"
		 "31m",
		 " v=\"\\u009b31m\""},
		{"\xE2\x80\xA8", " v=\"\\u2028\""},
		{"\xFF\xC3", " v=\"\\ufffd\\ufffd\""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		log_setup(ends[1], LOG_LOGFMT, LG_LOG_INFO);
		log_info("e", LOG_TEXT("v", rows[i].value));
		struct lg_slice got = written_after("time=");
		struct lg_slice value = slice_cut(got, 19, got.length - 20);
		assert_true(slice_is(value, rows[i].logfmt));
		/* JSON escapes the same bytes, and always has quotes. */
		log_setup(ends[1], LOG_JSON, LG_LOG_INFO);
		log_info("e", LOG_TEXT("v", rows[i].value));
		got = written();
		assert_true(slice_ends(got, "\"}\n"));
		if (rows[i].logfmt[3] == '"') {
			struct lg_slice bare = slice_from(rows[i].logfmt + 3);
			assert_true(slice_equal(
				slice_cut(got, got.length - 2 - bare.length, bare.length), bare));
		}
	}
}

static void absent_fields_and_odd_names(void **state)
{
	(void)state;
	log_setup(ends[1], LOG_LOGFMT, LG_LOG_INFO);
	log_info("e", LOG_TEXT("gone", NULL), LOG_SLICE("gone", slice_from(NULL)),
		 LOG_TEXT("a b=\n\"", "x"));
	assert_slice_is(written_after("time="), " level=info event=e a_b___=x\n");
}

static void levels_change(void **state)
{
	(void)state;
	assert_false(log_wants(LG_LOG_DEBUG));
	log_set_level(LG_LOG_DEBUG);
	assert_true(log_wants(LG_LOG_DEBUG));
	log_set_level(LG_LOG_ERROR);
	assert_false(log_wants(LG_LOG_WARNING));
	log_set_level(LG_LOG_INFO);
}

static void levels_are_dropped(void **state)
{
	(void)state;
	log_setup(ends[1], LOG_LOGFMT, LG_LOG_WARNING);
	log_info("not.wanted");
	log_debug("not.wanted");
	assert_int_equal(written().length, 0);
	assert_true(log_wants(LG_LOG_WARNING));
	assert_false(log_wants(LG_LOG_NOTICE));
	assert_true(log_wants(77)); /* an unknown level is an error */
	log_write(-3, "odd", NULL);
	assert_slice_is(written_after("time="), " level=error event=odd\n");
}

static int64_t count_of(const char *name)
{
	return counter_read(counter_register(COUNTER_COUNTER, name, "", ""));
}

/* Each length around the limit: one line, at most 4096 bytes, valid, and the
 * mark is there exactly when something is missing. */
static void long_lines_are_cut(void **state)
{
	static char value[5000];
	(void)state;
	memset(value, 'v', sizeof(value));
	for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
		log_setup(ends[1], (enum log_format)format, LG_LOG_INFO);
		for (size_t length = 3900; length < 4200; length++) {
			int64_t cut_before = count_of("leadgate_log_lines_cut_total");
			log_info("e", LOG_SLICE("v", slice_of(value, length)), LOG_INT("n", 7));
			struct lg_slice got = written();
			assert_true(got.length <= 4096);
			assert_int_equal(slice_find(got, '\n'), got.length - 1);
			bool cut = slice_ends(got, format ? ",\"cut\":true}\n" : " cut=true\n");
			bool whole = slice_ends(got, format ? "v\",\"n\":7}\n" : "v n=7\n");
			assert_int_equal(cut, !whole);
			assert_int_equal(count_of("leadgate_log_lines_cut_total"),
					 cut_before + cut);
		}
	}
}

static void cut_values_stay_valid_text(void **state)
{
	static char value[6000];
	(void)state;
	for (size_t i = 0; i < sizeof(value); i += 3)
		memcpy(value + i, "\xE2\x82\xAC", 3);
	log_setup(ends[1], LOG_JSON, LG_LOG_INFO);
	for (size_t pad = 0; pad < 8; pad++) {
		log_info("e", LOG_SLICE("p", slice_of("pppppppp", pad)),
			 LOG_SLICE("v", slice_of(value, sizeof(value))));
		struct lg_slice got = written();
		assert_true(utf8_valid(got));
		assert_true(slice_ends(got, "\xE2\x82\xAC\",\"cut\":true}\n"));
	}
	/* An escape is never cut in two. */
	memset(value, '\x01', sizeof(value));
	log_info("e", LOG_SLICE("v", slice_of(value, sizeof(value))));
	assert_true(slice_ends(written(), "\\u0001\",\"cut\":true}\n"));
}

/* Many fields: none is begun that has no room. */
static void too_many_fields_are_left_out(void **state)
{
	struct log_field fields[700];
	(void)state;
	for (int i = 0; i < 699; i++)
		fields[i] = (struct log_field)LOG_INT("number", i);
	fields[699] = (struct log_field){.name = NULL};
	log_setup(ends[1], LOG_JSON, LG_LOG_INFO);
	log_write(LG_LOG_INFO, "e", fields);
	struct lg_slice got = written();
	assert_true(got.length <= 4096);
	assert_true(slice_ends(got, ",\"cut\":true}\n"));
	char digit = got.data[got.length - sizeof(",\"cut\":true}\n")];
	assert_true(digit >= '0' && digit <= '9');
}

static void failed_writes_are_counted_and_errno_kept(void **state)
{
	static char filler[65536];
	(void)state;
	log_setup(ends[1], LOG_LOGFMT, LG_LOG_INFO);
	int64_t before = count_of("leadgate_log_lines_dropped_total");
	while (write(ends[1], filler, sizeof(filler)) > 0)
		;
	errno = ENOENT;
	log_info("lost");
	assert_int_equal(errno, ENOENT);
	assert_int_equal(count_of("leadgate_log_lines_dropped_total"), before + 1);
	log_setup(-1, LOG_LOGFMT, LG_LOG_INFO);
	log_info("lost");
	assert_int_equal(count_of("leadgate_log_lines_dropped_total"), before + 2);
}

static void *log_much(void *context)
{
	static const char text[] = "0123456789012345678901234567890123456789";
	for (int i = 0; i < 300; i++)
		log_info("thread", LOG_TEXT("name", context), LOG_TEXT("text", text));
	return NULL;
}

static void *read_lines(void *context)
{
	FILE *in = context;
	char text[4200];
	int *good = calloc(1, sizeof(int));
	while (good && fgets(text, sizeof(text), in))
		*good += slice_starts(slice_from(text), "time=") &&
			 slice_ends(slice_from(text),
				    " text=0123456789012345678901234567890123456789\n");
	return good;
}

static void lines_of_threads_do_not_mix(void **state)
{
	pthread_t writers[3], reader;
	char names[3][2] = {"a", "b", "c"};
	int fds[2], *good;
	(void)state;
	assert_int_equal(pipe(fds), 0);
	FILE *in = fdopen(fds[0], "r");
	assert_non_null(in);
	log_setup(fds[1], LOG_LOGFMT, LG_LOG_INFO);
	assert_int_equal(pthread_create(&reader, NULL, read_lines, in), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, log_much, names[i]), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(writers[i], NULL);
	close(fds[1]);
	pthread_join(reader, (void **)&good);
	assert_non_null(good);
	assert_int_equal(*good, 900);
	free(good);
	fclose(in);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_pipe, close_pipe)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(logfmt_line),
		TEST(json_line),
		TEST(values_are_quoted_and_escaped),
		TEST(absent_fields_and_odd_names),
		TEST(levels_are_dropped),
		TEST(levels_change),
		TEST(long_lines_are_cut),
		TEST(cut_values_stay_valid_text),
		TEST(too_many_fields_are_left_out),
		TEST(failed_writes_are_counted_and_errno_kept),
		cmocka_unit_test(lines_of_threads_do_not_mix),
	};
	return RUN(tests);
}
