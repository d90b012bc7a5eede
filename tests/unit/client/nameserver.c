#include "nameserver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_BYTES 12
#define TYPE_A 1
#define TYPE_AAAA 28

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* Writes the question's name with dots; gives where its type stands. */
static size_t read_name(const uint8_t *packet, size_t size, char name[256])
{
	size_t at = HEAD_BYTES, used = 0;

	while (at < size && packet[at] > 0 && packet[at] < 64 && at + packet[at] < size) {
		if (used)
			name[used++] = '.';
		memcpy(name + used, packet + at + 1, packet[at]);
		used += packet[at];
		at += 1u + packet[at];
	}
	name[used] = 0;
	return at + 1;
}

/* Appends one answer whose name is that of the question. */
static size_t add_answer(uint8_t *packet, size_t size, const char *address, int type)
{
	uint8_t bytes[16];
	size_t length = type == TYPE_A ? 4 : 16;

	if (inet_pton(type == TYPE_A ? AF_INET : AF_INET6, address, bytes) != 1)
		return size;
	memcpy(packet + size, "\xC0\x0C\0\0\0\1\0\0\0\x3C\0", 11);
	packet[size + 3] = (uint8_t)type;
	packet[size + 11] = (uint8_t)length;
	memcpy(packet + size + 12, bytes, length);
	packet[7]++; /* number of answers */
	return size + 12 + length;
}

static size_t answer(const struct nameserver *server, uint8_t *packet, size_t size)
{
	char name[256];
	size_t type_at = read_name(packet, size, name);
	int type = packet[type_at + 1];
	bool found = false;

	size = type_at + 4;
	packet[2] = 0x81; /* an answer */
	packet[3] = 0x80;
	memset(packet + 6, 0, 6);
	for (const struct nameserver_row *row = server->rows; row->name; row++) {
		if (strcasecmp(row->name, name) != 0)
			continue;
		found = true;
		if (row->address)
			size = add_answer(packet, size, row->address, type);
		else
			packet[3] |= 3; /* NXDOMAIN */
	}
	if (!found)
		packet[3] |= 2; /* SERVFAIL */
	return size;
}

static void *answer_all(void *context)
{
	struct nameserver *server = context;
	struct sockaddr_in from;
	uint8_t packet[1024];

	for (;;) {
		socklen_t length = sizeof(from);
		ssize_t got = recvfrom(server->fd, packet, sizeof(packet) / 2, 0, (void *)&from,
				       &length);
		if (got <= HEAD_BYTES + 5)
			return NULL; /* nameserver_stop has sent a short packet */
		server->questions++;
		size_t size = answer(server, packet, (size_t)got);
		must(sendto(server->fd, packet, size, 0, (void *)&from, length) == (ssize_t)size);
	}
}

void nameserver_start(struct nameserver *server, const struct nameserver_row *rows)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	server->rows = rows;
	server->questions = 0;
	server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(server->fd >= 0 && bind(server->fd, (void *)&address, size) == 0);
	must(getsockname(server->fd, (void *)&address, &size) == 0);
	snprintf(server->address, sizeof(server->address), "127.0.0.1:%d", ntohs(address.sin_port));
	if (rows)
		must(pthread_create(&server->thread, NULL, answer_all, server) == 0);
}

void nameserver_stop(struct nameserver *server)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	if (server->rows) {
		must(getsockname(server->fd, (void *)&address, &size) == 0);
		must(sendto(server->fd, "", 1, 0, (void *)&address, size) == 1);
		must(pthread_join(server->thread, NULL) == 0);
	}
	close(server->fd);
}
