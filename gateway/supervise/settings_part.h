/* Between the files of the settings: what settings.c asks of the others. */
#ifndef SUPERVISE_SETTINGS_PART_H
#define SUPERVISE_SETTINGS_PART_H

#include "supervise/settings.h"

/* Hooks that every section is read with. */
extern const struct bind_hooks settings_hooks;

/* The struct that a plain section fills; NULL: it is read by other means. */
const void *settings_section_in(const struct settings *settings, const char *name);

/* Reads `sources:` and `sinks:`. Mistakes go to the document. */
void settings_read_sources(struct settings *settings, struct fy_node *map);
void settings_read_sinks(struct settings *settings, struct fy_node *map);

/* Reads `listen:`, and the files that it names. Gives back what was made of them. */
void settings_read_listen(struct settings *settings, struct fy_node *node);
void settings_free_listen(struct settings *settings);

/* Checks a region such as "US"; `node` is where a mistake is reported. */
bool settings_region(struct settings *settings, struct fy_node *node, struct lg_slice region,
		     char out[3]);

/* Checks the file that `ca_file` of a mapping names; an absent path is good. */
void settings_ca_file(struct settings *settings, struct fy_node *map, struct lg_slice path);

/* Reports each entry of a mapping's list `option`, or the one that stands for it, that is no
 * address and no prefix, where it stands. False: there was one. */
bool settings_check_prefixes(struct settings *settings, struct fy_node *map, const char *option);

/* The sink that writes this file, by whatever name; NULL: none of those that were read. */
const struct sink_section *settings_sink_of_file(struct settings *settings, struct lg_slice file);

/* Whether this is a file of the journal, of the one that is in use or of the one that
 * `store:` names, which a reload may have changed for the next start. */
bool settings_journal_has(const struct settings *settings, struct lg_slice path);

/* What several sections say together, when all of them were read. */
void settings_check(struct settings *settings, struct fy_node *root);

/* How many members a mapping or sequence has. */
size_t settings_count(struct document *document, struct fy_node *node);

#endif
