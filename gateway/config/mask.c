#include "config/mask.h"

#include <libfyaml.h>

#include "config/diag.h"

void mask_show(struct mask *mask, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < mask->length && mask->shown; i++)
		mask->shown[i] = true;
}

bool mask_shows(const struct mask *mask, size_t offset)
{
	return mask->shown && offset < mask->length && mask->shown[offset];
}

/* The marks of a quoted scalar's token stand inside its quotes. */
static void show_quotes(struct mask *mask, struct lg_slice text, size_t from, size_t to)
{
	if (from > 0 && to < text.length && text.data[from - 1] == text.data[to] &&
	    (text.data[to] == '"' || text.data[to] == '\'')) {
		mask_show(mask, from - 1, from);
		mask_show(mask, to, to + 1);
	}
}

static void show_scalar(struct mask *mask, struct lg_slice text, struct fy_token *token,
			bool is_key)
{
	const struct fy_mark *start = fy_token_start_mark(token), *end = fy_token_end_mark(token);
	enum fy_scalar_style style = fy_token_scalar_style(token);

	if (!start || !end)
		return;
	if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED)
		show_quotes(mask, text, start->input_pos, end->input_pos);
	/* Over a line's end it is more likely a value whose colon is missing. */
	if (is_key && start->line == end->line)
		mask_show(mask, start->input_pos, end->input_pos);
}

/* What stands between keys and values. */
static void show_indicator(struct mask *mask, struct lg_slice text, struct fy_token *token)
{
	static const char indicators[] = {'{', '}', '[', ']', ',', ':', '-', '?'};
	const struct fy_mark *start = fy_token_start_mark(token);

	if (start && start->input_pos < text.length &&
	    memchr(indicators, text.data[start->input_pos], sizeof(indicators)))
		mask_show(mask, start->input_pos, start->input_pos + 1);
}

/* A key's scalar comes right behind the token that announces a key. */
static void show_keys(struct mask *mask, struct lg_slice text, struct fy_parser *parser)
{
	enum fy_token_type type = FYTT_NONE, before;
	struct fy_token *token;

	while (type != FYTT_STREAM_END && (token = fy_scan(parser))) {
		before = type;
		type = fy_token_get_type(token);
		switch (type) {
		case FYTT_SCALAR: show_scalar(mask, text, token, before == FYTT_KEY); break;
		case FYTT_FLOW_SEQUENCE_START:
		case FYTT_FLOW_SEQUENCE_END:
		case FYTT_FLOW_MAPPING_START:
		case FYTT_FLOW_MAPPING_END:
		case FYTT_FLOW_ENTRY:
		case FYTT_BLOCK_ENTRY:
		case FYTT_KEY:
		case FYTT_VALUE: show_indicator(mask, text, token); break;
		default: break;
		}
		fy_scan_token_free(parser, token);
	}
}

void mask_init(struct mask *mask, struct arena *arena, struct lg_slice text)
{
	struct fy_parse_cfg config = {
		.flags = FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
		.diag = diag_new(),
	};
	struct fy_parser *parser = config.diag ? fy_parser_create(&config) : NULL;

	mask->length = text.length;
	mask->shown = arena_zalloc(arena, text.length + 1);
	if (mask->shown && parser && fy_parser_set_string(parser, text.data, text.length) == 0)
		show_keys(mask, text, parser);
	fy_parser_destroy(parser);
	fy_diag_destroy(config.diag);
}
