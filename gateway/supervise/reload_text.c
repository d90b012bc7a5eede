#include "supervise/reload_text.h"

#include "base/log.h"
#include "codec/json_writer.h"

void reload_text_number(struct buffer *out, const char *name, int64_t number)
{
	buffer_printf(out, "{\"%s\":%lld}\n", name, (long long)number);
}

void reload_text_error(struct buffer *out, struct lg_slice text, bool of_configuration)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "error", slice_trim(text));
	json_write_member_bool(&writer, "configuration", of_configuration);
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

void reload_text_item(struct buffer *out, const struct difference_item *item)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "change", slice_from(difference_word(item->change)));
	json_write_member_text(&writer, "kind", slice_from(item->kind));
	json_write_member_text(&writer, "name", item->name);
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

/* Of a report the lines that say something; those that show the place begin
 * with blanks. */
void reload_text_log_errors(struct lg_slice errors)
{
	struct lg_slice line;

	while (slice_split(&errors, '\n', &line))
		if (line.length > 0 && line.data[0] != ' ')
			log_error("reload.failed", LOG_SLICE("reason", line));
}

void reload_text_log_changes(const struct difference *difference)
{
	for (size_t i = 0; i < difference->count; i++) {
		const struct difference_item *item = &difference->items[i];

		if (item->change == CHANGE_RESTART)
			log_warning("reload.needs-restart", LOG_TEXT("kind", item->kind),
				    LOG_SLICE("name", item->name));
		else if (item->change != CHANGE_KEPT)
			log_notice("reload.item", LOG_TEXT("change", difference_word(item->change)),
				   LOG_TEXT("kind", item->kind), LOG_SLICE("name", item->name));
	}
}
