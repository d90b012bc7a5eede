#include "conn/crowd.h"

#include "base/alloc.h"

bool crowd_init(struct crowd *crowd, size_t limit, size_t loops)
{
	*crowd = (struct crowd){.limit = limit};
	crowd->parts = alloc_zalloc((loops ? loops : 1) * sizeof(*crowd->parts));
	if (!crowd->parts)
		return false;
	for (size_t i = 0; i < loops; i++) {
		list_init(&crowd->parts[i].idle);
		atomic_store(&crowd->parts[i].since_ms, INT64_MAX);
	}
	return true;
}

void crowd_fini(struct crowd *crowd)
{
	alloc_free(crowd->parts);
	crowd->parts = NULL;
}
