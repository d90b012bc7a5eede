#include "merge_row.h"

#define ELM_STREET "person.street=1 Elm St\nperson.locality=San Jose\nperson.postal_code=95110"

static const struct merge_row names_filled[] = {
	{"person.full_name=Anna Meier",
	 "person.full_name=Bernd Schmidt\nperson.given_name=Bernd\nperson.family_name=Schmidt\n"
	 "person.honorific_prefix=Herr\nperson.gender=m\nraw.person.gender=male",
	 "{\"kept\":{\"person.full_name\":\"Bernd Schmidt\",\"person.given_name\":\"Bernd\","
	 "\"person.family_name\":\"Schmidt\",\"person.honorific_prefix\":\"Herr\","
	 "\"person.gender\":\"m\",\"raw.person.gender\":\"male\"}}",
	 "person.full_name=Anna Meier"},
	{"person.full_name=Anna Meier",
	 "person.full_name=Dr. Anna Meier\nperson.given_name=Anna\nperson.family_name=Meier\n"
	 "person.honorific_prefix=Dr.\nperson.gender=f",
	 "{\"filled\":{\"person.given_name\":\"Anna\",\"person.family_name\":\"Meier\","
	 "\"person.honorific_prefix\":\"Dr.\",\"person.gender\":\"f\"},"
	 "\"kept\":{\"person.full_name\":\"Dr. Anna Meier\"}}",
	 "person.full_name=Anna Meier\nperson.given_name=Anna\nperson.family_name=Meier\n"
	 "person.honorific_prefix=Dr.\nperson.gender=f"},
	{"person.given_name=Anna", "person.full_name=Anna Meier",
	 "{\"filled\":{\"person.full_name\":\"Anna Meier\"}}",
	 "person.full_name=Anna Meier\nperson.given_name=Anna"},
	{"person.given_name=Anna", "person.family_name=Meier",
	 "{\"filled\":{\"person.family_name\":\"Meier\"}}",
	 "person.given_name=Anna\nperson.family_name=Meier"},
	{"person.family_name=Meier", "person.given_name=Anna",
	 "{\"filled\":{\"person.given_name\":\"Anna\"}}",
	 "person.given_name=Anna\nperson.family_name=Meier"},
	{"person.full_name=Anna\nperson.gender=f", "person.family_name=Meier\nperson.gender=m",
	 "{\"filled\":{\"person.family_name\":\"Meier\"},\"kept\":{\"person.gender\":\"m\"}}",
	 "person.full_name=Anna\nperson.family_name=Meier\nperson.gender=f"},
	{"person.family_name=Meier", "person.full_name=Anna",
	 "{\"filled\":{\"person.full_name\":\"Anna\"}}",
	 "person.full_name=Anna\nperson.family_name=Meier"},
	{"person.full_name=Anna\nperson.family_name=Meier",
	 "person.family_name=Meier\nperson.gender=f", "{\"kept\":{\"person.gender\":\"f\"}}",
	 "person.full_name=Anna\nperson.family_name=Meier"},
	{"person.full_name=Anna\nperson.family_name=Meier", "person.full_name=Anna Schmidt",
	 "{\"kept\":{\"person.full_name\":\"Anna Schmidt\"}}",
	 "person.full_name=Anna\nperson.family_name=Meier"},
	{"person.full_name=Anna", "person.given_name=Bernd",
	 "{\"kept\":{\"person.given_name\":\"Bernd\"}}", "person.full_name=Anna"},
	{"person.full_name=Anna Meier", "person.family_name=Schmidt",
	 "{\"kept\":{\"person.family_name\":\"Schmidt\"}}", "person.full_name=Anna Meier"},
	{"person.given_name=Anna", "person.given_name=Bernd\nperson.family_name=Meier",
	 "{\"kept\":{\"person.given_name\":\"Bernd\",\"person.family_name\":\"Meier\"}}",
	 "person.given_name=Anna"},
	{"person.full_name=Anna Meier", "person.family_name=Meier\nperson.honorific_prefix=Herr",
	 "{\"filled\":{\"person.family_name\":\"Meier\"},"
	 "\"kept\":{\"person.honorific_prefix\":\"Herr\"}}",
	 "person.full_name=Anna Meier\nperson.family_name=Meier"},
	{"person.full_name=Anna Meier", "person.honorific_prefix=Frau\nperson.gender=f",
	 "{\"filled\":{\"person.honorific_prefix\":\"Frau\",\"person.gender\":\"f\"}}",
	 "person.full_name=Anna Meier\nperson.honorific_prefix=Frau\nperson.gender=f"},
	{"person.email=a@x.org", "person.full_name=Bernd\nperson.gender=m",
	 "{\"filled\":{\"person.full_name\":\"Bernd\",\"person.gender\":\"m\"}}",
	 "person.email=a@x.org\nperson.full_name=Bernd\nperson.gender=m"},
};

static const struct merge_row names_latest[] = {
	{"person.full_name=Jane", "person.full_name=Joe\nperson.gender=m",
	 "{\"filled\":{\"person.gender\":\"m\"},\"overwritten\":{\"person.full_name\":{"
	 "\"from\":"
	 "\"Jane\",\"to\":\"Joe\"}}}",
	 "person.full_name=Joe\nperson.gender=m"},
	{"person.full_name=Anna Meier\nperson.given_name=Anna\nperson.family_name=Meier\n"
	 "person.honorific_prefix=Frau\nperson.gender=f",
	 "person.full_name=Bernd Schmidt\nperson.gender=m",
	 "{\"overwritten\":{"
	 "\"person.full_name\":{\"from\":\"Anna Meier\",\"to\":\"Bernd Schmidt\"},"
	 "\"person.given_name\":{\"from\":\"Anna\"},"
	 "\"person.family_name\":{\"from\":\"Meier\"},"
	 "\"person.honorific_prefix\":{\"from\":\"Frau\"},"
	 "\"person.gender\":{\"from\":\"f\",\"to\":\"m\"}}}",
	 "person.full_name=Bernd Schmidt\nperson.gender=m"},
	{"person.full_name=Anna Meier\nperson.given_name=Anna\nperson.family_name=Meier",
	 "person.given_name=ANNA",
	 "{\"overwritten\":{\"person.given_name\":{\"from\":\"Anna\",\"to\":\"ANNA\"}}}",
	 "person.full_name=Anna Meier\nperson.given_name=ANNA\nperson.family_name=Meier"},
	/* the second page of a form, sent twice */
	{"person.full_name=Anna\nperson.gender=f", "person.family_name=Meier",
	 "{\"filled\":{\"person.family_name\":\"Meier\"}}",
	 "person.full_name=Anna\nperson.family_name=Meier\nperson.gender=f"},
	{"person.full_name=Anna\nperson.family_name=Meier\nperson.gender=f",
	 "person.family_name=Meier", "{}",
	 "person.full_name=Anna\nperson.family_name=Meier\nperson.gender=f"},
	{"person.full_name=Anna\nperson.gender=f", "person.given_name=Bernd",
	 "{\"filled\":{\"person.given_name\":\"Bernd\"},\"overwritten\":{"
	 "\"person.full_name\":{\"from\":\"Anna\"},\"person.gender\":{\"from\":\"f\"}}}",
	 "person.given_name=Bernd"},
};

static const struct merge_row addresses_filled[] = {
	{"person.street=1 Elm St", "person.street=1 elm st\nperson.postal_code=12345",
	 "{\"filled\":{\"person.postal_code\":\"12345\"},\"kept\":{\"person.street\":\"1 elm "
	 "st\"}}",
	 "person.street=1 Elm St\nperson.postal_code=12345"},
	{"person.street=1 Elm St\nperson.country=US",
	 "person.street=2 Oak St\nperson.postal_code=12345\nperson.country=US",
	 "{\"kept\":{\"person.street\":\"2 Oak St\",\"person.postal_code\":\"12345\"}}",
	 "person.street=1 Elm St\nperson.country=US"},
	{"person.country=US", "person.locality=Bonn\nperson.country=DE",
	 "{\"kept\":{\"person.locality\":\"Bonn\",\"person.country\":\"DE\"}}",
	 "person.country=US"},
	/* a region does not tell: sources write it in their ways */
	{"person.region=CA\nperson.country=US",
	 ELM_STREET "\nperson.region=California\nperson.country=US",
	 "{\"filled\":{\"person.street\":\"1 Elm St\",\"person.locality\":\"San Jose\","
	 "\"person.postal_code\":\"95110\"},\"kept\":{\"person.region\":\"California\"}}",
	 ELM_STREET "\nperson.region=CA\nperson.country=US"},
	{"person.street=1 Elm St\nperson.region=Texas",
	 "person.street=2 Oak St\nperson.region=Oregon",
	 "{\"kept\":{\"person.street\":\"2 Oak St\",\"person.region\":\"Oregon\"}}",
	 "person.street=1 Elm St\nperson.region=Texas"},
	/* a country alone: fills the blank, but stands beside no other country's town */
	{ELM_STREET, "person.country=US", "{\"filled\":{\"person.country\":\"US\"}}",
	 ELM_STREET "\nperson.country=US"},
	{ELM_STREET "\nperson.country=US", "person.region=Bavaria\nperson.country=DE",
	 "{\"kept\":{\"person.region\":\"Bavaria\",\"person.country\":\"DE\"}}",
	 ELM_STREET "\nperson.country=US"},
	{"person.country=DE", "person.locality=Bonn\nperson.country=DE",
	 "{\"filled\":{\"person.locality\":\"Bonn\"}}", "person.locality=Bonn\nperson.country=DE"},
	{"person.country=DE", "person.locality=Bonn\nperson.region=NRW",
	 "{\"filled\":{\"person.locality\":\"Bonn\",\"person.region\":\"NRW\"}}",
	 "person.locality=Bonn\nperson.region=NRW\nperson.country=DE"},
	/* the same address in another spelling */
	{"person.locality=M\xc3\xbcnchen", "person.locality=M\xc3\x9cNCHEN\nperson.country=DE",
	 "{\"filled\":{\"person.country\":\"DE\"},\"kept\":{\"person.locality\":\"M\xc3\x9cNCHEN\"}"
	 "}",
	 "person.locality=M\xc3\xbcnchen\nperson.country=DE"},
	{"person.postal_code=SW1A 1AA", "person.locality=London\nperson.postal_code=sw1a1aa",
	 "{\"filled\":{\"person.locality\":\"London\"},\"kept\":{\"person.postal_code\":"
	 "\"sw1a1aa\"}}",
	 "person.locality=London\nperson.postal_code=SW1A 1AA"},
	{"person.postal_code=95110", "person.street=1 Elm St\nperson.postal_code=95110-1234",
	 "{\"filled\":{\"person.street\":\"1 Elm "
	 "St\"},\"kept\":{\"person.postal_code\":\"95110-1234\"}}",
	 "person.street=1 Elm St\nperson.postal_code=95110"},
	{"person.postal_code=SW1A 1AA", "person.locality=London\nperson.postal_code=SW1A",
	 "{\"filled\":{\"person.locality\":\"London\"},\"kept\":{\"person.postal_code\":\"SW1A\"}}",
	 "person.locality=London\nperson.postal_code=SW1A 1AA"},
	{"person.postal_code=1011", "person.locality=Berlin\nperson.postal_code=10115",
	 "{\"kept\":{\"person.locality\":\"Berlin\",\"person.postal_code\":\"10115\"}}",
	 "person.postal_code=1011"},
	{"person.street=---", "person.street=...\nperson.country=DE",
	 "{\"kept\":{\"person.street\":\"...\",\"person.country\":\"DE\"}}", "person.street=---"},
	{"person.street=1 Elm St",
	 "person.street=2 Oak St\nperson.country=DE\nraw.person.country=Germany",
	 "{\"kept\":{\"person.street\":\"2 Oak St\",\"person.country\":\"DE\","
	 "\"raw.person.country\":\"Germany\"}}",
	 "person.street=1 Elm St"},
};

static const struct merge_row addresses_latest[] = {
	{"person.street=1 Elm St\nperson.postal_code=12345\nperson.country=US",
	 "person.street=2 Oak St\nperson.country=US",
	 "{\"overwritten\":{\"person.street\":{\"from\":\"1 Elm St\",\"to\":\"2 Oak St\"},"
	 "\"person.postal_code\":{\"from\":\"12345\"}}}",
	 "person.street=2 Oak St\nperson.country=US"},
	{"person.locality=Bonn\nperson.country=DE", "person.postal_code=75001\nperson.country=FR",
	 "{\"filled\":{\"person.postal_code\":\"75001\"},\"overwritten\":{"
	 "\"person.locality\":{\"from\":\"Bonn\"},"
	 "\"person.country\":{\"from\":\"DE\",\"to\":\"FR\"}}}",
	 "person.postal_code=75001\nperson.country=FR"},
	{ELM_STREET "\nperson.region=CA\nperson.country=US", "person.region=California",
	 "{\"overwritten\":{\"person.region\":{\"from\":\"CA\",\"to\":\"California\"}}}",
	 ELM_STREET "\nperson.region=California\nperson.country=US"},
	{ELM_STREET "\nperson.region=CA", "person.street=2 Oak St\nperson.postal_code=95110",
	 "{\"overwritten\":{\"person.street\":{\"from\":\"1 Elm St\",\"to\":\"2 Oak St\"},"
	 "\"person.locality\":{\"from\":\"San Jose\"},"
	 "\"person.region\":{\"from\":\"CA\"}}}",
	 "person.street=2 Oak St\nperson.postal_code=95110"},
	{ELM_STREET "\nperson.country=US", "person.street=1 Elm St.",
	 "{\"overwritten\":{\"person.street\":{\"from\":\"1 Elm St\",\"to\":\"1 Elm "
	 "St.\"}}}",
	 "person.street=1 Elm St.\nperson.locality=San Jose\nperson.postal_code=95110\n"
	 "person.country=US"},
	{ELM_STREET, "person.postal_code=95110-1234",
	 "{\"overwritten\":{\"person.postal_code\":{\"from\":\"95110\",\"to\":\"95110-"
	 "1234\"}}}",
	 "person.street=1 Elm St\nperson.locality=San Jose\nperson.postal_code=95110-1234"},
	/* a country that could not be read stays beside no other street */
	{"person.street=1 Elm St\nraw.person.country=Utopia", "person.street=2 Oak St",
	 "{\"overwritten\":{\"person.street\":{\"from\":\"1 Elm St\",\"to\":\"2 Oak St\"},"
	 "\"raw.person.country\":{\"from\":\"Utopia\"}}}",
	 "person.street=2 Oak St"},
	{"person.street=1 Elm St\nraw.person.country=Utopia",
	 "person.street=2 Oak St\nraw.person.country=Elbonia",
	 "{\"overwritten\":{\"person.street\":{\"from\":\"1 Elm St\",\"to\":\"2 Oak St\"},"
	 "\"raw.person.country\":{\"from\":\"Utopia\",\"to\":\"Elbonia\"}}}",
	 "person.street=2 Oak St\nraw.person.country=Elbonia"},
	/* no place in it: it takes none away */
	{ELM_STREET "\nperson.region=CA\nperson.country=US",
	 "person.region=Bavaria\nperson.country=DE\nraw.person.country=Germany",
	 "{\"kept\":{\"person.region\":\"Bavaria\",\"person.country\":\"DE\","
	 "\"raw.person.country\":\"Germany\"}}",
	 ELM_STREET "\nperson.region=CA\nperson.country=US"},
	{ELM_STREET "\nperson.country=US", "person.country=US", "{}",
	 ELM_STREET "\nperson.country=US"},
	{"person.region=CA\nperson.country=US", "person.country=DE",
	 "{\"overwritten\":{\"person.region\":{\"from\":\"CA\"},"
	 "\"person.country\":{\"from\":\"US\",\"to\":\"DE\"}}}",
	 "person.country=DE"},
};

static void a_name_is_one_persons(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names_filled); i++)
		expect_merge(&names_filled[i], MERGE_FILL);
	for (size_t i = 0; i < COUNT(names_latest); i++)
		expect_merge(&names_latest[i], MERGE_LATEST);
}

static void an_address_is_one_thing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(addresses_filled); i++)
		expect_merge(&addresses_filled[i], MERGE_FILL);
	for (size_t i = 0; i < COUNT(addresses_latest); i++)
		expect_merge(&addresses_latest[i], MERGE_LATEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_one_persons),
		cmocka_unit_test(an_address_is_one_thing),
	};

	field_setup();
	return RUN(tests);
}
