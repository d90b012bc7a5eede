/* The generated table of phone numbers. */
#ifndef LEAD_PHONE_TABLE_H
#define LEAD_PHONE_TABLE_H

#include "lead/phone.h"

/* phone_library_fingerprint of the library that the table was made from. */
const char *phone_table_fingerprint(void);
bool phone_table_region_known(const char *region);

#endif
