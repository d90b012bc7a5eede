/* Instants and calendar days from text. Pure; any thread. */
#ifndef CODEC_DATE_H
#define CODEC_DATE_H

#include "base/slice.h"

/* RFC 3339 (any offset, also without its colon, any fraction; a blank for the T is taken), a date alone
 * (midnight UTC), or time since 1970 in digits: 9 to 11 digits are seconds, 12
 * to 14 are milliseconds, other lengths are too likely something else. A second
 * of 60 is the first of the next minute. False: none of these. */
bool time_parse(struct lg_slice text, int64_t *wall_ms);

/* A date of HTTP in any of its three forms (RFC 9110, section 5.6.7). The day of
 * the week is not compared. A year of two digits that would be more than 50 years
 * after `now_ms` is of the century before. False: none of these. */
bool time_parse_http(struct lg_slice text, int64_t now_ms, int64_t *wall_ms);

/* YYYY-MM-DD, checked against the calendar. */
bool date_valid(struct lg_slice text);

#endif
