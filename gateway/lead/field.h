/* The fields table as code: paths, types, limits and form names. Pure; any
 * thread after field_setup. */
#ifndef LEAD_FIELD_H
#define LEAD_FIELD_H

#include <leadgate/fields.h>

#include "base/slice.h"

enum field_type {
	FIELD_TEXT, FIELD_BLOCK, FIELD_EMAIL, FIELD_PHONE, FIELD_URL, FIELD_DATE, FIELD_TIME,
	FIELD_COUNTRY, FIELD_LANGUAGE, FIELD_IP, FIELD_INTEGER, FIELD_BOOLEAN, FIELD_LIST,
};

struct field {
	const char *path;  /* "person.email" */
	const char *names; /* further form names */
	enum field_type type;
	size_t limit_bytes;
	bool personal;
	bool host_only; /* a plugin cannot set it */
};

extern const struct field field_table[LG_FIELD_COUNT];

/* Builds the table of names. Main thread, once, before others start. */
void field_setup(void);

/* By path ("person.email"); -1: none. */
int field_by_path(struct lg_slice path);
/* By form name in any ASCII case, '-', ' ' and '.' as '_'; only fields that a
 * plugin may set; -1: none. */
int field_by_name(struct lg_slice name);

#endif
