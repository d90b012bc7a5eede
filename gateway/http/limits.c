#include "http/forwarded.h"
#include "http/server.h"

#define LIMIT(member, n, t, f, low, high, h)                                              \
	{                                                                                 \
		.name = (n), .type = (t), .offset = offsetof(struct http_limits, member), \
		.fallback = (f), .min = (low), .max = (high), .help = (h)                 \
	}
#define HOUR_MS INT64_C(3600000)
#define GIB INT64_C(1073741824)

const struct lg_option http_limit_options[] = {
	LIMIT(head_bytes, "max_head", LG_SIZE, "16KiB", 1024, 1048576,
	      "largest head of a request: its first line and all headers"),
	LIMIT(body_bytes, "max_body", LG_SIZE, "1MiB", 0, GIB, "largest body of a request"),
	LIMIT(buffered_bytes, "max_buffered", LG_SIZE, "64MiB", 65536, 1024 * GIB,
	      "bodies of all requests under way together; beyond it the answer is 503, for whoever "
	      "has been sending for longest and over a second, or else for the new one"),
	LIMIT(headers, "max_headers", LG_INTEGER, "100", 8, 10000, "most headers of a request"),
	LIMIT(handshake_timeout_ms, "handshake_timeout", LG_DURATION, "10s", 10, HOUR_MS,
	      "time for what comes before the first request of a connection: its PROXY header, and "
	      "anew the handshake of TLS"),
	LIMIT(handshakes, "max_handshakes", LG_INTEGER, "1000", 1, 1000000,
	      "most connections in their handshake at once; beyond it the oldest of them goes"),
	LIMIT(head_timeout_ms, "head_timeout", LG_DURATION, "10s", 10, HOUR_MS,
	      "time from the first byte of a request to the end of its head"),
	LIMIT(body_timeout_ms, "body_timeout", LG_DURATION, "60s", 10, HOUR_MS,
	      "time from the end of the head to the end of the body"),
	LIMIT(minimum_rate_bytes, "minimum_rate", LG_SIZE, "256", 0, GIB,
	      "least bytes a second of a body after the first five seconds; 0: none"),
	LIMIT(write_timeout_ms, "write_timeout", LG_DURATION, "30s", 10, HOUR_MS,
	      "time for a sender to read its answer"),
	LIMIT(idle_timeout_ms, "idle_timeout", LG_DURATION, "60s", 10, 24 * HOUR_MS,
	      "time that a connection may wait for its next request"),
	LIMIT(drain_grace_ms, "drain_grace", LG_DURATION, "500ms", 0, HOUR_MS,
	      "how long a stop keeps idle connections, so that a request on its way to one is "
	      "answered"),
	LIMIT(connections, "max_connections", LG_INTEGER, "10000", 1, 1000000,
	      "most connections in all"),
	LIMIT(connections_per_address, "max_connections_per_address", LG_INTEGER, "256", 1, 1000000,
	      "most connections of one address, or of one IPv6 /64; trusted proxies are exempt"),
	LIMIT(proxy_header_bytes, "max_proxy_header", LG_SIZE, "4KiB", 256, 65551,
	      "largest PROXY header of version 2, where a listener takes them"),
	LIMIT(reserved_descriptors, "reserved_descriptors", LG_INTEGER, "256", 0, 65536,
	      "descriptors of the process that are left to the journal, sinks and the admin "
	      "listener: when fewer are free, no connection is accepted; at most half of all"),
	LIMIT(address_rate, "max_address_rate", LG_INTEGER, "6000", 0, INT64_C(1000000000),
	      "most requests a minute of one client address, or of one IPv6 /64, to all sources; "
	      "beyond it the answer is 429; 0: no limit"),
	LIMIT(address_burst, "max_address_burst", LG_INTEGER, "1000", 1, 1000000,
	      "how many of them may come at once"),
	LIMIT(handshake_rate, "max_handshake_rate", LG_INTEGER, "6000", 0, INT64_C(1000000000),
	      "most TLS handshakes a minute that one address, or one IPv6 /64, may begin; beyond "
	      "it the connection is closed; behind a PROXY header the address is the client's; "
	      "trusted proxies are exempt; 0: no limit"),
	LIMIT(handshake_burst, "max_handshake_burst", LG_INTEGER, "1000", 1, 1000000,
	      "how many of them may begin at once"),
	LIMIT(rate_exempt, "rate_exempt", LG_LIST, "[127.0.0.0/8, ::1]", 0, 0,
	      "addresses and prefixes (10.0.0.0/8) to which max_address_rate and "
	      "max_handshake_rate do not apply"),
	LIMIT(pipelined, "max_pipelined", LG_INTEGER, "16", 1, 1000,
	      "most requests of one connection under way at once"),
	LIMIT(linger_ms, "linger_timeout", LG_DURATION, "2s", 1, 60000,
	      "time to read on after an answer that ends a connection"),
	LIMIT(linger_bytes, "max_linger", LG_SIZE, "1MiB", 0, GIB,
	      "bytes to read on after an answer that ends a connection, and of a body after an "
	      "answer that did not wait for it"),
	LIMIT(streams, "max_streams", LG_INTEGER, "128", 1, 10000,
	      "most requests of one HTTP/2 connection under way at once"),
	LIMIT(stream_window_bytes, "max_stream_window", LG_SIZE, "64KiB", 1024, GIB,
	      "bytes of a body that an HTTP/2 peer may send unasked"),
	LIMIT(connection_window_bytes, "max_connection_window", LG_SIZE, "1MiB", 65535, GIB,
	      "bytes of all bodies that an HTTP/2 peer may send unasked"),
	LIMIT(frame_bytes, "max_frame", LG_SIZE, "16KiB", 16384, 16777215,
	      "largest payload of an HTTP/2 frame"),
	LIMIT(header_table_bytes, "max_header_table", LG_SIZE, "4KiB", 0, 1048576,
	      "memory in which an HTTP/2 peer may keep headers that it repeats"),
	LIMIT(continuations, "max_continuations", LG_INTEGER, "4", 0, 7,
	      "most CONTINUATION frames behind the HEADERS of one HTTP/2 request"),
	LIMIT(key_updates, "max_key_updates", LG_INTEGER, "20", 1, 1000000,
	      "most times in flood_interval that the peer of an open TLS connection may ask for "
	      "new keys"),
	LIMIT(flood_interval_ms, "flood_interval", LG_DURATION, "10s", 100, HOUR_MS,
	      "time for which the floods of a connection are counted"),
	LIMIT(resets, "max_resets", LG_INTEGER, "100", 1, 900,
	      "most requests that an HTTP/2 peer may cancel in flood_interval"),
	LIMIT(stream_errors, "max_stream_errors", LG_INTEGER, "100", 1, 1000000,
	      "most requests of an HTTP/2 connection that may break the protocol in "
	      "flood_interval; one beyond max_streams ends the connection when the peer has said "
	      "that it knows of that, and is only refused before, for head_timeout at most"),
	LIMIT(settings, "max_settings", LG_INTEGER, "20", 2, 900,
	      "most SETTINGS frames of an HTTP/2 connection in flood_interval"),
	LIMIT(pings, "max_pings", LG_INTEGER, "100", 1, 900,
	      "most PING frames of an HTTP/2 connection in flood_interval"),
	LIMIT(empty_data, "max_empty_data", LG_INTEGER, "100", 1, 1000000,
	      "most DATA frames with nothing in them in flood_interval, and one more a request"),
	LIMIT(priorities, "max_priorities", LG_INTEGER, "200", 1, 1000000,
	      "most PRIORITY frames in flood_interval, and two more a request"),
	LIMIT(window_updates, "max_window_updates", LG_INTEGER, "1000", 1, 1000000,
	      "most WINDOW_UPDATE frames in flood_interval, and four more a request"),
	LIMIT(other_frames, "max_other_frames", LG_INTEGER, "100", 1, 1000000,
	      "most frames of types that HTTP/2 does not know, or GOAWAY, in flood_interval"),
	LIMIT(stalls, "max_stalls", LG_INTEGER, "10", 1, 1000000,
	      "most answers in flood_interval for which an HTTP/2 peer makes no room in "
	      "write_timeout"),
};
const size_t http_limit_option_count = sizeof(http_limit_options) / sizeof(http_limit_options[0]);

const struct lg_option http_listen_options[] = {
	{.name = "address",
	 .type = LG_STRING,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct http_listen, address),
	 .help = "where to listen: 127.0.0.1:8080, [::1]:8080, *:8080 for every address, "
		 "[::]:8080 for IPv6 alone, unix:/run/leadgate/http.sock, or systemd:NAME for a "
		 "socket that the process is started with (FileDescriptorName in its unit)"},
	{.name = "trusted_proxies",
	 .type = LG_LIST,
	 .offset = offsetof(struct http_listen, trusted_proxies),
	 .help = "addresses and prefixes (10.0.0.0/8) whose forwarding header is believed"},
	{.name = "trusted_users",
	 .type = LG_LIST,
	 .offset = offsetof(struct http_listen, trusted_users),
	 .help = "users whose processes are believed as trusted proxies when they connect to a "
		 "unix socket, by name or number; * is everybody who may connect"},
	{.name = "forwarded_header",
	 .type = LG_ENUM,
	 .fallback = "x-forwarded-for",
	 .choices = "x-forwarded-for|forwarded",
	 .offset = offsetof(struct http_listen, forwarded_header),
	 .help = "the header that trusted proxies set, with its kin; the other one is not read"},
	{.name = "proxy_protocol",
	 .type = LG_ENUM,
	 .fallback = "off",
	 .choices = "off|v1|v2|any",
	 .offset = offsetof(struct http_listen, proxy_protocol),
	 .help = "every connection begins with a PROXY header of this version, from a trusted "
		 "proxy; others are closed. The address in it is the peer's from then on"},
	{.name = "socket_mode",
	 .type = LG_STRING,
	 .offset = offsetof(struct http_listen, socket_mode),
	 .help = "mode of a unix socket's file; 0660 when nothing is said"},
	{.name = "socket_owner",
	 .type = LG_STRING,
	 .offset = offsetof(struct http_listen, socket_owner),
	 .help = "user, by name or number, to whom a unix socket's file is given"},
	{.name = "socket_group",
	 .type = LG_STRING,
	 .offset = offsetof(struct http_listen, socket_group),
	 .help = "group, by name or number, to which a unix socket's file is given"},
	{.name = "backlog",
	 .type = LG_INTEGER,
	 .fallback = "1024",
	 .min = 1,
	 .max = 65535,
	 .offset = offsetof(struct http_listen, backlog),
	 .help = "connections that may wait to be accepted"},
	{.name = "max_connections",
	 .type = LG_INTEGER,
	 .fallback = "0",
	 .min = 0,
	 .max = 1000000,
	 .offset = offsetof(struct http_listen, connections),
	 .help = "most connections of this listener; 0: http.max_connections alone counts"},
	{.name = "probe_path",
	 .type = LG_STRING,
	 .offset = offsetof(struct http_listen, probe_path),
	 .help = "a path that is answered 202 without a body, for load balancers"},
};
const size_t http_listen_option_count = sizeof(http_listen_options) /
					sizeof(http_listen_options[0]);
