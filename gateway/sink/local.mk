# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libsink.a
%C%_libsink_a_SOURCES = \
	%D%/batch.c \
	%D%/filter.c \
	%D%/http_service.c \
	%D%/http_tally.c \
	%D%/lane.c \
	%D%/lane_deliver.c \
	%D%/lane_due.c \
	%D%/lane_external.c \
	%D%/lane_mood.c \
	%D%/lane_order.c \
	%D%/lane_permit.c \
	%D%/lane_priority.c \
	%D%/lane_read.c \
	%D%/lane_settle.c \
	%D%/lane_status.c \
	%D%/lane_step.c \
	%D%/mapped_form.c \
	%D%/mapped_json.c \
	%D%/mapping.c \
	%D%/options.c \
	%D%/order.c \
	%D%/outcome.c \
	%D%/pace.c \
	%D%/priority.c \
	%D%/retry.c \
	%D%/rules.c \
	%D%/run.c \
	%D%/stretch.c \
	%D%/suspects.c
