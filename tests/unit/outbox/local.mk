# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
# The kit makes captures as a loop does; the rigs and the bench use it too.
check_LIBRARIES += %D%/libkit.a
%C%_libkit_a_SOURCES = %D%/kit.c
LG_KIT_OUTBOX = %D%/libkit.a $(LG_LIBS_OUTBOX)

check_PROGRAMS += %D%/test_balance
%C%_test_balance_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_capture
%C%_test_capture_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_history
%C%_test_history_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_index
%C%_test_index_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_reader
%C%_test_reader_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_settler
%C%_test_settler_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_store
%C%_test_store_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_writer
%C%_test_writer_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_checkpointer
%C%_test_checkpointer_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_pacer
%C%_test_pacer_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_identity_row
%C%_test_identity_row_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_identity_scan
%C%_test_identity_scan_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_chore
%C%_test_chore_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_schema
%C%_test_schema_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
check_PROGRAMS += %D%/test_replay
%C%_test_replay_LDADD = $(LG_KIT_OUTBOX) $(LG_UNIT)
