/*
 * json_parse over simdjson, the only C++ of this folder.
 *
 * simdjson and json-c, both of Debian 12, were tried on the same inputs:
 *
 *                                  simdjson 3.0.1 (on demand)   json-c 0.16 (strict, UTF-8)
 *   12345678901234567890123        its own text                 18446744073709551615
 *   -0                             its own text                 0
 *   {"a":1,"a":2}                  both members seen            the first is lost silently
 *   "\ud800"                       error                        U+FFFD
 *   a raw tab in a string          error                        taken
 *   byte order mark                error (skipped here)         error
 *
 * What it leaves to its caller is done here: the grammar of numbers and words
 * (it hands out their text unseen), depth, names that repeat, what follows the
 * value. Its string buffer is not used, for it does not check that allocation;
 * strings are decoded straight into the arena.
 */
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

extern "C" {
#include "base/alloc.h"
#include "codec/json.h"
#include "codec/json_problem.h"
}

namespace ondemand = simdjson::ondemand;

namespace
{

/* What a thread keeps between two documents. */
constexpr size_t keep_bytes = 64 * 1024;

constexpr std::string_view blanks = " \t\r\n";

/* Up to this many members every pair is compared; more are sorted. */
constexpr size_t compare_max = 16;

struct scratch {
	ondemand::parser parser;
	char *bytes = nullptr; /* a copy of the document, padded as simdjson needs it */
	size_t capacity = 0;

	~scratch()
	{
		alloc_free(bytes);
	}

	bool reserve(size_t size)
	{
		if (size <= capacity)
			return true;
		void *grown = alloc_realloc(bytes, size);
		if (!grown)
			return false;
		bytes = static_cast<char *>(grown);
		capacity = size;
		return true;
	}

	/* One large document must not stay in memory as long as the thread. */
	void shrink()
	{
		if (capacity <= keep_bytes)
			return;
		alloc_free(bytes);
		bytes = nullptr;
		capacity = 0;
		parser = ondemand::parser();
	}
};

thread_local scratch thread_scratch;

struct placed {
	struct json json; /* first, so that one pointer serves for both */
	size_t offset;	  /* of the member's name in the document */
};

enum class verdict { good, no_json, no_memory, repeated };

struct reader {
	struct arena *arena;
	ondemand::parser *parser;
	const char *bytes; /* the padded copy */
	uint8_t *text;	   /* where the next decoded string goes */
	const placed *repeated;

	verdict value(ondemand::value from, struct json *to, int depth);
	verdict array(ondemand::value &from, struct json *to, int depth);
	verdict object(ondemand::value &from, struct json *to, int depth);
	verdict string(ondemand::raw_json_string raw, struct lg_slice *to);
	verdict scalar(std::string_view token, struct json *to);
	verdict check_names(const struct json *object, size_t count);
};

struct json *append(struct arena *arena, struct json *parent, struct json *last)
{
	void *memory = arena_zalloc(arena, sizeof(struct placed));
	if (!memory)
		return nullptr;
	struct json *node = &static_cast<struct placed *>(memory)->json;
	node->parent = parent;
	(last ? last->next : parent->first) = node;
	return node;
}

const char *digits(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* RFC 8259, section 6. */
bool is_number(std::string_view token)
{
	const char *at = token.data(), *end = at + token.size(), *from;

	if (at < end && *at == '-')
		at++;
	from = at;
	at = digits(at, end);
	if (at == from || (*from == '0' && at > from + 1))
		return false;
	if (at < end && *at == '.') {
		from = ++at;
		at = digits(at, end);
		if (at == from)
			return false;
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			at++;
		from = at;
		at = digits(at, end);
		if (at == from)
			return false;
	}
	return at == end;
}

/* The decoded text is never longer than the literal with its quotes, so that
 * all texts of a document fit into as many bytes as the document has. */
verdict reader::string(ondemand::raw_json_string raw, struct lg_slice *to)
{
	uint8_t *from = text;

	if (parser->unescape(raw, text).error())
		return verdict::no_json;
	*text++ = 0;
	*to = slice_of(reinterpret_cast<const char *>(from), size_t(text - from) - 1);
	return verdict::good;
}

verdict reader::scalar(std::string_view token, struct json *to)
{
	while (!token.empty() && blanks.find(token.back()) != blanks.npos)
		token.remove_suffix(1);
	if (token == "true") {
		to->kind = JSON_TRUE;
	} else if (token == "false") {
		to->kind = JSON_FALSE;
	} else if (token == "null") {
		to->kind = JSON_NULL;
	} else if (is_number(token)) {
		to->kind = JSON_NUMBER;
		std::memcpy(text, token.data(), token.size());
		to->text = slice_of(reinterpret_cast<const char *>(text), token.size());
		text += token.size();
		*text++ = 0;
	} else {
		return verdict::no_json;
	}
	return verdict::good;
}

verdict reader::array(ondemand::value &from, struct json *to, int depth)
{
	struct json *last = nullptr;
	ondemand::array items;

	to->kind = JSON_ARRAY;
	if (from.get_array().get(items))
		return verdict::no_json;
	for (auto item : items) {
		ondemand::value child;
		if (std::move(item).get(child))
			return verdict::no_json;
		last = append(arena, to, last);
		if (!last)
			return verdict::no_memory;
		verdict v = value(child, last, depth + 1);
		if (v != verdict::good)
			return v;
	}
	return verdict::good;
}

verdict reader::object(ondemand::value &from, struct json *to, int depth)
{
	struct json *last = nullptr;
	ondemand::object members;
	size_t count = 0;

	to->kind = JSON_OBJECT;
	if (from.get_object().get(members))
		return verdict::no_json;
	for (auto item : members) {
		ondemand::field member;
		if (std::move(item).get(member))
			return verdict::no_json;
		last = append(arena, to, last);
		if (!last)
			return verdict::no_memory;
		reinterpret_cast<placed *>(last)->offset = size_t(member.key().raw() - 1 - bytes);
		verdict v = string(member.key(), &last->name);
		if (v == verdict::good)
			v = value(member.value(), last, depth + 1);
		if (v != verdict::good)
			return v;
		count++;
	}
	return check_names(to, count);
}

verdict reader::value(ondemand::value from, struct json *to, int depth)
{
	std::string_view token = from.raw_json_token();
	char first = token.empty() ? '\0' : token[0];

	if (first == '{' || first == '[') {
		if (depth >= JSON_DEPTH_MAX)
			return verdict::no_json;
		return first == '{' ? object(from, to, depth) : array(from, to, depth);
	}
	if (first == '"') {
		/* It must be taken off the iterator: passing over a string that was
		 * only looked at takes it for a name when a colon follows. */
		ondemand::raw_json_string raw;
		to->kind = JSON_STRING;
		return from.get_raw_json_string().get(raw) ? verdict::no_json
							   : string(raw, &to->text);
	}
	return scalar(token, to);
}

bool name_before(const placed *a, const placed *b)
{
	const struct lg_slice x = a->json.name, y = b->json.name;

	if (x.length != y.length)
		return x.length < y.length;
	int order = x.length ? std::memcmp(x.data, y.data, x.length) : 0;
	return order ? order < 0 : a->offset < b->offset;
}

/* Sorting, not hashing: names that were chosen to collide cost nothing more. */
const placed *sorted_repetition(const struct json *object, size_t count, bool *no_memory)
{
	const placed **names = new (std::nothrow) const placed *[count];
	const placed *found = nullptr;
	size_t n = 0;

	*no_memory = !names;
	if (!names)
		return nullptr;
	for (const struct json *m = object->first; m; m = m->next)
		names[n++] = reinterpret_cast<const placed *>(m);
	std::sort(names, names + n, name_before);
	for (size_t i = 1; i < n; i++) {
		if (slice_equal(names[i - 1]->json.name, names[i]->json.name) &&
		    (!found || names[i]->offset < found->offset))
			found = names[i];
	}
	delete[] names;
	return found;
}

const placed *compared_repetition(const struct json *object)
{
	for (const struct json *m = object->first; m; m = m->next) {
		for (const struct json *before = object->first; before != m;
		     before = before->next) {
			if (slice_equal(before->name, m->name))
				return reinterpret_cast<const placed *>(m);
		}
	}
	return nullptr;
}

verdict reader::check_names(const struct json *object, size_t count)
{
	bool no_memory = false;

	repeated = count <= compare_max ? compared_repetition(object)
					: sorted_repetition(object, count, &no_memory);
	if (no_memory)
		return verdict::no_memory;
	return repeated ? verdict::repeated : verdict::good;
}

/* The copy stands between brackets of our own: so every root is an element,
 * scalars too, and what follows the value breaks the array. */
verdict read_document(reader &reader, scratch &scratch, size_t length, struct json *root)
{
	struct json *last = nullptr;
	ondemand::document document;
	ondemand::array items;

	if (scratch.parser.iterate(scratch.bytes, length + 2, scratch.capacity).get(document) ||
	    document.get_array().get(items))
		return verdict::no_json;
	for (auto item : items) {
		ondemand::value child;
		if (last || std::move(item).get(child))
			return verdict::no_json;
		last = root;
		verdict v = reader.value(child, root, 0);
		if (v != verdict::good)
			return v;
	}
	if (!last || document.current_location().error() != simdjson::OUT_OF_BOUNDS)
		return verdict::no_json;
	return verdict::good;
}

void explain(verdict v, const reader &reader, struct lg_slice bytes, size_t skipped,
	     struct error *error)
{
	struct json_problem problem = {0, "these bytes are no JSON"};
	size_t line, column;

	if (v == verdict::no_memory) {
		error_set(error, "the JSON needs more memory than one request may use");
		return;
	}
	if (v == verdict::repeated) {
		json_problem_place(bytes, reader.repeated->offset - 1 + skipped, &line, &column);
		error_set(error,
			  "line %zu, column %zu: the member name \"%.*s\" was there before; "
			  "each name may stand once in an object",
			  line, column,
			  int(std::min<size_t>(reader.repeated->json.name.length, 64)),
			  reader.repeated->json.name.data);
		return;
	}
	json_problem_find(bytes, &problem);
	json_problem_place(bytes, problem.offset, &line, &column);
	error_set(error, "line %zu, column %zu: %s", line, column, problem.text);
}

verdict read_bytes(reader &reader, struct lg_slice bytes, struct json **root)
{
	scratch &scratch = thread_scratch;

	if (!scratch.reserve(bytes.length + 2 + simdjson::SIMDJSON_PADDING))
		return verdict::no_memory;
	scratch.bytes[0] = '[';
	if (bytes.length)
		std::memcpy(scratch.bytes + 1, bytes.data, bytes.length);
	scratch.bytes[bytes.length + 1] = ']';
	std::memset(scratch.bytes + bytes.length + 2, 0, simdjson::SIMDJSON_PADDING);
	reader.parser = &scratch.parser;
	reader.bytes = scratch.bytes;
	reader.text = static_cast<uint8_t *>(
		arena_alloc(reader.arena, bytes.length + 2 + simdjson::SIMDJSON_PADDING));
	*root = static_cast<struct json *>(arena_zalloc(reader.arena, sizeof(struct placed)));
	if (!reader.text || !*root)
		return verdict::no_memory;
	verdict v = read_document(reader, scratch, bytes.length, *root);
	scratch.shrink();
	return v;
}

} // namespace

extern "C" struct json *json_parse(struct arena *arena, struct lg_slice bytes, struct error *error)
{
	size_t skipped = slice_starts(bytes, "\xef\xbb\xbf") ? 3 : 0;
	struct reader reader = {};
	struct json *root = nullptr;

	reader.arena = arena;
	verdict v = read_bytes(reader, slice_cut(bytes, skipped, bytes.length), &root);
	if (v == verdict::good)
		return root;
	explain(v, reader, bytes, skipped, error);
	return nullptr;
}
