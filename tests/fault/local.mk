# Rigs that kill the gateway or cut its power. A helper program is two lines:
#   check_PROGRAMS += %D%/NAME
#   %C%_NAME_LDADD = $(LG_LIBS_OUTBOX)
# A .t of this folder runs in make check when SYSTEM_TESTS += ../fault/NAME.t names it.
check_PROGRAMS += %D%/power_cut
%C%_power_cut_SOURCES = %D%/power_cut.c %D%/cut_vfs.c
%C%_power_cut_LDADD = $(LG_KIT_OUTBOX)
SYSTEM_TESTS += ../fault/power-cut.t

# The gateway itself on that VFS.
check_PROGRAMS += %D%/cut_gateway
%C%_cut_gateway_SOURCES = %D%/cut_gateway.c %D%/cut_vfs.c
%C%_cut_gateway_LDADD = $(LG_KIT_OUTBOX) $(LG_LIBS_VERBS)
SYSTEM_TESTS += ../fault/delivery-power-cut.t
