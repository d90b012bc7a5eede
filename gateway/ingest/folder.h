/* A drop folder: files that are put into its `incoming` are imported through a source, one
 * at a time, in the order in which they were finished, and end in `done` or in `failed`.
 *
 * A file is taken when its size and its time have stayed the same for a while; from then
 * on it is in `working`, where a gateway that was killed finds it and goes on. Beside it
 * lie its refused rows (NAME.rejects.csv), and why it failed (NAME.reason.txt). Inner
 * header of ingest/; the errand thread. */
#ifndef INGEST_FOLDER_H
#define INGEST_FOLDER_H

#include "base/list.h"
#include "base/loop.h"
#include "ingest/ingest.h"

struct fetcher;

struct folder {
	struct list link;	/* struct folders */
	struct lg_slice source; /* its name */
	bool busy;		/* an import is under way */
	bool retired;		/* only that is still waited for */
};

/* For a source that has a folder, whose settings are copied. `fetcher`, `loop` and `turn`
 * outlive it; `turn` is posted when there may be something to do. NULL: no memory or
 * descriptors. */
struct folder *folder_new(struct fetcher *fetcher, const struct source *source, struct loop *loop,
			  struct loop_task *turn);
/* It is not busy. */
void folder_free(struct folder **folder);

/* Begins what is to be done. Returns the milliseconds until it is to be called again. */
int64_t folder_look(struct folder *folder);

/* Takes the import back that the end of the thread has given up, outside of the loop. */
void folder_end(struct folder *folder);

/* All that there are. A file that is being imported goes on when a generation ends, under
 * the next one; until then the folder's successor waits. */
struct folders {
	struct fetcher *fetcher;
	struct loop *loop;
	struct loop_task *turn;
	struct list all;
};
void folders_init(struct folders *folders, struct fetcher *fetcher, struct loop *loop,
		  struct loop_task *turn);
/* Retires those of the generation before, and opens those of this one. */
void folders_change(struct folders *folders, const struct ingest *ingest);
/* As folder_look, of all. */
int64_t folders_look(struct folders *folders);
/* When imports have ended: frees all. */
void folders_fini(struct folders *folders);

#endif
