# Rigs that kill the gateway or cut its power. A helper program is two lines:
#   check_PROGRAMS += %D%/NAME
#   %C%_NAME_LDADD = $(LG_LIBS_OUTBOX)
# A .t of this folder runs in make check when SYSTEM_TESTS += ../fault/NAME.t names it.
