# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_batch
%C%_test_batch_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_lane
%C%_test_lane_LDADD = tests/unit/outbox/libkit.a $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_retry
%C%_test_retry_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
