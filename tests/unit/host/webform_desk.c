#include "webform_desk.h"

const struct lg_plugin *const desk_plugin = &plugin_webform;

int webform_init(void **state)
{
	desk_init(state);
	set_text("thanks", "Thank you <very> much.");
	set_text("consent_purpose", "marketing");
	set_text("redirect_field", "_next");
	set_number("preflight_age", 7200000);
	set_number("max_name", 256);
	set_number("max_value", 65536);
	set_number("max_page", 65536);
	return 0;
}

const char *receive_form(const char *body)
{
	return receive("application/x-www-form-urlencoded", body);
}

const char *receive_json(const char *body)
{
	return receive("application/json; charset=utf-8", body);
}

const char *answer(int32_t verdict, const char *accept, const char *type)
{
	if (accept)
		header("Accept", accept);
	if (type)
		header("Content-Type", type);
	desk.result = (struct lg_result){
		.size = sizeof(desk.result),
		.verdict = verdict,
		.status = verdict == LG_REFUSED ? 422 : 202,
		.receipt = LG_SLICE("0190-7"),
		.reason = LG_SLICE("give <an> \"email\""),
	};
	if (!desk.body.data)
		desk.body = slice_of("", 0);
	plugin_webform.source->reply(desk.settings, &desk.request, &desk.reply);
	return story();
}
