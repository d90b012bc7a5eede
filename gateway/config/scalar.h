/* What a scalar of the tree says. libfyaml 0.7.12 (Debian 12's) counts the bytes of
 * some texts otherwise than it writes them, and then hands out another text, or
 * bytes that nobody wrote; once over, it loses memory as well
 * (github.com/pantoniou/libfyaml, issue 233):
 *   'x != '''''       two quotes in a row inside single quotes
 *   "a\ <newline> b"  an escaped blank at the end of a line
 *   >                 a blank line before one that is indented further
 *   "a <CR LF> "      lines in double quotes that end with a carriage return
 * The first is what an expression with an empty string looks like, so that single
 * quotes are read here; the others are to be refused. Main thread. */
#ifndef CONFIG_SCALAR_H
#define CONFIG_SCALAR_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

struct fy_node;

/* Whether libfyaml can be asked for this text: what it compares, such as a key, must
 * be of this kind, or it compares other texts and loses memory. Two of the faults
 * in one text can cancel each other out and go unseen. `file` is what the tree was read
 * from: double quotes over several lines that end with a carriage return are not sound. */
bool scalar_is_sound(struct lg_slice file, struct fy_node *scalar);

/* The text of a sound scalar or of one in single quotes. The slice lies in `file`, in
 * the tree or in `arena` and lives as long as the shortest of these; absent: no scalar,
 * or no memory. */
struct lg_slice scalar_text(struct arena *arena, struct lg_slice file, struct fy_node *node);

#endif
