# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/liboutbox.a
%C%_liboutbox_a_SOURCES = \
	%D%/attempts.c \
	%D%/backup.c \
	%D%/balance.c \
	%D%/balance_claims.c \
	%D%/balance_leads.c \
	%D%/batch.c \
	%D%/capture.c \
	%D%/checkpointer.c \
	%D%/chore.c \
	%D%/claim.c \
	%D%/claim_chore.c \
	%D%/drafts.c \
	%D%/fault.c \
	%D%/gate.c \
	%D%/history.c \
	%D%/identity_index.c \
	%D%/identity_row.c \
	%D%/identity_scan.c \
	%D%/import_row.c \
	%D%/index.c \
	%D%/index_loader.c \
	%D%/journal.c \
	%D%/options.c \
	%D%/outbox.c \
	%D%/outcomes.c \
	%D%/pacer.c \
	%D%/pacer_vfs.c \
	%D%/person.c \
	%D%/prune.c \
	%D%/prune_keys.c \
	%D%/reader.c \
	%D%/reader_claims.c \
	%D%/reader_imports.c \
	%D%/reader_replay.c \
	%D%/reader_sink.c \
	%D%/reader_tally.c \
	%D%/reader_watch.c \
	%D%/recent.c \
	%D%/replay.c \
	%D%/room.c \
	%D%/schema.c \
	%D%/settled.c \
	%D%/settler.c \
	%D%/statements.c \
	%D%/store.c \
	%D%/store_files.c \
	%D%/store_lock.c \
	%D%/watchers.c \
	%D%/writer.c
