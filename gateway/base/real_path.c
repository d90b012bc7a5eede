#include "base/real_path.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As many as Linux follows in one path. */
#define LINKS_MOST 40

/* A path on its way: what has been walked, and what is still ahead. */
struct walk {
	char *out; /* without links; the root is "" */
	size_t length;
	char ahead[2][PATH_MAX]; /* in turn, for a link's text stands before the rest */
	int links;
};

static void step_back(struct walk *walk)
{
	const char *slash = strrchr(walk->out, '/');

	walk->length = slash ? (size_t)(slash - walk->out) : 0;
	walk->out[walk->length] = '\0';
}

/* Goes on with what the link says, and then with the rest. */
static bool follow(struct walk *walk, const char *target, struct lg_slice *rest)
{
	char *ahead = walk->ahead[++walk->links % 2];
	int length = snprintf(ahead, PATH_MAX, "%s/%.*s", target, SLICE_ARGS(*rest));

	if (walk->links > LINKS_MOST || length >= PATH_MAX)
		return false;
	if (*target == '/')
		walk->length = 0;
	else
		step_back(walk);
	walk->out[walk->length] = '\0';
	*rest = slice_of(ahead, (size_t)length);
	return true;
}

static bool step(struct walk *walk, struct lg_slice name, struct lg_slice *rest)
{
	char target[PATH_MAX];
	ssize_t size;

	if (name.length == 0 || slice_is(name, "."))
		return true;
	if (slice_is(name, "..")) {
		step_back(walk);
		return true;
	}
	if (walk->length + 1 + name.length >= PATH_MAX)
		return false;
	walk->length += (size_t)snprintf(walk->out + walk->length, PATH_MAX - walk->length, "/%.*s",
					 SLICE_ARGS(name));
	size = readlink(walk->out, target, sizeof(target) - 1);
	if (size < 0)
		return true; /* no link, or not there */
	target[size] = '\0';
	return follow(walk, target, rest);
}

bool real_path(struct lg_slice path, char out[PATH_MAX])
{
	struct walk walk = {.out = out};
	struct lg_slice name;

	if (path.length == 0 || path.length >= PATH_MAX)
		return false;
	*out = '\0';
	if (!slice_starts(path, "/") && !getcwd(out, PATH_MAX))
		return false;
	if (strcmp(out, "/") == 0)
		*out = '\0';
	walk.length = strlen(out);
	while (slice_split(&path, '/', &name))
		if (!step(&walk, name, &path))
			return false;
	if (walk.length == 0)
		memcpy(out, "/", sizeof("/"));
	return true;
}
