#include "config/bind_scalar.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"

#define EXPECTED_BYTES 512

static bool bind_bool(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	if (!slice_is(text, "true") && !slice_is(text, "false"))
		return bind_value_wrong(binding, node, NULL);
	*(int32_t *)binding->place = slice_is(text, "true");
	return true;
}

static bool bind_number(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	const struct lg_option *row = binding->row;
	char expected[EXPECTED_BYTES], min[QUANTITY_TEXT_BYTES], max[QUANTITY_TEXT_BYTES];
	int64_t number;
	bool read = row->type == LG_DURATION ? parse_duration(text, &number)
		    : row->type == LG_SIZE   ? parse_size(text, &number)
					     : parse_integer(text, &number);

	if (!read)
		return bind_value_wrong(binding, node, NULL);
	if ((row->min != 0 || row->max != 0) && (number < row->min || number > row->max)) {
		quantity_print(row->type, row->min, min);
		quantity_print(row->type, row->max, max);
		snprintf(expected, sizeof(expected), "%s from %s to %s",
			 row->type == LG_DURATION ? "a duration"
			 : row->type == LG_SIZE	  ? "a size"
						  : "a whole number",
			 min, max);
		return bind_value_wrong(binding, node, expected);
	}
	*(int64_t *)binding->place = number;
	return true;
}

static bool bind_enum(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	struct lg_slice rest = slice_from(binding->row->choices), choice;
	char expected[EXPECTED_BYTES] = "one of";
	size_t length = strlen(expected);

	for (int32_t i = 0; slice_split(&rest, '|', &choice); i++) {
		if (slice_equal(choice, text)) {
			*(int32_t *)binding->place = i;
			return true;
		}
		if (length < sizeof(expected))
			length += (size_t)snprintf(expected + length, sizeof(expected) - length,
						   "%s \"%.*s\"", i ? "," : "", SLICE_ARGS(choice));
	}
	return bind_value_wrong(binding, node, expected);
}

static bool is_port(struct lg_slice text)
{
	uint64_t port = 0; /* gcc does not see that it is set */

	return slice_to_u64(text, &port) && port > 0 && port <= 65535;
}

/* "[2001:db8::1]", perhaps with a zone behind a "%" (RFC 6874). */
static bool is_ipv6(struct lg_slice text)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ignored;
	size_t end = 1;

	while (end < text.length && !strchr("%]", text.data[end]))
		end++;
	if (end - 1 >= sizeof(address) || text.data[text.length - 1] != ']')
		return false;
	slice_to_text(slice_cut(text, 1, end - 1), address, sizeof(address));
	return inet_pton(AF_INET6, address, &ignored) == 1;
}

/* A host and perhaps a colon, behind which a port may be left out (RFC 3986, section
 * 3.2); an IPv6 address stands in brackets. */
static bool is_authority(struct lg_slice text)
{
	const char *user_end = text.length ? memrchr(text.data, '@', text.length) : NULL;
	struct lg_slice host = text;
	size_t end = 0;

	if (user_end)
		host = slice_cut(text, (size_t)(user_end - text.data) + 1, SIZE_MAX);
	if (slice_starts(host, "["))
		end = (size_t)(slice_find(host, ']') + 1);
	else
		while (end < host.length && !strchr(":[]", host.data[end]))
			end++;
	if (end == 0 || (host.data[0] == '[' && !is_ipv6(slice_cut(host, 0, end))))
		return false;
	if (end == host.length)
		return true;
	return host.data[end] == ':' &&
	       (end + 1 == host.length || is_port(slice_cut(host, end + 1, SIZE_MAX)));
}

/* Scheme, a host, and no byte that RFC 3986 keeps out of a URL. */
bool bind_is_url(struct lg_slice text)
{
	struct lg_slice authority;
	size_t scheme = slice_starts(text, "https://") ? 8 : slice_starts(text, "http://") ? 7 : 0;
	size_t end = 0;

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c))
			return false;
	}
	authority = slice_cut(text, scheme, text.length);
	while (end < authority.length && !strchr("/?#", authority.data[end]))
		end++;
	authority = slice_cut(authority, 0, end);
	return scheme > 0 && end > 0 && !strchr(":@", authority.data[0]) && is_authority(authority);
}

static bool bind_url(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	if (!bind_is_url(text))
		return bind_value_wrong(binding, node, NULL);
	*(struct lg_slice *)binding->place = text;
	return true;
}

static bool bind_path(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	if (text.length == 0 || memchr(text.data, '\0', text.length))
		return bind_value_wrong(binding, node, NULL);
	*(struct lg_slice *)binding->place = document_beside(binding->document, text);
	return true;
}

static bool bind_expression(const struct binding *binding, struct fy_node *node,
			    struct lg_slice text)
{
	struct error error = {""};

	if (binding->hooks->expression && !binding->hooks->expression(text, &error)) {
		document_error(binding->document, node ? node : binding->section, "\"%s\": %s%s",
			       binding->row->name, bind_value_origin(node), error.text);
		return false;
	}
	*(struct lg_slice *)binding->place = text;
	return true;
}

/* An empty secret would sign and verify with a key that everybody knows. */
static bool bind_text(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	const struct lg_option *row = binding->row;

	if (text.length == 0 && (row->type == LG_SECRET || (row->flags & LG_REQUIRED))) {
		document_error(binding->document, node ? node : binding->section,
			       "\"%s\"%s must not be empty", row->name,
			       node ? "" : ": its default");
		return false;
	}
	*(struct lg_slice *)binding->place = text;
	return true;
}

bool bind_scalar(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	if (!slice_present(text))
		return bind_value_wrong(binding, node, NULL);
	switch (binding->row->type) {
	case LG_STRING:
	case LG_SECRET: return bind_text(binding, node, text);
	case LG_BOOL: return bind_bool(binding, node, text);
	case LG_INTEGER:
	case LG_DURATION:
	case LG_SIZE: return bind_number(binding, node, text);
	case LG_ENUM: return bind_enum(binding, node, text);
	case LG_URL: return bind_url(binding, node, text);
	case LG_EXPRESSION: return bind_expression(binding, node, text);
	case LG_PATH: return bind_path(binding, node, text);
	default: return bind_value_wrong(binding, node, NULL);
	}
}

/* ---- secrets from files ----------------------------------------------------- */

static bool secret_wrong(const struct binding *binding, struct fy_node *node, struct lg_slice path,
			 const char *what)
{
	document_error(binding->document, node, "\"%s_file\": %.*s %s", binding->row->name,
		       SLICE_ARGS(path), what);
	return false;
}

bool bind_secret_file(const struct binding *binding, struct fy_node *node)
{
	struct arena *arena = document_arena(binding->document);
	struct lg_slice name = document_text(binding->document, node), path, bytes;
	struct error error = {""};
	mode_t mode;

	document_show(binding->document, node);
	if (name.length == 0)
		return !document_text_is_unset(binding->document, node) &&
		       secret_wrong(binding, node, LG_SLICE("expected"), bind_value_form(LG_PATH));
	path = document_beside(binding->document, name);
	if (!slice_present(path))
		return secret_wrong(binding, node, name, "cannot be read: no memory");
	if (!document_may_open(binding->document, path, &error) ||
	    !file_read(path.data, SECRET_FILE_MAX_BYTES, arena, &bytes, &mode, &error))
		return secret_wrong(binding, node, path, error.text);
	if (mode & S_IROTH)
		return secret_wrong(binding, node, path, "can be read by every user; chmod 600 it");
	bytes = slice_trim(bytes);
	if (bytes.length == 0)
		return secret_wrong(binding, node, path, "is empty");
	*(struct lg_slice *)binding->place = bytes;
	return true;
}
