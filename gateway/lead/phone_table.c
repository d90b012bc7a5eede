#include "lead/phone_table.h"

#include "lead/phone_filler.h"
#include "lead/phone_format.h"

/* Defines PHONE_TABLE_FINGERPRINT, phone_classes[][PHONE_PREFIXES],
 * phone_countries[], phone_country_rows[1000] (row and one by calling code) and
 * phone_regions[26 * 26] (by the letters of the region). */
#include "lead/phone_table.inc"

#define TEXT_MAX_BYTES 64
#define DIGITS_MIN 7
#define DIGITS_MAX 17

struct number {
	char digits[DIGITS_MAX + 1];
	size_t count;
	bool plus;
};

static bool punctuation(char c)
{
	return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/';
}

/* Digits between the usual punctuation. False: the library may know better. */
static bool read_digits(struct lg_slice text, struct number *number)
{
	number->count = 0;
	number->plus = false;
	if (text.length > TEXT_MAX_BYTES)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];

		if (c >= '0' && c <= '9') {
			if (number->count == DIGITS_MAX)
				return false;
			number->digits[number->count++] = c;
		} else if (c == '+') {
			if (number->plus || number->count > 0)
				return false;
			number->plus = true;
		} else if (!punctuation(c) || (number->plus && number->count == 0)) {
			return false;
		}
	}
	return number->count >= DIGITS_MIN;
}

static unsigned int leading(const char *digits, size_t count)
{
	unsigned int value = 0;

	while (count-- > 0)
		value = value * 10 + (unsigned int)(*digits++ - '0');
	return value;
}

static bool possible(uint32_t lengths, size_t count)
{
	return count < 32 && lengths & UINT32_C(1) << count;
}

/* Whether the number is read as itself when it comes behind its calling code: then
 * none of its digits are a prefix. */
static bool lasts(const struct phone_country *country, const char *national, size_t count)
{
	return count >= PHONE_PREFIX_DIGITS &&
	       phone_classes[country->classes][leading(national, PHONE_PREFIX_DIGITS)] ==
		       PHONE_PLAIN;
}

static int answer(const struct phone_country *country, const char *national, size_t count,
		  char out[PHONE_E164_BYTES])
{
	unsigned int code = country->code;
	size_t code_digits = code >= 100 ? 3 : code >= 10 ? 2 : 1;

	if (!possible(country->lengths, count) || 1 + code_digits + count >= PHONE_E164_BYTES ||
	    !lasts(country, national, count) || phone_filler(slice_of(national, count)))
		return -1;
	out[0] = '+';
	for (size_t i = code_digits; i > 0; i--, code /= 10)
		out[i] = (char)('0' + code % 10);
	memcpy(out + 1 + code_digits, national, count);
	out[1 + code_digits + count] = '\0';
	return 1;
}

static size_t trunk_digits(enum phone_class class)
{
	return class >= PHONE_TRUNK_1 && class <= PHONE_TRUNK_3 ? class - PHONE_TRUNK_1 + 1 : 0;
}

/* A number that begins with a calling code. Codes are prefix-free. */
static int answer_international(const char *digits, size_t count, char out[PHONE_E164_BYTES])
{
	for (size_t code_digits = 1; code_digits <= 3; code_digits++) {
		uint16_t row = phone_country_rows[leading(digits, code_digits)];
		const struct phone_country *country = &phone_countries[row ? row - 1 : 0];
		enum phone_class class;
		size_t trunk;

		if (digits[0] == '0' || count < code_digits + PHONE_PREFIX_DIGITS)
			return -1;
		if (row == 0)
			continue;
		digits += code_digits;
		count -= code_digits;
		class = phone_classes[country->classes][leading(digits, PHONE_PREFIX_DIGITS)];
		trunk = trunk_digits(class);
		if (class != PHONE_PLAIN && trunk == 0)
			return -1;
		return answer(country, digits + trunk, count - trunk, out);
	}
	return -1;
}

static const struct phone_region *find_region(const char *region)
{
	const struct phone_region *found;

	if (region[0] < 'A' || region[0] > 'Z' || region[1] < 'A' || region[1] > 'Z' || region[2])
		return NULL;
	found = &phone_regions[(region[0] - 'A') * 26 + (region[1] - 'A')];
	return found->country ? found : NULL;
}

/* The region's own code before a number that would be too long with it. */
static int answer_own_code(const struct phone_region *region, const char *digits, size_t count,
			   char out[PHONE_E164_BYTES])
{
	const struct phone_country *country = &phone_countries[region->country - 1];
	size_t code_digits = country->code >= 100 ? 3 : country->code >= 10 ? 2 : 1;

	if (count <= region->longest || count < code_digits + PHONE_PREFIX_DIGITS)
		return -1;
	digits += code_digits;
	count -= code_digits;
	if (phone_classes[region->own_classes][leading(digits, PHONE_PREFIX_DIGITS)] != PHONE_PLAIN)
		return -1;
	return answer(country, digits, count, out);
}

static int answer_national(const struct phone_region *region, const char *digits, size_t count,
			   char out[PHONE_E164_BYTES])
{
	const struct phone_country *country = &phone_countries[region->country - 1];
	enum phone_class class =
		phone_classes[region->classes][leading(digits, PHONE_PREFIX_DIGITS)];

	switch (class) {
	case PHONE_PLAIN: return answer(country, digits, count, out);
	case PHONE_TRUNK_1:
	case PHONE_TRUNK_2:
	case PHONE_TRUNK_3:
		digits += trunk_digits(class);
		count -= trunk_digits(class);
		/* The library puts the prefix back where the rest has no possible length. */
		return possible(region->lengths, count) ? answer(country, digits, count, out) : -1;
	case PHONE_OWN_CODE: return answer_own_code(region, digits, count, out);
	case PHONE_ABROAD_2: return answer_international(digits + 2, count - 2, out);
	case PHONE_ABROAD_3: return answer_international(digits + 3, count - 3, out);
	case PHONE_HAND_OVER: break;
	}
	return -1;
}

int phone_table_normalize(struct lg_slice text, const char *region, char out[PHONE_E164_BYTES])
{
	const struct phone_region *found;
	struct number number;

	if (!read_digits(text, &number))
		return -1;
	if (number.plus)
		return answer_international(number.digits, number.count, out);
	found = find_region(region);
	return found ? answer_national(found, number.digits, number.count, out) : -1;
}

const char *phone_table_fingerprint(void)
{
	return PHONE_TABLE_FINGERPRINT;
}

bool phone_table_region_known(const char *region)
{
	return find_region(region) != NULL;
}
