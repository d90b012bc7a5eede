# A page written by hand: dist_man_MANS += %D%/NAME.1 — one made by a build step:
# nodist_man_MANS += %D%/NAME.5, its rule, and CLEANFILES += %D%/NAME.5.
dist_man_MANS += %D%/leadgate.1

# The options part comes from the rows that the program itself reads.
nodist_man_MANS += %D%/leadgate.yaml.5
CLEANFILES += %D%/leadgate.yaml.5
%D%/leadgate.yaml.5: leadgate$(EXEEXT) $(plugin_files) \
		$(top_srcdir)/%D%/leadgate.yaml.5.head $(top_srcdir)/%D%/leadgate.yaml.5.foot
	@$(MKDIR_P) %D%
	$(AM_V_GEN)cat $(top_srcdir)/%D%/leadgate.yaml.5.head >$@.part && \
	LEADGATE_PLUGIN_PATH=plugins ./leadgate$(EXEEXT) manual >>$@.part && \
	cat $(top_srcdir)/%D%/leadgate.yaml.5.foot >>$@.part && mv $@.part $@
