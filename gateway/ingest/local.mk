# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libingest.a
%C%_libingest_a_SOURCES = \
	%D%/desk.c \
	%D%/errand_options.c \
	%D%/fetch.c \
	%D%/fetch_refused.c \
	%D%/fetch_services.c \
	%D%/fetch_verdict.c \
	%D%/fetcher.c \
	%D%/folder.c \
	%D%/folder_exit.c \
	%D%/folder_files.c \
	%D%/folder_incoming.c \
	%D%/folder_verdict.c \
	%D%/folders.c \
	%D%/import_batch.c \
	%D%/import_file.c \
	%D%/import_options.c \
	%D%/import_queue.c \
	%D%/import_reading.c \
	%D%/import_run.c \
	%D%/import_services.c \
	%D%/importer.c \
	%D%/source.c \
	%D%/ingest.c \
	%D%/intake_claim.c \
	%D%/intake_csv.c \
	%D%/intake_prepare.c \
	%D%/intake_request.c \
	%D%/intake_lead.c \
	%D%/intake_reply.c \
	%D%/keep.c
