/* Any bytes as a configuration file, bound to rows of every type. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/outline.h"
#include "config/bind.h"
#include "fuzz.h"

struct settings {
	struct lg_slice string, secret, url, when, path;
	int64_t count, wait_ms, size_bytes;
	int32_t on, level;
	struct lg_list list;
	struct lg_map map;
	struct lg_field_map fields;
	struct outline outline;
};

#define ROW(n, t, member) .name = (n), .type = (t), .offset = offsetof(struct settings, member)

static const struct lg_option rows[] = {
	{ROW("name", LG_STRING, string), .flags = LG_REQUIRED},
	{ROW("secret", LG_SECRET, secret)},
	{ROW("enabled", LG_BOOL, on), .fallback = "true"},
	{ROW("count", LG_INTEGER, count), .fallback = "3", .min = -5, .max = 64},
	{ROW("wait", LG_DURATION, wait_ms), .fallback = "90s", .min = 1000, .max = 600000},
	{ROW("size", LG_SIZE, size_bytes), .fallback = "64KiB"},
	{ROW("level", LG_ENUM, level), .choices = "error|info|debug"},
	{ROW("list", LG_LIST, list), .fallback = "[email, phone]"},
	{ROW("map", LG_MAP, map), .fallback = "{}"},
	{ROW("url", LG_URL, url)},
	{ROW("when", LG_EXPRESSION, when)},
	{ROW("fields", LG_FIELD_MAP, fields)},
	{ROW("mapping", OUTLINE_OPTION, outline)},
	{ROW("path", LG_PATH, path), .fallback = "var/x"},
};

static int find_field(struct lg_slice name)
{
	return slice_is(name, "person.email") ? 7 : -1;
}

static const char *const names[] = {"person.email", "person.phone", NULL};
static const struct bind_hooks hooks = {.field = find_field, .field_names = names};

static void read_configuration(const char *path)
{
	static const struct option_table table = OPTION_TABLE(rows);
	static const char *const others[] = {"sinks", NULL};
	struct settings settings = {.count = 0};
	struct document *document;
	struct buffer errors;
	bool bound;

	buffer_init(&errors, 1 << 20);
	document = document_open(path, &errors);
	ALWAYS(document || buffer_length(&errors) > 0);
	if (document) {
		struct fy_node *root = document_root(document);

		bound = bind_options(document, root, "the file", &table, others, &hooks, &settings);
		ALWAYS(bound || document_error_count(document) > 0);
		bind_options(document, document_member(root, "sinks"), "the sinks", &table, others,
			     &hooks, &settings);
		ALWAYS((document_error_count(document) > 0) == (buffer_length(&errors) > 0));
	}
	document_free(&document);
	buffer_fini(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd = memfd_create("config", MFD_CLOEXEC);

	ALWAYS(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_configuration(path);
	close(fd);
	return 0;
}
