#include "conn/proxy_header.h"

#include <netinet/in.h>

/* proxy-protocol.txt, section 2.1: with both addresses at their longest. */
#define V1_LINE_BYTES 107
#define V1_START "PROXY "

/* Section 2.2. */
#define V2_START "\r\n\r\n\0\r\nQUIT\n"
#define V2_HEAD_BYTES 16
enum { V2_LOCAL = 0x20, V2_PROXY = 0x21 };
enum { V2_UNSPECIFIED = 0x00, V2_TCP4 = 0x11, V2_TCP6 = 0x21, V2_UNIX_STREAM = 0x31 };
#define V2_TCP4_BYTES 12
#define V2_TCP6_BYTES 36
#define V2_UNIX_BYTES 216

static enum proxy_result broken(struct proxy_header *header, const char *problem)
{
	header->problem = problem;
	return PROXY_BROKEN;
}

/* Whether one of the two is the beginning of the other. */
static bool agrees(struct lg_slice bytes, struct lg_slice start)
{
	size_t both = bytes.length < start.length ? bytes.length : start.length;

	return memcmp(bytes.data, start.data, both) == 0;
}

/* ---- version 1 ----------------------------------------------------------------- */

/* Decimal without leading zeros, 0 to 65535. */
static bool is_port(struct lg_slice text)
{
	uint64_t port;

	return slice_to_u64(text, &port) && port <= UINT16_MAX &&
	       (text.length == 1 || text.data[0] != '0');
}

static bool parse_ip(struct lg_slice text, bool v6, struct address *address)
{
	return (slice_find(text, ':') >= 0) == v6 && address_parse(text, address);
}

/* "TCP4 192.0.2.1 192.0.2.2 56324 443": single blanks, nothing before or after. */
static bool parse_line(struct lg_slice line, struct proxy_header *header)
{
	struct lg_slice family, from, to, from_port, to_port;
	struct address destination;

	if (!slice_split(&line, ' ', &family))
		return false;
	if (slice_is(family, "UNKNOWN"))
		return true; /* "the rest of the line … must be ignored" */
	bool v6 = slice_is(family, "TCP6");
	if (!v6 && !slice_is(family, "TCP4"))
		return false;
	header->has_source = true;
	return slice_split(&line, ' ', &from) && parse_ip(from, v6, &header->source) &&
	       slice_split(&line, ' ', &to) && parse_ip(to, v6, &destination) &&
	       slice_split(&line, ' ', &from_port) && is_port(from_port) &&
	       slice_split(&line, ' ', &to_port) && is_port(to_port) && !slice_present(line);
}

static enum proxy_result parse_v1(struct lg_slice bytes, struct proxy_header *header)
{
	struct lg_slice line = slice_cut(bytes, 0, V1_LINE_BYTES);
	ptrdiff_t end = slice_find(line, '\n');

	if (end < 0 && line.length < V1_LINE_BYTES)
		return PROXY_MORE;
	if (end < 0)
		return broken(header, "its first line is longer than 107 bytes");
	line = slice_cut(line, 0, (size_t)end);
	if (!slice_ends(line, "\r"))
		return broken(header, "its first line does not end with CR LF");
	line = slice_cut(line, strlen(V1_START), line.length - strlen(V1_START) - 1);
	if (!parse_line(line, header))
		return broken(header, "its first line is no PROXY header of version 1");
	header->length = (size_t)end + 1;
	return PROXY_WHOLE;
}

/* ---- version 2 ----------------------------------------------------------------- */

static void set_v4(struct address *address, const char *bytes)
{
	*address = (struct address){.bytes = {[10] = 0xff, [11] = 0xff}};
	memcpy(address->bytes + 12, bytes, 4);
}

/* The block of addresses of a family, which the head's length must hold. */
static enum proxy_result take_source(unsigned char family, struct lg_slice block,
				     struct proxy_header *header)
{
	static const char *const is_short = "its length does not hold the addresses";

	switch (family) {
	case V2_UNSPECIFIED: return PROXY_WHOLE;
	case V2_TCP4:
		if (block.length < V2_TCP4_BYTES)
			return broken(header, is_short);
		set_v4(&header->source, block.data);
		break;
	case V2_TCP6:
		if (block.length < V2_TCP6_BYTES)
			return broken(header, is_short);
		memcpy(header->source.bytes, block.data, sizeof(header->source.bytes));
		break;
	case V2_UNIX_STREAM:
		return block.length < V2_UNIX_BYTES ? broken(header, is_short) : PROXY_WHOLE;
	default: return broken(header, "its family or protocol is none of a stream's");
	}
	header->has_source = true;
	return PROXY_WHOLE;
}

/* Its parts are judged as they come, so that bytes that can become no header
 * are not waited upon. */
static enum proxy_result parse_v2(size_t limit, struct lg_slice bytes, struct proxy_header *header)
{
	size_t start = sizeof(V2_START) - 1;
	unsigned char command = bytes.length > start ? (unsigned char)bytes.data[start] : V2_PROXY;

	if (command != V2_PROXY && command != V2_LOCAL)
		return broken(header, "its version or command is unknown");
	if (bytes.length < V2_HEAD_BYTES)
		return PROXY_MORE;
	size_t length = ((size_t)(unsigned char)bytes.data[14] << 8) |
			(size_t)(unsigned char)bytes.data[15];
	if (V2_HEAD_BYTES + length > limit)
		return broken(header, "it is longer than http.max_proxy_header");
	if (bytes.length < V2_HEAD_BYTES + length)
		return PROXY_MORE;
	header->length = V2_HEAD_BYTES + length;
	/* Of LOCAL the family and all that follows is to be ignored. */
	if (command == V2_LOCAL)
		return PROXY_WHOLE;
	return take_source((unsigned char)bytes.data[13], slice_cut(bytes, V2_HEAD_BYTES, length),
			   header);
}

enum proxy_result proxy_header_parse(enum proxy_versions versions, size_t limit,
				     struct lg_slice bytes, struct proxy_header *header)
{
	const struct lg_slice v1 = LG_SLICE(V1_START), v2 = LG_SLICE(V2_START);

	*header = (struct proxy_header){.length = 0};
	if (bytes.length == 0)
		return PROXY_MORE;
	if (versions != PROXY_V2 && agrees(bytes, v1))
		return bytes.length < v1.length ? PROXY_MORE : parse_v1(bytes, header);
	if (versions != PROXY_V1 && agrees(bytes, v2))
		return bytes.length < v2.length ? PROXY_MORE : parse_v2(limit, bytes, header);
	return broken(header, "it does not begin with a PROXY header");
}
