/* A plugin's file: found, opened, its descriptor checked. Libraries stay mapped
 * until the process ends. Main thread. */
#ifndef HOST_LIBRARY_H
#define HOST_LIBRARY_H

#include <leadgate/plugin.h>

#include "base/error.h"
#include "config/bind.h"

/* A descriptor as this gateway understands it: what the plugin does not know is
 * zero, what we do not know is left out. Lives until the process ends. */
struct library {
	struct lg_plugin plugin;
	struct option_table options;
	const char *path; /* of the file; "static" for one linked in */
};

/* Folders that are searched for NAME.so, separated by colons. */
void library_set_path(const char *folders);

/* Loads a plugin by name, once; NULL with a sentence that names the file, its
 * numbers and ours. */
const struct library *library_load(struct lg_slice name, struct error *error);

/* Loads a plugin by its file, for check-plugin. */
const struct library *library_load_file(const char *path, struct error *error);

/* Registers a plugin that is linked in (tests). */
bool library_add_static(const struct lg_plugin *plugin, struct error *error);

/* All plugins in the search path, sorted by name; errors are skipped and
 * reported through `problem`. Returns how many were handed to `each`. */
size_t library_each(void (*each)(void *arg, const struct library *library),
		    void (*problem)(void *arg, const char *text), void *arg);

/* Checks a descriptor; the rules of the fixed head first. */
bool descriptor_read(const struct lg_plugin *theirs, const char *path, struct library *out,
		     struct error *error);

#endif
