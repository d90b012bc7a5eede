#include "config/bind.h"

#define WORD_MAX 48

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

static char lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '-' ? '_' : c;
}

/* How many letters are inserted, dropped, replaced or swapped with their
 * neighbour (optimal string alignment); capitals and hyphens count as equal. */
static int distance(struct lg_slice a, struct lg_slice b)
{
	int rows[3][WORD_MAX + 1];
	int *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b.length; j++)
		above[j] = (int)j;
	for (size_t i = 1; i <= a.length; i++) {
		int *spare = before;

		row[0] = (int)i;
		for (size_t j = 1; j <= b.length; j++) {
			char x = lower(a.data[i - 1]), y = lower(b.data[j - 1]);

			row[j] = smaller(smaller(above[j], row[j - 1]) + 1,
					 above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == lower(b.data[j - 2]) &&
			    y == lower(a.data[i - 2]))
				row[j] = smaller(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[b.length];
}

const char *bind_suggestion(struct lg_slice word, const char *const *names)
{
	const char *nearest = NULL;
	int least = word.length <= 2 ? 1 : smaller(3, (int)(word.length + 2) / 3);

	if (word.length == 0 || word.length > WORD_MAX)
		return NULL;
	for (; *names; names++) {
		struct lg_slice name = slice_from(*names);
		int apart;

		if (name.length > WORD_MAX)
			continue;
		apart = distance(word, name);
		/* The first of equals, and never a wholly different word. */
		if (apart <= least && (size_t)apart < name.length && (!nearest || apart < least)) {
			nearest = *names;
			least = apart;
		}
	}
	return nearest;
}
