#include "outbox/fault.h"

#ifdef LG_FAULT

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/slice.h"

static _Atomic(uint64_t) passes;

void outbox_fault(const char *place)
{
	struct lg_slice rest = slice_from(getenv("LEADGATE_FAULT")), name;
	uint64_t at = 1;

	if (!slice_split(&rest, ':', &name) || !slice_is(name, place))
		return;
	slice_to_u64(rest, &at);
	if (atomic_fetch_add(&passes, 1) + 1 == at)
		kill(getpid(), SIGKILL);
}

#endif
