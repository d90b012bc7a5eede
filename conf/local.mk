# What make install lays down beside the program: the units of systemd, and the
# documents with the configurations that the tests run. Nothing goes to /etc: what
# stands there is the operator's.
UNITS_DIR = conf/systemd
unit_files = $(UNITS_DIR)/leadgate.service $(top_srcdir)/$(UNITS_DIR)/leadgate.socket

$(UNITS_DIR)/leadgate.service: $(top_srcdir)/$(UNITS_DIR)/leadgate.service.in Makefile
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(SED) -e 's|[@]bindir[@]|$(bindir)|g' -e 's|[@]sysconfdir[@]|$(sysconfdir)|g' \
	    $(top_srcdir)/$(UNITS_DIR)/leadgate.service.in >$@.part && mv $@.part $@
CLEANFILES += $(UNITS_DIR)/leadgate.service

if LG_UNITS
systemdsystemunitdir = $(with_systemdsystemunitdir)
nodist_systemdsystemunit_DATA = $(unit_files)
else
noinst_DATA = $(unit_files)
endif

# Folders and all, as they lie in the tree.
documents = README.md docs conf/*.yaml conf/*.conf conf/*.cfg conf/Caddyfile
install-data-local:
	@$(MKDIR_P) '$(DESTDIR)$(docdir)'
	cd $(srcdir) && find $(documents) -type f | while read -r file; do \
	    $(MKDIR_P) "$(DESTDIR)$(docdir)/$$(dirname "$$file")" && \
	    $(install_sh_DATA) "$$file" "$(DESTDIR)$(docdir)/$$file" || exit 1; done
uninstall-hook:
	cd $(srcdir) && find $(documents) -type f | while read -r file; do \
	    rm -f "$(DESTDIR)$(docdir)/$$file"; done
	cd $(srcdir) && find docs conf -depth -type d | while read -r folder; do \
	    rmdir "$(DESTDIR)$(docdir)/$$folder" 2>/dev/null || true; done
