/* The services that read bodies, names and times, for a plugin that is linked into a
 * program without a gateway: the gateway's own readers over an arena. No cmocka. */
#ifndef TESTS_UNIT_HOST_READERS_H
#define TESTS_UNIT_HOST_READERS_H

#include <leadgate/source.h>

#include "codec/form.h"
#include "codec/multipart.h"

/* One request at a time. Zero but for what is set. */
struct readers {
	struct arena arena;  /* of what is read; the program's own, init and fini */
	size_t pairs;	     /* most fields of a form */
	bool (*fails)(void); /* asked in calls that can; NULL: none does */
	struct form form;    /* read last */
	struct multipart multipart;
};
extern struct readers readers;

/* Fills the members of the table: forms, JSON, character sets, memory, names of fields,
 * times. */
void readers_services(struct lg_services *services);

#endif
