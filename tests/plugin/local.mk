# Test plugins: add NAME here for tests/plugin/NAME.c; it becomes
# tests/plugin/NAME.so in the build tree, built like a real one, never installed.
test_plugins = claimer failing_sink failing_source later lister major minimal misnamed nothing shrunk stranger \
	slow_opener unheard urls

test_plugin_files = $(test_plugins:%=tests/plugin/%.so)
check_DATA += $(test_plugin_files)
tests/plugin/%.so: $(top_srcdir)/tests/plugin/%.c Makefile
	@$(MKDIR_P) $(@D)
	$(AM_V_CCLD)$(LG_PLUGIN_BUILD) -o $@ $<
	@$(LG_PLUGIN_FORGET)
-include $(wildcard tests/plugin/*.d)
