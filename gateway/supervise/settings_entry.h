/* An entry of `sources` or `sinks`: a name, and below it the options of a plugin's
 * instance, some of them rows of the gateway's. Mistakes are reported at the
 * document. The thread that reads settings. */
#ifndef SUPERVISE_SETTINGS_ENTRY_H
#define SUPERVISE_SETTINGS_ENTRY_H

#include "supervise/settings_part.h"

struct settings_entry {
	const char *kind; /* "source" */
	int32_t plugin_kind;
	struct option_table table;
	struct option_table http_table; /* when the plugin makes calls … */
	size_t http_offset;		/* … into the rows' struct */
	struct option_table file_table; /* when the plugin reads files */
	struct lg_slice name;
	struct fy_node *name_node, *map;
};

/* Reads the gateway's rows into `rows`, whose `plugin` names the library, and then the
 * plugin's. NULL when the entry has a mistake, which was reported. */
struct instance *settings_entry_instance(struct settings *settings,
					 const struct settings_entry *entry, void *rows,
					 const struct lg_slice *plugin);

/* Hands each entry of a mapping to `read`; the kind, its tables and so on are in
 * `entry`, whose name and nodes are set anew each time. */
void settings_entry_each(struct settings *settings, struct fy_node *map,
			 struct settings_entry *entry,
			 void (*read)(struct settings *, const struct settings_entry *));

/* Zeroed room for all entries of the mapping `name`, `size` bytes each, in the document's
 * arena; NULL when there is none, or after a report. */
void *settings_entry_room(struct settings *settings, struct fy_node *map, const char *name,
			  size_t size);

/* A path without detours, by which two entries are compared: of the file, or of its
 * folder when there is no file yet. What cannot be resolved stays as it is. */
struct lg_slice settings_entry_real_path(struct settings *settings, struct lg_slice path);

#endif
