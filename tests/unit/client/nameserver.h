/* A name server of the tests: a UDP socket on 127.0.0.1 and a thread. */
#ifndef TESTS_UNIT_CLIENT_NAMESERVER_H
#define TESTS_UNIT_CLIENT_NAMESERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct nameserver_row {
	const char *name;    /* NULL ends the table */
	const char *address; /* IPv4 or IPv6; NULL: there is no such name */
};

struct nameserver {
	int fd;
	char address[32]; /* "127.0.0.1:5353" */
	pthread_t thread;
	const struct nameserver_row *rows;
	atomic_int questions;
};

/* Answers from `rows`; names that it does not have get SERVFAIL. NULL: it reads
 * nothing and never answers. */
void nameserver_start(struct nameserver *server, const struct nameserver_row *rows);
void nameserver_stop(struct nameserver *server);

#endif
