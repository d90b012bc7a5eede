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

#endif
