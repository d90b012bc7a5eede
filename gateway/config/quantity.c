#include "config/quantity.h"

#include <inttypes.h>
#include <leadgate/option.h>
#include <stdio.h>

struct unit {
	const char *name;
	int64_t factor;
};

/* Largest first; the last has the factor 1. */
static const struct unit durations[] = {
	{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};
static const struct unit sizes[] = {
	{"TiB", INT64_C(1) << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1},
};
static const struct unit integers[] = {{"", 1}};

static bool parse_unit(struct lg_slice text, const struct unit *units, int64_t *value)
{
	struct lg_slice unit;
	size_t digits = 0;
	uint64_t number;

	while (digits < text.length && text.data[digits] >= '0' && text.data[digits] <= '9')
		digits++;
	unit = slice_cut(text, digits, text.length);
	while (!slice_is(unit, units->name)) {
		if (units->factor == 1)
			return false;
		units++;
	}
	if (!slice_to_u64(slice_cut(text, 0, digits), &number) ||
	    number > (uint64_t)(INT64_MAX / units->factor))
		return false;
	*value = (int64_t)number * units->factor;
	return true;
}

bool parse_duration(struct lg_slice text, int64_t *ms)
{
	return parse_unit(slice_is(text, "0") ? LG_SLICE("0ms") : text, durations, ms);
}

bool parse_size(struct lg_slice text, int64_t *bytes)
{
	return parse_unit(text, sizes, bytes);
}

bool parse_integer(struct lg_slice text, int64_t *number)
{
	bool negative = slice_starts(text, "-");

	if (!parse_unit(slice_cut(text, negative, text.length), integers, number))
		return false;
	if (negative)
		*number = -*number;
	return true;
}

void quantity_print(int32_t type, int64_t value, char out[QUANTITY_TEXT_BYTES])
{
	const struct unit *unit = type == LG_DURATION ? durations
				  : type == LG_SIZE   ? sizes
						      : integers;

	while (unit->factor > 1 && (value == 0 || value % unit->factor != 0))
		unit++;
	snprintf(out, QUANTITY_TEXT_BYTES, "%" PRId64 "%s", value / unit->factor, unit->name);
}
