#include "client/http_client.h"

#define ROW(option, kind, member, usual, least, most, sentence)                          \
	{                                                                                \
		.name = (option), .type = (kind), .fallback = (usual),                   \
		.offset = offsetof(struct http_client_settings, member), .min = (least), \
		.max = (most), .help = (sentence)                                        \
	}
#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define MIB (INT64_C(1) << 20)

const struct lg_option http_client_options[] = {
	ROW("timeout", LG_DURATION, timeout_ms, "30s", 10, HOUR,
	    "longest time of a call, from sending to the whole answer"),
	ROW("connect_timeout", LG_DURATION, connect_timeout_ms, "10s", 10, HOUR,
	    "longest time of making one connection, with TLS"),
	ROW("calls", LG_INTEGER, calls_max, "1024", 1, 100000, "most calls under way and waiting"),
	ROW("connections", LG_INTEGER, connections_max, "64", 1, 10000, "most open connections"),
	ROW("host_connections", LG_INTEGER, host_connections_max, "16", 1, 10000,
	    "most open connections to one host"),
	ROW("idle", LG_DURATION, idle_ms, "60s", SECOND, 24 * HOUR,
	    "how long an unused connection is kept"),
	ROW("connection_life", LG_DURATION, connection_life_ms, "10m", SECOND, 24 * HOUR,
	    "age from which a connection is not used again, so that moved hosts are found"),
	ROW("answer_head", LG_SIZE, answer_head_bytes, "32KiB", 1024, MIB,
	    "longest head of an answer"),
	ROW("answer_keep", LG_SIZE, answer_keep_bytes, "16KiB", 0, 64 * MIB,
	    "how much of an answer's body is kept"),
	ROW("answer_max", LG_SIZE, answer_max_bytes, "1MiB", 0, 1024 * MIB,
	    "body length from which an answer is broken off"),
	ROW("name_timeout", LG_DURATION, name_timeout_ms, "6s", 30, HOUR,
	    "longest time of looking up a host's name"),
	ROW("name_lookups", LG_INTEGER, name_lookups_max, "32", 1, 1000,
	    "most lookups of names at once"),
	ROW("names", LG_INTEGER, names_max, "256", 1, 100000, "most names that are kept"),
	ROW("name_keep", LG_DURATION, name_keep_ms, "60s", 0, 24 * HOUR,
	    "how long a name's addresses are used"),
	ROW("name_failed_keep", LG_DURATION, name_failed_keep_ms, "5s", 0, HOUR,
	    "how long a name that was not found is not asked for again"),
	ROW("nameserver", LG_STRING, nameserver, NULL, 0, 0,
	    "address of the name server, in place of those in /etc/resolv.conf"),
	ROW("hosts_file", LG_PATH, hosts_file, NULL, 0, 0, "file of hosts, in place of /etc/hosts"),
	ROW("ca_file", LG_PATH, ca_file, NULL, 0, 0,
	    "certificates to trust, in place of the system's"),
};
const size_t http_client_option_count = sizeof(http_client_options) /
					sizeof(http_client_options[0]);
