#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(bool condition)
{
	if (!condition)
		abort();
}

static int listen_on_any(uint16_t *port, int backlog)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0 && bind(fd, (void *)&address, size) == 0);
	must(backlog < 0 || listen(fd, backlog) == 0);
	must(getsockname(fd, (void *)&address, &size) == 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void *serve_connection(void *context)
{
	struct server_connection *connection = context;

	connection->server->serve(connection->server, connection->fd);
	shutdown(connection->fd, SHUT_RDWR); /* server_stop closes it */
	return NULL;
}

static void *accept_all(void *context)
{
	struct server *server = context;
	int fd;

	while ((fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0 || errno == EINTR) {
		struct server_connection *connection;
		if (fd < 0)
			continue;
		must(server->accepted < SERVER_CONNECTIONS_MAX);
		connection = &server->connections[server->accepted];
		connection->server = server;
		connection->fd = fd;
		must(pthread_create(&connection->thread, NULL, serve_connection, connection) == 0);
		server->accepted++;
	}
	return NULL;
}

void server_start(struct server *server, void (*serve)(struct server *server, int fd))
{
	server->serve = serve;
	server->accepted = server->requests = 0;
	server->fd = listen_on_any(&server->port, serve ? 128 : 0);
	server->has_thread = serve != NULL;
	if (serve)
		must(pthread_create(&server->thread, NULL, accept_all, server) == 0);
}

void server_stop(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	if (server->has_thread)
		must(pthread_join(server->thread, NULL) == 0);
	for (int i = 0; i < server->accepted; i++) {
		shutdown(server->connections[i].fd, SHUT_RDWR);
		must(pthread_join(server->connections[i].thread, NULL) == 0);
		close(server->connections[i].fd);
	}
	close(server->fd);
}

int server_hold_port(uint16_t *port)
{
	return listen_on_any(port, -1);
}

bool server_read(struct server *server, int fd, char request[SERVER_REQUEST_BYTES])
{
	size_t used = 0, wanted = 0;

	while (wanted == 0 || used < wanted) {
		ssize_t got = recv(fd, request + used, SERVER_REQUEST_BYTES - 1 - used, 0);
		char *end, *length;
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		used += (size_t)got;
		request[used] = 0;
		end = strstr(request, "\r\n\r\n");
		if (!end)
			continue;
		length = strcasestr(request, "\r\ncontent-length:");
		wanted = (size_t)(end - request) + 4 +
			 (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
	}
	server->requests++;
	return true;
}

bool server_write(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t put = send(fd, text, size, MSG_NOSIGNAL);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		text += put;
		size -= (size_t)put;
	}
	return true;
}

bool server_say(int fd, const char *text)
{
	return server_write(fd, text, strlen(text));
}

void server_wait(int fd)
{
	char dropped[4096];
	ssize_t got;

	do
		got = recv(fd, dropped, sizeof(dropped), 0);
	while (got > 0 || (got < 0 && errno == EINTR));
}

void server_answer_ok(struct server *server, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	while (server_read(server, fd, request))
		if (!server_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
			break;
}
