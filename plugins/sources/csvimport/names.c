/* What columns are called in the exports of address books, CRMs and lead ads. The fields
 * table knows what forms call them; here stands what only exports do. */
#include "csvimport.h"

#define LG_FIELD(id, path, type, limit, flags, names) path,
static const char *const paths[LG_FIELD_COUNT] = {
#include <leadgate/fields.def>
};
#undef LG_FIELD

static const struct {
	const char *name;
	int32_t meaning;
} known[] = {
	/* Outlook, Google Contacts, Facebook, Salesforce and HubSpot have several columns for
	 * one thing; the first that is filled in comes first. */
	{"business_email", LG_EMAIL},
	{"e_mail_1_value", LG_EMAIL},
	{"e_mail_2_address", LG_EMAIL},
	{"e_mail_2_value", LG_EMAIL},
	{"e_mail_3_address", LG_EMAIL},
	{"e_mail_3_value", LG_EMAIL},
	{"e_mail_address", LG_EMAIL},
	{"e_mail_adresse", LG_EMAIL},
	{"email_adresse", LG_EMAIL},
	{"primary_email", LG_EMAIL},
	{"secondary_email", LG_EMAIL},
	{"work_email", LG_EMAIL},
	{"business_phone", LG_PHONE},
	{"cell_phone", LG_PHONE},
	{"handy", LG_PHONE},
	{"handynummer", LG_PHONE},
	{"home_phone", LG_PHONE},
	{"mobil", LG_PHONE},
	{"mobile_number", LG_PHONE},
	{"mobile_phone_number", LG_PHONE},
	{"mobilephone", LG_PHONE},
	{"mobiltelefon", LG_PHONE},
	{"phone_1_value", LG_PHONE},
	{"phone_2_value", LG_PHONE},
	{"phone_3_value", LG_PHONE},
	{"primary_phone", LG_PHONE},
	{"telefonnummer", LG_PHONE},
	{"telephone_number", LG_PHONE},
	{"work_phone", LG_PHONE},
	{"work_phone_number", LG_PHONE},

	{"address_1_street", LG_STREET},
	{"business_street", LG_STREET},
	{"home_street", LG_STREET},
	{"mailing_street", LG_STREET},
	{"strasse", LG_STREET},
	{"address_1_city", LG_LOCALITY},
	{"business_city", LG_LOCALITY},
	{"home_city", LG_LOCALITY},
	{"mailing_city", LG_LOCALITY},
	{"ort", LG_LOCALITY},
	{"stadt", LG_LOCALITY},
	{"wohnort", LG_LOCALITY},
	{"address_1_region", LG_REGION},
	{"bundesland", LG_REGION},
	{"business_state", LG_REGION},
	{"home_state", LG_REGION},
	{"mailing_state", LG_REGION},
	{"mailing_state_province", LG_REGION},
	{"state_province", LG_REGION},
	{"state_region", LG_REGION},
	{"address_1_postal_code", LG_POSTAL_CODE},
	{"business_postal_code", LG_POSTAL_CODE},
	{"home_postal_code", LG_POSTAL_CODE},
	{"mailing_postal_code", LG_POSTAL_CODE},
	{"mailing_zip_postal_code", LG_POSTAL_CODE},
	{"post_code", LG_POSTAL_CODE},
	{"postalcode", LG_POSTAL_CODE},
	{"postleitzahl", LG_POSTAL_CODE},
	{"zip_postal_code", LG_POSTAL_CODE},
	{"address_1_country", LG_COUNTRY},
	{"business_country_region", LG_COUNTRY},
	{"country_region", LG_COUNTRY},
	{"home_country_region", LG_COUNTRY},
	{"land", LG_COUNTRY},
	{"mailing_country", LG_COUNTRY},
	{"preferred_language", LG_LANGUAGE},
	{"linkedin", COLUMN_LINKEDIN},
	{"linkedin_profile", COLUMN_LINKEDIN},
	{"linkedin_profile_url", COLUMN_LINKEDIN},
	{"linkedin_url", COLUMN_LINKEDIN},

	{"account_name", LG_ORGANIZATION_NAME},
	{"associated_company", LG_ORGANIZATION_NAME},
	{"company_account", LG_ORGANIZATION_NAME},
	{"firma", LG_ORGANIZATION_NAME},
	{"organization_1_name", LG_ORGANIZATION_NAME},
	{"unternehmen", LG_ORGANIZATION_NAME},
	{"jobtitle", LG_JOB_TITLE},
	{"organization_1_title", LG_JOB_TITLE},
	{"company_website", LG_WEBSITE},
	{"web_page", LG_WEBSITE},
	{"website_url", LG_WEBSITE},

	{"empfehler", LG_REFERRER_NAME},
	{"empfohlen_von", LG_REFERRER_NAME},
	{"referred_by_name", LG_REFERRER_NAME},
	{"referrer", COLUMN_REFERRER},
	{"referrer_full_name", LG_REFERRER_NAME},
	{"referred_by_email", LG_REFERRER_EMAIL},
	{"referrer_e_mail", LG_REFERRER_EMAIL},
	{"referrer_email_address", LG_REFERRER_EMAIL},
	{"empfehlungscode", LG_REFERRAL_CODE},
	{"referrer_code", LG_REFERRAL_CODE},

	{"create_date", LG_OCCURRED_AT},
	{"created_at", LG_OCCURRED_AT},
	{"created_date", LG_OCCURRED_AT},
	{"created_time", LG_OCCURRED_AT},
	{"submission_date", LG_OCCURRED_AT},
	{"submitted_at", LG_OCCURRED_AT},
	{"lead_id", LG_EXTERNAL_ID},
	{"leadgen_id", LG_EXTERNAL_ID},

	/* Of the gateway's own file of refused rows. */
	{"leadgate_line", COLUMN_IGNORED},
	{"leadgate_reason", COLUMN_IGNORED},
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

struct lg_slice names_plain(struct lg_request *request, struct lg_slice name)
{
	char *out = lg_allocate(request, name.length + LETTER_BYTES), *to = out;

	if (!out)
		return (struct lg_slice){NULL, 0};
	while (name.length) {
		size_t length = letters_take(&name, to);

		if (length != 1 || *to != LETTER_SIGN || (to > out && to[-1] != LETTER_SIGN))
			to += length;
	}
	if (to > out && to[-1] == LETTER_SIGN)
		to--;
	return (struct lg_slice){out, (size_t)(to - out)};
}

bool names_same(struct lg_slice plain, struct lg_slice name)
{
	bool between = false; /* what is one '_' when more comes */
	size_t at = 0;

	while (name.length) {
		char part[LETTER_BYTES];
		size_t length = letters_take(&name, part);

		if (length == 1 && part[0] == LETTER_SIGN) {
			between = at > 0;
			continue;
		}
		if (length && between && (at == plain.length || plain.data[at++] != LETTER_SIGN))
			return false;
		between = between && !length;
		if (!lg_slice_equal(lg_slice_cut(plain, at, length),
				    (struct lg_slice){part, length}))
			return false;
		at += length;
	}
	return at == plain.length;
}

int32_t names_meaning(struct lg_request *request, struct lg_slice plain)
{
	int32_t field;

	for (size_t i = 0; i < KNOWN; i++)
		if (lg_slice_is(plain, known[i].name))
			return known[i].meaning;
	field = lg_field_named(request, plain);
	return field >= 0 && field < LG_FIELD_COUNT ? field : COLUMN_EXTRA;
}

struct lg_slice names_path(int32_t meaning)
{
	switch (meaning) {
	case COLUMN_EXTRA: return LG_SLICE("extra");
	case COLUMN_IGNORED: return LG_SLICE("-");
	case COLUMN_CONSENT: return LG_SLICE("consent");
	case COLUMN_LINKEDIN: return LG_SLICE("person.profiles");
	case COLUMN_REFERRER: return LG_SLICE("referral.referrer_name");
	default: return lg_slice_from(paths[meaning]);
	}
}
