#include "supervise/descriptors.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/counter.h"
#include "base/log.h"

void descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("process.descriptors", LOG_TEXT("reason", strerror(errno)));
}

void descriptors_check(const struct settings *settings)
{
	int64_t needed = settings->http.connections + settings->http.reserved_descriptors;
	int gauge = counter_register(COUNTER_GAUGE, "leadgate_descriptors_limit", "",
				     "Descriptors that the process may have (RLIMIT_NOFILE)");
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT64_MAX)
		return;
	int64_t most = (int64_t)limit.rlim_cur;
	counter_set(gauge, most);
	if (most < needed)
		log_warning("process.descriptors",
			    LOG_TEXT("reason", "fewer than http.max_connections and "
					       "http.reserved_descriptors take: raise the hard "
					       "limit (LimitNOFILE), or accepting will pause"),
			    LOG_INT("limit", most), LOG_INT("needed", needed),
			    LOG_INT("max_connections", settings->http.connections),
			    LOG_INT("reserved_descriptors", settings->http.reserved_descriptors));
}
