/* The record's JSON form: schema leadgate/lead/1. */
#ifndef LEAD_RECORD_H
#define LEAD_RECORD_H

#include "base/buffer.h"
#include "lead/lead.h"

#define RECORD_SCHEMA "leadgate/lead/1"

/* Appends the record as one JSON object on one line. Ask out->failed. */
void record_encode(const struct lead *lead, struct buffer *out);

/* Reads a record that we wrote. Members that we do not know are kept in
 * `extra`-like fashion nowhere: an unknown member is an error of the store.
 * NULL with a reason. */
struct lead *record_decode(struct arena *arena, const struct lead_limits *limits,
			   struct lg_slice json, struct error *error);

#endif
