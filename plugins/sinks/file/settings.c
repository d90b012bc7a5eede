#include "file.h"

#include <string.h>

const struct lg_option file_options[FILE_OPTION_COUNT] = {
	{.name = "path",
	 .type = LG_PATH,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct settings, path),
	 .help = "the file that receives one line of JSON an event; it is made when it is missing"},
	{.name = "mode",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, mode),
	 .fallback = "0600",
	 .help = "permissions of a new file, in octal"},
	{.name = "rotate_size",
	 .type = LG_SIZE,
	 .offset = offsetof(struct settings, rotate_size),
	 .fallback = "0",
	 .min = 0,
	 .max = INT64_C(1) << 50,
	 .help = "a file of this size is renamed to path.YYYYMMDDTHHMMSSmmmZ and a new one is "
		 "begun; 0: never"},
	{.name = "rotate_interval",
	 .type = LG_DURATION,
	 .offset = offsetof(struct settings, rotate_interval),
	 .fallback = "0s",
	 .min = 0,
	 .max = INT64_C(366) * 86400000,
	 .help = "the same when a new period of this length has begun (counted in UTC, so 1d turns "
		 "at midnight) and an event arrives; 0s: never"},
	{.name = "keep",
	 .type = LG_INTEGER,
	 .offset = offsetof(struct settings, keep),
	 .fallback = "0",
	 .min = 0,
	 .max = 100000,
	 .help = "how many renamed files are kept, the oldest are removed; 0: all"},
};

bool file_settings_mode(struct lg_slice text, mode_t *mode)
{
	*mode = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < '0' || text.data[i] > '7' || i > 4)
			return false;
		*mode = *mode * 8 + (mode_t)(text.data[i] - '0');
	}
	/* A file that we cannot read back could not be repaired after a crash. */
	return text.length && (*mode & 0600) == 0600 && *mode <= 0777;
}

int32_t file_settings_check(const void *memory, struct lg_text problem)
{
	const struct settings *settings = memory;
	char path[PATH_MAX];
	struct stat found;
	mode_t mode;

	if (settings->path.length == 0 || settings->path.length + STAMP_BYTES + 2 > sizeof(path) ||
	    memchr(settings->path.data, '\0', settings->path.length))
		return say(problem, "path must name a file, in at most %zu bytes",
			   sizeof(path) - STAMP_BYTES - 2);
	memcpy(path, settings->path.data, settings->path.length);
	path[settings->path.length] = '\0';
	if (path[settings->path.length - 1] == '/')
		return say(problem, "path %s is a folder: name a file in it", path);
	if (!file_settings_mode(settings->mode, &mode))
		return say(problem, "mode must be octal permissions that let the owner read and "
				    "write, such as 0640");
	if (stat(path, &found) == 0 && !S_ISREG(found.st_mode))
		return say(problem, "path %s is %s: it must be a file, or not be there yet", path,
			   file_kind(found.st_mode));
	return LG_OK;
}
