/* Option rows against a mapping of the document: parses, checks ranges, fills
 * the struct, reports every mistake with its place and what would be right.
 * One engine for the core's rows and the plugins' rows. Main thread. */
#ifndef CONFIG_BIND_H
#define CONFIG_BIND_H

#include <leadgate/option.h>

#include "config/document.h"
#include "config/quantity.h"

/* Rows in memory, with the stride of whoever compiled them. */
struct option_table {
	const struct lg_option *rows;
	size_t count;
	size_t stride;
};
#define OPTION_TABLE(array) \
	((struct option_table){(array), sizeof(array) / sizeof((array)[0]), sizeof((array)[0])})

/* The i-th row, as far as both sides know it. */
struct lg_option option_at(const struct option_table *table, size_t index);

/* What stands between the brackets of a list's default, which may be without them: words,
 * to be split at the commas and trimmed. */
struct lg_slice option_words(struct lg_slice fallback);

/* How an expression is checked; plugged in by the roof. False with a reason. */
typedef bool (*option_expression_check)(struct lg_slice text, struct error *error);
/* How a field's path or form name becomes its number; -1: unknown. */
typedef int (*option_field_lookup)(struct lg_slice name);

struct bind_hooks {
	option_expression_check expression; /* NULL: any text passes */
	option_expression_check mapped;	    /* of an outline's values; the same */
	option_field_lookup field;
	const char *const *field_names; /* for suggestions, NULL-terminated; may be NULL */
};

/* Fills `settings` (zeroed, of the right size) from `map`. Keys in `others`
 * (NULL-terminated, may be NULL) belong to somebody else; every further key is
 * an error. `what` names the section in messages ("source \"contact\"").
 * `map` NULL stands for an empty mapping. Defaults are applied. Memory comes
 * from the document. Returns true when this section has no mistake. */
bool bind_options(struct document *document, struct fy_node *map, const char *what,
		  const struct option_table *table, const char *const *others,
		  const struct bind_hooks *hooks, void *settings);

/* The nearest of `names` (NULL-terminated) to a misspelt word; NULL: none near. */
const char *bind_suggestion(struct lg_slice word, const char *const *names);

#endif
