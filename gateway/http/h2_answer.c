#include "http/h2_answer.h"

#include "base/log.h"
#include "http/h1_char.h"

/* As in h2_session.c: what waits to be sent is bounded. */
#define ENOUGH_BYTES 65536
/* :status, date and content-length beside those of the response. */
#define OWN_FIELDS 3

static nghttp2_nv field(struct lg_slice name, struct lg_slice value)
{
	return (nghttp2_nv){
		.name = (uint8_t *)(uintptr_t)name.data,
		.namelen = name.length,
		.value = (uint8_t *)(uintptr_t)value.data,
		.valuelen = value.length,
		.flags = NGHTTP2_NV_FLAG_NONE, /* the library copies, and makes names lower case */
	};
}

/* RFC 9113, section 8.2.2; TE is for requests alone. */
static bool is_of_connection(struct lg_slice name)
{
	static const struct lg_slice names[] = {
		LG_SLICE("connection"),	       LG_SLICE("keep-alive"), LG_SLICE("proxy-connection"),
		LG_SLICE("transfer-encoding"), LG_SLICE("upgrade"),    LG_SLICE("te"),
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_equal_nocase(name, names[i]))
			return true;
	return false;
}

static bool is_good(const struct http_header *header)
{
	if (h1_is_token(header->name) && h1_is_value(header->value) &&
	    !is_of_connection(header->name))
		return true;
	log_warning("http.header-dropped", LOG_SLICE("name", header->name),
		    LOG_TEXT("why", "it would break the framing"));
	return false;
}

/* "Date: …\r\n" as HTTP/1.1 has it, without name and line end. */
static struct lg_slice date_of(struct http_worker *worker)
{
	struct lg_slice line = http_worker_date(worker);

	return slice_cut(line, 6, line.length - 8);
}

struct digits {
	char text[20]; /* UINT64_MAX */
};

/* Each answer has two of them, so it is worth not to ask printf. */
static struct lg_slice write_number(uint64_t value, struct digits *digits)
{
	size_t at = sizeof(digits->text);

	do
		digits->text[--at] = (char)('0' + value % 10);
	while (value /= 10);
	return slice_of(digits->text + at, sizeof(digits->text) - at);
}

struct head {
	nghttp2_nv *fields;
	size_t count;
	struct digits status, length;
};

static void add(struct head *head, struct lg_slice name, struct lg_slice value)
{
	head->fields[head->count++] = field(name, value);
}

/* RFC 9110, section 8.6: these have no body, and 204 no length either. */
static bool has_length(int status)
{
	return status != 204 && status != 304;
}

static void fill(struct head *head, int status, const struct http_response *response,
		 struct lg_slice date)
{
	add(head, LG_SLICE(":status"), write_number((uint64_t)status, &head->status));
	add(head, LG_SLICE("date"), date);
	for (size_t i = 0; i < response->header_count; i++)
		if (is_good(&response->headers[i]))
			add(head, response->headers[i].name, response->headers[i].value);
	if (!has_length(status))
		return;
	add(head, LG_SLICE("content-length"), write_number(response->body.length, &head->length));
}

static ssize_t read_data(nghttp2_session *library, int32_t id, uint8_t *to, size_t room,
			 uint32_t *flags, nghttp2_data_source *source, void *context)
{
	const struct h2_stream *s = source->ptr;
	size_t left = buffer_length(&s->answer);

	(void)library;
	(void)id;
	(void)to;
	(void)context;
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (left > room)
		return (ssize_t)room;
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)left;
}

int h2_answer_send_data(nghttp2_session *library, nghttp2_frame *frame, const uint8_t *header,
			size_t length, nghttp2_data_source *source, void *context)
{
	struct h2_session *h2 = context;
	struct h2_stream *s = source->ptr;

	(void)library;
	(void)frame; /* it has no padding: nobody asked for some */
	if (buffer_length(&h2->conn->out) >= ENOUGH_BYTES)
		return NGHTTP2_ERR_WOULDBLOCK;
	struct buffer *out = conn_out(h2->conn);
	buffer_add(out, header, H2_FRAME_HEADER_LENGTH);
	buffer_add_slice(out, slice_cut(buffer_slice(&s->answer), 0, length));
	buffer_take(&s->answer, length);
	return 0;
}

bool h2_answer_submit(struct h2_session *h2, struct h2_stream *s,
		      const struct http_response *response)
{
	bool is_sane = response->status >= 200 && response->status <= 599;
	int status = is_sane ? response->status : 500;
	bool has_body = response->body.length > 0 && has_length(status) &&
			!slice_is(s->request.method, "HEAD");
	nghttp2_data_provider provider = {.source.ptr = s, .read_callback = read_data};
	struct head head = {0};

	head.fields = arena_alloc(&s->request.arena,
				  (response->header_count + OWN_FIELDS) * sizeof(*head.fields));
	if (!head.fields || (has_body && !buffer_add_slice(&s->answer, response->body)))
		return false;
	fill(&head, status, response, date_of(h2->worker));
	return nghttp2_submit_response(h2->library, s->id, head.fields, head.count,
				       has_body ? &provider : NULL) == 0;
}

bool h2_answer_continue(struct h2_session *h2, const struct h2_stream *s)
{
	const nghttp2_nv status = field(LG_SLICE(":status"), LG_SLICE("100"));

	return nghttp2_submit_headers(h2->library, NGHTTP2_FLAG_NONE, s->id, NULL, &status, 1,
				      NULL) == 0;
}
