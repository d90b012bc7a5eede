#include "http/forwarded_element.h"

#include "http/h1_char.h"

/* ---- cutting from the right ------------------------------------------------------ */

/* Where the quoted string begins that ends before `end`, right of its closing
 * quote; 0 when it does not begin. A quote is escaped by an odd number of
 * backslashes before it. */
static size_t open_quote(struct lg_slice text, size_t end)
{
	for (size_t at = end - 1; at-- > 0;) {
		size_t slashes = 0;

		if (text.data[at] != '"')
			continue;
		while (slashes < at && text.data[at - 1 - slashes] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			return at;
	}
	return 0;
}

/* Takes what stands after the last `separator` that is in no quotes. */
static bool cut_last(struct lg_slice *rest, char separator, bool quotes, struct lg_slice *part)
{
	size_t at;

	if (!slice_present(*rest))
		return false;
	for (at = rest->length; at > 0 && rest->data[at - 1] != separator; at--)
		if (quotes && rest->data[at - 1] == '"')
			at = open_quote(*rest, at) + 1;
	*part = slice_trim(slice_cut(*rest, at, rest->length));
	*rest = at > 0 ? slice_cut(*rest, 0, at - 1) : (struct lg_slice){0};
	return true;
}

bool forwarded_item_last(struct lg_slice *rest, struct lg_slice *item)
{
	return cut_last(rest, ',', false, item);
}

/* ---- elements of Forwarded ----------------------------------------------------------- */

/* A token as it is; of a quoted string what is in it. Those that hold a
 * backslash mean no address, scheme or host, so none is taken out. */
static bool read_value(struct lg_slice *value)
{
	if (!slice_starts(*value, "\""))
		return h1_is_token(*value);
	if (value->length < 2 || !slice_ends(*value, "\""))
		return false;
	*value = slice_cut(*value, 1, value->length - 2);
	return h1_is_value(*value);
}

/* Each parameter stands once at most (RFC 7239, section 4). */
static bool set_once(struct lg_slice *to, struct lg_slice value)
{
	bool is_first = !slice_present(*to);

	*to = value;
	return is_first;
}

/* "for=…": no blanks around "=" in the grammar of section 4. */
static bool take_pair(struct forwarded_element *element, struct lg_slice pair)
{
	ptrdiff_t equals = slice_find(pair, '=');
	struct lg_slice name, value;

	if (equals <= 0)
		return pair.length == 0; /* "a=b;" and ";;", as many send it */
	name = slice_cut(pair, 0, (size_t)equals);
	value = slice_cut(pair, (size_t)equals + 1, pair.length);
	if (!h1_is_token(name) || !read_value(&value))
		return false;
	if (slice_equal_nocase(name, LG_SLICE("for")))
		return set_once(&element->node, value);
	if (slice_equal_nocase(name, LG_SLICE("proto")))
		return set_once(&element->scheme, value);
	if (slice_equal_nocase(name, LG_SLICE("host")))
		return set_once(&element->host, value);
	return true;
}

bool forwarded_element_last(struct lg_slice *rest, struct forwarded_element *element)
{
	struct lg_slice text, pair;

	*element = (struct forwarded_element){.broken = false};
	if (!cut_last(rest, ',', true, &text))
		return false;
	element->empty = text.length == 0;
	while (cut_last(&text, ';', true, &pair)) {
		if (take_pair(element, pair))
			continue;
		*element = (struct forwarded_element){.broken = true};
		break;
	}
	return true;
}

/* ---- nodes -------------------------------------------------------------------------------- */

/* What follows an address: nothing, ":" and one to five digits, or ":" and an
 * obfuscated port ("_" and letters, digits, ".", "_", "-"). */
static bool is_port(struct lg_slice text)
{
	if (text.length == 0)
		return true;
	if (text.data[0] != ':' || text.length < 2)
		return false;
	text = slice_cut(text, 1, text.length);
	if (text.data[0] == '_')
		return text.length > 1 && h1_is_token(text);
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.length <= 5;
}

bool forwarded_node_parse(struct lg_slice node, struct address *address)
{
	ptrdiff_t bracket = slice_find(node, ']');
	ptrdiff_t colon = slice_find(node, ':');

	if (slice_starts(node, "[")) {
		if (bracket < 0 || !is_port(slice_cut(node, (size_t)bracket + 1, node.length)))
			return false;
		node = slice_cut(node, 1, (size_t)bracket - 1);
		return slice_find(node, ':') >= 0 && address_parse(node, address);
	}
	if (address_parse(node, address))
		return true;
	return colon > 0 && is_port(slice_cut(node, (size_t)colon, node.length)) &&
	       address_parse(slice_cut(node, 0, (size_t)colon), address);
}
