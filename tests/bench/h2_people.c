/* The load of the benchmark over HTTP/2 without TLS: posts of ever new people as
 * people.lua makes them, or empty GET requests.
 *
 *   h2_people PORT PATH SECONDS CONNECTIONS STREAMS [FIRST]
 *
 * FIRST is the number of the first person; without it GET is sent. Every
 * connection keeps STREAMS requests under way. Frames are written here and only
 * the heads of answers are decoded by libnghttp2, for the client shares the
 * machine with what it measures. */
#include <nghttp2/nghttp2.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define STREAMS_MAX 256
#define BUFFER_BYTES 262144
#define FRAME_BYTES 9
/* Of a form: its fixed text, and numbers of at most 19 digits. */
#define BODY_BYTES 512
/* Microseconds in steps of ten; what took longer is in the last one. */
#define STEPS 100000

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
			      "\0\0\x06\x04\0\0\0\0\0" /* SETTINGS */
			      "\0\x04\x7f\xff\xff\xff" /* the largest window of a stream, */
			      "\0\0\x04\x08\0\0\0\0\0" /* and WINDOW_UPDATE: */
			      "\x7f\xff\0\0";	       /* of the connection */

struct connection {
	int fd;
	nghttp2_hd_inflater *inflater;
	uint32_t next_stream;
	int64_t sent_us[STREAMS_MAX]; /* by the stream's number, modulo */
	size_t under_way;
	bool knows_head; /* the server has our headers in its table */
	char in[BUFFER_BYTES], out[BUFFER_BYTES];
	size_t in_length, out_start, out_length;
};

static struct connection *connections[CONNECTIONS_MAX];
static size_t connection_count, stream_count;
static const char *path;
static bool posts;
static long long person, requests, bad_status;
static long long steps[STEPS];

static void fail(const char *what)
{
	fprintf(stderr, "h2_people: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- people --------------------------------------------------------------------- */

/* Not by printf, which would cost a third of what this program costs. */
static char *put(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	return to;
}

/* With leading zeroes up to `width`. */
static char *put_number(char *to, long long value, int width)
{
	char digits[20];
	int at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while ((value /= 10) || (int)sizeof(digits) - at < width);
	memcpy(to, digits + at, sizeof(digits) - (size_t)at);
	return to + sizeof(digits) - at;
}

static char *put_american(char *to, long long i)
{
	static const int areas[] = {212, 310, 415, 617, 713, 202, 303, 404, 503, 602,
				    702, 808, 907, 512, 206, 305, 312, 214, 918, 604};
	long long rest = i / 20 / 10000;
	int line = (int)(i / 20 % 10000);
	int exchange = (int)((rest % 8 + 2) * 100 + (rest / 8 % 8 + 2) * 10 + rest / 64 % 10);

	to = put_number(put(to, line % 2 ? "" : "%28"), areas[i % 20], 3);
	to = put_number(put(to, line % 2 ? "-" : "%29+"), exchange, 3);
	return put_number(put(to, "-"), line, 4);
}

static char *put_abroad(char *to, long long i)
{
	long long n = i / 5;

	switch (i % 5) {
	case 0: return put_number(put(to, "%2B4479"), n % 100000000, 8);
	case 1: return put_number(put(to, "%2B49+1512+"), n % 10000000, 7);
	case 2: return put_number(put(to, "%2B336"), n % 100000000, 8);
	case 3: return put_number(put(to, "%2B91+98"), n % 100000000, 8);
	default: return put_number(put(to, "%2B61+4"), n % 100000000, 8);
	}
}

/* At most BODY_BYTES. */
static size_t write_person(char *body, long long n)
{
	static const char *const given[] = {"Ada",     "Grace", "Alan",	 "Edsger",
					    "Barbara", "Ken",	"Radia", "Dennis"};
	static const char *const family[] = {"Lovelace", "Hopper",   "Turing", "Dijkstra",
					     "Liskov",	 "Thompson", "Perlman"};
	char *to = put(put(body, "full_name="), given[n % 8]);

	to = put(put(put(to, "+"), family[n % 7]), "&email=p");
	to = put_number(put(put_number(to, n, 9), "%40example"), n % 90 + 10, 2);
	to = put(to, ".com&phone=");
	to = n % 3 < 2 ? put_american(to, n / 3 * 2 + n % 3) : put_abroad(to, n / 3);
	to = put_number(put(to, "&company=Example+Works+"), n % 1000, 1);
	to = put_number(put(to, "&message=Please+send+a+quote+for+"), n, 1);
	to = put(to, "+units&utm_source=search&utm_campaign=spring");
	return (size_t)(to - body);
}

/* ---- frames out ------------------------------------------------------------------ */

static char *put_text(char *to, const char *text)
{
	size_t length = strlen(text);

	*to++ = (char)length; /* all of ours are shorter than 127 */
	memcpy(to, text, length);
	return to + length;
}

static void put_frame(char *to, size_t length, int type, int flags, uint32_t stream)
{
	const unsigned char header[FRAME_BYTES] = {
		(unsigned char)(length >> 16), (unsigned char)(length >> 8),
		(unsigned char)length,	       (unsigned char)type,
		(unsigned char)flags,	       (unsigned char)(stream >> 24),
		(unsigned char)(stream >> 16), (unsigned char)(stream >> 8),
		(unsigned char)stream,
	};

	memcpy(to, header, sizeof(header));
}

/* RFC 7541: method and scheme are of the static table; path, authority and type
 * are kept by the server when they come first, and are indices from then on. */
static char *put_head(char *to, struct connection *c, size_t body_length)
{
	char digits[20];

	*to++ = (char)(posts ? 0x83 : 0x82);
	*to++ = (char)0x86;
	if (c->knows_head) {
		*to++ = (char)(posts ? 64 | 0x80 : 63 | 0x80);
		*to++ = (char)(posts ? 63 | 0x80 : 62 | 0x80);
		if (posts)
			*to++ = (char)(62 | 0x80);
	} else {
		*to++ = 0x44;
		to = put_text(to, path);
		*to++ = 0x41;
		to = put_text(to, "127.0.0.1");
		if (posts) {
			*to++ = 0x5f;
			to = put_text(to, "application/x-www-form-urlencoded");
		}
		c->knows_head = true;
	}
	if (!posts)
		return to;
	*put_number(digits, (long long)body_length, 1) = '\0';
	*to++ = 0x0f; /* content-length, not kept */
	*to++ = 0x0d;
	return put_text(to, digits);
}

/* The windows need no watching: far less is under way than either takes. */
static void ask(struct connection *c)
{
	char body[BODY_BYTES], *begin = c->out + c->out_length;
	size_t length = posts ? write_person(body, person++) : 0;
	char *end = put_head(begin + FRAME_BYTES, c, length);

	put_frame(begin, (size_t)(end - begin) - FRAME_BYTES, NGHTTP2_HEADERS,
		  NGHTTP2_FLAG_END_HEADERS | (posts ? 0 : NGHTTP2_FLAG_END_STREAM), c->next_stream);
	if (posts) {
		put_frame(end, length, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, c->next_stream);
		memcpy(end + FRAME_BYTES, body, length);
		end += FRAME_BYTES + length;
	}
	c->out_length += (size_t)(end - begin);
	c->sent_us[c->next_stream / 2 % STREAMS_MAX] = now_us();
	c->next_stream += 2;
	c->under_way++;
}

static void flush(struct connection *c)
{
	size_t length = c->out_length - c->out_start;
	ssize_t size = length > 0 ? send(c->fd, c->out + c->out_start, length, MSG_NOSIGNAL) : 0;

	if (size < 0 && errno != EAGAIN)
		fail("send");
	c->out_start += size > 0 ? (size_t)size : 0;
	if (c->out_start == c->out_length)
		c->out_start = c->out_length = 0;
}

/* ---- frames in ------------------------------------------------------------------- */

static void decode(struct connection *c, const uint8_t *block, size_t length)
{
	int flags = 0;

	while (length > 0 && !(flags & NGHTTP2_HD_INFLATE_FINAL)) {
		nghttp2_nv nv;
		ssize_t used = nghttp2_hd_inflate_hd2(c->inflater, &nv, &flags, block, length, 1);
		if (used < 0) {
			errno = EBADMSG;
			fail("an answer's head");
		}
		block += used;
		length -= (size_t)used;
		if (flags & NGHTTP2_HD_INFLATE_EMIT && nv.namelen == 7 &&
		    memcmp(nv.name, ":status", 7) == 0)
			bad_status += nv.value[0] != '2';
	}
	nghttp2_hd_inflate_end_headers(c->inflater);
}

static void answered(struct connection *c, uint32_t stream)
{
	int64_t step = (now_us() - c->sent_us[stream / 2 % STREAMS_MAX]) / 10;

	steps[step < STEPS ? step : STEPS - 1]++;
	requests++;
	c->under_way--;
}

static void take_frame(struct connection *c, const uint8_t *frame, size_t length)
{
	int type = frame[3], flags = frame[4];
	uint32_t stream;

	memcpy(&stream, frame + 5, sizeof(stream));
	stream = ntohl(stream) & INT32_MAX;
	if (type == NGHTTP2_RST_STREAM || type == NGHTTP2_GOAWAY) {
		errno = ECONNABORTED;
		fail("the server");
	}
	if (type == NGHTTP2_SETTINGS && !(flags & NGHTTP2_FLAG_ACK)) {
		put_frame(c->out + c->out_length, 0, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0);
		c->out_length += FRAME_BYTES;
	}
	if (type == NGHTTP2_HEADERS)
		decode(c, frame + FRAME_BYTES, length);
	if ((type == NGHTTP2_HEADERS || type == NGHTTP2_DATA) && flags & NGHTTP2_FLAG_END_STREAM)
		answered(c, stream);
}

static void take(struct connection *c)
{
	ssize_t size = recv(c->fd, c->in + c->in_length, sizeof(c->in) - c->in_length, 0);
	size_t at = 0;

	if (size <= 0) {
		if (size < 0 && errno == EAGAIN)
			return;
		fail("the end came early");
	}
	c->in_length += (size_t)size;
	while (c->in_length - at >= FRAME_BYTES) {
		const uint8_t *frame = (const uint8_t *)c->in + at;
		size_t length = (size_t)frame[0] << 16 | (size_t)frame[1] << 8 | frame[2];
		if (c->in_length - at < FRAME_BYTES + length)
			break;
		take_frame(c, frame, length);
		at += FRAME_BYTES + length;
	}
	memmove(c->in, c->in + at, c->in_length - at);
	c->in_length -= at;
}

/* ---- the load -------------------------------------------------------------------- */

static struct connection *open_connection(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct connection *c = calloc(1, sizeof(*c));
	int on = 1;

	if (!c || nghttp2_hd_inflate_new(&c->inflater) != 0)
		fail("memory");
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->next_stream = 1;
	memcpy(c->out, preface, sizeof(preface) - 1);
	c->out_length = sizeof(preface) - 1;
	return c;
}

static void drive(int64_t until_us)
{
	struct pollfd polls[CONNECTIONS_MAX];

	while (now_us() < until_us) {
		for (size_t i = 0; i < connection_count; i++) {
			struct connection *c = connections[i];
			while (c->under_way < stream_count)
				ask(c);
			flush(c);
			polls[i] = (struct pollfd){.fd = c->fd, .events = POLLIN};
			if (c->out_length > 0)
				polls[i].events |= POLLOUT;
		}
		if (poll(polls, (nfds_t)connection_count, 100) < 0)
			fail("poll");
		for (size_t i = 0; i < connection_count; i++)
			if (polls[i].revents & (POLLIN | POLLHUP | POLLERR))
				take(connections[i]);
	}
}

static long long quantile_us(double share)
{
	long long left = (long long)((double)requests * share);
	int step = 0;

	while (step < STEPS - 1 && (left -= steps[step]) > 0)
		step++;
	return step * 10LL;
}

int main(int argc, char **argv)
{
	struct rusage usage;

	if (argc < 6)
		return 2;
	path = argv[2];
	connection_count = (size_t)atoi(argv[4]);
	stream_count = (size_t)atoi(argv[5]);
	posts = argc > 6;
	person = posts ? atoll(argv[6]) : 0;
	if (connection_count > CONNECTIONS_MAX || stream_count > STREAMS_MAX)
		return 2;
	for (size_t i = 0; i < connection_count; i++)
		connections[i] = open_connection(atoi(argv[1]));
	int64_t begun_us = now_us();
	drive(begun_us + atoll(argv[3]) * 1000000);
	double seconds = (double)(now_us() - begun_us) / 1e6;
	getrusage(RUSAGE_SELF, &usage);
	printf("RESULT requests=%lld seconds=%.3f client_s=%.3f p50_us=%lld p99_us=%lld "
	       "status=%lld "
	       "socket=0\n",
	       requests, seconds,
	       (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
	       quantile_us(0.5), quantile_us(0.99), bad_status);
	return 0;
}
