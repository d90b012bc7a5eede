# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libverbs.a
%C%_libverbs_a_SOURCES = \
	%D%/arguments.c \
	%D%/backfill.c \
	%D%/backup.c \
	%D%/balance.c \
	%D%/check.c \
	%D%/claim_lines.c \
	%D%/claims.c \
	%D%/explain.c \
	%D%/explanation.c \
	%D%/explanation_json.c \
	%D%/explanation_text.c \
	%D%/dead.c \
	%D%/fetch.c \
	%D%/forget.c \
	%D%/help.c \
	%D%/import.c \
	%D%/import_bar.c \
	%D%/import_outcome.c \
	%D%/import_refusals.c \
	%D%/import_rejects.c \
	%D%/import_show.c \
	%D%/imports.c \
	%D%/leads.c \
	%D%/manual.c \
	%D%/order.c \
	%D%/pause.c \
	%D%/plugins.c \
	%D%/print.c \
	%D%/reload.c \
	%D%/replay.c \
	%D%/resume.c \
	%D%/run.c \
	%D%/show.c \
	%D%/sinks.c \
	%D%/status.c \
	%D%/view.c \
	%D%/verb.c \
	%D%/version.c
