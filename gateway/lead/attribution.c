#include "lead/attribution.h"

#include "codec/form.h"
#include "lead/url.h"

/* The field that a query parameter stands for; -1: none. */
static int parameter_field(struct lg_slice name)
{
	char path[64] = "attribution.last.";
	size_t length = strlen(path);

	if (name.length == 0 || name.length > sizeof(path) - length)
		return -1;
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];

		path[length + i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
	int field = field_by_path(slice_of(path, length + name.length));
	return field >= LG_UTM_SOURCE && field <= LG_LI_FAT_ID ? field : -1;
}

static bool take_value(struct lead *lead, int field, struct lg_slice encoded)
{
	struct lg_slice value;

	if (encoded.length == 0 || slice_present(lead->value[field]))
		return true;
	value = percent_decode(lead->arena, encoded, true);
	return slice_present(value) && lead_set(lead, field, value);
}

static struct lg_slice parameter_name(struct lg_slice parameter, struct lg_slice *value)
{
	ptrdiff_t equals = slice_find(parameter, '=');

	*value = equals < 0 ? LG_SLICE("") : slice_cut(parameter, (size_t)equals + 1, SIZE_MAX);
	return equals < 0 ? parameter : slice_cut(parameter, 0, (size_t)equals);
}

/* Reads the parameters; what is none of ours goes into `left`, which has room
 * for the query. Returns whether one of ours was there; clears `*good` when
 * memory ran out. */
static bool read_query(struct lead *lead, struct lg_slice query, char *left, size_t *left_length,
		       bool *good)
{
	struct lg_slice parameter, value;
	bool found = false;

	*left_length = 0;
	while (slice_split(&query, '&', &parameter)) {
		int field = parameter_field(parameter_name(parameter, &value));

		if (field >= 0) {
			found = true;
			*good &= take_value(lead, field, value);
			continue;
		}
		if (*left_length > 0)
			left[(*left_length)++] = '&';
		memcpy(left + *left_length, parameter.data, parameter.length);
		*left_length += parameter.length;
	}
	return found;
}

static bool rewrite_landing(struct lead *lead, struct lg_slice query, struct lg_slice left)
{
	struct lg_slice url = lead->value[LG_LANDING_URL];
	size_t before = (size_t)(query.data - url.data) - 1;
	struct lg_slice after = slice_cut(url, before + 1 + query.length, SIZE_MAX);

	if (!lead_keep_raw(lead, LG_LANDING_URL, url))
		return false;
	lead->value[LG_LANDING_URL] = arena_printf(lead->arena, "%.*s%s%.*s%.*s", (int)before,
						   url.data, left.length ? "?" : "",
						   SLICE_ARGS(left), SLICE_ARGS(after));
	return slice_present(lead->value[LG_LANDING_URL]);
}

bool attribution_collect(struct lead *lead)
{
	bool landing = lead->value[LG_LANDING_URL].length > 0;
	struct lg_slice query = url_query(lead->value[landing ? LG_LANDING_URL : LG_PAGE_URL]);
	size_t left_length;
	bool good = true, found;
	char *left;

	if (query.length == 0)
		return true;
	left = arena_alloc(lead->arena, query.length);
	if (!left)
		return false;
	found = read_query(lead, query, left, &left_length, &good);
	if (found && landing)
		good &= rewrite_landing(lead, query, slice_of(left, left_length));
	return good;
}
