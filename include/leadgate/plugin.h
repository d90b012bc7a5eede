/* The descriptor: the one symbol that a plugin exports.
 *
 * The head (magic, abi_major, abi_minor, size, name) is fixed for ever, so
 * that any gateway can name any plugin. A plugin loads when its major equals
 * the gateway's and its minor is not above the gateway's; otherwise only the
 * head is read and the refusal names the file, its numbers and ours.
 *
 * A plugin states the numbers it was written for as literals. Compiling old
 * source against a newer header must not make it claim to be newer.
 *
 * Libraries stay mapped until the process ends; constants may be borrowed
 * from them for as long. */
#ifndef LEADGATE_PLUGIN_H
#define LEADGATE_PLUGIN_H

#include <leadgate/option.h>
#include <leadgate/types.h>

#define LG_MAGIC 0x4c474154u /* "LGAT" */

/* What this header describes; the host compares plugins with these. */
#define LG_ABI_MAJOR 0
#define LG_ABI_MINOR 4

/* Kinds of plugin. */
#define LG_SOURCE 1
#define LG_SINK 2

/* Flags of a descriptor. */
#define LG_SERIAL 1u	/* source: one loop at a time calls an instance */
#define LG_HAS_AUTH 2u	/* source: proves who sends; else `auth: none` must be said */
#define LG_CAN_ERASE 4u /* sink: takes lead.erased and removes what it wrote */
/* sink: uses lg_http_send, so its options are this sink's too. source, since 0.4: has
 * errands (claim, poll, backfill), so the options of errands are this source's too. */
#define LG_CALLS_HTTP 8u
/* sink: reads lg_event.external_id. With LG_CALLS_HTTP only where the option
 * `external_id` is given. Since 0.3. */
#define LG_EXTERNAL_IDS 16u
/* source: its `reply` makes the answer to what was refused or could not be stored,
 * too; see lg_refusal. Since 0.4. */
#define LG_ANSWERS_REFUSALS 32u
/* source: has `read`, so files can be imported through it, and the options of imports
 * are this source's too. One without `receive` has no path. Since 0.4. */
#define LG_READS_FILES 64u

struct lg_source_operations;
struct lg_sink_operations;

struct lg_plugin {
	/* the head, fixed for ever */
	uint32_t magic;
	uint32_t abi_major;
	uint32_t abi_minor;
	uint32_t size; /* of this struct as the plugin knows it */
	const char *name;

	/* since 0.1 */
	int32_t kind;
	uint32_t flags;
	const char *version; /* the plugin's own, free text */
	const char *summary; /* one line for lists and the manual */
	const char *channel; /* source: written to source.channel ("web", "sms" …); NULL: "other" */
	const char *methods; /* source: "POST" or "GET POST": others get 405; NULL: "POST" */
	const struct lg_option *options;
	uint32_t option_count;
	uint32_t option_size; /* sizeof(struct lg_option) as the plugin knows it */
	size_t settings_size; /* of the struct that the options fill */
	const struct lg_source_operations *source; /* when kind is LG_SOURCE */
	const struct lg_sink_operations *sink;	   /* when kind is LG_SINK */
};

/* Defines the descriptor. The same source builds as a shared library, whose
 * only exported symbol is `leadgate_plugin`, and, with LG_STATIC_NAME defined,
 * statically into a test under that name. */
#ifdef LG_STATIC_NAME
#define LG_PLUGIN_SYMBOL LG_STATIC_NAME
#else
#define LG_PLUGIN_SYMBOL leadgate_plugin
#endif

#define LG_PLUGIN_HEAD(major, minor, plugin_name)                      \
	.magic = LG_MAGIC, .abi_major = (major), .abi_minor = (minor), \
	.size = sizeof(struct lg_plugin), .name = (plugin_name)

#define LG_DESCRIPTOR(plugin_kind, major, minor, plugin_name, ...)                             \
	extern const struct lg_plugin LG_PLUGIN_SYMBOL __attribute__((visibility("default"))); \
	const struct lg_plugin LG_PLUGIN_SYMBOL = {LG_PLUGIN_HEAD(major, minor, plugin_name),  \
						   .kind = (plugin_kind), __VA_ARGS__}

/* LG_SOURCE_PLUGIN(0, 1, "webform", .version = "1", .source = &operations, …) */
#define LG_SOURCE_PLUGIN(major, minor, plugin_name, ...) \
	LG_DESCRIPTOR(LG_SOURCE, major, minor, plugin_name, __VA_ARGS__)
#define LG_SINK_PLUGIN(major, minor, plugin_name, ...) \
	LG_DESCRIPTOR(LG_SINK, major, minor, plugin_name, __VA_ARGS__)

/* The three rows that describe an array of options. */
#define LG_OPTIONS(rows, settings)                                           \
	.options = (rows), .option_count = sizeof(rows) / sizeof((rows)[0]), \
	.option_size = sizeof(struct lg_option), .settings_size = sizeof(settings)

#endif
