#include "twilio.h"

#include <stdlib.h>

/* ---- parameters --------------------------------------------------------------------- */

bool message_is_json(struct lg_request *request)
{
	struct lg_slice type = {NULL, 0};

	return lg_header(request, "content-type", 0, &type) == LG_OK &&
	       lg_slice_is(lg_slice_trim(lg_slice_part(&type, ';')), "application/json");
}

static int compare(struct lg_slice a, struct lg_slice b)
{
	size_t both = a.length < b.length ? a.length : b.length;
	int order = both ? memcmp(a.data, b.data, both) : 0;

	return order ? order : (a.length > b.length) - (a.length < b.length);
}

static int compare_pairs(const void *a, const void *b)
{
	const struct lg_pair *p = a, *q = b;
	int order = compare(p->name, q->name);

	return order ? order : compare(p->value, q->value);
}

/* As the signature wants them, and so that a message whose parameters come in another
 * order is the same message. */
static void keep_sorted(struct message *message, struct lg_pair *pairs)
{
	qsort(pairs, message->count, sizeof(*pairs), compare_pairs);
	message->parameters = pairs;
}

static bool read_form(struct lg_request *request, struct lg_slice bytes, struct message *message)
{
	struct lg_pair *pairs;
	struct lg_form *form;

	if (lg_form(request, bytes, &form) != LG_OK)
		return false;
	message->count = lg_form_count(request, form);
	pairs = lg_allocate(request, (message->count + 1) * sizeof(*pairs));
	if (!pairs)
		return false;
	for (size_t i = 0; i < message->count; i++)
		lg_form_pair(request, form, i, &pairs[i]);
	keep_sorted(message, pairs);
	return true;
}

/* The members that are texts or numbers. */
static bool read_json(struct lg_request *request, struct lg_slice bytes, struct message *message)
{
	const struct lg_json *root, *part;
	struct lg_pair *pairs;
	char ignored[64];
	size_t count = 0;

	if (lg_json(request, bytes, &root, (struct lg_text){ignored, sizeof(ignored)}) != LG_OK ||
	    lg_json_kind(request, root) != LG_JSON_OBJECT)
		return false;
	for (part = lg_json_first(request, root); part; part = lg_json_next(request, part))
		count++;
	pairs = lg_allocate(request, (count + 1) * sizeof(*pairs));
	if (!pairs)
		return false;
	for (part = lg_json_first(request, root); part; part = lg_json_next(request, part)) {
		int32_t kind = lg_json_kind(request, part);

		if (kind == LG_JSON_STRING || kind == LG_JSON_NUMBER)
			pairs[message->count++] = (struct lg_pair){lg_json_name(request, part),
								   lg_json_text(request, part)};
	}
	keep_sorted(message, pairs);
	return true;
}

static struct lg_slice parameter(const struct message *message, const char *name)
{
	for (size_t i = 0; i < message->count; i++)
		if (lg_slice_equal(message->parameters[i].name, lg_slice_from(name)))
			return message->parameters[i].value;
	return (struct lg_slice){NULL, 0};
}

static struct lg_slice first_parameter(const struct message *message, const char *const names[])
{
	struct lg_slice value = {NULL, 0};

	for (size_t i = 0; names[i] && !value.length; i++)
		value = lg_slice_trim(parameter(message, names[i]));
	return value;
}

/* ---- wishes ---------------------------------------------------------------------------- */

/* The words on which Twilio acts by itself: the whole message, in any case. */
static const struct {
	const char *word;
	enum wish wish;
} words[] = {
	{"stop", WISH_STOP},   {"stopall", WISH_STOP}, {"unsubscribe", WISH_STOP},
	{"cancel", WISH_STOP}, {"end", WISH_STOP},     {"quit", WISH_STOP},
	{"optout", WISH_STOP}, {"revoke", WISH_STOP},  {"start", WISH_START},
	{"yes", WISH_START},   {"unstop", WISH_START}, {"help", WISH_HELP},
	{"info", WISH_HELP},
};

static enum wish wish_of(struct lg_slice text)
{
	text = lg_slice_trim(text);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (lg_slice_is(text, words[i].word))
			return words[i].wish;
	return WISH_NONE;
}

/* With Advanced Opt-Out the account chooses the words, and OptOutType says it. */
static enum wish read_wish(const struct message *message)
{
	struct lg_slice type = parameter(message, "OptOutType");

	return type.length ? wish_of(type) : wish_of(message->body);
}

/* "whatsapp:+49…" is the number of a messenger's user. */
static struct lg_slice without_messenger(struct lg_slice from)
{
	const char *colon = lg_slice_find(from, ":");

	return colon ? lg_slice_cut(from, (size_t)(colon - from.data) + 1, from.length) : from;
}

bool message_read(struct lg_request *request, const struct lg_request_info *info,
		  struct message *message)
{
	static const char *const sids[] = {"MessageSid", "SmsMessageSid", "SmsSid", NULL};
	static const char *const senders[] = {"From", NULL};
	static const char *const profiles[] = {"ProfileName", NULL};
	bool get = lg_slice_equal(info->method, LG_SLICE("GET")), read;

	memset(message, 0, sizeof(*message));
	read = get			  ? read_form(request, info->query, message)
	       : message_is_json(request) ? read_json(request, info->body, message)
					  : read_form(request, info->body, message);
	if (!read)
		return false;
	message->sid = first_parameter(message, sids);
	message->from = without_messenger(first_parameter(message, senders));
	message->body = parameter(message, "Body");
	message->profile = first_parameter(message, profiles);
	message->wish = read_wish(message);
	return true;
}

bool message_shows(struct lg_slice name)
{
	/* The last two come when another URL has failed: it is the same message. */
	static const char *const names[] = {
		"MessageSid", "SmsMessageSid", "SmsSid",     "From",	  "Body",    "ProfileName",
		"ApiVersion", "SmsStatus",     "bodySHA256", "ErrorCode", "ErrorUrl"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (lg_slice_equal(name, lg_slice_from(names[i])))
			return true;
	return false;
}

/* ---- what people write of themselves --------------------------------------------------- */

static bool is_letter(char c)
{
	return (lg_lower(c) >= 'a' && lg_lower(c) <= 'z') || (unsigned char)c >= 0x80;
}

/* Without the marks that stand around a word: "(ada@example.com)," */
static struct lg_slice bare(struct lg_slice word)
{
	while (word.length && strchr("<([\"'", word.data[0]))
		word = lg_slice_cut(word, 1, word.length);
	while (word.length && strchr(">)]\"',.;:!?", word.data[word.length - 1]))
		word.length--;
	return word;
}

/* One '@' with something before it and a dotted name behind it. */
static bool is_address(struct lg_slice word)
{
	struct lg_slice domain = word, local = lg_slice_part(&domain, '@');

	if (!local.length || domain.length < 3 || lg_slice_find(domain, "@"))
		return false;
	return lg_slice_find(lg_slice_cut(domain, 1, domain.length - 2), ".") != NULL;
}

struct lg_slice message_email(struct lg_slice text)
{
	struct lg_slice found = {NULL, 0}, word;

	while ((word = lg_slice_word(&text)).length) {
		if (lg_slice_is(lg_slice_cut(word, 0, 7), "mailto:"))
			word = lg_slice_cut(word, 7, word.length);
		word = bare(word);
		if (!is_address(word))
			continue;
		if (found.data && !lg_slice_same(found, word))
			return (struct lg_slice){NULL, 0}; /* whose is which? */
		found = word;
	}
	return found;
}

/* What names are said with. "name:" says whose it is only at the start of a line: not
 * that of a company, a project or a dog. */
static const struct {
	const char *words;
	bool starts_line;
} introductions[] = {
	{"my name is ", false},
	{"name: ", true},
	{"full name: ", true},
	{"name is ", true},
};

/* Whether words may begin at `at`: at the start of a line, or behind a blank. */
static bool may_begin(struct lg_slice text, size_t at, bool starts_line)
{
	return at == 0 || text.data[at - 1] == '\n' ||
	       (!starts_line && lg_is_space(text.data[at - 1]));
}

/* Behind the words of an introduction; absent: they do not stand there. */
static struct lg_slice behind(struct lg_slice text, const char *opening, bool starts_line)
{
	size_t length = strlen(opening);

	for (size_t i = 0; i + length < text.length; i++)
		if (may_begin(text, i, starts_line) &&
		    lg_slice_is(lg_slice_cut(text, i, length), opening))
			return lg_slice_cut(text, i + length, text.length);
	return (struct lg_slice){NULL, 0};
}

/* A word of a name has a capital letter, or one beyond ASCII, and letters and "'-."
 * behind it. */
static bool is_name_word(struct lg_slice word)
{
	if (!word.length || !is_letter(word.data[0]) ||
	    (word.data[0] >= 'a' && word.data[0] <= 'z'))
		return false;
	for (size_t i = 1; i < word.length; i++)
		if (!is_letter(word.data[i]) && !strchr("'-.", word.data[i]))
			return false;
	return true;
}

static bool is_one_of(const char *const list[], struct lg_slice word)
{
	while (*list && !lg_slice_is(word, *list))
		list++;
	return *list != NULL;
}

/* One letter, or several with dots between: "F", "J.R.R". */
static bool is_initial(struct lg_slice word)
{
	for (size_t i = 0; i < word.length;) {
		if (!is_letter(word.data[i++]))
			return false;
		while (i < word.length && ((unsigned char)word.data[i] & 0xc0) == 0x80)
			i++;
		if (i < word.length && word.data[i++] != '.')
			return false;
	}
	return true;
}

/* Whether nothing but a dot, which shortens it, stands behind the word. */
static bool is_shortened(struct lg_slice raw, struct lg_slice word)
{
	const char *end = word.data + word.length;

	return raw.data + raw.length == end + 1 && *end == '.';
}

/* The dot of a title or an initial may have ended the sentence: "Jane D. Please call". */
static bool begins_sentence(struct lg_slice word)
{
	static const char *const openings[] = {
		"i",	 "i'm",	       "i'd",	  "we",	   "my",    "you",   "please",
		"call",	 "can",	       "could",	  "do",	   "is",    "are",   "the",
		"this",	 "text",       "thanks",  "thank", "what",  "when",  "how",
		"need",	 "looking",    "send",	  "where", "who",   "let",   "hi",
		"hello", "interested", "regards", "ich",   "bitte", "danke", NULL};

	return is_one_of(openings, word);
}

/* Whether the words behind one are what it does something to: "Send me", "Selling my car",
 * not "Smith from Acme". */
static bool has_object(struct lg_slice rest)
{
	static const char *const objects[] = {"me", "us",  "my",  "our",  "a", "an",
					      "it", "the", "you", "your", NULL};

	return is_one_of(objects, bare(lg_slice_word(&rest)));
}

/* Whether a word behind the dot of a title or of an initial is the next sentence's. Behind a
 * title stands a name, be it "Ms. Do". */
static bool begins_anew(struct lg_slice raw, struct lg_slice word, struct lg_slice rest,
			bool initial)
{
	static const char *const surnames[] = {"do", "who", "call", "let", NULL};
	bool surname = !initial && is_one_of(surnames, word);

	if (begins_sentence(word) && !surname)
		return true;
	return (initial || surname) && word.length == raw.length && has_object(rest);
}

/* As many words of a name as stand there, to the end of their sentence; titles before
 * them are no more than that. */
static struct lg_slice take_name(struct lg_slice text)
{
	static const char *const titles[] = {"dr", "prof", "mr",  "mrs",  "ms",	 "mx", "hr",
					     "fr", "st",   "ing", "dipl", "rev", NULL};
	struct lg_slice rest = lg_slice_part(&text, '\n'), name = {NULL, 0};
	bool dotted = false, initial = false;

	for (int count = 0; count < 4;) {
		struct lg_slice raw = lg_slice_word(&rest), word = bare(raw);
		bool shortened = word.length && is_shortened(raw, word);

		if (!is_name_word(word) || (dotted && begins_anew(raw, word, rest, initial)))
			break;
		if (!name.data)
			name.data = word.data;
		dotted = shortened;
		initial = shortened && is_initial(word);
		if (shortened && is_one_of(titles, word))
			continue;
		name.length = (size_t)(word.data - name.data) + word.length;
		if (word.length != raw.length && !initial)
			break;
		count++;
	}
	return name;
}

struct lg_slice message_name(struct lg_slice text)
{
	struct lg_slice name = {NULL, 0};

	for (size_t i = 0; i < sizeof(introductions) / sizeof(introductions[0]) && !name.length;
	     i++)
		name = take_name(
			behind(text, introductions[i].words, introductions[i].starts_line));
	return name;
}
