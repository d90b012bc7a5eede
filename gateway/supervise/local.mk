# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libsupervise.a
%C%_libsupervise_a_SOURCES = \
	%D%/access_log.c \
	%D%/admin.c \
	%D%/alert.c \
	%D%/berth.c \
	%D%/control.c \
	%D%/control_call.c \
	%D%/control_client.c \
	%D%/control_stream.c \
	%D%/daemon.c \
	%D%/descriptors.c \
	%D%/difference.c \
	%D%/gateway.c \
	%D%/generation.c \
	%D%/errand.c \
	%D%/hearing.c \
	%D%/import_order.c \
	%D%/imports.c \
	%D%/lone_import.c \
	%D%/metrics.c \
	%D%/monitor.c \
	%D%/notify.c \
	%D%/picture.c \
	%D%/reload.c \
	%D%/reload_drains.c \
	%D%/reload_text.c \
	%D%/rights.c \
	%D%/settings.c \
	%D%/settings_check.c \
	%D%/settings_entry.c \
	%D%/settings_listen.c \
	%D%/settings_section.c \
	%D%/settings_sinks.c \
	%D%/settings_sources.c \
	%D%/systemd.c \
	%D%/turnstile.c \
	%D%/watchdog.c \
	%D%/worker.c
