/* The fields table as code: paths, types, limits and form names. Pure; any
 * thread after field_setup. */
#ifndef LEAD_FIELD_H
#define LEAD_FIELD_H

#include <leadgate/fields.h>

#include "base/slice.h"

enum field_type {
	FIELD_TEXT,
	FIELD_BLOCK,
	FIELD_EMAIL,
	FIELD_PHONE,
	FIELD_URL,
	FIELD_DATE,
	FIELD_TIME,
	FIELD_COUNTRY,
	FIELD_LANGUAGE,
	FIELD_IP,
	FIELD_INTEGER,
	FIELD_BOOLEAN,
	FIELD_LIST,
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

/* Members as the encoder writes them, with the comma that it may leave out:
 * ,"email": of a field and ,"person":{ of the object around it. */
#define FIELD_KEY_BYTES 32
#define FIELD_GROUPS_MAX 16

struct field_key {
	char text[FIELD_KEY_BYTES];
	uint8_t length;
	uint8_t group;	       /* into field_groups */
	unsigned char hash[4]; /* of the path (FNV-1a), another one for each field */
};
struct field_group {
	struct lg_slice prefix; /* "attribution.first"; "" of the record itself */
	char open[FIELD_KEY_BYTES];
	uint8_t length;
	uint8_t parent, depth;
};

/* What closes the objects of one group and opens those of another: }},"client":{
 * An open object always has a member, so what comes next needs its comma, unless
 * the step has opened an object. */
#define FIELD_STEP_BYTES 46
struct field_step {
	char text[FIELD_STEP_BYTES];
	uint8_t length;
	bool opens;
};

extern struct field_key field_keys[LG_FIELD_COUNT];
extern struct field_group field_groups[FIELD_GROUPS_MAX];
extern struct field_step field_steps[FIELD_GROUPS_MAX][FIELD_GROUPS_MAX]; /* from, to */

/* Builds the tables of names and keys. Main thread, before others start; a
 * second call does nothing. */
void field_setup(void);

/* By path ("person.email"); -1: none. */
int field_by_path(struct lg_slice path);
/* By form name: ASCII case does not matter, '-', ' ' and '.' are '_'. Only
 * fields that a plugin may set. -1: none. */
int field_by_name(struct lg_slice name);

#endif
