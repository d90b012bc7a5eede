#include "outbox/pacer_vfs.h"

#include <fcntl.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "outbox/pacer.h"

#define NAME "leadgate-pacer"

struct pacer_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct, in the same memory */
	bool is_log;
	struct pacer pacer;
};

static sqlite3_vfs shim;
static sqlite3_vfs *below;
static int sync_histogram = HISTOGRAM_NONE;

/* SQLite does not tell the descriptor of a file. Its "open" is ours to wrap, so
 * a thread that opens a file through the shim learns it here. */
static __thread int opened_fd = -1;
static sqlite3_syscall_ptr system_open;

static int learn_open(const char *path, int flags, int mode)
{
	int (*open_below)(const char *, int, int) = (int (*)(const char *, int, int))system_open;
	int fd = open_below(path, flags, mode);

	opened_fd = fd;
	return fd;
}

static struct pacer_file *pacer_of(sqlite3_file *file)
{
	return (struct pacer_file *)(void *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
	return pacer_of(file)->real;
}

static int file_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *out, int size, sqlite3_int64 at)
{
	return real_of(file)->pMethods->xRead(real_of(file), out, size, at);
}

static int file_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
	int rc = real_of(file)->pMethods->xWrite(real_of(file), data, size, at);

	if (rc == SQLITE_OK)
		pacer_written(&pacer_of(file)->pacer, at, size);
	return rc;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
	int64_t began_us = clock_monotonic_us();
	int rc = real_of(file)->pMethods->xSync(real_of(file), flags);

	pacer_synced(&pacer_of(file)->pacer);
	if (pacer_of(file)->is_log)
		histogram_add_us(sync_histogram, clock_monotonic_us() - began_us);
	return rc;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int lock)
{
	return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int file_unlock(sqlite3_file *file, int lock)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int file_check_reserved(sqlite3_file *file, int *out)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int file_sector_size(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_characteristics(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int delete)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), delete);
}

static int file_fetch(sqlite3_file *file, sqlite3_int64 at, int size, void **out)
{
	return real_of(file)->pMethods->xFetch(real_of(file), at, size, out);
}

static int file_unfetch(sqlite3_file *file, sqlite3_int64 at, void *page)
{
	return real_of(file)->pMethods->xUnfetch(real_of(file), at, page);
}

#define COMMON_METHODS                                                                         \
	.xClose = file_close, .xRead = file_read, .xWrite = file_write,                        \
	.xTruncate = file_truncate, .xSync = file_sync, .xFileSize = file_size,                \
	.xLock = file_lock, .xUnlock = file_unlock, .xCheckReservedLock = file_check_reserved, \
	.xFileControl = file_control, .xSectorSize = file_sector_size,                         \
	.xDeviceCharacteristics = file_characteristics
#define SHM_METHODS                                                                          \
	.xShmMap = file_shm_map, .xShmLock = file_shm_lock, .xShmBarrier = file_shm_barrier, \
	.xShmUnmap = file_shm_unmap

/* By what the file below can do: SQLite asks for the version, not for each. */
static const sqlite3_io_methods plain_methods = {.iVersion = 1, COMMON_METHODS};
static const sqlite3_io_methods shm_methods = {.iVersion = 2, COMMON_METHODS, SHM_METHODS};
static const sqlite3_io_methods all_methods = {
	.iVersion = 3, COMMON_METHODS, SHM_METHODS, .xFetch = file_fetch, .xUnfetch = file_unfetch};

static const sqlite3_io_methods *methods_over(const sqlite3_io_methods *real)
{
	if (real->iVersion < 2 || !real->xShmMap)
		return &plain_methods;
	return real->iVersion < 3 || !real->xFetch ? &shm_methods : &all_methods;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		    int *out_flags)
{
	struct pacer_file *pacer = pacer_of(file);

	(void)vfs;
	/* Journals of the first transaction and temporary files need no pace. */
	if (!(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
		return below->xOpen(below, name, file, flags, out_flags);
	pacer->base.pMethods = NULL;
	pacer->real = (sqlite3_file *)(void *)(pacer + 1);
	pacer->is_log = flags & SQLITE_OPEN_WAL;
	opened_fd = -1;
	int rc = below->xOpen(below, name, pacer->real, flags, out_flags);
	if (pacer->real->pMethods)
		pacer->base.pMethods = methods_over(pacer->real->pMethods);
	pacer_init(&pacer->pacer, rc == SQLITE_OK ? opened_fd : -1);
	return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	(void)vfs;
	return below->xDelete(below, name, sync_folder);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	(void)vfs;
	return below->xAccess(below, name, flags, out);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	return below->xFullPathname(below, name, size, out);
}

static int vfs_randomness(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	return below->xRandomness(below, size, out);
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return below->xSleep(below, us);
}

static int vfs_time(sqlite3_vfs *vfs, double *out)
{
	(void)vfs;
	return below->xCurrentTime(below, out);
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	return below->xGetLastError(below, size, out);
}

static int vfs_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	(void)vfs;
	return below->xCurrentTimeInt64(below, out);
}

static void wrap_system_open(void)
{
	sqlite3_vfs *unix_vfs = sqlite3_vfs_find("unix");

	if (!unix_vfs || unix_vfs->iVersion < 3 || !unix_vfs->xGetSystemCall)
		return;
	system_open = unix_vfs->xGetSystemCall(unix_vfs, "open");
	if (system_open)
		unix_vfs->xSetSystemCall(unix_vfs, "open", (sqlite3_syscall_ptr)learn_open);
}

static void set_up(void)
{
	wrap_system_open();
	sync_histogram = histogram_register_stage("sync");
}

const char *pacer_vfs_register(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	sqlite3_vfs *base = sqlite3_vfs_find(NULL);

	pthread_once(&once, set_up);
	if (!base)
		return NULL;
	below = base;
	shim = (sqlite3_vfs){
		.iVersion = base->iVersion < 2 ? base->iVersion : 2,
		.szOsFile = (int)sizeof(struct pacer_file) + base->szOsFile,
		.mxPathname = base->mxPathname,
		.pNext = shim.pNext,
		.zName = NAME,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_path,
		.xRandomness = vfs_randomness,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time,
		.xGetLastError = vfs_last_error,
		.xCurrentTimeInt64 = vfs_time_ms,
	};
	return sqlite3_vfs_register(&shim, 0) == SQLITE_OK ? NAME : NULL;
}

void pacer_vfs_stats(struct outbox_stats *stats)
{
	stats->sync_p50_us = histogram_quantile_us(sync_histogram, 0.5);
	stats->sync_p99_us = histogram_quantile_us(sync_histogram, 0.99);
}
