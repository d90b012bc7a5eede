/* Option rows: how a plugin (and every part of the gateway itself) declares
 * what may stand in the configuration. The host parses and checks the text,
 * fills the settings struct, and prints help and manual from the same rows.
 *
 *   struct settings { struct lg_slice path; int64_t max_bytes; };
 *
 *   static const struct lg_option options[] = {
 *       { .name = "path", .type = LG_STRING, .flags = LG_REQUIRED,
 *         .offset = offsetof(struct settings, path),
 *         .help = "file that receives the leads" },
 *       { .name = "max_bytes", .type = LG_SIZE, .fallback = "64MiB",
 *         .offset = offsetof(struct settings, max_bytes),
 *         .min = 4096, .max = INT64_C(1) << 40, .help = "…" },
 *   };
 */
#ifndef LEADGATE_OPTION_H
#define LEADGATE_OPTION_H

#include <leadgate/types.h>

/* Types, with what stands in the settings struct at `offset`.
 * Slices point into memory of the configuration's generation: they live as
 * long as the instance, and nobody frees them. */
#define LG_STRING 1	 /* struct lg_slice */
#define LG_SECRET 2	 /* struct lg_slice; never logged, `secret_file:` allowed */
#define LG_BOOL 3	 /* int32_t, 0 or 1 */
#define LG_INTEGER 4	 /* int64_t within min..max */
#define LG_DURATION 5	 /* int64_t milliseconds within min..max; 500ms 5s 2m 3h 90d */
#define LG_SIZE 6	 /* int64_t bytes within min..max; 4096 64KiB 20GiB */
#define LG_ENUM 7	 /* int32_t, position of the word in `choices` */
#define LG_LIST 8	 /* struct lg_list of strings; one string is a list of one */
#define LG_MAP 9	 /* struct lg_map of strings */
#define LG_URL 10	 /* struct lg_slice, absolute http(s) URL */
#define LG_EXPRESSION 11 /* struct lg_slice, text of an expression that was checked */
#define LG_FIELD_MAP 12	 /* struct lg_field_map: form name -> path of a record's field */
#define LG_PATH 13	 /* struct lg_slice, file path, relative to the configuration's folder */

/* Flags. */
#define LG_REQUIRED 1u /* absence is an error; an empty text is present */
/* A secret is never empty: the gateway refuses one, such as a variable of the environment
 * that is set to nothing, for anybody could sign with it. One that is left out is absent. */

/* One row. Rows are constant and live as long as the plugin's library. The
 * descriptor says how large the plugin's row is; the host reads what both
 * sides know. */
struct lg_option {
	const char *name;
	int32_t type;
	uint32_t flags;
	size_t offset;	      /* into the settings struct */
	const char *fallback; /* the default, written as in YAML; NULL: absent */
	int64_t min, max;     /* for numbers; both 0: no range */
	const char *choices;  /* LG_ENUM: "one|two|three" */
	const char *help;     /* one sentence, no full stop at its end */
};

#endif
