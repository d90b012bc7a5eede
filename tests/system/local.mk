# Perl tests of the whole program, run by prove in this order: add
#   SYSTEM_TESTS += NN-topic.t
# They find the build by $ENV{LG_BUILDDIR} and the sources by $ENV{LG_SRCDIR}.
