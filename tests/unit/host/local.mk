# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_LIBS_HOST) $(LG_UNIT)
check_PROGRAMS += %D%/test_descriptor
%C%_test_descriptor_LDADD = $(LG_LIBS_HOST) $(LG_UNIT)
check_PROGRAMS += %D%/test_instance
%C%_test_instance_LDADD = $(LG_LIBS_HOST) $(LG_UNIT)
check_PROGRAMS += %D%/test_library
%C%_test_library_LDADD = $(LG_LIBS_HOST) $(LG_UNIT)
check_PROGRAMS += %D%/test_once
%C%_test_once_LDADD = $(LG_LIBS_HOST) $(LG_UNIT)
check_PROGRAMS += %D%/test_services
%C%_test_services_LDADD = $(LG_LIBS_HOST) $(LG_UNIT)

LG_WEBFORM = plugins/sources/webform/answer.c plugins/sources/webform/body.c \
	plugins/sources/webform/cors.c plugins/sources/webform/fields.c \
	plugins/sources/webform/json_body.c plugins/sources/webform/page.c \
	plugins/sources/webform/webform.c
# The plugin itself, linked in under a name of its own, over services that write
# down what it does; only the fields table is lead's.
LG_DESK = tests/unit/host/source_desk.c tests/unit/host/readers.c
check_PROGRAMS += %D%/test_webform
%C%_test_webform_SOURCES = %D%/test_webform.c %D%/webform_desk.c $(LG_DESK) $(LG_WEBFORM)
%C%_test_webform_CPPFLAGS = $(AM_CPPFLAGS) -DLG_STATIC_NAME=plugin_webform
%C%_test_webform_LDADD = $(LG_LIBS_HOST) $(LG_LIBS_LEAD) $(LG_UNIT)
check_PROGRAMS += %D%/test_webform_kept
%C%_test_webform_kept_SOURCES = %D%/test_webform_kept.c %D%/webform_desk.c $(LG_DESK) \
	$(LG_WEBFORM)
%C%_test_webform_kept_CPPFLAGS = $(AM_CPPFLAGS) -DLG_STATIC_NAME=plugin_webform
%C%_test_webform_kept_LDADD = $(LG_LIBS_HOST) $(LG_LIBS_LEAD) $(LG_UNIT)
check_PROGRAMS += %D%/test_webform_cuts
%C%_test_webform_cuts_SOURCES = %D%/test_webform_cuts.c %D%/webform_desk.c $(LG_DESK) \
	$(LG_WEBFORM)
%C%_test_webform_cuts_CPPFLAGS = $(AM_CPPFLAGS) -DLG_STATIC_NAME=plugin_webform
%C%_test_webform_cuts_LDADD = $(LG_LIBS_HOST) $(LG_LIBS_LEAD) $(LG_UNIT)
check_PROGRAMS += %D%/test_webform_page
%C%_test_webform_page_SOURCES = %D%/test_webform_page.c %D%/webform_desk.c $(LG_DESK) \
	$(LG_WEBFORM)
%C%_test_webform_page_CPPFLAGS = $(AM_CPPFLAGS) -DLG_STATIC_NAME=plugin_webform
%C%_test_webform_page_LDADD = $(LG_LIBS_HOST) $(LG_LIBS_LEAD) $(LG_UNIT)

LG_META = plugins/sources/meta/answers.c plugins/sources/meta/graph.c \
	plugins/sources/meta/meta.c plugins/sources/meta/verdict.c plugins/sources/meta/webhook.c
check_PROGRAMS += %D%/test_meta
%C%_test_meta_SOURCES = %D%/test_meta.c $(LG_DESK) $(LG_META)
%C%_test_meta_CPPFLAGS = $(AM_CPPFLAGS) -DLG_STATIC_NAME=plugin_meta
%C%_test_meta_LDADD = $(LG_LIBS_HOST) $(LG_LIBS_LEAD) $(LG_UNIT)

LG_TWILIO = plugins/sources/twilio/message.c plugins/sources/twilio/signature.c \
	plugins/sources/twilio/twilio.c
check_PROGRAMS += %D%/test_twilio
%C%_test_twilio_SOURCES = %D%/test_twilio.c $(LG_DESK) $(LG_TWILIO)
%C%_test_twilio_CPPFLAGS = $(AM_CPPFLAGS) -DLG_STATIC_NAME=plugin_twilio
%C%_test_twilio_LDADD = $(LG_LIBS_HOST) $(LG_LIBS_LEAD) $(LG_UNIT)

check_PROGRAMS += %D%/test_google_ads
%C%_test_google_ads_SOURCES = %D%/test_google_ads.c $(LG_DESK) plugins/sources/google_ads.c
%C%_test_google_ads_CPPFLAGS = $(AM_CPPFLAGS) -DLG_STATIC_NAME=plugin_google_ads
%C%_test_google_ads_LDADD = $(LG_LIBS_HOST) $(LG_LIBS_LEAD) $(LG_UNIT)

LG_CSVIMPORT = plugins/sources/csvimport/columns.c plugins/sources/csvimport/csvimport.c \
	plugins/sources/csvimport/day.c plugins/sources/csvimport/header.c \
	plugins/sources/csvimport/letters.c plugins/sources/csvimport/names.c \
	plugins/sources/csvimport/row.c
check_PROGRAMS += %D%/test_csvimport
%C%_test_csvimport_SOURCES = %D%/test_csvimport.c %D%/csv_desk.c $(LG_DESK) $(LG_CSVIMPORT)
%C%_test_csvimport_CPPFLAGS = $(AM_CPPFLAGS) -DLG_STATIC_NAME=plugin_csvimport
%C%_test_csvimport_LDADD = $(LG_LIBS_HOST) $(LG_LIBS_LEAD) $(LG_UNIT)
check_PROGRAMS += %D%/test_csvimport_names
%C%_test_csvimport_names_SOURCES = %D%/test_csvimport_names.c %D%/csv_desk.c $(LG_DESK) $(LG_CSVIMPORT)
%C%_test_csvimport_names_CPPFLAGS = $(AM_CPPFLAGS) -DLG_STATIC_NAME=plugin_csvimport
%C%_test_csvimport_names_LDADD = $(LG_LIBS_HOST) $(LG_LIBS_LEAD) $(LG_UNIT)
