/* What the configuration says of this sink: the rows, and what they cannot check. */
#ifndef SINKS_HTTP_SETTINGS_H
#define SINKS_HTTP_SETTINGS_H

#include <leadgate/sink.h>

#define HEADERS_MAX 32 /* of the configuration */
#define HTTP_OPTION_COUNT 10
#define EXTERNAL_ID_PLACE ":external_id" /* in update_url */

enum form { FORM_SINGLE, FORM_ARRAY, FORM_NDJSON };

struct settings {
	struct lg_slice url, update_url;
	int32_t method, update_method; /* POST, PUT, PATCH, as in the rows */
	int32_t form;		       /* enum form */
	struct lg_map headers;
	struct lg_slice secret, bearer, user, password;
};

extern const struct lg_option http_options[HTTP_OPTION_COUNT];

/* The `check` of the plugin: what must not stand there together, and what no request
 * could carry. LG_FAIL with `problem`. Any thread, no side effects. */
int32_t http_settings_check(const void *settings, struct lg_text problem);

/* The header of the configuration with this name, in any case, or NULL. */
const struct lg_pair *http_settings_header(const struct settings *settings, const char *name);

#endif
