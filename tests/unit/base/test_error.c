#include "unit.h"

#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void set_and_prefix(void **state)
{
	struct error error = {""};
	(void)state;
	assert_false(error_set(&error, "%s: %d", "line", 7));
	assert_string_equal(error.text, "line: 7");
	assert_false(error_prefix(&error, "opening the %s: ", "store"));
	assert_string_equal(error.text, "opening the store: line: 7");
	assert_false(error_set(&error, "again: %s", error.text));
	assert_string_equal(error.text, "again: opening the store: line: 7");
	assert_false(error_set(NULL, "nobody asks"));
	assert_false(error_prefix(NULL, "nobody asks"));
}

static void long_text_is_cut_at_a_character(void **state)
{
	struct error error;
	char text[2100];
	(void)state;
	for (int shift = 0; shift < 3; shift++) {
		memset(text, 'x', sizeof(text));
		for (size_t i = (size_t)shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xE2\x82\xAC", 3);
		text[sizeof(text) - 1] = '\0';
		error_set(&error, "%s", text);
		assert_in_range(strlen(error.text), ERROR_TEXT_BYTES - 3, ERROR_TEXT_BYTES - 1);
		assert_true(utf8_valid(slice_from(error.text)));
	}
	memset(text, 'y', ERROR_TEXT_BYTES - 1);
	text[ERROR_TEXT_BYTES - 1] = '\0';
	error_set(&error, "%s", text);
	assert_int_equal(strlen(error.text), ERROR_TEXT_BYTES - 1);
	error_prefix(&error, "before: ");
	assert_int_equal(strlen(error.text), ERROR_TEXT_BYTES - 1);
	assert_memory_equal(error.text, "before: yyy", 11);
}

/* Runs `die` in a child and gives what it logged. */
static struct lg_slice last_words(void (*die)(void), char *out, size_t capacity)
{
	int fds[2], status;
	size_t length = 0;
	ssize_t got;

	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		signal(SIGABRT, SIG_DFL);
		log_setup(fds[1], LOG_LOGFMT, LG_LOG_ERROR);
		die();
		_exit(0);
	}
	close(fds[1]);
	while ((got = read(fds[0], out + length, capacity - length)) > 0)
		length += (size_t)got;
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	return slice_of(out, length);
}

static void die_of_invariant(void)
{
	int one = 1;
	ALWAYS(one == 1);
	ALWAYS(one == 2);
}

static void die_of_reason(void)
{
	error_abort("sync of %s failed", "the journal");
}

static void abort_says_why(void **state)
{
	char line[4096];
	(void)state;
	struct lg_slice words = last_words(die_of_reason, line, sizeof(line));
	assert_true(slice_ends(words, " level=error event=process.abort "
				      "reason=\"sync of the journal failed\"\n"));
	words = last_words(die_of_invariant, line, sizeof(line));
	assert_true(slice_ends(words, ": broken invariant: one == 2\"\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_and_prefix),
		cmocka_unit_test(long_text_is_cut_at_a_character),
		cmocka_unit_test(abort_says_why),
	};
	return RUN(tests);
}
