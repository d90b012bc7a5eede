/* A VFS for the power-cut rig: passes everything on to the default one and
 * remembers, for each file, what a disk would have kept. A cut is a picture of
 * that at one moment: what was synced, of the writes since then a random
 * choice, torn at sectors. The process goes on as if nothing had happened, and the
 * picture is opened beside it; or it ends with the power. */
#ifndef TESTS_FAULT_CUT_VFS_H
#define TESTS_FAULT_CUT_VFS_H

#include <stdbool.h>
#include <stdint.h>

#define CUT_SECTOR_BYTES 512

/* Becomes the default VFS. Once, before any store is opened. */
void cut_vfs_register(void);

/* Forgets all files and begins to watch those below `folder`: what is in them
 * now counts as synced. */
void cut_vfs_watch(const char *folder);

/* Lets the power fail at the n-th write, sync, truncation or deletion from now
 * on, with 0 at once: `taken` (or NULL) is called there, before the picture is made,
 * with all of them held; the picture's files are then kept in memory. */
void cut_vfs_arm(uint64_t operations, uint64_t seed, void (*taken)(void));
bool cut_vfs_fired(void);

/* From now on a cut ends the process: the picture is written into the folder, no
 * thread writes or syncs any more, and SIGKILL comes, so that nothing else is done in
 * the end (a sanitizer would miss threads that were joined). The name is kept. */
void cut_vfs_end_in(const char *folder);

/* How many operations there were since cut_vfs_watch. */
uint64_t cut_vfs_operations(void);

/* Writes the picture's files into a folder. */
void cut_vfs_save(const char *folder);

#endif
