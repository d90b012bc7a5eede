/* The answer: what the plugin makes of the results, or the gateway's own. */
#include "ingest/intake.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "codec/json_writer.h"
#include "http/h1_char.h"

#define JSON_TYPE "application/json"

static struct intake_reply *reply_of(struct lg_reply *reply)
{
	return container_of(reply, struct intake_reply, handle);
}

/* No control characters: a value cannot begin a header of its own. */
static bool is_value(struct lg_slice s)
{
	for (size_t i = 0; i < s.length; i++)
		if ((unsigned char)s.data[i] < 0x20 || s.data[i] == 0x7f)
			return false;
	return true;
}

static bool is_type_header(struct lg_slice name)
{
	return slice_equal_nocase(name, LG_SLICE("Content-Type"));
}

/* type "/" subtype, and parameters behind a ";", which are only looked at for bytes that
 * no header of the kind has (RFC 9110, section 8.3.1). */
static bool is_media_type(struct lg_slice s)
{
	struct lg_slice rest = s, subtype, type;

	for (size_t i = 0; i < s.length; i++)
		if ((unsigned char)s.data[i] >= 0x7f)
			return false;
	return is_value(s) && slice_split(&rest, ';', &subtype) &&
	       slice_split(&subtype, '/', &type) && h1_is_token(type) &&
	       h1_is_token(slice_trim(subtype));
}

/* Headers that belong to the transport. */
static bool is_framing(struct lg_slice name)
{
	static const struct lg_slice names[] = {
		LG_SLICE("content-length"),
		LG_SLICE("transfer-encoding"),
		LG_SLICE("connection"),
		LG_SLICE("keep-alive"),
		LG_SLICE("date"),
		LG_SLICE("upgrade"),
		LG_SLICE("trailer"),
		LG_SLICE("te"),
		LG_SLICE("proxy-connection"),
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_equal_nocase(name, names[i]))
			return true;
	return false;
}

/* Adds to a list of REPLY_HEADERS. */
static bool add_header(struct arena *arena, struct http_header *headers, size_t *count,
		       struct lg_slice name, struct lg_slice value)
{
	struct http_header header;

	if (*count >= REPLY_HEADERS)
		return false;
	header.name = arena_copy(arena, name);
	header.value = value.length ? arena_copy(arena, value) : LG_SLICE("");
	if (!slice_present(header.name) || !slice_present(header.value))
		return false;
	headers[(*count)++] = header;
	return true;
}

/* As add_header; but a body has one type, and the last one that was said is it. */
static bool set_header(struct intake_reply *reply, struct lg_slice name, struct lg_slice value)
{
	for (size_t i = 0; is_type_header(name) && i < reply->response.header_count; i++)
		if (is_type_header(reply->headers[i].name)) {
			value = arena_copy(reply->arena, value);
			if (slice_present(value))
				reply->headers[i].value = value;
			return slice_present(value);
		}
	return add_header(reply->arena, reply->headers, &reply->response.header_count, name, value);
}

static bool may_be_header(struct lg_slice name, struct lg_slice value)
{
	return h1_is_token(name) && is_value(value) && !is_framing(name);
}

static int32_t reply_status(struct lg_reply *handle, int32_t status)
{
	if (status < 200 || status > 599)
		return LG_FAIL;
	reply_of(handle)->response.status = status;
	return LG_OK;
}

static int32_t reply_header(struct lg_reply *handle, const char *name, struct lg_slice value)
{
	struct intake_reply *reply = reply_of(handle);

	value = slice_known(value);
	return may_be_header(slice_from(name), value) && set_header(reply, slice_from(name), value)
		       ? LG_OK
		       : LG_FAIL;
}

static int32_t answer_header(struct lg_request *handle, const char *name, struct lg_slice value)
{
	struct http_request *request = container_of(handle, struct intake, handle)->request;

	value = slice_known(value);
	/* The body's type is said by whoever makes the body. */
	if (is_type_header(slice_from(name)))
		return LG_FAIL;
	if (!request->added)
		request->added = arena_alloc(&request->arena,
					     REPLY_HEADERS * sizeof(*request->added));
	return request->added && may_be_header(slice_from(name), value) &&
			       add_header(&request->arena, request->added, &request->added_count,
					  slice_from(name), value)
		       ? LG_OK
		       : LG_FAIL;
}

static int32_t reply_body(struct lg_reply *handle, const char *type, struct lg_slice body)
{
	struct intake_reply *reply = reply_of(handle);
	struct lg_slice t = slice_from(type);

	body = slice_known(body);
	if (!is_media_type(t) || !set_header(reply, LG_SLICE("Content-Type"), t))
		return LG_FAIL;
	reply->response.body = body.length ? arena_copy(reply->arena, body) : LG_SLICE("");
	return slice_present(reply->response.body) ? LG_OK : LG_FAIL;
}

void intake_reply_services(struct lg_services *services)
{
	services->reply_status = reply_status;
	services->reply_header = reply_header;
	services->reply_body = reply_body;
	services->answer_header = answer_header;
}

static bool stored(const struct intake_item *item)
{
	return item->verdict == LG_ACCEPTED || item->verdict == LG_REPEATED;
}

static void write_result(struct json_writer *writer, const struct intake_item *item)
{
	static const struct lg_slice words[] = {
		[LG_ACCEPTED] = {"accepted", 8},
		[LG_REPEATED] = {"accepted", 8},
		[LG_REFUSED] = {"refused", 7},
		[LG_IGNORED] = {"ignored", 7},
	};

	json_write_open(writer, '{');
	json_write_name(writer, LG_SLICE("status"));
	json_write_text(writer, words[item->verdict]);
	if (slice_present(item->receipt)) {
		json_write_name(writer, LG_SLICE("receipt"));
		json_write_text(writer, item->receipt);
	}
	if (slice_present(item->reason)) {
		json_write_name(writer, LG_SLICE("reason"));
		json_write_text(writer, item->reason);
	}
	json_write_close(writer, '}');
}

/* {"status":"accepted","receipts":[…]} when all were stored as leads; claims have no
 * receipt. Otherwise each item's own result, in the order in which they came. */
static void write_many(struct json_writer *writer, const struct intake *intake, bool all_stored)
{
	json_write_name(writer, all_stored ? LG_SLICE("receipts") : LG_SLICE("results"));
	json_write_open(writer, '[');
	for (const struct intake_item *item = intake->items; item; item = item->next) {
		if (all_stored)
			json_write_text(writer, item->receipt);
		else
			write_result(writer, item);
	}
	json_write_close(writer, ']');
}

static bool default_body(struct intake *intake, struct buffer *out)
{
	struct json_writer writer;
	size_t stored_count = 0;

	for (const struct intake_item *item = intake->items; item; item = item->next)
		stored_count += stored(item);
	buffer_clear(out);
	out->limit = SIZE_MAX;
	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_name(&writer, LG_SLICE("status"));
	json_write_text(&writer, stored_count ? LG_SLICE("accepted") : LG_SLICE("ignored"));
	if (stored_count == 1 && intake->item_count == 1 && slice_present(intake->items->receipt)) {
		json_write_name(&writer, LG_SLICE("receipt"));
		json_write_text(&writer, intake->items->receipt);
	} else if (stored_count && intake->stub_count < intake->item_count) {
		write_many(&writer, intake,
			   stored_count == intake->item_count && intake->stub_count == 0);
	}
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
	return !out->failed;
}

/* 202 also when the body cannot be made: the leads are stored, and a sender who
 * heard otherwise would send them again. */
static void answer_default(struct intake *intake)
{
	struct http_header type = {LG_SLICE("Content-Type"), LG_SLICE(JSON_TYPE)};
	struct http_response response = {.status = 202, .headers = &type, .header_count = 1};

	if (default_body(intake, &intake->loop->record))
		response.body = buffer_slice(&intake->loop->record);
	http_respond(intake->request, &response);
}

/* False: the plugin makes no answer, or failed to. */
static bool answer_by_plugin(struct intake *intake)
{
	struct instance *instance = intake->source->instance;
	struct arena *arena = &intake->request->arena;
	struct intake_reply reply = {
		.handle.services = intake->handle.services,
		.arena = arena,
		.headers = intake->loop->reply_headers,
	};
	int64_t started_us = clock_monotonic_us();
	int32_t outcome;

	if (!instance->source.reply)
		return false;
	intake->closed_by = "reply";
	source_enter(intake->source);
	outcome = instance->source.reply(instance->state, &intake->handle, &reply.handle);
	source_leave(intake->source);
	intake_watch(intake, "reply", started_us);
	if (outcome != LG_OK) {
		log_warning("plugin.reply-failed", LOG_SLICE("source", instance->name));
		return false;
	}
	if (reply.response.status == 0 && reply.response.header_count == 0)
		return false; /* it had nothing to say */
	if (reply.response.status == 0)
		reply.response.status = intake->refusal ? intake->refusal : 202;
	reply.response.headers = reply.headers;
	http_respond(intake->request, &reply.response);
	return true;
}

static bool answers_refusals(const struct intake *intake)
{
	return intake->source->instance->library->plugin.flags & LG_ANSWERS_REFUSALS;
}

void intake_refuse(struct intake *intake, enum source_counter counter, const char *reason,
		   int status, const char *detail, int retry_after_s)
{
	char seconds[16];

	source_count(intake->source, counter);
	intake->request->reason = reason;
	if (answers_refusals(intake)) {
		intake->refusal = status;
		intake->refusal_detail = slice_from(detail);
		snprintf(seconds, sizeof(seconds), "%d", retry_after_s);
		if (retry_after_s > 0 &&
		    answer_header(&intake->handle, "Retry-After", slice_from(seconds)) == LG_OK)
			retry_after_s = 0;
		if (answer_by_plugin(intake))
			return;
	}
	http_respond_problem(intake->request, status, detail, retry_after_s);
}

/* The first refused item when nothing was stored or ignored; NULL otherwise. */
static const struct intake_item *refused_whole(const struct intake *intake)
{
	for (const struct intake_item *item = intake->items; item; item = item->next)
		if (item->verdict != LG_REFUSED)
			return NULL;
	return intake->items;
}

void intake_answer(struct intake *intake)
{
	const struct intake_item *refused = refused_whole(intake);

	if (refused) {
		intake_refuse(intake, SOURCE_REFUSED, refused->refusal, refused->status,
			      refused->reason.data, 0);
		return;
	}
	source_count(intake->source, intake->items ? SOURCE_STORED : SOURCE_ANSWERED);
	if (!answer_by_plugin(intake))
		answer_default(intake);
}
