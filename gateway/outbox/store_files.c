#include "outbox/store_files.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The last component need not exist; what is before it must. */
static bool real_path(struct lg_slice path, char out[PATH_MAX])
{
	char text[PATH_MAX], folder[PATH_MAX];
	const char *name = text;
	char *slash;

	if (path.length == 0 || path.length >= sizeof(text))
		return false;
	slice_to_text(path, text, sizeof(text));
	if (realpath(text, out))
		return true;
	slash = strrchr(text, '/');
	if (slash) {
		name = slash + 1;
		*slash = '\0';
	}
	if (!realpath(!slash ? "." : (slash == text ? "/" : text), folder))
		return false;
	return snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

static bool is_same(const char *one, const char *two)
{
	struct stat a, b;

	return strcmp(one, two) == 0 || (stat(one, &a) == 0 && stat(two, &b) == 0 &&
					 a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

bool store_files_have(struct lg_slice store_path, struct lg_slice file)
{
	static const char *const endings[] = {"", "-wal", "-shm", "-journal", ".lock", ".sock"};
	char store[PATH_MAX], other[PATH_MAX], own[PATH_MAX + 16];

	if (!real_path(store_path, store) || !real_path(file, other))
		return false;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		snprintf(own, sizeof(own), "%s%s", store, endings[i]);
		if (is_same(own, other))
			return true;
	}
	return false;
}
