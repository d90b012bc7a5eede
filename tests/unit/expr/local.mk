# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_LIBS_EXPR) $(LG_UNIT)
check_PROGRAMS += %D%/test_expr %D%/test_guard
%C%_test_expr_LDADD = $(LG_LIBS_EXPR) $(LG_UNIT)
%C%_test_guard_LDADD = $(LG_LIBS_EXPR) $(LG_UNIT)
