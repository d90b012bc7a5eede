#include "outbox/store_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/real_path.h"

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

bool store_files_prepare(struct lg_slice store_path, struct error *error)
{
	char folder[PATH_MAX];

	if (store_path.length >= sizeof(folder))
		return error_set(error, "store.path is longer than %zu bytes", sizeof(folder) - 1);
	slice_to_text(store_path, folder, sizeof(folder));
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(folder, 0750) < 0 && errno != EEXIST)
			return error_set(error, "making the folder %s: %s", folder,
					 strerror(errno));
		*slash = '/';
	}
	return true;
}
