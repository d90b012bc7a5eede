/* What waits in `incoming` of a drop folder: what was seen of each file, and which of those
 * that have settled comes next. Inner header of ingest/; the errand thread. */
#ifndef INGEST_FOLDER_INCOMING_H
#define INGEST_FOLDER_INCOMING_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Files that are looked at; others wait until these are gone. */
#define FOLDER_SIGHTINGS 256

/* What was last seen of a file. */
struct folder_sighting {
	ino_t inode;
	off_t size;
	struct timespec modified;
	int64_t since_ms; /* monotonic: for so long it has looked like that */
	bool seen;	  /* in this scan */
	bool stuck;	  /* it could not be taken: after the others */
};

/* All zero at first but for `settle_ms`. */
struct folder_incoming {
	int64_t settle_ms; /* for so long a file has to look the same */
	struct folder_sighting sightings[FOLDER_SIGHTINGS];
	size_t count;

	/* The file that is to be taken, as far as the scan has come. */
	char chosen[NAME_MAX + 1]; /* "": none */
	struct timespec arrived;
	struct folder_sighting *chosen_sighting;
};

/* Looks at the files of the folder, and names the one to be taken in `chosen`. `others`: how
 * many entries are no regular files. False with errno, and nothing is to be taken. */
bool folder_incoming_choose(struct folder_incoming *incoming, int folder, int64_t *others);

/* The chosen one cannot be taken: until it changes, it comes after the others. */
void folder_incoming_defer(struct folder_incoming *incoming);

#endif
