#include "supervise/systemd.h"

#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "conn/inherited.h"

bool systemd_take_sockets(struct error *error)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names);
	bool good = true;

	if (count < 0)
		return error_set(error, "taking the sockets of LISTEN_FDS: %s", strerror(-count));
	for (int i = 0; i < count; i++) {
		good = good && inherited_add(SD_LISTEN_FDS_START + i, names[i], error);
		free(names[i]);
	}
	free(names);
	return good;
}

void systemd_log_idle_sockets(void)
{
	const char *name;

	for (size_t i = 0; (name = inherited_idle(i)); i++)
		log_warning("socket.idle", LOG_TEXT("name", name),
			    LOG_TEXT("hint", "no entry of listen: takes it, by its address or by "
					     "systemd:NAME; who connects there waits"));
}
