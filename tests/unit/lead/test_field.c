#include "unit.h"

static const char *path_of(const char *name)
{
	int field = field_by_name(slice_from(name));

	return field < 0 ? "none" : field_table[field].path;
}

static void names_lead_to_fields(void **state)
{
	static const struct {
		const char *name, *path;
	} rows[] = {
		{"email", "person.email"},
		{"E-Mail", "person.email"},
		{"e mail", "person.email"},
		{"your-email", "person.email"},
		{"Person.Email", "person.email"},
		{"person_email", "person.email"},
		{"PERSON-EMAIL", "person.email"},
		{"name", "person.full_name"},
		{"organization.name", "organization.name"},
		{"company", "organization.name"},
		{"Vorname", "person.given_name"},
		{"tel", "person.phone"},
		{"zip", "person.postal_code"},
		{"kind", "inquiry.kind"},
		{"inquiry_kind", "inquiry.kind"},
		{"utm_source", "attribution.last.utm_source"},
		{"gclid", "attribution.last.gclid"},
		{"landing_url", "attribution.last.landing_url"},
		{"attribution_last_gclid", "attribution.last.gclid"},
		{"ip", "client.ip"},
		{"region", "person.region"},
		{"code", "referral.code"},
		{"url", "organization.website"},
		{"page_url", "client.page_url"},
		{"products", "inquiry.products"},
		{"product", "inquiry.products"},
		/* set by the gateway alone, or by nobody */
		{"id", "none"},
		{"score", "none"},
		{"stage", "none"},
		{"status.stage", "none"},
		{"source_name", "none"},
		{"attribution.first.gclid", "none"},
		{"at", "none"},
		{"verified", "none"},
		{"", "none"},
		{"emai", "none"},
		{"emaill", "none"},
		{"person__email", "none"},
		{" email", "none"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(path_of(rows[i].name), rows[i].path);
}

static void every_path_leads_to_its_field(void **state)
{
	(void)state;
	for (int field = 0; field < LG_FIELD_COUNT; field++)
		assert_int_equal(field_by_path(slice_from(field_table[field].path)), field);
	assert_int_equal(field_by_path(LG_SLICE("person.Email")), -1);
	assert_int_equal(field_by_path(LG_SLICE("person_email")), -1);
	assert_int_equal(field_by_path(LG_SLICE("person")), -1);
	assert_int_equal(field_by_path(LG_SLICE("")), -1);
}

static void every_path_with_underscores_is_a_name(void **state)
{
	(void)state;
	for (int field = 0; field < LG_FIELD_COUNT; field++) {
		char name[64];
		size_t length = strlen(field_table[field].path);

		for (size_t i = 0; i <= length; i++)
			name[i] = (char)(field_table[field].path[i] == '.'
						 ? '_'
						 : field_table[field].path[i]);
		assert_int_equal(field_by_name(slice_from(name)),
				 field_table[field].host_only ? -1 : field);
	}
}

static void keys_are_the_last_parts_in_their_groups(void **state)
{
	(void)state;
	assert_string_equal(field_keys[LG_EMAIL].text, ",\"email\":");
	assert_string_equal(field_groups[field_keys[LG_EMAIL].group].open, ",\"person\":{");
	assert_int_equal(field_groups[field_keys[LG_ID].group].depth, 0);
	assert_int_equal(field_groups[field_keys[LG_EMAIL].group].depth, 1);
	assert_int_equal(field_groups[field_keys[LG_GCLID].group].depth, 2);
	assert_string_equal(field_groups[field_keys[LG_GCLID].group].open, ",\"last\":{");
	assert_int_equal(field_groups[field_keys[LG_GCLID].group].parent,
			 field_groups[field_keys[LG_FIRST_GCLID].group].parent);
	for (int field = 0; field < LG_FIELD_COUNT; field++)
		assert_int_equal(field_keys[field].length, strlen(field_keys[field].text));
}

static void setup_may_be_called_again(void **state)
{
	(void)state;
	field_setup();
	every_path_leads_to_its_field(state);
	assert_string_equal(path_of("email"), "person.email");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_lead_to_fields),
		cmocka_unit_test(every_path_leads_to_its_field),
		cmocka_unit_test(every_path_with_underscores_is_a_name),
		cmocka_unit_test(keys_are_the_last_parts_in_their_groups),
		cmocka_unit_test(setup_may_be_called_again),
	};

	field_setup();
	return RUN(tests);
}
