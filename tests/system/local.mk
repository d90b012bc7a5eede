# Perl tests of the whole program, run by prove in this order: add
#   SYSTEM_TESTS += NN-topic.t
# They find the build by $ENV{LG_BUILDDIR} and the sources by $ENV{LG_SRCDIR}.
SYSTEM_TESTS += 01-straight-path.t
SYSTEM_TESTS += 02-dedup.t
SYSTEM_TESTS += 03-bad-config.t
SYSTEM_TESTS += 04-lifecycle.t
SYSTEM_TESTS += 05-full.t
SYSTEM_TESTS += 06-kill.t
SYSTEM_TESTS += 07-admin.t
SYSTEM_TESTS += 08-verbs.t
SYSTEM_TESTS += 09-bad-plugins.t
SYSTEM_TESTS += 10-conf.t
SYSTEM_TESTS += 20-http-bad-requests.t
SYSTEM_TESTS += 21-http-slow-clients.t
SYSTEM_TESTS += 22-http-connections.t
SYSTEM_TESTS += 30-symbols.t
SYSTEM_TESTS += 31-plugins.t
SYSTEM_TESTS += 32-file-sink.t
SYSTEM_TESTS += 33-webform.t
SYSTEM_TESTS += 34-minimal.t
SYSTEM_TESTS += 43-http-sink.t
SYSTEM_TESTS += 50-balance.t
SYSTEM_TESTS += 51-explain.t
SYSTEM_TESTS += 54-reload.t
SYSTEM_TESTS += 57-metrics.t
SYSTEM_TESTS += 58-alerts.t
SYSTEM_TESTS += 60-soak.t
