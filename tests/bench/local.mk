# make bench runs tests/bench/run; a helper program is two lines:
#   noinst_PROGRAMS is too eager: EXTRA_PROGRAMS += %D%/NAME and
#   bench_programs += %D%/NAME build it for make bench alone.
bench_programs = tests/bench/fill_store
EXTRA_PROGRAMS += tests/bench/fill_store
tests_bench_fill_store_LDADD = $(LG_LIBS_OUTBOX)
