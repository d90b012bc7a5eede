/* A configuration file as a tree in which every node knows where it stands.
 *
 * The tree is libfyaml's; errors are printed as
 *   gateway.yaml:12:5: error: unknown option "adress"; did you mean "address"?
 * with the line and a caret below. Errors are collected, so that one run names
 * all of them. Main thread. */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

struct document;
struct fy_node;

/* Reads and parses. NULL when the file cannot be read or is no YAML: the
 * errors are then in `errors`. Duplicate keys are all reported here.
 * "${NAME}" inside double-quoted scalars is replaced from the environment
 * (an unset name is an error), `$$` stands for a dollar. Anchors, aliases and
 * merge keys are resolved. Bounds: 1 MiB, 64 levels, 100,000 values
 * counted with those that aliases stand for. `errors` must live as long. */
struct document *document_open(const char *path, struct buffer *errors);
void document_free(struct document **document);

const char *document_path(const struct document *document);
/* A path as it is written in the file, taken from the file's folder. Absent: no memory. */
struct lg_slice document_beside(struct document *document, struct lg_slice path);
/* Whether a file that the text names may be opened; false with a reason. */
typedef bool (*document_guard)(const void *arg, struct lg_slice path, struct error *error);
/* Who is asked from now on; nobody at first, and any file may be opened. */
void document_guard_files(struct document *document, document_guard guard, const void *arg);
bool document_may_open(const struct document *document, struct lg_slice path, struct error *error);
struct arena *document_arena(struct document *document); /* lives with the document */
int document_error_count(const struct document *document);

/* Reports an error at a node (NULL: the file as a whole). */
void document_error(struct document *document, struct fy_node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Lets the lines below errors show this scalar, key or value. Before, they show
 * only keys that a colon follows; what else is there may be a credential. False
 * when it is not to be shown, in messages neither: something that goes over
 * several lines, or anything of a file with aliases. */
bool document_show(struct document *document, struct fy_node *node);

struct fy_node *document_root(struct document *document);

/* Access by key; NULL without it, or when `map` is NULL or no mapping. */
struct fy_node *document_member(struct fy_node *map, const char *key);

/* Walks a mapping or a sequence: start with *cursor NULL; false at the end.
 * `key` is absent in a sequence, `value` is never NULL. Slices live as long as the document. */
bool document_each(struct document *document, struct fy_node *node, void **cursor,
		   struct lg_slice *key, struct fy_node **key_node, struct fy_node **value);

/* A scalar's text after replacement; absent when the node is no scalar, when
 * nothing is written there, or when a variable in it is not set. */
struct lg_slice document_text(struct document *document, struct fy_node *node);
struct lg_slice document_written(struct document *document, struct fy_node *node); /* before it */
/* The last of these three, which document_open has reported. */
bool document_text_is_unset(struct document *document, struct fy_node *node);
bool document_is_map(struct fy_node *node);
bool document_is_list(struct fy_node *node);
int document_line(struct fy_node *node); /* from 1; 0: unknown */

#endif
