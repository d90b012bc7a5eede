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
