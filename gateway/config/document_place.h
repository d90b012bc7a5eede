/* Where a node stands in its file, for whoever has to point at it. Main thread. */
#ifndef CONFIG_DOCUMENT_PLACE_H
#define CONFIG_DOCUMENT_PLACE_H

struct fy_mark;
struct fy_node;

/* A scalar has a token with its place; a section stands where its key does, or
 * where its first scalar does; something empty where what holds it stands. The
 * mark is the tree's and lives with it. NULL: nothing on the way up has a place,
 * or there is no node. */
const struct fy_mark *document_place(struct fy_node *node);

#endif
