#include "cut_vfs.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/outbox/kit.h"

/* A write, or with data == NULL a truncation to `at`, that was not synced yet. */
struct pending {
	struct pending *next;
	int64_t at, size;
	uint8_t *data;
};

struct image {
	uint8_t *data;
	int64_t size, capacity;
	bool there; /* has a name in the folder */
};

/* What the disk knows of one file. */
struct disk_file {
	struct disk_file *next;
	char *path;
	struct image synced, picture;
	struct pending *first, **last;
	bool deleted; /* by name, which the disk may not know yet */
};

struct cut_file {
	sqlite3_file base;
	sqlite3_file *real;
	struct disk_file *disk; /* NULL: not watched */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sqlite3_vfs cut_vfs, *below;
static struct disk_file *files;
static char watched[256];
static uint64_t operations, fire_at, randomness;
static bool fired;
static void (*when_taken)(void);
static const char *ends_in; /* folder of the picture; NULL: the process goes on */

/* ---- random choices, from a seed ---- */

static uint64_t choose(uint64_t below_this)
{
	randomness ^= randomness << 13;
	randomness ^= randomness >> 7;
	randomness ^= randomness << 17;
	return (randomness >> 11) % below_this;
}

/* ---- images ---- */

static void image_resize(struct image *image, int64_t size)
{
	if (size > image->capacity) {
		image->capacity = size + size / 4 + 4096;
		image->data = realloc(image->data, (size_t)image->capacity);
		if (!image->data)
			kit_fail("not enough memory for an image of the disk");
	}
	if (size > image->size)
		memset(image->data + image->size, 0, (size_t)(size - image->size));
	image->size = size;
}

static void image_write(struct image *image, int64_t at, const uint8_t *data, int64_t size)
{
	if (at + size > image->size)
		image_resize(image, at + size);
	memcpy(image->data + at, data, (size_t)size);
}

static void image_copy(struct image *to, const struct image *from)
{
	to->size = 0;
	image_resize(to, from->size);
	if (from->size)
		memcpy(to->data, from->data, (size_t)from->size);
	to->there = from->there;
}

static void drop_pending(struct disk_file *file)
{
	while (file->first) {
		struct pending *pending = file->first;
		file->first = pending->next;
		free(pending->data);
		free(pending);
	}
	file->last = &file->first;
}

static void add_pending(struct disk_file *file, int64_t at, const void *data, int64_t size)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	pending->at = at;
	pending->size = size;
	if (data) {
		pending->data = malloc((size_t)size);
		memcpy(pending->data, data, (size_t)size);
	}
	*file->last = pending;
	file->last = &pending->next;
}

/* ---- what the disk does ---- */

static void apply_whole(struct image *image, const struct pending *pending)
{
	if (pending->data)
		image_write(image, pending->at, pending->data, pending->size);
	else
		image_resize(image, pending->at);
}

/* Each sector by itself arrives or does not. */
static void apply_torn(struct image *image, const struct pending *pending)
{
	int64_t done = 0;

	while (done < pending->size) {
		int64_t at = pending->at + done;
		int64_t part = CUT_SECTOR_BYTES - at % CUT_SECTOR_BYTES;
		if (part > pending->size - done)
			part = pending->size - done;
		if (choose(2))
			image_write(image, at, pending->data + done, part);
		done += part;
	}
}

static void forget_name(struct disk_file *file)
{
	drop_pending(file);
	image_resize(&file->synced, 0);
	file->synced.there = false;
}

/* The first sync of a new file syncs its folder (SQLite does so), and with it
 * the deletions before. */
static void sync_folder(void)
{
	for (struct disk_file *file = files; file; file = file->next)
		if (file->deleted)
			forget_name(file);
}

static void sync_file(struct disk_file *file)
{
	if (!file->synced.there && !file->deleted)
		sync_folder();
	for (struct pending *p = file->first; p; p = p->next)
		apply_whole(&file->synced, p);
	file->synced.there = !file->deleted;
	drop_pending(file);
}

/* In a picture nearly all, nearly nothing or half of what was not synced has
 * arrived, and some of it torn. */
static void take_file(struct disk_file *file, uint64_t arrive_percent)
{
	image_copy(&file->picture, &file->synced);
	if (!file->synced.there && choose(100) < arrive_percent)
		file->picture.there = true;
	for (struct pending *p = file->first; p; p = p->next) {
		if (choose(100) >= arrive_percent)
			continue;
		if (p->data && choose(4) == 0)
			apply_torn(&file->picture, p);
		else
			apply_whole(&file->picture, p);
	}
	if (file->deleted && choose(2))
		file->picture.there = false;
}

static void save_file(const struct disk_file *file, const char *folder)
{
	size_t size = (size_t)file->picture.size;
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", folder, file->path + strlen(watched));
	FILE *out = fopen(path, "wb");
	if (!out || (size && fwrite(file->picture.data, 1, size, out) != size) || fclose(out) != 0)
		kit_fail("%s cannot be written", path);
}

static void save_picture(const char *folder)
{
	for (struct disk_file *file = files; file; file = file->next)
		if (file->picture.there)
			save_file(file, folder);
}

static void cut(void)
{
	static const uint64_t percents[] = {0, 10, 50, 90, 100};

	if (when_taken)
		when_taken();
	uint64_t percent = percents[choose(5)];
	for (struct disk_file *file = files; file; file = file->next)
		take_file(file, percent);
	fired = true;
	if (!ends_in)
		return;
	save_picture(ends_in);
	kill(getpid(), SIGKILL);
	pause();
}

static void count_operation(void)
{
	if (++operations == fire_at)
		cut();
}

static struct disk_file *disk_file_for(const char *path)
{
	if (!path || !watched[0] || strncmp(path, watched, strlen(watched)) != 0 ||
	    strstr(path, "-shm"))
		return NULL;
	for (struct disk_file *file = files; file; file = file->next)
		if (strcmp(file->path, path) == 0)
			return file;
	struct disk_file *file = calloc(1, sizeof(*file));
	file->path = strdup(path);
	file->last = &file->first;
	file->next = files;
	return files = file;
}

/* ---- the VFS ---- */

static struct cut_file *cut_of(sqlite3_file *file)
{
	return (struct cut_file *)(void *)file;
}

#define REAL(file) (cut_of(file)->real)
#define CALL(file, method, ...) (REAL(file)->pMethods->method(REAL(file), ##__VA_ARGS__))

static int cut_close(sqlite3_file *file)
{
	return CALL(file, xClose);
}

static int cut_read(sqlite3_file *file, void *out, int size, sqlite3_int64 at)
{
	return CALL(file, xRead, out, size, at);
}

static int cut_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
	pthread_mutex_lock(&mutex);
	if (cut_of(file)->disk) {
		add_pending(cut_of(file)->disk, at, data, size);
		count_operation();
	}
	int rc = CALL(file, xWrite, data, size, at);
	pthread_mutex_unlock(&mutex);
	return rc;
}

static int cut_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	pthread_mutex_lock(&mutex);
	if (cut_of(file)->disk) {
		add_pending(cut_of(file)->disk, size, NULL, 0);
		count_operation();
	}
	int rc = CALL(file, xTruncate, size);
	pthread_mutex_unlock(&mutex);
	return rc;
}

/* The real files need no sync: the picture is the disk. */
static int cut_sync(sqlite3_file *file, int flags)
{
	(void)flags;
	pthread_mutex_lock(&mutex);
	if (cut_of(file)->disk) {
		count_operation();
		sync_file(cut_of(file)->disk);
	}
	pthread_mutex_unlock(&mutex);
	return SQLITE_OK;
}

static int cut_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return CALL(file, xFileSize, size);
}

static int cut_lock(sqlite3_file *file, int lock)
{
	return CALL(file, xLock, lock);
}

static int cut_unlock(sqlite3_file *file, int lock)
{
	return CALL(file, xUnlock, lock);
}

static int cut_check_reserved(sqlite3_file *file, int *out)
{
	return CALL(file, xCheckReservedLock, out);
}

static int cut_control(sqlite3_file *file, int operation, void *argument)
{
	return CALL(file, xFileControl, operation, argument);
}

static int cut_sector_size(sqlite3_file *file)
{
	(void)file;
	return CUT_SECTOR_BYTES;
}

static int cut_characteristics(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int cut_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	return CALL(file, xShmMap, page, size, extend, out);
}

static int cut_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	return CALL(file, xShmLock, offset, count, flags);
}

static void cut_shm_barrier(sqlite3_file *file)
{
	CALL(file, xShmBarrier);
}

static int cut_shm_unmap(sqlite3_file *file, int delete)
{
	return CALL(file, xShmUnmap, delete);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = cut_close,
	.xRead = cut_read,
	.xWrite = cut_write,
	.xTruncate = cut_truncate,
	.xSync = cut_sync,
	.xFileSize = cut_size,
	.xLock = cut_lock,
	.xUnlock = cut_unlock,
	.xCheckReservedLock = cut_check_reserved,
	.xFileControl = cut_control,
	.xSectorSize = cut_sector_size,
	.xDeviceCharacteristics = cut_characteristics,
	.xShmMap = cut_shm_map,
	.xShmLock = cut_shm_lock,
	.xShmBarrier = cut_shm_barrier,
	.xShmUnmap = cut_shm_unmap,
};

static int cut_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct cut_file *cut = cut_of(file);

	(void)vfs;
	cut->base.pMethods = NULL;
	cut->real = (sqlite3_file *)(void *)(cut + 1);
	int rc = below->xOpen(below, name, cut->real, flags, out);
	if (cut->real->pMethods)
		cut->base.pMethods = &methods;
	pthread_mutex_lock(&mutex);
	cut->disk = rc == SQLITE_OK ? disk_file_for(name) : NULL;
	if (cut->disk)
		cut->disk->deleted = false;
	pthread_mutex_unlock(&mutex);
	return rc;
}

static int cut_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	pthread_mutex_lock(&mutex);
	struct disk_file *file = disk_file_for(name);
	if (file) {
		count_operation();
		file->deleted = true;
		if (sync)
			forget_name(file);
	}
	int rc = below->xDelete(below, name, 0);
	pthread_mutex_unlock(&mutex);
	return rc;
}

void cut_vfs_register(void)
{
	below = sqlite3_vfs_find(NULL);
	cut_vfs = *below;
	cut_vfs.zName = "power-cut";
	cut_vfs.szOsFile = (int)sizeof(struct cut_file) + below->szOsFile;
	cut_vfs.xOpen = cut_open;
	cut_vfs.xDelete = cut_delete;
	if (sqlite3_vfs_register(&cut_vfs, 1) != SQLITE_OK)
		kit_fail("the VFS of the power-cut rig cannot be registered");
}

/* ---- the rig's side ---- */

static void forget_files(void)
{
	while (files) {
		struct disk_file *file = files;
		files = file->next;
		drop_pending(file);
		free(file->synced.data);
		free(file->picture.data);
		free(file->path);
		free(file);
	}
}

static void load(const char *path)
{
	FILE *in = fopen(path, "rb");
	struct disk_file *file = disk_file_for(path);
	uint8_t bytes[65536];
	size_t length;

	if (!in || !file)
		kit_fail("%s cannot be read", path);
	while ((length = fread(bytes, 1, sizeof(bytes), in)) > 0)
		image_write(&file->synced, file->synced.size, bytes, (int64_t)length);
	file->synced.there = true;
	fclose(in);
}

/* Shared memory, the lock and the control socket do not outlive the process. */
static bool is_kept(const char *path)
{
	return !strstr(path, "-shm") && !strstr(path, ".lock") && !strstr(path, ".sock");
}

void cut_vfs_watch(const char *folder)
{
	DIR *dir = opendir(folder);
	char path[600];

	pthread_mutex_lock(&mutex);
	forget_files();
	snprintf(watched, sizeof(watched), "%s/", folder);
	operations = fire_at = 0;
	fired = false;
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.' && is_kept(path))
			load(path);
	}
	if (dir)
		closedir(dir);
	pthread_mutex_unlock(&mutex);
}

void cut_vfs_arm(uint64_t after, uint64_t seed, void (*taken)(void))
{
	pthread_mutex_lock(&mutex);
	fire_at = operations + after;
	randomness = seed | 1;
	when_taken = taken;
	fired = false;
	if (after == 0)
		cut();
	pthread_mutex_unlock(&mutex);
}

void cut_vfs_end_in(const char *folder)
{
	pthread_mutex_lock(&mutex);
	ends_in = folder;
	pthread_mutex_unlock(&mutex);
}

bool cut_vfs_fired(void)
{
	pthread_mutex_lock(&mutex);
	bool answer = fired;
	pthread_mutex_unlock(&mutex);
	return answer;
}

uint64_t cut_vfs_operations(void)
{
	pthread_mutex_lock(&mutex);
	uint64_t answer = operations;
	pthread_mutex_unlock(&mutex);
	return answer;
}

void cut_vfs_save(const char *folder)
{
	pthread_mutex_lock(&mutex);
	save_picture(folder);
	pthread_mutex_unlock(&mutex);
}
