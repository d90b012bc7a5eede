/* A real store, and a source whose plugin lives here, for tests of imports: a line is a
 * lead with that address, "!WHY" is refused, "-" ignored, "?" is nobody who can be
 * reached. */
#ifndef TESTS_UNIT_INGEST_IMPORT_STAGE_H
#define TESTS_UNIT_INGEST_IMPORT_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "ingest/fetcher.h"
#include "ingest/import.h"
#include "outbox/import_row.h"

#define ROWS 2000

extern struct fixture fixture;
extern struct fetcher *fetcher;
extern struct fetcher_share shares[2];
extern struct letter backs[2];
extern struct mailbox home, replies;
extern struct import_job job; /* of send_job, which keeps what says how it is done */
extern int file, rejects;     /* what it reads and writes */
extern atomic_int openings, reads, closings;
/* The plugin waits in `read` at this line while it is held. */
#define HELD_LINE 1000
extern atomic_bool is_held, is_waiting;
/* What it says of the file is absent, whatever the lengths say. */
extern atomic_bool is_silent;
extern int64_t position_seen; /* lines that were read before the last opening */

int set_up(void **state);
int tear_down(void **state);
void start_fetcher(void);
void stop_fetcher(void);
void start_again(void);	      /* on the same store */
void give_sources(int which); /* of shares, as a reload does */

void write_text(const char *text);
/* Of ten lines one is refused by the plugin, one is unreachable, one is ignored, and one is
 * the person of the line before. */
void write_rows(int rows);

void send_job(void);
void await_job(void);
enum import_end import(void);
void await_line(int64_t rows); /* so many are committed */

int64_t result(enum import_result which);
int64_t counted(enum source_counter which);
const char *refused_rows(void);
/* What write_rows made came in once. */
void check_rows(int rows);

#endif
