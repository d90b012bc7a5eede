/* The parts of the twilio plugin. Nothing here is seen outside of it. */
#ifndef TWILIO_H
#define TWILIO_H

#include <leadgate/source.h>
#include <leadgate/text.h>

struct settings {
	struct lg_slice tokens;
	struct lg_slice public_url;
	struct lg_map keywords;
	struct lg_slice answer;
	int64_t max_message; /* bytes of a request */
};

/* What a message is to the person's consent. */
enum wish { WISH_NONE, WISH_STOP, WISH_START, WISH_HELP };

/* A message, by the parameters of its request; slices live as long as that. Absent:
 * it did not come. */
struct message {
	const struct lg_pair *parameters; /* decoded, in the order of their bytes */
	size_t count;
	struct lg_slice sid;	 /* the vendor's id of it */
	struct lg_slice from;	 /* the number, without "whatsapp:" */
	struct lg_slice body;	 /* what was written */
	struct lg_slice profile; /* the name in a messenger */
	enum wish wish;
};

/* ---- message.c ----------------------------------------------------------------------- */

/* Reads the parameters, wherever they stand. False: they cannot be read, or there are
 * too many. */
bool message_read(struct lg_request *request, const struct lg_request_info *info,
		  struct message *message);

/* Whether the body is JSON, not a form. */
bool message_is_json(struct lg_request *request);

/* Whether a parameter is shown elsewhere in the lead than under its own name. */
bool message_shows(struct lg_slice name);

/* An email address that stands in a text by itself, and no other one does. Absent
 * without one. */
struct lg_slice message_email(struct lg_slice text);

/* A name that stands behind "my name is" or "name:". Absent without one. */
struct lg_slice message_name(struct lg_slice text);

/* ---- signature.c ------------------------------------------------------------------------ */

/* Whether one of the tokens has signed the request (twilio.com/docs/usage/security). */
bool signature_fits(const struct settings *settings, struct lg_request *request,
		    const struct lg_request_info *info, const struct message *message,
		    struct lg_slice signature);

#endif
