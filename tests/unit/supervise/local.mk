# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_LIBS_SUPERVISE) $(LG_UNIT)
check_PROGRAMS += %D%/test_alert
%C%_test_alert_LDADD = $(LG_KIT_OUTBOX) $(LG_LIBS_SUPERVISE) $(LG_UNIT)
check_PROGRAMS += %D%/test_berth
%C%_test_berth_LDADD = $(LG_KIT_OUTBOX) $(LG_LIBS_SUPERVISE) $(LG_UNIT)
check_PROGRAMS += %D%/test_control
%C%_test_control_LDADD = $(LG_LIBS_SUPERVISE) $(LG_UNIT)
check_PROGRAMS += %D%/test_settings
%C%_test_settings_LDADD = $(LG_LIBS_SUPERVISE) $(LG_UNIT)
check_PROGRAMS += %D%/test_errand
%C%_test_errand_LDADD = $(LG_LIBS_SUPERVISE) $(LG_UNIT)
check_PROGRAMS += %D%/test_difference
%C%_test_difference_LDADD = $(LG_LIBS_SUPERVISE) $(LG_UNIT)
check_PROGRAMS += %D%/test_access_log
%C%_test_access_log_LDADD = $(LG_LIBS_SUPERVISE) $(LG_UNIT)
