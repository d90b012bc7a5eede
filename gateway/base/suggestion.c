#include "base/suggestion.h"

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
	int rows[3][SUGGESTION_WORD_MAX + 1];
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

void suggestion_init(struct suggestion *suggestion, struct lg_slice word)
{
	*suggestion = (struct suggestion){.word = word};
	if (word.length > 0 && word.length <= SUGGESTION_WORD_MAX)
		suggestion->least = word.length <= 2 ? 1 : smaller(3, (int)(word.length + 2) / 3);
}

void suggestion_try(struct suggestion *suggestion, struct lg_slice name)
{
	int apart;

	if (suggestion->least == 0 || name.length > SUGGESTION_WORD_MAX)
		return;
	apart = distance(suggestion->word, name);
	/* The first of equals, and never a wholly different word. */
	if (apart <= suggestion->least && (size_t)apart < name.length &&
	    (!suggestion->nearest.data || apart < suggestion->least)) {
		suggestion->nearest = name;
		suggestion->least = apart;
	}
}
