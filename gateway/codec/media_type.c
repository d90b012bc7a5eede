#include "codec/media_type.h"

/* Takes text up to `separator` outside of quoted strings (RFC 9110 section
 * 5.6.4) off `*rest`; false when nothing is left. */
static bool take_part(struct lg_slice *rest, char separator, struct lg_slice *part)
{
	bool quoted = false;
	size_t i;

	if (!slice_present(*rest))
		return false;
	for (i = 0; i < rest->length && (quoted || rest->data[i] != separator); i++) {
		if (rest->data[i] == '"')
			quoted = !quoted;
		else if (quoted && rest->data[i] == '\\' && i + 1 < rest->length)
			i++;
	}
	*part = slice_trim(slice_cut(*rest, 0, i));
	*rest = i < rest->length ? slice_cut(*rest, i + 1, rest->length)
				 : (struct lg_slice){NULL, 0};
	return true;
}

bool media_type_is(struct lg_slice value, const char *name)
{
	struct lg_slice type;

	return take_part(&value, ';', &type) && slice_equal_nocase(type, slice_from(name));
}

struct lg_slice media_type_parameter(struct lg_slice value, const char *name)
{
	struct lg_slice part;

	if (!take_part(&value, ';', &part))
		return (struct lg_slice){NULL, 0};
	while (take_part(&value, ';', &part)) {
		ptrdiff_t equals = slice_find(part, '=');
		struct lg_slice text;

		if (equals < 0 ||
		    !slice_equal_nocase(slice_cut(part, 0, (size_t)equals), slice_from(name)))
			continue;
		text = slice_cut(part, (size_t)equals + 1, part.length);
		if (text.length >= 2 && text.data[0] == '"' && text.data[text.length - 1] == '"')
			return slice_cut(text, 1, text.length - 2);
		return text;
	}
	return (struct lg_slice){NULL, 0};
}

/* 0, 0.5, 1.000: thousandths, or -1 (RFC 9110 section 12.4.2). */
static int parse_weight(struct lg_slice text)
{
	int weight, unit = 100;

	if (text.length == 0 || text.length > 5 || (text.data[0] != '0' && text.data[0] != '1'))
		return -1;
	weight = (text.data[0] - '0') * 1000;
	if (text.length > 1 && text.data[1] != '.')
		return -1;
	for (size_t i = 2; i < text.length; i++, unit /= 10) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return -1;
		weight += (text.data[i] - '0') * unit;
	}
	return weight <= 1000 ? weight : -1;
}

/* How closely a range names the type: 3 the type itself, 2 its family, 1
 * everything, 0 not at all. */
static int range_precision(struct lg_slice range, struct lg_slice type)
{
	ptrdiff_t slash = slice_find(type, '/');
	struct lg_slice name;

	if (!take_part(&range, ';', &name))
		return 0;
	if (slice_equal_nocase(name, type))
		return 3;
	if (slice_is(name, "*/*"))
		return 1;
	if (slash >= 0 && slice_ends(name, "/*") &&
	    slice_equal_nocase(slice_cut(name, 0, name.length - 1),
			       slice_cut(type, 0, (size_t)slash + 1)))
		return 2;
	return 0;
}

int accept_weight(struct lg_slice accept, const char *type)
{
	struct lg_slice range;
	int best_precision = 0, best = 0;

	accept = slice_trim(accept);
	if (accept.length == 0)
		return 1000;
	while (take_part(&accept, ',', &range)) {
		int precision = range_precision(range, slice_from(type));
		struct lg_slice q = media_type_parameter(range, "q");
		int weight = slice_present(q) ? parse_weight(q) : 1000;

		if (precision == 0 || weight < 0 || precision < best_precision)
			continue;
		if (precision > best_precision || weight > best)
			best = weight;
		best_precision = precision;
	}
	return best;
}
