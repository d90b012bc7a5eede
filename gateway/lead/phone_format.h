/* The shape of the generated table, known to its generator and its reader.
 *
 * Everything follows from a number's first three digits: libphonenumber's rules
 * for prefixes are regular expressions, and what they do is certain from three
 * digits on for nearly all numbers. Where it is not, the class is PHONE_HAND_OVER. */
#ifndef LEAD_PHONE_FORMAT_H
#define LEAD_PHONE_FORMAT_H

#include <stdint.h>

#define PHONE_PREFIX_DIGITS 3
#define PHONE_PREFIXES 1000

enum phone_class {
	PHONE_HAND_OVER = 0,
	PHONE_PLAIN = 1,   /* all digits belong to the national number */
	PHONE_TRUNK_1 = 2, /* a trunk prefix of one digit goes ("030…" in Germany) */
	PHONE_TRUNK_2 = 3, /* of two ("06…" in Hungary) */
	PHONE_TRUNK_3 = 4,
	PHONE_OWN_CODE = 5, /* begins like the region's calling code: it is that when the
			     * digits are too many for a national number */
	PHONE_ABROAD_2 = 6, /* an international prefix of two digits goes ("00") */
	PHONE_ABROAD_3 = 7, /* of three ("011"), when no 0 follows */
};

/* A calling code. Lengths are bits: 1 << 9 means that nine digits are possible. */
struct phone_country {
	uint16_t code;
	uint16_t classes; /* row of phone_classes for what follows the code */
	uint32_t lengths;
};

/* A region in which numbers without a plus are read. */
struct phone_region {
	uint16_t country;     /* row of phone_countries and one; 0: no such region */
	uint16_t classes;     /* of the number as it was dialled */
	uint16_t own_classes; /* of what follows the region's own calling code */
	uint16_t longest;     /* digits of a national number at most */
	uint32_t lengths;
};

#endif
