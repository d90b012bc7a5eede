#include "lead/country.h"

#include "base/alloc.h"
#include "lead/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

#define NAME_BYTES 96

/* Names beside ICU's, as text_plain gives them: common short forms, parts of a
 * state, and what a country's people call it. */
static const struct {
	const char *name, code[3];
} aliases[] = {
	{"america", "US"},
	{"usa", "US"},
	{"unitedstatesofamerica", "US"},
	{"uk", "GB"},
	{"greatbritain", "GB"},
	{"britain", "GB"},
	{"england", "GB"},
	{"scotland", "GB"},
	{"wales", "GB"},
	{"northernireland", "GB"},
	{"deutschland", "DE"},
	{"osterreich", "AT"},
	{"oesterreich", "AT"},
	{"schweiz", "CH"},
	{"suisse", "CH"},
	{"svizzera", "CH"},
	{"espana", "ES"},
	{"italia", "IT"},
	{"brasil", "BR"},
	{"nederland", "NL"},
	{"holland", "NL"},
	{"thenetherlands", "NL"},
	{"belgie", "BE"},
	{"belgique", "BE"},
	{"polska", "PL"},
	{"cesko", "CZ"},
	{"czechrepublic", "CZ"},
	{"slovensko", "SK"},
	{"magyarorszag", "HU"},
	{"romania", "RO"},
	{"sverige", "SE"},
	{"norge", "NO"},
	{"danmark", "DK"},
	{"suomi", "FI"},
	{"island", "IS"},
	{"eire", "IE"},
	{"republicofireland", "IE"},
	{"mexico", "MX"},
	{"southkorea", "KR"},
	{"korea", "KR"},
	{"republicofkorea", "KR"},
	{"northkorea", "KP"},
	{"russianfederation", "RU"},
	{"turkey", "TR"},
	{"turkiye", "TR"},
	{"ivorycoast", "CI"},
	{"burma", "MM"},
	{"macedonia", "MK"},
	{"swaziland", "SZ"},
	{"capeverde", "CV"},
	{"hongkong", "HK"},
	{"macau", "MO"},
	{"uae", "AE"},
	{"peoplesrepublicofchina", "CN"},
	{"nippon", "JP"},
	{"drcongo", "CD"},
	{"palestine", "PS"},
	{"vatican", "VA"},
};

struct entry {
	uint64_t hash; /* of the folded name */
	char code[3];
};

static struct entry *entries; /* by hash */
static size_t entry_count;
static pthread_once_t entries_once = PTHREAD_ONCE_INIT;

/* Which pairs of letters are codes. */
static bool known[26 * 26];
static pthread_once_t known_once = PTHREAD_ONCE_INIT;

/* FNV-1a in 64 bits: with 300 names another text hits one by chance once in 2^55. */
static uint64_t hash_of(struct lg_slice name)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < name.length; i++)
		hash = (hash ^ (unsigned char)name.data[i]) * 1099511628211u;
	return hash;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	return (one->hash > other->hash) - (one->hash < other->hash);
}

static void add_entry(struct lg_slice name, const char *code)
{
	struct entry *entry = &entries[entry_count++];

	entry->hash = hash_of(name);
	memcpy(entry->code, code, sizeof(entry->code));
}

static void add_icu_name(const char *code)
{
	UErrorCode error = U_ZERO_ERROR;
	UChar display[NAME_BYTES];
	char locale[4] = "_", text[NAME_BYTES], plain[NAME_BYTES];
	int32_t units, bytes = 0;

	memcpy(locale + 1, code, 3);
	units = uloc_getDisplayCountry(locale, "en", display, NAME_BYTES, &error);
	u_strToUTF8(text, sizeof(text), &bytes, display, units, &error);
	if (U_SUCCESS(error) && bytes > 2)
		add_entry(text_plain(slice_of(text, (size_t)bytes), plain, sizeof(plain)), code);
}

static void entries_make(void)
{
	const char *const *codes = uloc_getISOCountries();
	size_t count = 0, alias_count = sizeof(aliases) / sizeof(aliases[0]);

	while (codes[count])
		count++;
	entries = alloc_malloc((count + alias_count) * sizeof(*entries));
	if (!entries)
		return; /* names are not read then, and stay in `raw` */
	for (size_t i = 0; i < count; i++)
		add_icu_name(codes[i]);
	for (size_t i = 0; i < alias_count; i++)
		add_entry(slice_from(aliases[i].name), aliases[i].code);
	qsort(entries, entry_count, sizeof(*entries), compare_entries);
}

static void known_make(void)
{
	for (const char *const *code = uloc_getISOCountries(); *code; code++)
		known[((*code)[0] - 'A') * 26 + ((*code)[1] - 'A')] = true;
}

/* Upper case of `count` ASCII letters; false when others are among them. */
static bool letters(struct lg_slice text, size_t count, char *out)
{
	if (text.length != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		char c = text.data[i];

		out[i] = (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
		if (out[i] < 'A' || out[i] > 'Z')
			return false;
	}
	out[count] = '\0';
	return true;
}

static bool find_alpha3(const char *wanted, char out[3])
{
	for (const char *const *code = uloc_getISOCountries(); *code; code++) {
		char locale[4] = "_";

		memcpy(locale + 1, *code, 3);
		if (strcmp(uloc_getISO3Country(locale), wanted) == 0) {
			memcpy(out, *code, 3);
			return true;
		}
	}
	return false;
}

static bool find_name(struct lg_slice text, char out[3])
{
	struct entry wanted = {0};
	const struct entry *found;
	char plain[NAME_BYTES];
	struct lg_slice name = text_plain(text, plain, sizeof(plain));

	pthread_once(&entries_once, entries_make);
	if (!entries || name.length < 2)
		return false;
	wanted.hash = hash_of(name);
	found = bsearch(&wanted, entries, entry_count, sizeof(*entries), compare_entries);
	if (found)
		memcpy(out, found->code, 3);
	return found != NULL;
}

bool country_find(struct lg_slice text, char out[3])
{
	char code[4];

	text = slice_trim(text);
	pthread_once(&known_once, known_make);
	if (letters(text, 2, code) && known[(code[0] - 'A') * 26 + (code[1] - 'A')]) {
		memcpy(out, code, 3);
		return true;
	}
	if (letters(text, 3, code) && find_alpha3(code, out))
		return true;
	return find_name(text, out);
}
