/* The webform plugin at a desk. */
#ifndef TESTS_UNIT_HOST_WEBFORM_DESK_H
#define TESTS_UNIT_HOST_WEBFORM_DESK_H

#include "source_desk.h"

extern const struct lg_plugin plugin_webform;

/* Around each test: a desk with the defaults of the options. */
int webform_init(void **state);
static inline void webform_again(void **state)
{
	desk_fini(state);
	webform_init(state);
}

const char *receive_form(const char *body);
const char *receive_json(const char *body);

/* What it answers when the lead has ended so. */
const char *answer(int32_t verdict, const char *accept, const char *type);

#define FORM "application/x-www-form-urlencoded"
#define BROWSER "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

#endif
