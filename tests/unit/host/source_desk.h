/* A source plugin, linked in, over services that write down what it does. */
#ifndef TESTS_UNIT_HOST_SOURCE_DESK_H
#define TESTS_UNIT_HOST_SOURCE_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <leadgate/source.h>

#include "base/buffer.h"
#include "readers.h"

/* The one that a test program is about. */
extern const struct lg_plugin *const desk_plugin;

/* One request, one lead, one answer; `story` is what the plugin did, a line a
 * call. */
struct desk {
	struct lg_request request; /* first */
	struct lg_lead lead;
	struct lg_reply reply;
	struct lg_services services;
	struct buffer story;
	const char *headers[8][2];
	const char *method; /* NULL: POST */
	const char *query;  /* NULL: none */
	const char *url;    /* as the sender has it; NULL: unknown */
	struct lg_slice body;
	struct lg_errand errand;
	size_t calls;	/* of services that can fail, so far */
	size_t fail_at; /* the one of them that does; 0: none */
	int32_t outcome;
	int32_t (*hmac)(int32_t digest, struct lg_slice key, struct lg_slice message,
			unsigned char *out, size_t capacity);
	size_t extra_limit;
	struct lg_result result;
	_Alignas(16) char settings[1024];
	void *instance;
};
extern struct desk desk;

/* Around each test: a new desk; options are zero. */
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
void set_number(const char *name, int64_t number);

/* A header of the request. */
void header(const char *name, const char *value);

/* Adds a line to the story. */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the plugin did until now. */
const char *story(void);

/* What it makes of a body; NULL: that of the desk. */
const char *receive(const char *type, const char *body);

/* What it makes of an errand, whose other members are desk.errand's. */
typedef int32_t (*desk_operation)(void *, struct lg_request *, const struct lg_errand *,
				  struct lg_verdict *);
const char *run_errand(desk_operation operation, int32_t cause, int32_t status, const char *body);

/* Does the same over and over and lets each call in turn fail for want of memory: what
 * comes out is the whole story, or no LG_OK, or an errand that is tried again. */
void sweep(void **state, void (*prepare)(void), void (*run)(void));

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
