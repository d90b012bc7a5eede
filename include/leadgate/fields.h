/* Numbers for the fields of the record: LG_EMAIL, LG_UTM_SOURCE, …
 * The numbers follow the order of fields.def. New fields are only ever added
 * by a new ABI minor, and while the ABI is major 0 the order may still move. */
#ifndef LEADGATE_FIELDS_H
#define LEADGATE_FIELDS_H

#define LG_FIELD(id, path, type, limit, flags, names) LG_##id,
enum lg_field {
#include <leadgate/fields.def>
	LG_FIELD_COUNT
};
#undef LG_FIELD

/* What inquiry.kind may be, written as the `choices` of an option (lg_choice, in text.h, gives
 * the word of a position). Another word becomes "other", and stays in `raw` as it was sent. */
#define LG_INQUIRY_KINDS "contact|quote|demo|callback|newsletter|download|event|referral|other"

#endif
