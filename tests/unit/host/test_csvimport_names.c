/* The csvimport plugin at its desk: columns by whatever their names are written with. */
#include "csv_desk.h"

#include <stdio.h>

#include "lead/field.h"

static int group_init(void **state)
{
	(void)state;
	field_setup();
	return 0;
}

/* In capitals, with accents behind their letters, with blanks of all kinds and none. */
static void test_names_beyond_ascii(void **state)
{
	static const struct lg_field_name names[] = {
		{LG_SLICE("Pr\u00e9nom"), LG_GIVEN_NAME, 0},
		{LG_SLICE("Gr\u00f6\u00dfe"), LG_EMPLOYEES, 0},
		{LG_SLICE("\u0422\u0435\u043b\u0435\u0444\u043e\u043d\u043d\u044b\u0439"), LG_PHONE,
		 0},
		{LG_SLICE("\u039f\u03bd\u03cc\u03bc\u03b1\u03c4\u03bf\u03c2"), LG_FAMILY_NAME, 0},
	};
	static const char *const headers[] = {
		"E\u2011Mail\u00a0,PR\u00c9NOM,GR\u00d6\u00dfE,"
		"\u0422\u0415\u041b\u0415\u0424\u041e\u041d\u041d\u042b\u0419,"
		"\u039f\u039d\u039f\u039c\u0391\u03a4\u039f\u03a3,GESCH\u00c4FTLICH",
		"email\u200b,\u2003Pre\u0301nom,Gro\u0308sse,"
		"\u0442\u0435\u043b\u0435\u0444\u043e\u043d\u043d\u044b\u0438\u0306,"
		"\u039f\u03bd\u03bf\u0301\u03bc\u03b1\u03c4\u03bf\u03c2,Gescha\u0308ftlich",
	};
	static const struct lg_slice ignored[] = {LG_SLICE("Gesch\u00e4ftlich")};
	struct lg_field_map map = {names, 4};
	struct lg_list ignore = {ignored, 1};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		char file[512];
		const char *text;

		csvimport_again(state);
		set_setting("fields", &map, sizeof(map));
		set_setting("ignore", &ignore, sizeof(ignore));
		snprintf(file, sizeof(file), "%s\na@b.c,Zo\u00eb,7,+49 1,Nu,x\n", headers[i]);
		text = read_text(file);
		HAS(text, "person.email=a@b.c\nperson.given_name=Zo\u00eb\n"
			  "organization.employees=7\nperson.phone=+49 1\nperson.family_name=Nu\n");
		LACKS(text, "extra");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names_beyond_ascii, csvimport_init,
						csvimport_fini),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_init, NULL);
}
