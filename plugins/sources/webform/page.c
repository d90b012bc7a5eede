#include "webform.h"

#include <stdio.h>

/* What most answers to programs fit into. */
#define ROOM_BYTES 256

static void add_bytes(struct page *page, const char *data, size_t length)
{
	if (page->length <= page->room && length <= page->room - page->length)
		memcpy(page->data + page->length, data, length);
	page->length += length;
}

void page_add(struct page *page, const char *text)
{
	add_bytes(page, text, strlen(text));
}

/* Control characters mean nothing in HTML, but for line ends and tabs. */
static bool is_shown(char c)
{
	return (unsigned char)c >= ' ' || c == '\n' || c == '\r' || c == '\t';
}

void page_add_html(struct page *page, struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		switch (text.data[i]) {
		case '<': page_add(page, "&lt;"); break;
		case '>': page_add(page, "&gt;"); break;
		case '&': page_add(page, "&amp;"); break;
		case '"': page_add(page, "&quot;"); break;
		case '\'': page_add(page, "&#39;"); break;
		default:
			if (is_shown(text.data[i]))
				add_bytes(page, text.data + i, 1);
		}
	}
}

void page_add_json(struct page *page, struct lg_slice text)
{
	size_t from = 0; /* what needs no escape goes as one piece */

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		char escape[8];

		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		add_bytes(page, text.data + from, i - from);
		snprintf(escape, sizeof(escape), c < ' ' ? "\\u%04x" : "\\%c", c);
		page_add(page, escape);
		from = i + 1;
	}
	if (from < text.length)
		add_bytes(page, text.data + from, text.length - from);
}

bool page_make(struct lg_request *request, void (*render)(struct page *page, void *context),
	       void *context, size_t max_bytes, struct lg_slice *text)
{
	char room[ROOM_BYTES], *whole;
	struct page page = {room, sizeof(room), 0};
	size_t length;

	render(&page, context);
	length = page.length;
	if (length > max_bytes)
		return false;
	whole = lg_allocate(request, length + 1);
	if (!whole)
		return false;
	if (length <= sizeof(room)) {
		memcpy(whole, room, length);
	} else {
		page = (struct page){whole, length, 0};
		render(&page, context);
	}
	*text = (struct lg_slice){whole, length};
	return true;
}
