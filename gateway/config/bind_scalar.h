/* An option's value that is one scalar: of every type but lists, mappings and
 * outlines. Main thread. */
#ifndef CONFIG_BIND_SCALAR_H
#define CONFIG_BIND_SCALAR_H

#include "config/bind_value.h"

/* A file that holds a secret. */
#define SECRET_FILE_MAX_BYTES (64 * 1024)

/* Reads `text` into the place. What is kept of it is not copied, but for a path: it lives
 * with the document or the row. `node` is where a mistake is reported; NULL: the text is
 * the row's fallback. False: the text is absent, not of the
 * row's type, out of its range, or an expression that does not pass; it is reported, but for
 * a variable that is not set, which document_open has reported. Where no memory is left for
 * a path it is absent. */
bool bind_scalar(const struct binding *binding, struct fy_node *node, struct lg_slice text);

/* Whether a text is what an option of type LG_URL takes. */
bool bind_is_url(struct lg_slice text);

/* A secret from the file that a node names, beside the configuration where the name is
 * relative. Its bytes, trimmed, live with the document. False, reported as above: no name, a
 * file that cannot be read, is too long, empty or open to every user, or no memory. */
bool bind_secret_file(const struct binding *binding, struct fy_node *node);

#endif
