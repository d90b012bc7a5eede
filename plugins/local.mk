# A plugin is one LG_PLUGIN line in configure.ac and one file, plugins/sources/NAME.c
# or plugins/sinks/NAME.c, or, where one is not enough, a folder of that name with
# NAME.c in it; it becomes plugins/NAME.so in the build tree, where
# LEADGATE_PLUGIN_PATH points a gateway that is run from there.
@LG_PLUGIN_FLAGS@

plugin_files = $(LG_PLUGIN_SOURCES:%=plugins/%.so) $(LG_PLUGIN_SINKS:%=plugins/%.so)

# What the compiler said of the headers, beside the plugin. Sources are in the rules below:
# a list that names one that has become a folder could not be made. Such lists, .dep, lie in
# older build folders; so these have another name, and plugins are built again when the
# Makefile has changed.
plugin_headers = $(@:.so=.d)
LG_PLUGIN_FORGET = sed -i 's| [^ ]*\.c\>||' $(plugin_headers)

# Nothing of ours but include/: no config.h, no gateway/, no symbol of the daemon.
LG_PLUGIN_BUILD = $(CC) -std=gnu11 -I$(top_srcdir)/include $(plugin_cppflags_$(*F)) $(CPPFLAGS) \
	-pthread -fPIC -fvisibility=hidden $(LG_CWARN) $(LG_HARDEN) $(LG_SAN) $(CFLAGS) \
	-shared $(LG_LINK_FLAGS) $(LDFLAGS) -MMD -MP -MF $(plugin_headers) -MT $@

plugins/%.so: $(top_srcdir)/plugins/sources/%.c Makefile
	@$(MKDIR_P) $(@D)
	$(AM_V_CCLD)$(LG_PLUGIN_BUILD) -o $@ $< $(plugin_libs_$(*F))
	@$(LG_PLUGIN_FORGET)
plugins/%.so: $(top_srcdir)/plugins/sinks/%.c Makefile
	@$(MKDIR_P) $(@D)
	$(AM_V_CCLD)$(LG_PLUGIN_BUILD) -o $@ $< $(plugin_libs_$(*F))
	@$(LG_PLUGIN_FORGET)

# The folders, all of their files at once.
.SECONDEXPANSION:
plugins/%.so: $(top_srcdir)/plugins/sources/$$*/$$*.c $$(wildcard $(top_srcdir)/plugins/sources/$$*/*.[ch]) Makefile
	@$(MKDIR_P) $(@D)
	$(AM_V_CCLD)$(LG_PLUGIN_BUILD) -o $@ $(filter %.c,$^) $(plugin_libs_$(*F))
	@$(LG_PLUGIN_FORGET)
plugins/%.so: $(top_srcdir)/plugins/sinks/$$*/$$*.c $$(wildcard $(top_srcdir)/plugins/sinks/$$*/*.[ch]) Makefile
	@$(MKDIR_P) $(@D)
	$(AM_V_CCLD)$(LG_PLUGIN_BUILD) -o $@ $(filter %.c,$^) $(plugin_libs_$(*F))
	@$(LG_PLUGIN_FORGET)

-include $(wildcard plugins/*.d)

all-local: $(plugin_files)
install-exec-local: $(plugin_files)
	$(MKDIR_P) '$(DESTDIR)$(plugindir)'
	for f in $(plugin_files); do $(INSTALL_DATA) $$f '$(DESTDIR)$(plugindir)' || exit 1; done
uninstall-local:
	for f in $(notdir $(plugin_files)); do rm -f '$(DESTDIR)$(plugindir)'/$$f; done
clean-local:
	rm -f plugins/*.so plugins/*.d plugins/*.dep tests/plugin/*.so tests/plugin/*.d tests/plugin/*.dep
