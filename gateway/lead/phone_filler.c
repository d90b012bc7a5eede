#include "lead/phone_filler.h"

#define FILLER_DIGITS_MIN 5

/* Whether each digit is `step` more than the one before; 0 follows 9. */
static bool goes_by(struct lg_slice digits, int step)
{
	for (size_t i = 1; i < digits.length; i++)
		if ((digits.data[i - 1] - '0' + step) % 10 != digits.data[i] - '0')
			return false;
	return true;
}

bool phone_filler(struct lg_slice national)
{
	if (national.length < FILLER_DIGITS_MIN)
		return false;
	return goes_by(national, 0) || (national.data[0] <= '1' && goes_by(national, 1));
}
