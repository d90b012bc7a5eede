#include "host/library.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/slice.h"

#define NAME_MAX_BYTES 63
#define LIBRARIES_MAX 256 /* in one process; also bounds what a folder lists */

/* All that this process has loaded. Never shrinks: a library stays mapped. */
static struct {
	char *folders;
	struct library *loaded[LIBRARIES_MAX];
	size_t count;
} registry;

void library_set_path(const char *folders)
{
	free(registry.folders);
	registry.folders = folders ? strdup(folders) : NULL;
}

static struct lg_slice search_path(void)
{
	return slice_from(registry.folders ? registry.folders : "");
}

static const struct library *find_loaded(struct lg_slice name, const char *path)
{
	for (size_t i = 0; i < registry.count; i++) {
		const struct library *library = registry.loaded[i];
		if (slice_present(name) ? slice_is(name, library->plugin.name)
					: strcmp(path, library->path) == 0)
			return library;
	}
	return NULL;
}

/* An absent name is any. */
static bool name_fits(const struct library *library, struct lg_slice name, struct error *error)
{
	const char *own = library->plugin.name;

	return !slice_present(name) || slice_is(name, own) ||
	       error_set(error, "%s: the plugin in it is called %s: name the file %s.so",
			 library->path, own, own);
}

/* Keeps a checked descriptor for good, unless it has another name. `path` is copied. */
static const struct library *keep(const struct lg_plugin *theirs, const char *path,
				  struct lg_slice name, struct error *error)
{
	struct library *library = calloc(1, sizeof(*library));
	char *own_path = strdup(path);
	bool good = false;

	if (!library || !own_path)
		error_set(error, "%s: no memory for the plugin", path);
	else if (registry.count == LIBRARIES_MAX)
		error_set(error, "%s: more than %d plugins are loaded", path, LIBRARIES_MAX);
	else
		good = descriptor_read(theirs, own_path, library, error) &&
		       name_fits(library, name, error);
	if (!good) {
		free(own_path);
		free(library);
		return NULL;
	}
	library->path = own_path;
	registry.loaded[registry.count++] = library;
	return library;
}

bool library_add_static(const struct lg_plugin *plugin, struct error *error)
{
	struct lg_slice any = {NULL, 0};

	if (plugin->magic == LG_MAGIC && plugin->name &&
	    find_loaded(slice_from(plugin->name), NULL))
		return true;
	return keep(plugin, "static", any, error) != NULL;
}

/* A handle of dlopen. */
static void *open_file(const char *path, struct error *error)
{
	char file[PATH_MAX];
	void *handle;

	/* Without a slash dlopen would look through the system's folders. */
	if (snprintf(file, sizeof(file), "%s%s", strchr(path, '/') ? "" : "./", path) >=
	    (int)sizeof(file)) {
		error_set(error, "%s: the file's name is too long", path);
		return NULL;
	}
	if (access(file, R_OK) != 0) {
		error_set(error, "%s: cannot be read: %s", path, strerror(errno));
		return NULL;
	}
	handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		error_set(error, "%s: cannot be loaded: %s", path, dlerror());
	return handle;
}

/* Loads what must have this name: under another it is not kept, or it would be found
 * by that from then on. */
static const struct library *load_as(const char *path, struct lg_slice name, struct error *error)
{
	const struct library *library = NULL;
	const struct lg_plugin *theirs;
	void *handle = open_file(path, error);

	if (!handle)
		return NULL;
	theirs = dlsym(handle, "leadgate_plugin");
	if (!theirs)
		error_set(
			error,
			"%s: is no leadgate plugin: it exports no symbol leadgate_plugin; build it "
			"with LG_SOURCE_PLUGIN or LG_SINK_PLUGIN",
			path);
	else
		library = keep(theirs, path, name, error);
	if (!library)
		dlclose(handle);
	return library;
}

const struct library *library_load_file(const char *path, struct error *error)
{
	struct lg_slice any = {NULL, 0};
	const struct library *library = find_loaded(any, path);

	return library ? library : load_as(path, any, error);
}

/* FOLDER/NAME.so; false when that is too long. */
static bool file_of(struct lg_slice folder, struct lg_slice name, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%.*s/%.*s.so", SLICE_ARGS(folder), SLICE_ARGS(name));
	return n > 0 && n < PATH_MAX;
}

static bool is_name(struct lg_slice name)
{
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return name.length > 0 && name.length <= NAME_MAX_BYTES;
}

/* ---- names in the search path -------------------------------------------- */

struct names {
	char *names[LIBRARIES_MAX + 1]; /* NULL-terminated */
	size_t count;
};

static void names_add(struct names *names, struct lg_slice name)
{
	if (!is_name(name) || names->count == LIBRARIES_MAX)
		return;
	for (size_t i = 0; i < names->count; i++)
		if (slice_is(name, names->names[i]))
			return;
	names->names[names->count] = strndup(name.data, name.length);
	if (names->names[names->count])
		names->count++;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_fill(struct names *names)
{
	struct lg_slice rest = search_path(), folder;
	char path[PATH_MAX];

	memset(names, 0, sizeof(*names));
	for (size_t i = 0; i < registry.count; i++)
		names_add(names, slice_from(registry.loaded[i]->plugin.name));
	while (slice_split(&rest, ':', &folder)) {
		DIR *dir;
		slice_to_text(folder, path, sizeof(path));
		dir = opendir(path);
		for (struct dirent *entry; dir && (entry = readdir(dir));) {
			struct lg_slice file = slice_from(entry->d_name);
			if (slice_ends(file, ".so"))
				names_add(names, slice_cut(file, 0, file.length - 3));
		}
		if (dir)
			closedir(dir);
	}
	if (names->count)
		qsort(names->names, names->count, sizeof(names->names[0]), compare_names);
}

static void names_clear(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
}

static void say_unknown(struct lg_slice name, struct error *error)
{
	struct names names;
	const char *near;
	struct buffer list;

	names_fill(&names);
	near = bind_suggestion(name, (const char *const *)names.names);
	buffer_init(&list, ERROR_TEXT_BYTES);
	for (size_t i = 0; i < names.count; i++)
		buffer_printf(&list, "%s%s", i ? ", " : "", names.names[i]);
	error_set(error, "no plugin \"%.*s\"%s%s%s in %s; there are: %.*s", SLICE_ARGS(name),
		  near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "",
		  search_path().length ? search_path().data : "(no plugin folder)",
		  SLICE_ARGS(list.end ? buffer_slice(&list)
				      : LG_SLICE("none (core.plugin_path and LEADGATE_PLUGIN_PATH "
						 "name other folders)")));
	buffer_fini(&list);
	names_clear(&names);
}

const struct library *library_load(struct lg_slice name, struct error *error)
{
	const struct library *library = find_loaded(name, NULL);
	struct lg_slice rest = search_path(), folder;
	char path[PATH_MAX];

	if (library)
		return library;
	while (is_name(name) && slice_split(&rest, ':', &folder))
		if (file_of(folder, name, path) && access(path, F_OK) == 0)
			return load_as(path, name, error);
	say_unknown(name, error);
	return NULL;
}

size_t library_each(void (*each)(void *arg, const struct library *library),
		    void (*problem)(void *arg, const char *text), void *arg)
{
	struct names names;
	size_t handed = 0;

	names_fill(&names);
	for (size_t i = 0; i < names.count; i++) {
		struct error error;
		const struct library *library = library_load(slice_from(names.names[i]), &error);
		if (library) {
			each(arg, library);
			handed++;
		} else if (problem) {
			problem(arg, error.text);
		}
	}
	names_clear(&names);
	return handed;
}
