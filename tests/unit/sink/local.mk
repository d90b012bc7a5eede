# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_batch
%C%_test_batch_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_http_service
%C%_test_http_service_LDADD = tests/unit/client/libkit.a $(LG_LIBS_SINK) $(NGHTTP2_LIBS) $(LG_UNIT)
check_PROGRAMS += %D%/test_filter
%C%_test_filter_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_mapping
%C%_test_mapping_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_http_tally
%C%_test_http_tally_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
# The stand puts a lane between a journal and a sink that does what it is told.
check_LIBRARIES += %D%/libstand.a
%C%_libstand_a_SOURCES = %D%/stand.c
LG_STAND_SINK = %D%/libstand.a tests/unit/outbox/libkit.a $(LG_LIBS_SINK)
check_PROGRAMS += %D%/test_lane
%C%_test_lane_LDADD = $(LG_STAND_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_lane_due
%C%_test_lane_due_LDADD = $(LG_STAND_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_lane_order
%C%_test_lane_order_LDADD = $(LG_STAND_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_lane_priority
%C%_test_lane_priority_LDADD = $(LG_STAND_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_lane_rules
%C%_test_lane_rules_LDADD = $(LG_STAND_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_lane_suspects
%C%_test_lane_suspects_LDADD = $(LG_STAND_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_lane_trouble
%C%_test_lane_trouble_LDADD = $(LG_STAND_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_outcome
%C%_test_outcome_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_order
%C%_test_order_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_pace
%C%_test_pace_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_priority
%C%_test_priority_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_retry
%C%_test_retry_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_run
%C%_test_run_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_stretch
%C%_test_stretch_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
check_PROGRAMS += %D%/test_suspects
%C%_test_suspects_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)

# The plugins themselves, linked in under names of their own.
check_PROGRAMS += %D%/test_file
%C%_test_file_SOURCES = %D%/test_file.c plugins/sinks/file/file.c plugins/sinks/file/output.c \
	plugins/sinks/file/repair.c plugins/sinks/file/rotation.c plugins/sinks/file/settings.c
%C%_test_file_CPPFLAGS = $(AM_CPPFLAGS) -DLG_STATIC_NAME=plugin_file
%C%_test_file_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
%C%_test_file_LINK = $(LINK) -Wl,--wrap=pread
check_PROGRAMS += %D%/test_http
%C%_test_http_SOURCES = %D%/test_http.c plugins/sinks/http/http.c plugins/sinks/http/request.c \
	plugins/sinks/http/settings.c plugins/sinks/http/signature.c
%C%_test_http_CPPFLAGS = $(AM_CPPFLAGS) -DLG_STATIC_NAME=plugin_http
%C%_test_http_LDADD = $(LG_LIBS_SINK) $(LG_UNIT)
