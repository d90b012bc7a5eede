/*
 * The main of a fuzzer in an ordinary build: each argument is a file, or a folder
 * of files, that is fed to the fuzzer once. It prints TAP, one line a file, and
 * a crash names the file because its name is printed before it is tried.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned replayed;

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	uint8_t *data;
	size_t size;

	printf("# %s\n", path);
	fflush(stdout);
	if (file == NULL || fstat(fileno(file), &st) != 0) {
		perror(path);
		exit(1);
	}
	size = (size_t)st.st_size;
	/* Exactly as large as the input, so that a sanitizer sees the first byte
	 * read beyond it. */
	data = malloc(size ? size : 1);
	if (data == NULL || fread(data, 1, size, file) != size) {
		perror(path);
		exit(1);
	}
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	printf("ok %u - %s\n", ++replayed, path);
}

static void replay_folder(const char *folder)
{
	struct dirent **names;
	int count = scandir(folder, &names, NULL, alphasort);

	if (count < 0) {
		perror(folder);
		exit(1);
	}
	for (int i = 0; i < count; i++) {
		char path[4096];

		if (names[i]->d_name[0] != '.') {
			snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
			replay_file(path);
		}
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			replay_folder(argv[i]);
		else
			replay_file(argv[i]);
	}
	printf("1..%u\n", replayed);
	return replayed > 0 ? 0 : 1;
}
