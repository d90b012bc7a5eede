/* The csvimport plugin at a desk, with a file before it. */
#ifndef TESTS_UNIT_HOST_CSV_DESK_H
#define TESTS_UNIT_HOST_CSV_DESK_H

#include "source_desk.h"

extern const struct lg_plugin plugin_csvimport;

/* One file; what the plugin made of it is the story of the desk. */
struct csv_desk {
	struct lg_host host;
	struct lg_pair map[8];
	size_t map_count;
	size_t room; /* items until a batch is full */
	char problem[512];
	struct lg_reading reading;
};
extern struct csv_desk csv_desk;

/* Around each test: a desk with defaults of the options. */
int csvimport_init(void **state);
int csvimport_fini(void **state);
static inline void csvimport_again(void **state)
{
	csvimport_fini(state);
	csvimport_init(state);
}

/* An option of the plugin that is one of some words. */
void set_choice(const char *name, int32_t value);

/* A column that the operator maps at the command line. */
void map_column(const char *column, const char *meaning);

/* Looks at a file. Returns what the plugin says is wrong; "" for nothing. */
const char *open_file(struct lg_slice file, const char *position);

/* What it makes of a file in chunks of that many bytes, larger ones when it asks, with at
 * most csv_desk.room items a call. */
const char *read_file(struct lg_slice file, size_t chunk_bytes);
const char *read_text(const char *text);

#endif
