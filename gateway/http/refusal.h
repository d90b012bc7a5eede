/* The table of what requests are refused for, before a service sees them whole.
 * Any thread. */
#ifndef HTTP_REFUSAL_H
#define HTTP_REFUSAL_H

enum http_refusal {
	HTTP_ACCEPTED,
#define HTTP_REFUSAL(name, status, label, text) HTTP_REFUSED_##name,
#include "http/refusals.def"
#undef HTTP_REFUSAL
	HTTP_REFUSAL_COUNT
};

/* Registers leadgate_http_refused_total{reason="…"}; again does no harm. */
void http_refusal_register(void);

void http_refusal_count(enum http_refusal refusal);
int http_refusal_status(enum http_refusal refusal);
const char *http_refusal_label(enum http_refusal refusal);
const char *http_refusal_text(enum http_refusal refusal);

#endif
