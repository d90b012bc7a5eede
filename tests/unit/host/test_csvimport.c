/* The csvimport plugin at its desk: what it makes of files. */
#include "csv_desk.h"

#include <stdio.h>

#include "lead/field.h"

static int group_init(void **state)
{
	(void)state;
	field_setup();
	return 0;
}

/* ---- columns ------------------------------------------------------------------------ */

static void test_a_list(void **state)
{
	(void)state;
	assert_string_equal(
		read_text("First Name,Last Name,E-Mail,Telefon,Shoe size,Company / Account\n"
			  "Ada,Lovelace,ada@x.y,\"+49 30 1\",38,\"Engines, Inc.\"\n"
			  "\n"
			  "Charles,,cb@x.y\n"),
		"line 2: Ada,Lovelace,ada@x.y,\"+49 30 1\",38,\"Engines, Inc.\"\n"
		"person.given_name=Ada\n"
		"person.family_name=Lovelace\n"
		"person.email=ada@x.y\n"
		"person.phone=+49 30 1\n"
		"extra Shoe size=38\n"
		"organization.name=Engines, Inc.\n"
		"inquiry.kind=other\n"
		"line 4: Charles,,cb@x.y\n"
		"person.given_name=Charles\n"
		"person.email=cb@x.y\n"
		"inquiry.kind=other\n");
}

static void test_what_is_said_of_a_file(void **state)
{
	static const struct {
		const char *column, *meaning;
	} want[] = {{"Vorname", "person.given_name"},
		    {"E-Mail-Adresse", "person.email"},
		    {"Ort", "person.locality"},
		    {"Notiz", "extra"},
		    {"column_5", "extra"},
		    {"Intern", "-"}};

	(void)state;
	map_column("intern", "-");
	assert_string_equal(open_file(LG_SLICE("Vorname;E-Mail-Adresse;Ort;Notiz; ;Intern\r\n"
					       "Zo\xeb;a@b.c;;;;\r\n"),
				      NULL),
			    "");
	assert_true(slice_is(csv_desk.reading.dialect, "semicolons, windows-1252"));
	assert_true(slice_is(csv_desk.reading.delimiter, ";"));
	assert_true(slice_is(csv_desk.reading.header, "leadgate_line;leadgate_reason;"
						      "Vorname;E-Mail-Adresse;Ort;Notiz; ;Intern"));
	assert_int_equal(csv_desk.reading.column_count, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_true(slice_is(csv_desk.reading.columns[i].name, want[i].column));
		assert_true(slice_is(csv_desk.reading.columns[i].value, want[i].meaning));
	}
}

static void test_the_operator_maps(void **state)
{
	static const struct lg_field_name names[] = {{{"partner", 7}, LG_REFERRER_NAME, 0},
						     {{"email", 5}, LG_EMAIL, 0}};
	static const struct lg_slice ignored[] = {{"Secret", 6}};
	struct lg_field_map map = {names, 2};
	struct lg_list ignore = {ignored, 1};

	(void)state;
	set_setting("fields", &map, sizeof(map));
	set_setting("ignore", &ignore, sizeof(ignore));
	map_column("E-Mail", "referral.referrer_email");
	map_column("Contact", "e_mail");
	assert_string_equal(read_text("e_mail\tPARTNER\tcontact\tsecret\nr@x.y\tAda\ta@b.c\t42\n"),
			    "line 2: r@x.y\tAda\ta@b.c\t42\nreferral.referrer_email=r@x.y\n"
			    "referral.referrer_name=Ada\nperson.email=a@b.c\ninquiry.kind=other\n");
}

static void test_several_addresses(void **state)
{
	(void)state;
	assert_string_equal(read_text("Name,E-mail 1 - Value,E-mail 2 - Value,Business Phone,"
				      "Mobile Phone,name,LinkedIn URL\n"
				      "Ada,a@b.c ::: d@e.f,a@b.c,,+49 1,Ada L,https://x.y/ada\n"),
			    "line 2: Ada,a@b.c ::: d@e.f,a@b.c,,+49 1,Ada L,https://x.y/ada\n"
			    "person.full_name=Ada\n"
			    "person.email=a@b.c\n"
			    "person.other_emails+=d@e.f\n"
			    "person.phone=+49 1\n"
			    "extra name=Ada L\n"
			    "profile linkedin  https://x.y/ada\n"
			    "inquiry.kind=other\n");
}

static void test_defaults(void **state)
{
	static const struct lg_pair pairs[] = {{{"referral.program", 16}, {"spring", 6}},
					       {{"country", 7}, {"DE", 2}},
					       {{"products", 8}, {"engine", 6}}};
	struct lg_map map = {pairs, 3};

	(void)state;
	set_setting("defaults", &map, sizeof(map));
	set_choice("kind", 7);
	assert_string_equal(read_text("email,country,kind\na@b.c,,\nd@e.f,FR,quote\n"),
			    "line 2: a@b.c,,\nperson.email=a@b.c\nreferral.program=spring\n"
			    "person.country=DE\ninquiry.products+=engine\ninquiry.kind=referral\n"
			    "line 3: d@e.f,FR,quote\nperson.email=d@e.f\nperson.country=FR\n"
			    "inquiry.kind=quote\nreferral.program=spring\n"
			    "inquiry.products+=engine\n");
}

static void test_referrers(void **state)
{
	const char *text = read_text("email,Referrer\na@b.c,Eve Adams\n"
				     "d@e.f,HTTPS://shop.example/x?y=z\n");

	HAS(text, "person.email=a@b.c\nreferral.referrer_name=Eve Adams\n");
	HAS(text, "person.email=d@e.f\nattribution.last.referrer_url=HTTPS://shop.example/x?y=z\n");
	csvimport_again(state);
	map_column("Referrer", "referral.referrer_name");
	HAS(read_text("email,Referrer\nd@e.f,https://shop.example/\n"),
	    "referral.referrer_name=https://shop.example/\n");
}

static void test_values_of_spreadsheets(void **state)
{
	const char *text = read_text("email,phone,zip,note\n"
				     "a@b.c,'+49 1,\"=\"\"01234\"\"\",'-'\n");

	(void)state;
	HAS(text, "person.phone=+49 1\n");
	HAS(text, "person.postal_code=01234\n");
	HAS(text, "extra note=-'\n");
}

/* ---- where the header is --------------------------------------------------------------- */

static void test_header_below_titles(void **state)
{
	(void)state;
	HAS(read_text("Leads, March; all of them\n\nNotes: \"none\"\n\nName;Email\nAda;a@b.c\n"),
	    "line 6: Ada;a@b.c\nperson.full_name=Ada\nperson.email=a@b.c\n");
	/* Words in a row may be names of columns elsewhere. */
	csvimport_again(state);
	HAS(read_text("E-Mail;x;y\na@b.c;1;2\nd@e.f;Mobile;Company\n"),
	    "line 2: a@b.c;1;2\nperson.email=a@b.c\nextra x=1\n");
}

static void test_no_header(void **state)
{
	static const struct lg_slice names[] = {{"email", 5}, {"name", 4}, {"a \"b\"", 5}};
	struct lg_list list = {names, 3};

	(void)state;
	set_setting("columns", &list, sizeof(list));
	HAS(read_text("a@b.c|Ada|x\nd@e.f|Bob|y\n"),
	    "line 1: a@b.c|Ada|x\nperson.email=a@b.c\nperson.full_name=Ada\nextra a \"b\"=x\n");
	assert_true(slice_is(csv_desk.reading.header,
			     "leadgate_line|leadgate_reason|\"email\"|\"name\"|\"a \"\"b\"\"\""));
	HAS(open_file(LG_SLICE("a@b.c;Ada\n"), NULL), "the 3 columns");
	/* Its own refused rows have a header. */
	assert_string_equal(
		open_file(LG_SLICE("leadgate_line,leadgate_reason,email,name,a\n"), NULL), "");
	assert_int_equal(csv_desk.reading.column_count, 5);
	assert_true(slice_is(csv_desk.reading.columns[0].value, "-"));
}

static void test_no_file_of_leads(void **state)
{
	static const struct {
		struct lg_slice file;
		const char *says;
	} bad[] = {
		{LG_SLICE(""), "the file is empty"},
		{LG_SLICE("a,b,c\n1,2,3\n"), "no line at the top"},
		{LG_SLICE("first name,last name\nAda,L\n"), "no column of line 1 holds an email"},
		{LG_SLICE("PK\x03\x04zip"), "workbook"},
		{LG_SLICE("\"email,name\na@b.c,Ada\n"), "no line at the top"},
		{LG_SLICE("\"email,name\na@b.c,Ada\n"),
		 "; line 1: a quote that opens field 1 in line 1 is"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		HAS(open_file(bad[i].file, NULL), bad[i].says);
	set_text("charset", "utf-7");
	HAS(open_file(LG_SLICE("email\na@b.c\n"), NULL), "utf-7");
}

static void test_a_header_that_is_too_long(void **state)
{
	static char file[70000];
	int64_t row = 256 << 10;

	(void)state;
	set_setting("max_row", &row, sizeof(row));
	memset(file, 'x', sizeof(file) - 1);
	memcpy(file, "email,", 6);
	HAS(open_file(slice_from(file), NULL), "line 1 does not end within the first 65536 bytes");
	memset(file, '\n', 9);
	memcpy(file + 50000, "\na@b.c\n", 7);
	HAS(open_file(slice_from(file), NULL), "no line at the top");
}

static void test_wrong_maps(void **state)
{
	static const struct lg_pair pairs[] = {{{"shoe", 4}, {"38", 2}}};
	struct lg_map map = {pairs, 1};

	(void)state;
	map_column("Mial", "email");
	HAS(open_file(LG_SLICE("email,name\n"), NULL), "no column \"Mial\"");
	csvimport_again(state);
	map_column("name", "person.nonsense");
	HAS(open_file(LG_SLICE("email,name\n"), NULL), "\"person.nonsense\" is no field");
	csvimport_again(state);
	set_setting("defaults", &map, sizeof(map));
	HAS(open_file(LG_SLICE("email,name\n"), NULL), "names \"shoe\"");
	assert_null(desk.instance); /* before there is a file */
}

/* ---- what exports bring ------------------------------------------------------------------ */

static const char facebook[] =
	"id\tcreated_time\tad_id\tad_name\tcampaign_id\tcampaign_name\tform_id\tis_organic\t"
	"platform\twhat_do_you_want?\temail\tfull_name\tphone_number\tpost_code\n"
	"l:4711\t2025-09-12T15:05:13+05:30\tag:1\tBlue\tc:2\tSpring\tf:3\tfalse\tig\tA lot\t"
	"a@b.c\tAda L\tp:+49301\tz:01234\n"
	"l:4712\t2025-09-12T15:05:13+05:30\t\t\t\t\tf:3\ttrue\tfb\t\t"
	"test@meta.com\t<test lead: dummy data for full_name>\tp:<test lead: dummy>\t\n";

static void test_facebook(void **state)
{
	const char *text = read_text(facebook);

	(void)state;
	HAS(text, "source.external_id=4711\nkey 1 4711\n"
		  "occurred_at=2025-09-12T09:35:13.000Z\nextra ad_id=1\nextra ad_name=Blue\n"
		  "extra campaign_id=2\nextra campaign_name=Spring\nextra form_id=3\n");
	HAS(text, "person.email=a@b.c\nperson.full_name=Ada L\nperson.phone=+49301\n"
		  "person.postal_code=01234\nattribution.last.utm_source=instagram\n"
		  "attribution.last.utm_medium=paid_social\nattribution.last.utm_campaign=Spring\n"
		  "attribution.last.utm_content=Blue\n");
	HAS(text, "is_test=true\n");
	HAS(text, "attribution.last.utm_source=facebook\ninquiry.kind=other\n");
}

/* As the source meta has it of the same lead. */
static void test_facebook_with_tracking_parameters(void **state)
{
	const char *text = read_text("id\tcreated_time\tad_id\tad_name\tcampaign_name\tform_id\t"
				     "platform\tutm_source\tutm_medium\tutm_content\temail\n"
				     "l:4711\t\tag:1\tBlue\tSpring\tf:3\tfb\tfb-feed\t\tvideo-7\t"
				     "a@b.c\n");

	(void)state;
	HAS(text, "attribution.last.utm_source=fb-feed\nattribution.last.utm_content=video-7\n"
		  "person.email=a@b.c\nattribution.last.utm_medium=paid_social\n"
		  "attribution.last.utm_campaign=Spring\ninquiry.kind=other\n");
}

/* Without a header its values have the same marks, and its refused rows, which have one,
 * are read as the others were. */
static void test_facebook_without_a_header(void **state)
{
	static const struct lg_slice names[] = {{"id", 2},	{"created_time", 12}, {"ad_id", 5},
						{"form_id", 7}, {"email", 5},	      {"phone", 5}};
	static const char want[] = "source.external_id=4711\nkey 1 4711\n";
	struct lg_list list = {names, 6};
	const char *text;

	set_setting("columns", &list, sizeof(list));
	text = read_text("l:4711,2025-09-12T15:05:13+05:30,ag:1,f:3,a@b.c,p:+49301\n");
	HAS(text, want);
	HAS(text, "person.phone=+49301\n");
	csvimport_again(state);
	set_setting("columns", &list, sizeof(list));
	HAS(read_text("leadgate_line,leadgate_reason,id,created_time,ad_id,form_id,email,phone\n"
		      "1,x,l:4711,2025-09-12T15:05:13+05:30,ag:1,f:3,a@b.c,p:+49301\n"),
	    want);
}

static void test_an_id_is_no_delivery_key_by_its_name_alone(void **state)
{
	(void)state;
	HAS(read_text("id,email\n7,a@b.c\n"), "extra id=7\n");
	csvimport_again(state);
	map_column("id", "external_id");
	HAS(read_text("id,email\n7,a@b.c\n"), "source.external_id=7\nkey 1 7\n");
}

static void test_dates(void **state)
{
	static const struct {
		const char *text;
		int32_t dates;
		const char *says;
	} days[] = {
		{"2026-02-03", 0, "occurred_at=2026-02-03T00:00:00.000Z"},
		{"2026-02-03 14:05", 0, "occurred_at=2026-02-03T14:05:00.000Z"},
		{"2026-02-03T14:05:06+01:00", 0, "occurred_at=2026-02-03T13:05:06.000Z"},
		{"2026/2/3 4:05", 0, "occurred_at=2026-02-03T04:05:00.000Z"},
		{"3.2.2026", 0, "occurred_at=2026-02-03T00:00:00.000Z"},
		{"03.02.2026 14:05:06", 2, "occurred_at=2026-02-03T14:05:06.000Z"},
		{"3/2/2026", 0, "extra created_at=3/2/2026"},
		{"3/2/2026", 1, "occurred_at=2026-02-03T00:00:00.000Z"},
		{"2/3/2026, 2:05 PM", 2, "occurred_at=2026-02-03T14:05:00.000Z"},
		{"2/3/2026 12:05 am", 2, "occurred_at=2026-02-03T00:05:00.000Z"},
		{"2/3/2026 14:05 PM", 2, "extra created_at=2/3/2026 14:05 PM"},
		{"31.2.2026", 0, "extra created_at=31.2.2026"},
		{"0/0/00", 1, "extra created_at=0/0/00"},
		{"yesterday", 1, "extra created_at=yesterday"},
		{"1770000000", 0, "occurred_at=2026-02-02T02:40:00.000Z"},
	};

	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		char file[128];

		csvimport_again(state);
		set_choice("dates", days[i].dates);
		snprintf(file, sizeof(file), "email,created_at\na@b.c,\"%s\"\n", days[i].text);
		HAS(read_text(file), days[i].says);
	}
}

static void test_consent_is_never_assumed(void **state)
{
	static const struct lg_slice yes[] = {{"yes", 3}, {"Ja", 2}}, no[] = {{"no", 2}};
	static const struct lg_slice ways[] = {{"email", 5}, {"sms", 3}};
	struct lg_list granted = {yes, 2}, denied = {no, 1}, channels = {ways, 2};
	static const char file[] = "email,Newsletter opt-in,consent\na@b.c,YES,yes\nd@e.f,no,yes\n"
				   "g@h.i,perhaps,yes\nj@k.l,,yes\n";
	const char *text = read_text(file);

	LACKS(text, "consent 1");
	HAS(text, "extra consent=yes\n");
	csvimport_again(state);
	set_text("consent_column", "newsletter OPT in");
	set_setting("consent_granted", &granted, sizeof(granted));
	set_setting("consent_denied", &denied, sizeof(denied));
	set_setting("consent_channels", &channels, sizeof(channels));
	set_text("consent_text", "Write to me");
	text = read_text(file);
	HAS(text, "person.email=a@b.c\nextra Newsletter opt-in=YES\n"
		  "consent 1 marketing by email,sms: Write to me v\n");
	HAS(text, "extra Newsletter opt-in=no\nconsent 2 marketing by email,sms");
	HAS(text, "extra Newsletter opt-in=perhaps\nextra consent=yes\n");
}

static void test_check(void **state)
{
	static const struct lg_slice yes[] = {{"yes", 3}};
	static char way[LG_CONSENT_WORD_MAX + 1];
	static const struct lg_slice ways[] = {{way, sizeof(way)}};
	struct lg_list words = {yes, 1}, channels = {ways, 1};
	struct lg_text problem = {csv_desk.problem, sizeof(csv_desk.problem)};

	(void)state;
	assert_int_equal(plugin_csvimport.source->check(desk.settings, problem), LG_OK);
	set_text("consent_column", "opt in");
	assert_int_equal(plugin_csvimport.source->check(desk.settings, problem), LG_FAIL);
	HAS(csv_desk.problem, "consent_granted");
	set_setting("consent_granted", &words, sizeof(words));
	assert_int_equal(plugin_csvimport.source->check(desk.settings, problem), LG_OK);
	memset(way, 'x', sizeof(way));
	set_setting("consent_channels", &channels, sizeof(channels));
	assert_int_equal(plugin_csvimport.source->check(desk.settings, problem), LG_FAIL);
	HAS(csv_desk.problem, "consent_channels has 256 bytes; a consent has room for 255");
	set_text("consent_purpose", "");
	assert_int_equal(plugin_csvimport.source->check(desk.settings, problem), LG_FAIL);
	set_text("consent_column", "");
	assert_int_equal(plugin_csvimport.source->check(desk.settings, problem), LG_FAIL);
	HAS(csv_desk.problem, "consent_column");
}

/* ---- rows that are none --------------------------------------------------------------------- */

static void test_bad_rows_go_alone(void **state)
{
	(void)state;
	assert_string_equal(
		read_text("email,name\na@b.c,Ada,,\n;;\nd@e.f,Bob,x\nemail,name\n , \n"
			  "g@h.i,\"C\nh"),
		"line 2: a@b.c,Ada,,\nperson.email=a@b.c\nperson.full_name=Ada\n"
		"inquiry.kind=other\n"
		"line 3: ;;\nperson.email=;;\ninquiry.kind=other\n"
		"reject 4: d@e.f,Bob,x (column 3: there is a value beyond the 2 columns "
		"of the header)\n"
		"ignore the header again\n"
		"reject 7: \"g@h.i,\"\"C\nh\" (a quote that opens field 2 in line 7 is not "
		"closed: 2 lines up to the end of the file are taken for its text)\n");
}

/* As it was at the top of another file: with its mark, and with columns of no name. */
static void test_the_header_again(void **state)
{
	static const char *const headers[] = {
		"email,,name\n",
		"\xef\xbb\xbf\"email\",person,name\n",
		"\xef\xbb\xbf\"email\",\"\",\"name\"\n",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		const char *text;
		char file[256];

		snprintf(file, sizeof(file), "%sa@b.c,x,Ada\n%sd@e.f,,Bob\n", headers[i],
			 headers[i]);
		csvimport_again(state);
		text = read_text(file);
		HAS(text, "ignore the header again\n");
		HAS(text, "person.email=d@e.f\n");
		LACKS(text, "person.email=email");
		LACKS(text, "reject");
	}
}

static void test_too_much_for_a_lead(void **state)
{
	char file[1024] = "email", row[512] = "a@b.c";

	(void)state;
	for (int i = 0; i < 12; i++) {
		snprintf(file + strlen(file), 32, ",x%d", i);
		snprintf(row + strlen(row), 32, ",%d", i);
	}
	snprintf(file + strlen(file), 1024 - strlen(file), "\n%s\n%s\n", row, row);
	const char *text = read_text(file);
	HAS(text, "extra x9=9\n");
	LACKS(text, "log 1 ");
	LACKS(text, "extra x10");
}

/* The gateway cuts what a field cannot hold. */
static void test_an_address_that_is_too_long(void **state)
{
	char long_one[400], file[1024], extra[512];

	(void)state;
	memset(long_one, '1', sizeof(long_one));
	long_one[sizeof(long_one) - 1] = '\0';
	snprintf(file, sizeof(file), "email,phone\na@b.c,%s\n", long_one);
	snprintf(extra, sizeof(extra), "extra phone=%s\n", long_one);
	HAS(read_text(file), extra);
}

/* ---- chunks ------------------------------------------------------------------------------------ */

/* The story is the same however the file is cut, and also when batches hold one item and
 * all is forgotten behind each but the position. */
static void test_chunks_and_batches(void **state)
{
	static const char lines[] = "Title\nemail,name,note\na@b.c,Ada,\"two\nlines\"\n\n"
				    "bad,row,is,long\n\"d@e.f\",Zo\xc3\xab,x\nlast@x.y";
	struct lg_slice file = slice_from(lines);
	char whole[4096];

	snprintf(whole, sizeof(whole), "%s", read_file(file, file.length));
	HAS(whole, "line 8: last@x.y\n");
	for (size_t bytes = 1; bytes <= file.length; bytes++)
		for (int once = 0; once < 2; once++) {
			csvimport_again(state);
			if (once)
				csv_desk.room = 1;
			assert_string_equal(read_file(file, bytes), whole);
		}
	csvimport_again(state);
	HAS(open_file(file, "12x"), "position");
	HAS(open_file(file, "+"), "position");
	assert_string_equal(open_file(file, "12+"), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, csvimport_init, csvimport_fini)
	const struct CMUnitTest tests[] = {
		TEST(test_a_list),
		TEST(test_what_is_said_of_a_file),
		TEST(test_the_operator_maps),
		TEST(test_several_addresses),
		TEST(test_defaults),
		TEST(test_referrers),
		TEST(test_values_of_spreadsheets),
		TEST(test_header_below_titles),
		TEST(test_no_header),
		TEST(test_no_file_of_leads),
		TEST(test_a_header_that_is_too_long),
		TEST(test_wrong_maps),
		TEST(test_facebook),
		TEST(test_facebook_with_tracking_parameters),
		TEST(test_facebook_without_a_header),
		TEST(test_an_id_is_no_delivery_key_by_its_name_alone),
		TEST(test_dates),
		TEST(test_consent_is_never_assumed),
		TEST(test_check),
		TEST(test_bad_rows_go_alone),
		TEST(test_the_header_again),
		TEST(test_too_much_for_a_lead),
		TEST(test_an_address_that_is_too_long),
		TEST(test_chunks_and_batches),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_init, NULL);
}
