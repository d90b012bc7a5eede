#include "unit.h"

#include "base/word.h"

static void words_begin_with_their_first_byte(void **state)
{
	(void)state;
	assert_int_equal(word_load("abcdefgh") & 0xff, 'a');
	assert_int_equal(word_load("abcdefgh") >> 56, 'h');
	for (size_t at = 0; at <= 7; at++) {
		struct lg_slice text = LG_SLICE("abcdefg");
		uint64_t word = word_rest(text, at, '.');
		char bytes[WORD_BYTES];
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)(word >> (8 * i));
		assert_memory_equal(bytes, text.data + at, text.length - at);
		for (size_t i = text.length - at; i < sizeof(bytes); i++)
			assert_int_equal(bytes[i], '.');
	}
	assert_true(word_rest(slice_of(NULL, 0), 0, ' ') == WORD_EACH(' '));
	/* Pluses side by side, all of them and none else. */
	assert_true(word_equal_exactly(word_load("+,++*+~+"), '+') ==
		    (word_load("\x80\0\x80\x80\0\x80\0\x80")));
}

/* The lowest byte that is marked; 8: none. */
static int first_marked(uint64_t marks)
{
	marks &= WORD_HIGH_BITS;
	return marks ? __builtin_ctzll(marks) / 8 : 8;
}

/* Each byte of ASCII at each place, among some that are close to what is looked for. */
static void the_first_mark_is_right(void **state)
{
	static const char others[] = {0, ' ', '!', '%', '+', '~', 0x7f};

	(void)state;
	for (int at = 0; at < 8; at++)
		for (int c = 0; c < 0x80; c++)
			for (size_t i = 0; i < sizeof(others); i++) {
				uint64_t rest = WORD_EACH(others[i]) &
						~(UINT64_C(0xff) << (8 * at));
				uint64_t word = rest | (uint64_t)c << (8 * at);
				int other = at == 0 ? 1 : 0;
				int equal = others[i] == '+' ? other : 8;
				int below = others[i] < '%' ? other : 8;
				if (c == '+' && at < equal)
					equal = at;
				if (c < '%' && at < below)
					below = at;
				if (first_marked(word_equal(word, '+')) != equal ||
				    first_marked(word_equal_exactly(word, '+')) != equal ||
				    first_marked(word_below(word, '%')) != below)
					fail_msg("byte %d at %d among %d", c, at, others[i]);
			}
}

static uint64_t pluses(uint64_t word)
{
	return word_equal(word, '+');
}

/* One byte at each place of texts of each length. */
static void no_byte_is_passed_over(void **state)
{
	char text[27];

	(void)state;
	assert_false(word_any(slice_of(NULL, 0), pluses, 'x'));
	for (size_t length = 1; length <= sizeof(text); length++) {
		memset(text, ',', sizeof(text));
		assert_false(word_any(slice_of(text, length), pluses, 'x'));
		for (size_t at = 0; at < sizeof(text); at++) {
			memset(text, ',', sizeof(text));
			text[at] = '+';
			assert_int_equal(word_any(slice_of(text, length), pluses, 'x'),
					 at < length);
		}
	}
}

/* All texts of up to 27 bytes are copied, and nothing behind them. */
static void copies_the_text_and_no_more(void **state)
{
	static const char text[] = "abcdefghijklmnopqrstuvwxyz+";
	char to[sizeof(text) + 1];

	(void)state;
	assert_false(word_any_copied(to, slice_of(NULL, 0), pluses, 'x'));
	for (size_t length = 0; length < sizeof(text); length++) {
		memset(to, '.', sizeof(to));
		assert_int_equal(word_any_copied(to, slice_of(text, length), pluses, 'x'),
				 length == sizeof(text) - 1);
		assert_memory_equal(to, text, length);
		for (size_t at = length; at < sizeof(to); at++)
			assert_int_equal(to[at], '.');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_begin_with_their_first_byte),
		cmocka_unit_test(the_first_mark_is_right),
		cmocka_unit_test(no_byte_is_passed_over),
		cmocka_unit_test(copies_the_text_and_no_more),
	};
	return RUN(tests);
}
