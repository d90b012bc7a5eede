/* The gateway on a disk whose power is cut:
 *
 *   CUT_FOLDER=STORE-FOLDER CUT_PICTURE=FOLDER CUT_PLUG=FIFO CUT_AFTER=N CUT_SEED=N
 *   cut_gateway run -c FILE
 *
 * A byte in the fifo arms the cut: CUT_AFTER writes, syncs, truncations or deletions
 * later, with 0 at once, the process ends and CUT_PICTURE has what the disk kept. With
 * CUT_START it is armed from the start. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "../unit/outbox/kit.h"
#include "cut_vfs.h"
#include "verbs/verb.h"

static const char *wanted(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		kit_fail("%s is not set", name);
	return value;
}

static void arm(void)
{
	cut_vfs_arm(strtoull(wanted("CUT_AFTER"), NULL, 10), strtoull(wanted("CUT_SEED"), NULL, 10),
		    NULL);
}

static void *wait_for_plug(void *arg)
{
	int fd = *(const int *)arg;
	char byte;

	while (read(fd, &byte, 1) == 1)
		arm();
	return NULL;
}

/* The daemon's signals are the daemon's. The end that writes is held open too, so
 * that a read waits for the first byte. */
static void watch_plug(void)
{
	static int fd;
	pthread_t thread;
	sigset_t all, before;

	fd = open(wanted("CUT_PLUG"), O_RDWR | O_CLOEXEC);
	if (fd < 0)
		kit_fail("%s cannot be opened", wanted("CUT_PLUG"));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, wait_for_plug, &fd) != 0 || pthread_detach(thread) != 0)
		kit_fail("no thread to wait for the cut");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int main(int argc, char **argv)
{
	cut_vfs_register();
	cut_vfs_watch(wanted("CUT_FOLDER"));
	cut_vfs_end_in(wanted("CUT_PICTURE"));
	if (getenv("CUT_START"))
		arm();
	watch_plug();
	return verb_main(argc, argv);
}
