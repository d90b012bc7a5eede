# The program: main.c and, through LG_LIBS_VERBS, every folder below it.
bin_PROGRAMS += leadgate
leadgate_SOURCES = gateway/main.c
leadgate_LDADD = $(LG_LIBS_VERBS)
leadgate_LINK = $(LINK_WHOLE)
