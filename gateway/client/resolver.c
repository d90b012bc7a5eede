#include "client/resolver.h"

#include <event2/dns.h>
#include <event2/util.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define ATTEMPTS 3 /* questions within one lookup's time */
#define NAMESERVER_BYTES 64
#define HOSTS_BYTES (16u << 20)
#define TURNS_MAX 16
#define RESOLV_CONF_NO_MEMORY 4 /* of evdns_base_resolv_conf_parse */

struct resolver {
	struct loop *loop;
	const struct resolver_settings *settings;
	struct evdns_base *dns;
	struct list entries; /* the latest used first */
	size_t entry_count;
	struct list lookups;
	size_t lookup_count;
	bool freed; /* it only waits for its lookups' ends … */
	bool held;  /* … and so does resolver_free */
};

/* What is known of a name. */
struct entry {
	struct list link;
	struct list waiters;
	struct lookup *lookup; /* while pending */
	enum resolver_state state;
	int64_t expires_ms;
	struct resolver_addresses addresses;
	char name[RESOLVER_NAME_BYTES];
};

/* A question to libevent. It lives until libevent has called back, also when
 * nobody wants to know any more: then it is cancelled and has no entry. */
struct lookup {
	struct list link;
	struct resolver *resolver;
	struct entry *entry;
	struct evdns_getaddrinfo_request *request;
	struct loop_timer timer;
};

static void on_dns_log(int is_warning, const char *text)
{
	if (is_warning)
		log_info("client.dns", LOG_TEXT("detail", text));
}

/* libevent has one log for the process. */
static void set_up_log(void)
{
	evdns_set_log_fn(on_dns_log);
}

static bool set_number(struct evdns_base *dns, const char *option, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	return evdns_base_set_option(dns, option, text) == 0;
}

bool resolver_check_nameserver(struct lg_slice address, struct error *error)
{
	struct sockaddr_storage parsed;
	int size = sizeof(parsed);
	char text[NAMESERVER_BYTES];

	if (!slice_present(address))
		return true;
	slice_to_text(address, text, sizeof(text));
	if (address.length < sizeof(text) &&
	    evutil_parse_sockaddr_port(text, (struct sockaddr *)&parsed, &size) == 0)
		return true;
	return error_set(error, "name server '%s' is no address, as in 192.0.2.1 or 192.0.2.1:53",
			 text);
}

/* libevent opens what it is told to, and would wait for the other end of a pipe. */
bool resolver_check_hosts(struct lg_slice path, struct error *error)
{
	char text[PATH_MAX];

	if (!slice_present(path) || slice_is(path, "/dev/null"))
		return true;
	slice_to_text(path, text, sizeof(text));
	if (path.length >= sizeof(text))
		return error_set(error, "cannot read the hosts file: its path is longer than %d",
				 PATH_MAX - 1);
	return file_check(text, HOSTS_BYTES, error) ||
	       error_prefix(error, "cannot read the hosts file '%s': ", text);
}

static bool add_servers(struct resolver *resolver, struct error *error)
{
	const struct resolver_settings *settings = resolver->settings;
	char text[NAMESERVER_BYTES];
	int problem;

	if (settings->nameserver.data) {
		slice_to_text(settings->nameserver, text, sizeof(text));
		return evdns_base_nameserver_ip_add(resolver->dns, text) == 0 ||
		       error_set(error, "name server '%s' cannot be used", text);
	}
	/* Without the file, or servers in it, libevent asks 127.0.0.1. */
	problem = evdns_base_resolv_conf_parse(
		resolver->dns, DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC,
		"/etc/resolv.conf");
	if (problem == RESOLV_CONF_NO_MEMORY)
		return error_set(error, "no memory for the name servers");
	return true;
}

static bool set_up(struct resolver *resolver, struct error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const struct resolver_settings *settings = resolver->settings;
	char hosts[PATH_MAX] = "/etc/hosts";
	int64_t try_ms = settings->timeout_ms / ATTEMPTS;
	char seconds[32];

	pthread_once(&once, set_up_log);
	if (!resolver_check_nameserver(settings->nameserver, error) ||
	    !resolver_check_hosts(settings->hosts_file, error))
		return false;
	resolver->dns = evdns_base_new(loop_base(resolver->loop), 0);
	if (!resolver->dns)
		return error_set(error, "no memory for the name client");
	if (!add_servers(resolver, error))
		return false;
	if (settings->hosts_file.data)
		slice_to_text(settings->hosts_file, hosts, sizeof(hosts));
	if (evdns_base_load_hosts(resolver->dns, hosts) != 0 && settings->hosts_file.data)
		return error_set(error, "cannot read the hosts file '%s'", hosts);
	snprintf(seconds, sizeof(seconds), "%lld.%03lld", (long long)(try_ms / 1000),
		 (long long)(try_ms % 1000));
	if (evdns_base_set_option(resolver->dns, "timeout:", seconds) != 0 ||
	    !set_number(resolver->dns, "attempts:", ATTEMPTS) ||
	    !set_number(resolver->dns, "max-inflight:", settings->lookups_max * 2))
		return error_set(error, "the name client refuses its options");
	return true;
}

struct resolver *resolver_new(struct loop *loop, const struct resolver_settings *settings,
			      struct error *error)
{
	struct resolver *resolver = alloc_zalloc(sizeof(*resolver));

	if (!resolver) {
		error_set(error, "no memory for the name client");
		return NULL;
	}
	resolver->loop = loop;
	resolver->settings = settings;
	list_init(&resolver->entries);
	list_init(&resolver->lookups);
	if (!set_up(resolver, error))
		resolver_free(&resolver);
	return resolver;
}

static void abandon(struct lookup *lookup)
{
	loop_timer_stop(&lookup->timer);
	lookup->entry = NULL;
	evdns_getaddrinfo_cancel(lookup->request);
}

static void free_entry(struct resolver *resolver, struct entry *entry)
{
	LIST_EACH_SAFE(waiter, &entry->waiters)
		list_remove(waiter);
	if (entry->lookup)
		abandon(entry->lookup);
	list_remove(&entry->link);
	resolver->entry_count--;
	alloc_free(entry);
}

/* Gives the outcome to all who wait. They are taken off the entry first: one of
 * them may free the resolver, or take others off. */
static void settle(struct entry *entry, enum resolver_state state, int64_t keep_ms)
{
	struct resolver_addresses addresses = entry->addresses;
	struct list waiters;

	entry->state = state;
	entry->expires_ms = clock_monotonic_ms() + keep_ms;
	entry->lookup = NULL;
	list_init(&waiters);
	LIST_EACH_SAFE(item, &entry->waiters) {
		list_remove(item);
		list_append(&waiters, item);
	}
	while (!list_empty(&waiters)) {
		struct resolver_waiter *waiter = container_of(list_first(&waiters),
							      struct resolver_waiter, link);
		list_remove(&waiter->link);
		waiter->done(waiter, state, &addresses);
	}
}

static void copy_addresses(const struct evutil_addrinfo *info, struct resolver_addresses *to)
{
	to->count = 0;
	for (; info && to->count < RESOLVER_ADDRESSES_MAX; info = info->ai_next) {
		struct sockaddr_storage *address = &to->list[to->count];
		if (info->ai_addrlen > sizeof(*address))
			continue;
		memset(address, 0, sizeof(*address));
		memcpy(address, info->ai_addr, info->ai_addrlen);
		to->count++;
	}
}

static void destroy(struct resolver *resolver)
{
	if (resolver->dns)
		evdns_base_free(resolver->dns, 0);
	alloc_free(resolver);
}

static void free_lookup(struct lookup *lookup)
{
	struct resolver *resolver = lookup->resolver;

	loop_timer_fini(&lookup->timer);
	list_remove(&lookup->link);
	alloc_free(lookup);
	if (--resolver->lookup_count == 0 && resolver->freed && !resolver->held)
		destroy(resolver);
}

static void on_addresses(int problem, struct evutil_addrinfo *info, void *context)
{
	struct lookup *lookup = context;
	struct resolver *resolver = lookup->resolver;
	struct entry *entry = lookup->entry;
	bool unknown = problem == EVUTIL_EAI_NONAME || problem == EVUTIL_EAI_NODATA;

	if (entry) {
		copy_addresses(problem ? NULL : info, &entry->addresses);
		unknown |= !problem && entry->addresses.count == 0;
	}
	if (info)
		evutil_freeaddrinfo(info);
	free_lookup(lookup);
	if (!entry)
		return;
	if (unknown)
		settle(entry, RESOLVER_UNKNOWN, resolver->settings->failed_keep_ms);
	else if (problem)
		settle(entry, RESOLVER_FAILED, resolver->settings->failed_keep_ms);
	else
		settle(entry, RESOLVER_KNOWN, resolver->settings->keep_ms);
}

static void on_timeout(struct loop_timer *timer)
{
	struct lookup *lookup = container_of(timer, struct lookup, timer);
	struct entry *entry = lookup->entry;

	abandon(lookup);
	settle(entry, RESOLVER_FAILED, lookup->resolver->settings->failed_keep_ms);
}

static bool ask(struct resolver *resolver, struct entry *entry)
{
	const struct evutil_addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_protocol = IPPROTO_TCP,
	};
	struct evdns_getaddrinfo_request *request;
	struct lookup *lookup;

	if (resolver->lookup_count >= (size_t)resolver->settings->lookups_max)
		return false;
	lookup = alloc_zalloc(sizeof(*lookup));
	if (!lookup)
		return false;
	lookup->resolver = resolver;
	lookup->entry = entry;
	loop_timer_init(&lookup->timer, resolver->loop, on_timeout);
	if (!loop_timer_set(&lookup->timer, resolver->settings->timeout_ms)) {
		alloc_free(lookup);
		return false;
	}
	list_append(&resolver->lookups, &lookup->link);
	resolver->lookup_count++;
	entry->state = RESOLVER_PENDING;
	entry->lookup = lookup;
	/* For names of the hosts file it calls back at once, and the lookup is gone. */
	request = evdns_getaddrinfo(resolver->dns, entry->name, NULL, &hints, on_addresses, lookup);
	if (entry->lookup)
		entry->lookup->request = request;
	return true;
}

/* Makes room for one more: the name that was not used for longest goes, unless
 * somebody waits for it. */
static bool make_room(struct resolver *resolver)
{
	if (resolver->entry_count < (size_t)resolver->settings->names_max)
		return true;
	for (struct list *item = resolver->entries.prev; item != &resolver->entries;
	     item = item->prev) {
		struct entry *entry = container_of(item, struct entry, link);
		if (entry->state != RESOLVER_PENDING) {
			free_entry(resolver, entry);
			return true;
		}
	}
	return false;
}

static struct entry *find_entry(struct resolver *resolver, struct lg_slice name)
{
	struct entry *entry;

	LIST_EACH(item, &resolver->entries) {
		entry = container_of(item, struct entry, link);
		if (slice_equal_nocase(slice_from(entry->name), name))
			return entry;
	}
	if (name.length >= RESOLVER_NAME_BYTES || !make_room(resolver))
		return NULL;
	entry = alloc_zalloc(sizeof(*entry));
	if (!entry)
		return NULL;
	slice_to_text(name, entry->name, sizeof(entry->name));
	list_init(&entry->waiters);
	entry->state = RESOLVER_FAILED;
	list_prepend(&resolver->entries, &entry->link);
	resolver->entry_count++;
	return entry;
}

enum resolver_state resolver_find(struct resolver *resolver, struct lg_slice name,
				  struct resolver_waiter *waiter,
				  struct resolver_addresses *addresses)
{
	struct entry *entry = find_entry(resolver, name);

	addresses->count = 0;
	if (!entry)
		return RESOLVER_FAILED;
	list_remove(&entry->link);
	list_prepend(&resolver->entries, &entry->link);
	if (entry->state != RESOLVER_PENDING && clock_monotonic_ms() >= entry->expires_ms &&
	    !ask(resolver, entry))
		return RESOLVER_FAILED;
	if (entry->state == RESOLVER_PENDING)
		list_append(&entry->waiters, &waiter->link);
	else if (entry->state == RESOLVER_KNOWN)
		*addresses = entry->addresses;
	return entry->state;
}

void resolver_cancel(struct resolver_waiter *waiter)
{
	list_remove(&waiter->link);
}

/* libevent calls back for cancelled requests in a later turn, and until then
 * needs its base. */
void resolver_free(struct resolver **resolver)
{
	struct resolver *r = *resolver;

	*resolver = NULL;
	if (!r)
		return;
	LIST_EACH_SAFE(item, &r->entries)
		free_entry(r, container_of(item, struct entry, link));
	r->freed = true;
	r->held = !loop_running(r->loop);
	for (int turns = 0; r->held && r->lookup_count > 0 && turns < TURNS_MAX; turns++)
		loop_turn(r->loop);
	r->held = false;
	if (r->lookup_count == 0)
		destroy(r);
}
