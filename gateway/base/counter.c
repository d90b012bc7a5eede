#include "base/counter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

/* Each number has a cache line of its own: loops add to neighbours without
 * waiting for each other. Pages of rows that nobody registered stay untouched. */
struct number {
	_Alignas(64) _Atomic(int64_t) value;
};

struct row {
	const char *name, *help;
	enum counter_kind kind;
	int next; /* the next row of this name, or COUNTER_NONE */
	bool first;
	char labels[COUNTER_LABEL_BYTES];
};

static struct number numbers[COUNTER_ROWS];

/* Only the numbers are shared without the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct row rows[COUNTER_ROWS];
static int row_count;

static int first_named(const char *name)
{
	for (int i = 0; i < row_count; i++)
		if (rows[i].first && strcmp(rows[i].name, name) == 0)
			return i;
	return COUNTER_NONE;
}

/* The row with these labels among those that begin at `first`; otherwise
 * COUNTER_NONE, and `*last` is the end of the chain. */
static int find_labels(int first, const char *labels, int *last)
{
	for (int i = first; i != COUNTER_NONE; i = rows[i].next) {
		if (strcmp(rows[i].labels, labels) == 0)
			return i;
		*last = i;
	}
	return COUNTER_NONE;
}

static int find_or_add(enum counter_kind kind, const char *name, const char *labels,
		       const char *help)
{
	int last = COUNTER_NONE, first = first_named(name);
	int found = find_labels(first, labels, &last);

	if (first != COUNTER_NONE && rows[first].kind != kind)
		return COUNTER_NONE;
	if (found != COUNTER_NONE || row_count == COUNTER_ROWS)
		return found;
	struct row *row = &rows[row_count];
	*row = (struct row){.name = name,
			    .help = help,
			    .kind = kind,
			    .next = COUNTER_NONE,
			    .first = first == COUNTER_NONE};
	slice_to_text(slice_from(labels), row->labels, sizeof(row->labels));
	if (last != COUNTER_NONE)
		rows[last].next = row_count;
	return row_count++;
}

bool counter_label(char labels[COUNTER_LABEL_BYTES], const char *name, struct lg_slice value)
{
	size_t begin = strlen(labels), room = COUNTER_LABEL_BYTES - begin;
	int head = snprintf(labels + begin, room, "%s%s=\"", begin ? "," : "", name);
	size_t n = begin + (size_t)head;
	bool fits = (size_t)head < room;

	for (size_t i = 0; fits && i < value.length; i++) {
		char c = value.data[i];

		/* The character, its backslash, the quote and the end. */
		fits = n + 4 <= COUNTER_LABEL_BYTES;
		if (!fits)
			break;
		if (c == '"' || c == '\\' || c == '\n')
			labels[n++] = '\\';
		labels[n++] = c == '\n' ? 'n' : c;
	}
	fits = fits && n + 2 <= COUNTER_LABEL_BYTES;
	if (fits)
		memcpy(labels + n, "\"", 2);
	else
		labels[begin] = '\0';
	return fits;
}

int counter_register(enum counter_kind kind, const char *name, const char *labels, const char *help)
{
	if (strlen(labels) >= COUNTER_LABEL_BYTES)
		return COUNTER_NONE;
	pthread_mutex_lock(&lock);
	int row = find_or_add(kind, name, labels, help);
	pthread_mutex_unlock(&lock);
	return row;
}

void counter_add(int counter, int64_t n)
{
	if (counter >= 0 && counter < COUNTER_ROWS)
		atomic_fetch_add_explicit(&numbers[counter].value, n, memory_order_relaxed);
}

void counter_set(int counter, int64_t value)
{
	if (counter >= 0 && counter < COUNTER_ROWS)
		atomic_store_explicit(&numbers[counter].value, value, memory_order_relaxed);
}

int64_t counter_read(int counter)
{
	if (counter < 0 || counter >= COUNTER_ROWS)
		return 0;
	return atomic_load_explicit(&numbers[counter].value, memory_order_relaxed);
}

/* Plugins give help texts too; a line feed would end theirs early. */
static void print_help(const char *help, struct buffer *out)
{
	for (; *help; help++) {
		if (*help == '\\' || *help == '\n')
			buffer_add_byte(out, '\\');
		buffer_add_byte(out, *help == '\n' ? 'n' : *help);
	}
}

static void print_head(const struct row *row, struct buffer *out)
{
	static const char *const kinds[] = {
		[COUNTER_COUNTER] = "counter", [COUNTER_GAUGE] = "gauge"};
	buffer_printf(out, "# HELP %s ", row->name);
	print_help(row->help, out);
	buffer_printf(out, "\n# TYPE %s %s\n", row->name, kinds[row->kind]);
}

static void print_row(int index, struct buffer *out)
{
	const struct row *row = &rows[index];

	buffer_add_slice(out, slice_from(row->name));
	if (row->labels[0])
		buffer_printf(out, "{%s}", row->labels);
	buffer_printf(out, " %lld\n", (long long)counter_read(index));
}

void counter_print(struct buffer *out)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < row_count; i++) {
		if (!rows[i].first)
			continue;
		print_head(&rows[i], out);
		for (int j = i; j != COUNTER_NONE; j = rows[j].next)
			print_row(j, out);
	}
	pthread_mutex_unlock(&lock);
}
