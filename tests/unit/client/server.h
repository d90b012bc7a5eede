/* A server of the tests on 127.0.0.1: each connection is served by a thread of
 * its own, as the test wants it. */
#ifndef TESTS_UNIT_CLIENT_SERVER_H
#define TESTS_UNIT_CLIENT_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_CONNECTIONS_MAX 128
#define SERVER_REQUEST_BYTES 65536

struct server;
struct server_connection {
	struct server *server;
	pthread_t thread;
	int fd;
};

struct server {
	int fd;
	uint16_t port;
	pthread_t thread;
	bool has_thread;
	void (*serve)(struct server *server, int fd);
	void *context; /* for `serve` */
	atomic_int accepted, requests;
	struct server_connection connections[SERVER_CONNECTIONS_MAX];
};

/* Listens; `serve` runs once a connection, which is closed when it returns.
 * NULL: nobody accepts. */
void server_start(struct server *server, void (*serve)(struct server *server, int fd));
/* Cuts all connections and joins all threads. */
void server_stop(struct server *server);

/* A port on which nobody listens, nor will as long as the descriptor is open. */
int server_hold_port(uint16_t *port);

/* Reads one request with its body, as Content-Length says. False at the end. */
bool server_read(struct server *server, int fd, char request[SERVER_REQUEST_BYTES]);
/* False when the peer is gone. */
bool server_write(int fd, const char *text, size_t size);
bool server_say(int fd, const char *text);
/* Waits until the peer closes, or the server stops. */
void server_wait(int fd);

/* Answers 200 "ok" to every request of a connection. */
void server_answer_ok(struct server *server, int fd);

#endif
