# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_LIBS_CONFIG) $(LG_UNIT)
check_PROGRAMS += %D%/test_bind %D%/test_compare %D%/test_document %D%/test_manual %D%/test_quantity
%C%_test_bind_LDADD = $(LG_LIBS_CONFIG) $(LG_UNIT)
%C%_test_compare_LDADD = $(LG_LIBS_CONFIG) $(LG_UNIT)
%C%_test_document_LDADD = $(LG_LIBS_CONFIG) $(LG_UNIT)
%C%_test_manual_LDADD = $(LG_LIBS_CONFIG) $(LG_UNIT)
%C%_test_quantity_LDADD = $(LG_LIBS_CONFIG) $(LG_UNIT)
