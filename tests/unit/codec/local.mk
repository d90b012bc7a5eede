# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_LIBS_CODEC) $(LG_UNIT)
check_PROGRAMS += %D%/test_json
%C%_test_json_LDADD = $(LG_LIBS_CODEC) $(LG_UNIT)
