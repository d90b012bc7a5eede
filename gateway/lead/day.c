#include "lead/day.h"

#include "codec/date.h"

#include <stdio.h>

/* Three numbers with one kind of separator between them. */
struct numbers {
	unsigned int value[3];
	size_t digits[3];
	char separator;
};

static bool read_number(struct lg_slice *rest, unsigned int *value, size_t *digits)
{
	*value = 0;
	*digits = 0;
	while (rest->length > 0 && rest->data[0] >= '0' && rest->data[0] <= '9' && *digits < 5) {
		*value = *value * 10 + (unsigned int)(rest->data[0] - '0');
		*rest = slice_cut(*rest, 1, SIZE_MAX);
		(*digits)++;
	}
	return *digits > 0;
}

static bool read_numbers(struct lg_slice text, struct numbers *numbers)
{
	for (size_t i = 0; i < 3; i++) {
		if (!read_number(&text, &numbers->value[i], &numbers->digits[i]))
			return false;
		if (i == 2)
			break;
		if (text.length == 0 || (i == 1 && text.data[0] != numbers->separator))
			return false;
		numbers->separator = text.data[0];
		text = slice_cut(text, 1, SIZE_MAX);
		while (text.length > 0 && text.data[0] == ' ')
			text = slice_cut(text, 1, SIZE_MAX);
	}
	return text.length == 0 && strchr("-/.", numbers->separator) && numbers->separator;
}

static bool write_day(unsigned int year, unsigned int month, unsigned int day, char out[DAY_BYTES])
{
	if (year > 9999 || month > 12 || day > 31)
		return false;
	snprintf(out, DAY_BYTES, "%04u-%02u-%02u", year, month, day);
	return date_valid(slice_of(out, DAY_BYTES - 1));
}

static bool order_numbers(const struct numbers *numbers, char out[DAY_BYTES])
{
	unsigned int a = numbers->value[0], b = numbers->value[1], c = numbers->value[2];

	if (numbers->digits[0] == 4 && numbers->digits[1] <= 2 && numbers->digits[2] <= 2)
		return write_day(a, b, c, out);
	if (numbers->digits[2] != 4 || numbers->digits[0] > 2 || numbers->digits[1] > 2)
		return false;
	if (numbers->separator == '.' || a > 12 || a == b)
		return write_day(c, b, a, out);
	return b > 12 && write_day(c, a, b, out);
}

bool day_normalize(struct lg_slice text, char out[DAY_BYTES])
{
	struct lg_slice trimmed = slice_trim(text);
	struct numbers numbers = {0};
	char dashed[DAY_BYTES];
	uint64_t number;
	int64_t instant;

	if (trimmed.length == 8 && slice_to_u64(trimmed, &number)) {
		snprintf(dashed, sizeof(dashed), "%.4s-%.2s-%.2s", trimmed.data, trimmed.data + 4,
			 trimmed.data + 6);
		trimmed = slice_of(dashed, DAY_BYTES - 1);
	} else if (trimmed.length > 10 && time_parse(trimmed, &instant) &&
		   date_valid(slice_cut(trimmed, 0, 10))) {
		trimmed = slice_cut(trimmed, 0, 10);
	}
	return read_numbers(trimmed, &numbers) && order_numbers(&numbers, out);
}
