# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_LIBS_VERBS) $(LG_UNIT)
check_PROGRAMS += %D%/test_arguments
%C%_test_arguments_LDADD = $(LG_LIBS_VERBS) $(LG_UNIT)
check_PROGRAMS += %D%/test_explanation
%C%_test_explanation_LDADD = $(LG_LIBS_VERBS) $(LG_UNIT)
check_PROGRAMS += %D%/test_print
%C%_test_print_LDADD = $(LG_LIBS_VERBS) $(LG_UNIT)
check_PROGRAMS += %D%/test_import_bar
%C%_test_import_bar_LDADD = $(LG_LIBS_VERBS) $(LG_UNIT)
