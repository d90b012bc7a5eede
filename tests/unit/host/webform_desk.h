/* The webform plugin, linked in, over services that write down what it does. */
#ifndef TESTS_UNIT_HOST_WEBFORM_DESK_H
#define TESTS_UNIT_HOST_WEBFORM_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <leadgate/source.h>

#include "base/buffer.h"
#include "codec/form.h"
#include "codec/multipart.h"

extern const struct lg_plugin plugin_webform;

/* One request, one lead, one answer; `story` is what the plugin did, a line a
 * call. */
struct desk {
	struct lg_request request; /* first */
	struct lg_lead lead;
	struct lg_reply reply;
	struct lg_services services;
	struct arena arena;
	struct buffer story;
	struct form form;
	struct multipart multipart;
	const char *headers[8][2];
	const char *method; /* NULL: POST */
	struct lg_slice body;
	size_t extra_limit;
	struct lg_result result;
	_Alignas(16) char settings[1024];
	void *instance;
};
extern struct desk desk;

/* Around each test: a new desk with the defaults of the options. */
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

/* What the plugin did until now. */
const char *story(void);

/* What it makes of a body. */
const char *receive(const char *type, const char *body);
const char *receive_form(const char *body);
const char *receive_json(const char *body);

/* What it answers when the lead has ended so. */
const char *answer(int32_t verdict, const char *accept, const char *type);

#define FORM "application/x-www-form-urlencoded"
#define BROWSER "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

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
