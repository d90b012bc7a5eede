/* The parts of the csvimport plugin. Nothing here is seen outside of it. */
#ifndef CSVIMPORT_H
#define CSVIMPORT_H

#include <leadgate/source.h>
#include <leadgate/text.h>

struct settings {
	struct lg_field_map fields;
	struct lg_list ignore, columns;
	struct lg_map defaults;
	int32_t delimiter; /* position in DELIMITERS */
	int32_t dates;	   /* position in DATES */
	int32_t kind;	   /* position in LG_INQUIRY_KINDS */
	struct lg_slice charset;
	struct lg_slice consent_column, consent_purpose, consent_text, consent_version;
	struct lg_list consent_granted, consent_denied, consent_channels;
	int64_t max_row, max_columns;
};

#define DELIMITERS "auto|comma|semicolon|tab|pipe"
#define DATES "iso|day_first|month_first"
#define DATES_DAY_FIRST 1
#define DATES_MONTH_FIRST 2

struct instance {
	struct lg_host *host;
	const struct settings *settings;
};

/* What a column means: a field of the record, or one of these. */
#define COLUMN_EXTRA (-1)   /* nobody knows it: kept under its name */
#define COLUMN_IGNORED (-2) /* left out */
#define COLUMN_CONSENT (-3)
#define COLUMN_LINKEDIN (-4) /* the address of a profile */
#define COLUMN_REFERRER (-5) /* who referred, or the address of the page that did */

struct column {
	struct lg_slice name; /* as the file has it, or what it is called where it has none */
	bool unnamed;
	int32_t meaning;
	const char *prefix; /* that Facebook puts before its values; "" for none */
};

/* A value that each lead has whose row does not say it. */
struct fallback {
	int32_t field;
	struct lg_slice value;
};

struct reading {
	const struct instance *instance;
	struct lg_csv *csv;
	struct column *columns;
	size_t column_count;
	bool facebook; /* it is an export of lead ads */
	struct fallback *fallbacks;
	size_t fallback_count;
	struct lg_slice consent_channels; /* "email,sms" */
	int64_t start;			  /* of the first row, in the file … */
	struct lg_csv_place first;	  /* … and where that is */
	struct lg_csv_place place;	  /* where the next chunk begins, behind the first row */
	char position[32];		  /* that in words, for the journal */
};

/* ---- letters.c: letters as names are compared by them ---------------------------------- */

#define LETTER_BYTES 4
#define LETTER_SIGN '_'

/* Takes the first character off `rest`, which has one. Returns how many bytes of `out` it is
 * compared by, no more than were taken: a small letter (or two, for one such as ß) without its
 * accent, LETTER_SIGN for a blank or a sign, none for what nobody sees. */
size_t letters_take(struct lg_slice *rest, char out[LETTER_BYTES]);

/* ---- names.c: what columns are called ------------------------------------------------ */

/* A column's name as names are compared: small letters without accents, and one '_' for all that
 * stands between letters and digits. Of the request; absent: no memory. */
struct lg_slice names_plain(struct lg_request *request, struct lg_slice name);

/* Whether a name is this one, as names_plain made it. */
bool names_same(struct lg_slice plain, struct lg_slice name);

/* What a name, as names_plain made it, means in common exports; COLUMN_EXTRA: nobody
 * knows. */
int32_t names_meaning(struct lg_request *request, struct lg_slice plain);

/* The path of a field in the record, or the word for what else a column is. */
struct lg_slice names_path(int32_t meaning);

/* ---- columns.c: what the columns of one file mean ------------------------------------- */

/* All of these are called by header_find, on its thread. What they allocate is of the
 * request and lives until read_close; `file` says what the operator maps. */

/* How many of these names, as a line has them, are known; one alone counts when it is a
 * contact. Changes nothing; without memory a name is not known. */
size_t columns_known(struct lg_request *request, const struct lg_file *file,
		     const struct reading *reading, const struct lg_slice *names, size_t count);

/* Gives the reading a column for each of the names, which are copied: what it means, what its
 * values begin with in an export of Facebook's, and whether the file is one. False: no
 * memory. */
bool columns_fill(struct lg_request *request, const struct lg_file *file, struct reading *reading,
		  const struct lg_slice *names, size_t count);

/* Whether all that the operator maps is there, and a column by which a person is reached.
 * `line` is where the names stand. False with a sentence, which quotes what was mapped. */
bool columns_check(struct lg_request *request, const struct lg_file *file,
		   const struct reading *reading, int64_t line, struct lg_text problem);

/* ---- header.c: the line that names the columns --------------------------------------- */

/* Finds it, fills the reading and what `out` says of the file. False with a sentence,
 * which quotes nothing of the file but names of columns. */
bool header_find(struct lg_request *request, const struct lg_file *file, struct reading *reading,
		 struct lg_reading *out, struct lg_text problem);

/* ---- row.c: from a record to a lead ---------------------------------------------------- */

/* Adds the item that a record is, or none where it is empty. False: there is no room for
 * it now. */
bool row_add(struct lg_request *request, struct reading *reading, const struct lg_csv_row *row);

/* ---- day.c: times as spreadsheets write them -------------------------------------------- */

/* A time in any form that lg_time knows, and without seconds; 31.12.2026 15:04;
 * with slashes as `dates` says, and with AM or PM. False: it is none. */
bool day_read(struct lg_request *request, struct lg_slice text, int32_t dates, int64_t *at);

#endif
