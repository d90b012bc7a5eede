#include "outbox/store_files.h"

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
