/* What a command that only reads needs: the configuration and a reader beside
 * the running gateway, if there is one. */
#ifndef VERBS_STORE_H
#define VERBS_STORE_H

#include "outbox/reader.h"
#include "supervise/settings.h"

struct store {
	struct buffer errors;
	struct settings *settings;
	struct reader *reader;
};

/* Reads the configuration, printing its errors; EXIT_DONE or EXIT_CONFIG. */
int store_configure(struct store *store, const char *config);
/* The same, and opens the reader; EXIT_FAILED with a line on standard error. */
int store_open(struct store *store, const char *config);
void store_close(struct store *store);

#endif
