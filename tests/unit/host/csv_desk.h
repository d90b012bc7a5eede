/* The csvimport plugin, linked in, over services that write down what it does. */
#ifndef TESTS_UNIT_HOST_CSV_DESK_H
#define TESTS_UNIT_HOST_CSV_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <leadgate/source.h>

#include "base/arena.h"
#include "base/buffer.h"

extern const struct lg_plugin plugin_csvimport;

/* One file; `story` is what the plugin made of it, a line a call. */
struct desk {
	struct lg_request request; /* first */
	struct lg_lead lead;
	struct lg_host host;
	struct lg_services services;
	struct arena arena;
	struct buffer story;
	struct lg_pair map[8];
	size_t map_count;
	size_t room; /* items until a batch is full */
	size_t extras;
	char problem[512];
	struct lg_reading reading;
	_Alignas(16) char settings[1024];
	void *instance;
};
extern struct desk desk;

int desk_init(void **state);
int desk_fini(void **state);
static inline void desk_again(void **state)
{
	desk_fini(state);
	desk_init(state);
}

/* An option of the plugin. */
void set_setting(const char *name, const void *value, size_t size);
void set_text(const char *name, const char *value);
void set_choice(const char *name, int32_t value);

/* A column that the operator maps at the command line. */
void map_column(const char *column, const char *meaning);

/* Looks at a file. Returns what the plugin says is wrong; "" for nothing. */
const char *open_file(struct lg_slice file, const char *position);

/* What it makes of a file in chunks of that many bytes, larger ones when it asks, with at
 * most desk.room items a call. */
const char *read_file(struct lg_slice file, size_t chunk_bytes);
const char *read_text(const char *text);

#define HAS(text, word)                                                 \
	do {                                                            \
		const char *all = (text);                               \
		if (!strstr(all, (word)))                               \
			fail_msg("\"%s\" is not in:\n%s", (word), all); \
	} while (0)
#define LACKS(text, word)                                           \
	do {                                                        \
		const char *all = (text);                           \
		if (strstr(all, (word)))                            \
			fail_msg("\"%s\" is in:\n%s", (word), all); \
	} while (0)

#endif
