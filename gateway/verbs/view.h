/* What a command that only reads needs: the configuration and a reader beside
 * the running gateway, if there is one. */
#ifndef VERBS_VIEW_H
#define VERBS_VIEW_H

#include "outbox/reader.h"
#include "supervise/settings.h"

struct view {
	struct buffer errors;
	struct settings *settings;
	struct reader *reader;
};

/* Reads the configuration, printing its errors; EXIT_DONE or EXIT_CONFIG. */
int view_configure(struct view *view, const char *config);
/* The same with the errors that a start would only warn of. */
int view_check(struct view *view, const char *config);
/* Reads of it where the store is, and nothing else: for who asks the running
 * gateway, which has an environment of its own and may serve while the file has
 * mistakes. */
int view_locate(struct view *view, const char *config);
/* As view_configure, and opens the reader; EXIT_FAILED with a line on standard error. */
int view_open(struct view *view, const char *config);
void view_close(struct view *view);

/* The section of a configured sink; NULL: there is none of this name. */
const struct sink_section *view_sink(const struct view *view, struct lg_slice name);

/* Whether the configuration has a source of this name; an empty name stands for all. False with a
 * line on standard error: of a name that nobody knows it says nothing that nothing was found. */
bool view_knows_source(const struct view *view, struct lg_slice name);

/* The present record of the lead with this id, or to which this receipt (the id
 * of one of its events) belongs. False with a reason. */
bool view_lead(struct view *view, struct arena *arena, const uint8_t id[UUID_BYTES],
	       struct journal_event *event, struct error *error);

#endif
