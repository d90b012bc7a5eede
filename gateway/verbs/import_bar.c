#include "verbs/import_bar.h"

#include <stdio.h>

#define BAR_COLUMNS 20
/* Before that a rate says nothing. */
#define RATE_AFTER_MS 500

int import_bar_percent(const struct import_standing *standing)
{
	if (standing->bytes <= 0)
		return 0;
	if (standing->bytes_done >= standing->bytes)
		return 100;
	return (int)(standing->bytes_done * 100 / standing->bytes);
}

void import_bar_number(struct buffer *out, int64_t number)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%lld", (long long)number);

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-')
			buffer_add_byte(out, ',');
		buffer_add_byte(out, digits[i]);
	}
}

static void add_count(struct buffer *out, const char *word, int64_t number, bool always)
{
	if (number == 0 && !always)
		return;
	buffer_printf(out, "  %s ", word);
	import_bar_number(out, number);
}

static void add_bar(struct buffer *out, int percent)
{
	buffer_add_byte(out, '[');
	for (int i = 0; i < BAR_COLUMNS; i++)
		buffer_add_byte(out, i * 100 < percent * BAR_COLUMNS ? '#' : '.');
	buffer_add_literal(out, "] ");
}

static void add_left(struct buffer *out, const struct import_standing *standing, int64_t elapsed_ms)
{
	int64_t done = standing->bytes_done - standing->bytes_begun;
	int64_t left = standing->bytes - standing->bytes_done, seconds;

	if (done <= 0 || left <= 0)
		return;
	seconds = (int64_t)((double)left * (double)elapsed_ms / (double)done / 1000);
	if (seconds >= 3600)
		buffer_printf(out, "  %lld:%02lld:%02lld left", (long long)(seconds / 3600),
			      (long long)(seconds / 60 % 60), (long long)(seconds % 60));
	else
		buffer_printf(out, "  %lld:%02lld left", (long long)(seconds / 60),
			      (long long)(seconds % 60));
}

static void add_numbers(struct buffer *out, const struct import_standing *standing,
			int64_t elapsed_ms, int64_t new_rows)
{
	buffer_printf(out, "%3d %%", import_bar_percent(standing));
	if (standing->reading) {
		buffer_add_literal(out, "  ");
		import_bar_number(out, standing->rows);
		buffer_add_literal(out, " rows");
		if (elapsed_ms >= RATE_AFTER_MS) {
			buffer_add_literal(out, "  ");
			import_bar_number(out, new_rows * 1000 / elapsed_ms);
			buffer_add_literal(out, "/s");
			add_left(out, standing, elapsed_ms);
		}
		add_count(out, "created", standing->created, true);
		add_count(out, "touched", standing->touched, true);
		add_count(out, "held", standing->held, true);
		add_count(out, "rejected", standing->refused, true);
		add_count(out, "repeated", standing->repeated, false);
		add_count(out, "ignored", standing->ignored, false);
	} else {
		buffer_add_literal(out, "  looking whether this file was imported before");
	}
}

/* Where there is no room for all, numbers say more than the bar. */
void import_bar(struct buffer *out, const struct import_standing *standing, int64_t elapsed_ms,
		int64_t new_rows, size_t width)
{
	size_t start = out->end;

	add_bar(out, import_bar_percent(standing));
	add_numbers(out, standing, elapsed_ms, new_rows);
	if (width == 0 || out->end - start <= width)
		return;
	out->end = start;
	add_numbers(out, standing, elapsed_ms, new_rows);
	if (out->end - start > width)
		out->end = start + width;
}
