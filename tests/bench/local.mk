# make bench runs tests/bench/run; a helper program is two lines:
#   noinst_PROGRAMS is too eager: EXTRA_PROGRAMS += %D%/NAME and
#   bench_programs += %D%/NAME build it for make bench alone.
bench_programs = tests/bench/fill_store
EXTRA_PROGRAMS += tests/bench/fill_store
tests_bench_fill_store_LDADD = $(LG_LIBS_OUTBOX)
EXTRA_PROGRAMS += tests/bench/bench_outbox
tests_bench_bench_outbox_LDADD = $(LG_KIT_OUTBOX)

EXTRA_PROGRAMS += tests/bench/bench_lead
bench_programs += tests/bench/bench_lead
tests_bench_bench_lead_LDADD = $(LG_LIBS_LEAD)

EXTRA_PROGRAMS += %D%/h2_people
bench_programs += tests/bench/h2_people
tests_bench_h2_people_LDADD = $(NGHTTP2_LIBS)
