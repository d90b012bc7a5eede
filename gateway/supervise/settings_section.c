/* The rows of the sections that no other folder declares, and the list of all
 * sections in the order of the manual. */
#include "conn/tls_context.h"
#include "supervise/settings.h"

static const struct lg_option core_options[] = {
	{.name = "loops",
	 .type = LG_INTEGER,
	 .offset = offsetof(struct core_settings, loops),
	 .fallback = "0",
	 .min = 0,
	 .max = 256,
	 .help = "threads that take requests; 0 takes as many as there are cores"},
	{.name = "shutdown",
	 .type = LG_DURATION,
	 .offset = offsetof(struct core_settings, shutdown_ms),
	 .fallback = "30s",
	 .min = 0,
	 .max = 3600000,
	 .help = "longest time in which a stop lets requests and deliveries finish"},
	{.name = "max_generations",
	 .type = LG_INTEGER,
	 .offset = offsetof(struct core_settings, generations),
	 .fallback = "64",
	 .min = 1,
	 .max = 10000,
	 .help = "most older generations of the configuration that may still have requests under "
		 "way; beyond that a reload is refused until one of them is over"},
	{.name = "stop_delay",
	 .type = LG_DURATION,
	 .offset = offsetof(struct core_settings, stop_delay_ms),
	 .fallback = "0s",
	 .min = 0,
	 .max = 3600000,
	 .help = "how long a stop still accepts connections while /readyz says no, so that load "
		 "balancers turn away first; a part of shutdown, and shorter than it"},
	{.name = "slow_call",
	 .type = LG_DURATION,
	 .offset = offsetof(struct core_settings, slow_ms),
	 .fallback = "50ms",
	 .min = 1,
	 .max = 60000,
	 .help = "a call of a source plugin that takes longer is counted and named in the log"},
	{.name = "log_format",
	 .type = LG_ENUM,
	 .offset = offsetof(struct core_settings, log_format),
	 .fallback = "logfmt",
	 .choices = "logfmt|json",
	 .help = "how log lines are written to standard error"},
	{.name = "log_level",
	 .type = LG_ENUM,
	 .offset = offsetof(struct core_settings, log_level),
	 .fallback = "info",
	 .choices = "error|warning|notice|info|debug",
	 .help = "lines below this level are not written"},
	{.name = "plugin_path",
	 .type = LG_LIST,
	 .offset = offsetof(struct core_settings, plugin_path),
	 .help = "folders in which plugins are looked for, relative to the configuration's; the "
		 "environment variable LEADGATE_PLUGIN_PATH comes first, the installed folder "
		 "last"},
};

static const struct lg_option admin_options[] = {
	{.name = "address",
	 .type = LG_STRING,
	 .offset = offsetof(struct admin_settings, address),
	 .help = "address of the admin listener, which only reads: /healthz, /readyz, /metrics and "
		 "/sinks; without it there is none"},
};

static const struct lg_option default_options[] = {
	{.name = "region",
	 .type = LG_STRING,
	 .offset = offsetof(struct default_settings, region),
	 .fallback = "US",
	 .help = "region in which phone numbers without a country code are read (ISO 3166-1)"},
};

bool settings_section_at(size_t index, struct settings_section *section)
{
	const struct settings_section sections[] = {
		{"core", "the process itself", OPTION_TABLE(core_options)},
		{"listen",
		 "addresses that take requests; a list, or one entry",
		 {http_listen_options, http_listen_option_count, sizeof(struct lg_option)},
		 .tls_table = {tls_options, tls_option_count, sizeof(struct lg_option)}},
		{"admin", "the admin listener", OPTION_TABLE(admin_options)},
		{"access_log",
		 "one line for each answer to a sender, without personal data",
		 {access_log_options, access_log_option_count, sizeof(struct lg_option)}},
		{"store",
		 "the journal: what is acknowledged is here",
		 {store_options, store_option_count, sizeof(struct lg_option)}},
		{"dedup",
		 "when two leads are the same person, submission or delivery",
		 {dedup_options, dedup_option_count, sizeof(struct lg_option)}},
		{"defaults", "what sources take where they say nothing themselves",
		 OPTION_TABLE(default_options)},
		{"lead",
		 "how much one lead may hold",
		 {lead_limit_options, lead_limit_option_count, sizeof(struct lg_option)}},
		{"http",
		 "limits of requests and connections",
		 {http_limit_options, http_limit_option_count, sizeof(struct lg_option)}},
		{"http_client",
		 "calls to destinations and vendors: each sink and source has a client of its own",
		 {http_client_options, http_client_option_count, sizeof(struct lg_option)}},
		{"expressions",
		 "how much the Lua expressions of one thread may take",
		 {expr_limit_options, expr_limit_option_count, sizeof(struct lg_option)}},
		{"sources",
		 "where leads come from: a name, and below it these options and those of "
		 "its plugin",
		 {source_options, source_option_count, sizeof(struct lg_option)},
		 {errand_options, errand_option_count, sizeof(struct lg_option)},
		 {import_options, import_option_count, sizeof(struct lg_option)}},
		{"sinks",
		 "where leads go: a name, and below it these options and those of its plugin",
		 {sink_options, sink_option_count, sizeof(struct lg_option)},
		 {http_service_options, http_service_option_count, sizeof(struct lg_option)}},
	};

	if (index >= sizeof(sections) / sizeof(sections[0]))
		return false;
	*section = sections[index];
	return true;
}
