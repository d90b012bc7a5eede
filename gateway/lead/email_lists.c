/* Lists of what addresses are made of. One word a line, sorted: bsearch reads them. */
#include "lead/email.h"

#include <stdlib.h>

static const char *const role_names[] = {
	"abuse",
	"accounts",
	"admin",
	"administrator",
	"ap",
	"billing",
	"booking",
	"bookings",
	"buchhaltung",
	"careers",
	"contact",
	"contato",
	"customerservice",
	"enquiries",
	"events",
	"feedback",
	"finance",
	"hello",
	"help",
	"helpdesk",
	"hi",
	"hostmaster",
	"hr",
	"info",
	"inquiries",
	"invoice",
	"invoices",
	"it",
	"jobs",
	"kontakt",
	"legal",
	"mail",
	"mailer-daemon",
	"marketing",
	"media",
	"news",
	"newsletter",
	"no-reply",
	"noc",
	"noreply",
	"office",
	"orders",
	"postmaster",
	"press",
	"privacy",
	"purchasing",
	"reception",
	"recruiting",
	"reservations",
	"root",
	"sales",
	"security",
	"service",
	"shop",
	"spam",
	"support",
	"team",
	"usenet",
	"verkauf",
	"vertrieb",
	"web",
	"webmaster",
	"www",
};

static const char *const free_domains[] = {
	"126.com",	  "163.com",	    "aol.com",	      "arcor.de",	"bk.ru",
	"bluewin.ch",	  "bol.com.br",	    "btinternet.com", "comcast.net",	"daum.net",
	"fastmail.com",	  "free.fr",	    "freenet.de",     "gmail.com",	"gmx.at",
	"gmx.ch",	  "gmx.com",	    "gmx.de",	      "gmx.net",	"googlemail.com",
	"hanmail.net",	  "hotmail.co.uk",  "hotmail.com",    "hotmail.de",	"hotmail.es",
	"hotmail.fr",	  "hotmail.it",	    "hushmail.com",   "icloud.com",	"inbox.com",
	"inbox.ru",	  "laposte.net",    "libero.it",      "list.ru",	"live.com",
	"live.de",	  "live.fr",	    "live.nl",	      "mac.com",	"mail.com",
	"mail.ru",	  "me.com",	    "msn.com",	      "naver.com",	"o2.pl",
	"online.de",	  "orange.fr",	    "outlook.com",    "outlook.de",	"outlook.es",
	"outlook.fr",	  "pm.me",	    "proton.me",      "protonmail.com", "qq.com",
	"rediffmail.com", "rocketmail.com", "sapo.pt",	      "seznam.cz",	"sina.com",
	"sky.com",	  "t-online.de",    "terra.com.br",   "tutanota.com",	"uol.com.br",
	"verizon.net",	  "virgilio.it",    "wanadoo.fr",     "web.de",		"wp.pl",
	"yahoo.ca",	  "yahoo.co.in",    "yahoo.co.jp",    "yahoo.co.uk",	"yahoo.com",
	"yahoo.com.br",	  "yahoo.de",	    "yahoo.es",	      "yahoo.fr",	"yahoo.it",
	"yandex.com",	  "yandex.ru",	    "ymail.com",      "zoho.com",
};

static const char *const disposable_domains[] = {
	"10minutemail.com",  "burnermail.io",	  "discard.email", "dispostable.com",
	"emailondeck.com",   "fakeinbox.com",	  "getnada.com",   "grr.la",
	"guerrillamail.com", "guerrillamail.net", "maildrop.cc",   "mailinator.com",
	"mailnesia.com",     "mintemail.com",	  "moakt.com",	   "mohmal.com",
	"mytemp.email",	     "sharklasers.com",	  "spam4.me",	   "spamgourmet.com",
	"temp-mail.org",     "tempmail.com",	  "tempr.email",   "throwawaymail.com",
	"trash-mail.com",    "trashmail.com",	  "yopmail.com",
};

static int compare_word(const void *key, const void *entry)
{
	const struct lg_slice *word = key;
	const char *const *text = entry;
	/* Most differ in their first letters. */
	int order = (unsigned char)word->data[0] - (unsigned char)**text;

	if (order == 0)
		order = strncmp(word->data, *text, word->length);
	return order ? order : -(int)((*text)[word->length] != '\0');
}

static bool listed(struct lg_slice word, const char *const *words, size_t count)
{
	return word.length > 0 && bsearch(&word, words, count, sizeof(words[0]), compare_word);
}

#define LISTED(word, words) listed((word), (words), sizeof(words) / sizeof((words)[0]))

bool email_identity_is_role(struct lg_slice identity)
{
	struct lg_slice local, domain;

	return email_split(identity, &local, &domain) && LISTED(local, role_names);
}

bool email_role(struct lg_slice email)
{
	char out[EMAIL_IDENTITY_BYTES];

	return email_identity_is_role(email_identity(email, out));
}

bool email_free(struct lg_slice email)
{
	struct lg_slice local, domain;

	return email_split(email, &local, &domain) && LISTED(domain, free_domains);
}

bool email_disposable(struct lg_slice email)
{
	struct lg_slice local, domain;

	return email_split(email, &local, &domain) && LISTED(domain, disposable_domains);
}
