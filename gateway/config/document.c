#include "config/document.h"

#include <libfyaml.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/utf8.h"
#include "config/diag.h"
#include "config/document_check.h"
#include "config/document_place.h"
#include "config/environment.h"
#include "config/report.h"
#include "config/scalar.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define MESSAGE_BYTES 1024

struct document {
	struct arena arena;
	struct lg_slice path;
	struct lg_slice text; /* the file; the tree's tokens point into it */
	struct mask mask;     /* what an error may show of it */
	bool has_aliases;
	struct fy_document *tree;
	struct buffer *errors;
	int error_count;
	document_guard guard;
	const void *guard_arg;
};

const char *document_path(const struct document *document)
{
	return document->path.data;
}

struct lg_slice document_beside(struct document *document, struct lg_slice path)
{
	const char *config = document_path(document);
	const char *slash = strrchr(config, '/');

	if (!slash || slice_starts(path, "/"))
		return arena_copy(&document->arena, path);
	return arena_printf(&document->arena, "%.*s/%.*s", (int)(slash - config), config,
			    SLICE_ARGS(path));
}

void document_guard_files(struct document *document, document_guard guard, const void *arg)
{
	document->guard = guard;
	document->guard_arg = arg;
}

bool document_may_open(const struct document *document, struct lg_slice path, struct error *error)
{
	return !document->guard || document->guard(document->guard_arg, path, error);
}

struct arena *document_arena(struct document *document)
{
	return &document->arena;
}

int document_error_count(const struct document *document)
{
	return document->error_count;
}

struct fy_node *document_root(struct document *document)
{
	return document->tree ? fy_document_root(document->tree) : NULL;
}

int document_line(struct fy_node *node)
{
	const struct fy_mark *mark = document_place(node);

	return mark ? mark->line + 1 : 0;
}

/* ---- errors ----------------------------------------------------------------- */

static void report(struct document *document, const size_t *offset, const char *message)
{
	document->error_count++;
	if (offset)
		report_error(document->errors, document->path.data, document->text, &document->mask,
			     *offset, message);
	else
		buffer_printf(document->errors, "%s: error: %s\n", document->path.data, message);
}

void document_error(struct document *document, struct fy_node *node, const char *format, ...)
{
	const struct fy_mark *mark = document_place(node);
	char message[MESSAGE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	/* A value may hold what would steer a terminal. */
	for (char *c = message; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	report(document, mark ? &mark->input_pos : NULL, message);
}

/* ---- parsing ---------------------------------------------------------------- */

static void report_diag(struct document *document, struct fy_diag *diag)
{
	void *cursor = NULL;
	struct fy_diag_error *found;
	int before = document->error_count;

	while ((found = fy_diag_errors_iterate(diag, &cursor))) {
		size_t offset = report_offset(document->text, found->line, found->column);

		report(document, &offset, found->msg);
	}
	if (document->error_count == before)
		report(document, NULL, "cannot be parsed: no memory");
}

/* libfyaml reads one document and would leave the rest of the file unsaid. */
static bool load_only_document(struct document *document, struct fy_parser *parser,
			       struct fy_diag *diag)
{
	struct fy_document *second;

	document->tree = fy_parse_load_document(parser);
	if (!document->tree && !fy_parser_get_stream_error(parser))
		return true;
	second = document->tree ? fy_parse_load_document(parser) : NULL;
	if (fy_parser_get_stream_error(parser)) {
		report_diag(document, diag);
	} else if (second) {
		document_error(document, fy_document_root(second),
			       "a second document begins here; the file must have one");
	}
	fy_parse_document_destroy(parser, second);
	return document->error_count == 0;
}

static bool parse_tree(struct document *document, struct fy_diag *diag,
		       enum fy_parse_cfg_flags flags)
{
	struct fy_parse_cfg config = {
		.flags = flags | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
		.diag = diag,
	};
	struct fy_parser *parser = fy_parser_create(&config);
	bool done = false;

	if (!parser || fy_parser_set_string(parser, document->text.data, document->text.length))
		report(document, NULL, "cannot be parsed: no memory");
	else
		done = load_only_document(document, parser, diag);
	fy_parser_destroy(parser);
	return done;
}

static bool has_control_characters(struct lg_slice text, size_t *offset)
{
	for (*offset = 0; *offset < text.length; ++*offset) {
		unsigned char c = (unsigned char)text.data[*offset];

		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
			return true;
	}
	return false;
}

static bool is_not_utf8(struct lg_slice text, size_t *offset)
{
	struct lg_slice rest = text;

	while (rest.length > 0) {
		*offset = text.length - rest.length;
		if (utf8_next(&rest) == UTF8_INVALID)
			return true;
	}
	return false;
}

static bool read_text(struct document *document)
{
	struct error error = {""};
	size_t offset;

	if (!file_read_input(document->path.data, FILE_MAX_BYTES, &document->arena, &document->text,
			     &error)) {
		report(document, NULL, error.text);
		return false;
	}
	if (is_not_utf8(document->text, &offset)) {
		mask_init(&document->mask, &document->arena, slice_cut(document->text, 0, offset));
		report(document, &offset, "this byte is not UTF-8");
		return false;
	}
	if (has_control_characters(document->text, &offset)) {
		mask_init(&document->mask, &document->arena, slice_cut(document->text, 0, offset));
		report(document, &offset,
		       "a control character; write it as an escape in double "
		       "quotes");
		return false;
	}
	mask_init(&document->mask, &document->arena, document->text);
	return true;
}

/* Aliases and merge keys become copies of what they stand for. A tree that may
 * have duplicate keys keeps both of a merged key and one that overrides it, so
 * that the file is parsed once more without that leave; and a file with
 * reported duplicates cannot be used further when it has aliases. */
static bool resolve(struct document *document, struct fy_diag *diag)
{
	if (!document->tree || !document->has_aliases)
		return true;
	if (document->error_count > 0)
		return false;
	fy_document_destroy(document->tree);
	document->tree = NULL;
	if (!parse_tree(document, diag, 0))
		return false;
	if (fy_document_resolve(document->tree) == 0)
		return true;
	report_diag(document, diag);
	return false;
}

static bool load(struct document *document)
{
	struct fy_diag *diag;
	bool done;

	if (!read_text(document))
		return false;
	diag = diag_new();
	if (!diag) {
		report(document, NULL, "cannot be parsed: no memory");
		return false;
	}
	/* document_check names all duplicate keys, libfyaml only the first. */
	done = parse_tree(document, diag, FYPCF_ALLOW_DUPLICATE_KEYS) &&
	       document_check(document, document->text, &document->has_aliases) &&
	       resolve(document, diag);
	fy_diag_destroy(diag);
	return done;
}

struct document *document_open(const char *path, struct buffer *errors)
{
	struct document *document = alloc_zalloc(sizeof(*document));

	if (!document) {
		buffer_printf(errors, "%s: error: cannot be read: no memory\n", path);
		return NULL;
	}
	document->errors = errors;
	arena_init(&document->arena, 16 * 1024, 0);
	document->path = arena_copy(&document->arena, slice_from(path));
	if (!slice_present(document->path))
		buffer_printf(errors, "%s: error: cannot be read: no memory\n", path);
	if (!slice_present(document->path) || !load(document))
		document_free(&document);
	return document;
}

void document_free(struct document **document)
{
	if (!*document)
		return;
	if ((*document)->tree)
		fy_document_destroy((*document)->tree);
	arena_fini(&(*document)->arena);
	alloc_free(*document);
	*document = NULL;
}

/* An alias' value may stand under a secret's key; what goes over a line's end may
 * have taken in the next option, whose colon is not followed by a blank. */
bool document_show(struct document *document, struct fy_node *node)
{
	struct fy_token *token = node ? fy_node_get_scalar_token(node) : NULL;
	const struct fy_mark *start = token ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;

	if (document->has_aliases || !start || !end || start->line != end->line)
		return false;
	mask_show(&document->mask, start->input_pos, end->input_pos);
	return true;
}

/* ---- reading ---------------------------------------------------------------- */

bool document_is_map(struct fy_node *node)
{
	return node && fy_node_is_mapping(node);
}

bool document_is_list(struct fy_node *node)
{
	return node && fy_node_is_sequence(node);
}

struct fy_node *document_member(struct fy_node *map, const char *key)
{
	if (!document_is_map(map))
		return NULL;
	return fy_node_mapping_lookup_value_by_simple_key(map, key, strlen(key));
}

struct lg_slice document_written(struct document *document, struct fy_node *node)
{
	return scalar_text(&document->arena, document->text, node);
}

bool document_text_is_unset(struct document *document, struct fy_node *node)
{
	return document_written(document, node).length > 0 &&
	       !slice_present(document_text(document, node));
}

bool document_each(struct document *document, struct fy_node *node, void **cursor,
		   struct lg_slice *key, struct fy_node **key_node, struct fy_node **value)
{
	struct fy_node_pair *pair;

	*key = slice_of(NULL, 0);
	*key_node = NULL;
	if (document_is_list(node)) {
		*value = fy_node_sequence_iterate(node, cursor);
		return *value != NULL;
	}
	if (!document_is_map(node))
		return false;
	do {
		pair = fy_node_mapping_iterate(node, cursor);
		if (!pair)
			return false;
		*key_node = fy_node_pair_key(pair);
		*key = document_written(document, *key_node);
	} while (!slice_present(*key)); /* reported when the file was read */
	*value = fy_node_pair_value(pair);
	ALWAYS(*value); /* a key without a value has an empty scalar */
	return true;
}

struct lg_slice document_text(struct document *document, struct fy_node *node)
{
	struct lg_slice text = document_written(document, node), expanded;

	if (!slice_present(text))
		return text;
	if (fy_node_get_style(node) == FYNS_PLAIN && text.length == 0)
		return slice_of(NULL, 0);
	if (fy_node_get_style(node) != FYNS_DOUBLE_QUOTED)
		return text;
	/* A mistake was reported when the file was read. */
	if (!environment_expand(&document->arena, text, &expanded, NULL))
		return slice_of(NULL, 0);
	return expanded;
}
