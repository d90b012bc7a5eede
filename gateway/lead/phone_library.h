/* Which build of libphonenumber is loaded. */
#ifndef LEAD_PHONE_LIBRARY_H
#define LEAD_PHONE_LIBRARY_H

#include "lead/phone.h"

#define PHONE_FINGERPRINT_BYTES 129

/* The build id of its shared object in hex, which another version or another
 * build never shares (the library itself tells no version); "static" when it is
 * linked into this program. False when the object carries none. Loads nothing. */
bool phone_library_fingerprint(char out[PHONE_FINGERPRINT_BYTES]);

bool phone_library_region_known(const char *region);

#endif
