# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_FIXTURE_INGEST) $(LG_UNIT)
check_LIBRARIES += %D%/libfixture.a
%C%_libfixture_a_SOURCES = %D%/fixture.c %D%/import_stage.c
LG_FIXTURE_INGEST = %D%/libfixture.a $(LG_KIT_OUTBOX) $(LG_LIBS_INGEST)

check_PROGRAMS += %D%/test_ingest
%C%_test_ingest_LDADD = $(LG_FIXTURE_INGEST) $(LG_UNIT)
check_PROGRAMS += %D%/test_services
%C%_test_services_LDADD = $(LG_FIXTURE_INGEST) $(LG_UNIT)
check_PROGRAMS += %D%/test_intake_request
%C%_test_intake_request_LDADD = $(LG_FIXTURE_INGEST) $(LG_UNIT)
check_PROGRAMS += %D%/test_claims
%C%_test_claims_LDADD = $(LG_FIXTURE_INGEST) $(LG_UNIT)
check_PROGRAMS += %D%/test_import
%C%_test_import_LDADD = $(LG_FIXTURE_INGEST) $(LG_UNIT)
check_PROGRAMS += %D%/test_import_rejects
%C%_test_import_rejects_LDADD = $(LG_FIXTURE_INGEST) $(LG_UNIT)
check_PROGRAMS += %D%/test_folder_files
%C%_test_folder_files_LDADD = $(LG_LIBS_INGEST) $(LG_UNIT)
check_PROGRAMS += %D%/test_folder_exit
%C%_test_folder_exit_LDADD = $(LG_LIBS_INGEST) $(LG_UNIT)
check_PROGRAMS += %D%/test_importer
%C%_test_importer_LDADD = $(LG_LIBS_INGEST) $(LG_UNIT)
