# A fuzzer is two lines (its source is fuzz_NOUN.c, its corpus corpus/NOUN/*):
#   check_PROGRAMS += %D%/fuzz_NOUN
#   %C%_fuzz_NOUN_LDADD = $(LG_FUZZ) $(LG_LIBS_CODEC)
if LG_FUZZ_BUILD
LG_FUZZ = $(LG_FUZZ_MAIN)
else
LG_FUZZ = %D%/libreplay.a
endif
check_LIBRARIES += %D%/libreplay.a
%C%_libreplay_a_SOURCES = %D%/replay.c

check_PROGRAMS += %D%/fuzz_utf8 %D%/fuzz_log
%C%_fuzz_utf8_LDADD = $(LG_FUZZ) $(LG_LIBS_BASE)
%C%_fuzz_log_LDADD = $(LG_FUZZ) $(LG_LIBS_BASE)

check_PROGRAMS += %D%/fuzz_json %D%/fuzz_form %D%/fuzz_media_type %D%/fuzz_date %D%/fuzz_base64
%C%_fuzz_json_LDADD = $(LG_FUZZ) $(LG_LIBS_CODEC)
%C%_fuzz_form_LDADD = $(LG_FUZZ) $(LG_LIBS_CODEC)
%C%_fuzz_media_type_LDADD = $(LG_FUZZ) $(LG_LIBS_CODEC)
%C%_fuzz_date_LDADD = $(LG_FUZZ) $(LG_LIBS_CODEC)
%C%_fuzz_base64_LDADD = $(LG_FUZZ) $(LG_LIBS_CODEC)
check_PROGRAMS += %D%/fuzz_multipart %D%/fuzz_charset %D%/fuzz_csv
%C%_fuzz_multipart_LDADD = $(LG_FUZZ) $(LG_LIBS_CODEC)
%C%_fuzz_charset_LDADD = $(LG_FUZZ) $(LG_LIBS_CODEC)
%C%_fuzz_csv_LDADD = $(LG_FUZZ) $(LG_LIBS_CODEC)

check_PROGRAMS += %D%/fuzz_config
%C%_fuzz_config_LDADD = $(LG_FUZZ) $(LG_LIBS_CONFIG)

check_PROGRAMS += %D%/fuzz_expr
%C%_fuzz_expr_LDADD = $(LG_FUZZ) $(LG_LIBS_EXPR)

check_PROGRAMS += %D%/fuzz_h1_parser
%C%_fuzz_h1_parser_SOURCES = %D%/fuzz_h1_parser.c tests/unit/http/message.c
%C%_fuzz_h1_parser_LDADD = $(LG_FUZZ) $(LG_LIBS_HTTP)

check_PROGRAMS += %D%/fuzz_h2_session
%C%_fuzz_h2_session_LDADD = $(LG_FUZZ) $(LG_LIBS_HTTP)

check_PROGRAMS += %D%/fuzz_record %D%/fuzz_email %D%/fuzz_phone %D%/fuzz_url %D%/fuzz_normalize
%C%_fuzz_record_LDADD = $(LG_FUZZ) $(LG_LIBS_LEAD)
%C%_fuzz_email_LDADD = $(LG_FUZZ) $(LG_LIBS_LEAD)
%C%_fuzz_phone_LDADD = $(LG_FUZZ) $(LG_LIBS_LEAD)
%C%_fuzz_url_LDADD = $(LG_FUZZ) $(LG_LIBS_LEAD)
%C%_fuzz_normalize_LDADD = $(LG_FUZZ) $(LG_LIBS_LEAD)

check_PROGRAMS += %D%/fuzz_webform
%C%_fuzz_webform_SOURCES = %D%/fuzz_webform.c tests/unit/host/readers.c $(LG_WEBFORM)
%C%_fuzz_webform_CPPFLAGS = $(AM_CPPFLAGS) -DLG_STATIC_NAME=plugin_webform
%C%_fuzz_webform_LDADD = $(LG_FUZZ) $(LG_LIBS_HOST) $(LG_LIBS_LEAD)

check_PROGRAMS += %D%/fuzz_twilio
%C%_fuzz_twilio_SOURCES = %D%/fuzz_twilio.c plugins/sources/twilio/message.c
%C%_fuzz_twilio_LDADD = $(LG_FUZZ) $(LG_LIBS_BASE)

check_PROGRAMS += %D%/fuzz_outcomes %D%/fuzz_identity_row
%C%_fuzz_outcomes_LDADD = $(LG_FUZZ) $(LG_LIBS_OUTBOX)
%C%_fuzz_identity_row_LDADD = $(LG_FUZZ) $(LG_LIBS_OUTBOX)

check_PROGRAMS += %D%/fuzz_outcome
%C%_fuzz_outcome_LDADD = $(LG_FUZZ) $(LG_LIBS_SINK)

check_PROGRAMS += %D%/fuzz_proxy_header %D%/fuzz_forwarded
%C%_fuzz_proxy_header_LDADD = $(LG_FUZZ) $(LG_LIBS_CONN)
%C%_fuzz_forwarded_LDADD = $(LG_FUZZ) $(LG_LIBS_HTTP)

check_PROGRAMS += %D%/fuzz_tls_names
%C%_fuzz_tls_names_LDADD = $(LG_FUZZ) $(LG_LIBS_CONN)
