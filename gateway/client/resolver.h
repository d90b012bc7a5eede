/* Names to addresses by libevent's DNS client on a loop: A and AAAA at once,
 * the hosts file first, answers and failures kept for a while in a bounded
 * table. A dead name server costs a lookup its time and the loop nothing.
 * All functions are for the loop's thread. */
#ifndef CLIENT_RESOLVER_H
#define CLIENT_RESOLVER_H

#include <sys/socket.h>

#include "base/error.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/slice.h"

#define RESOLVER_ADDRESSES_MAX 8 /* more of one name are left out */
#define RESOLVER_NAME_BYTES 254	 /* of a name in text form (RFC 1035), with a zero byte */

struct resolver_settings {
	struct lg_slice nameserver; /* "192.0.2.1" or "192.0.2.1:53"; absent: resolv.conf */
	struct lg_slice hosts_file; /* absent: /etc/hosts */
	int64_t timeout_ms;	    /* of one lookup */
	int64_t lookups_max;	    /* under way at once */
	int64_t names_max;	    /* kept */
	int64_t keep_ms;	    /* how long addresses are used */
	int64_t failed_keep_ms;	    /* how long a failure is */
};

enum resolver_state {
	RESOLVER_PENDING,
	RESOLVER_KNOWN,
	RESOLVER_UNKNOWN, /* there is no such name, or it has no address */
	RESOLVER_FAILED,  /* no server answered, or there are too many lookups */
};

struct resolver_addresses {
	size_t count;
	struct sockaddr_storage list[RESOLVER_ADDRESSES_MAX]; /* ports are 0 */
};

/* One who waits for a name; lives in the caller's struct until `done` or
 * resolver_cancel. `addresses` lives for the call; they are none but when KNOWN. */
struct resolver_waiter {
	struct list link;
	void (*done)(struct resolver_waiter *waiter, enum resolver_state state,
		     const struct resolver_addresses *addresses);
};

/* Whether a name server's address can be used, and whether a file of hosts can: it is a
 * regular file of at most 16 MiB, or /dev/null, which names nobody. An absent one is
 * good. False with a sentence that names it. Any thread; a file system that hangs holds
 * up the caller. */
bool resolver_check_nameserver(struct lg_slice address, struct error *error);
bool resolver_check_hosts(struct lg_slice path, struct error *error);

/* The settings and the loop outlive the resolver. NULL with a reason. */
struct resolver *resolver_new(struct loop *loop, const struct resolver_settings *settings,
			      struct error *error);

/* Those who wait are forgotten: their `done` is not called. It may be called from
 * one of the loop's callbacks. When the loop is not running, it is turned until
 * libevent has let go of the lookups. */
void resolver_free(struct resolver **resolver);

/* Finds a name: KNOWN fills `addresses`; PENDING calls waiter->done later, never
 * from within. */
enum resolver_state resolver_find(struct resolver *resolver, struct lg_slice name,
				  struct resolver_waiter *waiter,
				  struct resolver_addresses *addresses);

void resolver_cancel(struct resolver_waiter *waiter);

#endif
