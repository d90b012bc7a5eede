#include "conn/quota.h"

#include "base/alloc.h"
#include "base/keyed_hash.h"
#include "base/random.h"

struct quota *quota_new(size_t limit, size_t limit_per_address)
{
	struct quota *quota = alloc_zalloc(sizeof(*quota));

	if (!quota)
		return NULL;
	quota_set_limits(quota, limit, limit_per_address);
	random_bytes(quota->keys, sizeof(quota->keys));
	return quota;
}

void quota_free(struct quota **quota)
{
	alloc_free(*quota);
	*quota = NULL;
}

void quota_set_limits(struct quota *quota, size_t limit, size_t limit_per_address)
{
	atomic_store(&quota->limit, limit);
	atomic_store(&quota->limit_per_address, limit_per_address);
}

/* The address's cells, one in each row. */
static void find_cells(struct quota *quota, const struct address *address,
		       _Atomic(uint32_t) *cells[2])
{
	uint64_t network[2];

	address_network(address, network);
	uint64_t hash = keyed_hash(quota->keys, network);
	cells[0] = &quota->cells[0][hash % QUOTA_CELLS];
	cells[1] = &quota->cells[1][(hash >> 32) % QUOTA_CELLS];
}

static bool take_address(struct quota *quota, const struct address *address)
{
	_Atomic(uint32_t) *cells[2];

	size_t limit = atomic_load(&quota->limit_per_address);
	find_cells(quota, address, cells);
	uint32_t before[2] = {atomic_fetch_add(cells[0], 1), atomic_fetch_add(cells[1], 1)};
	if (before[0] < limit || before[1] < limit)
		return true;
	atomic_fetch_sub(cells[0], 1);
	atomic_fetch_sub(cells[1], 1);
	return false;
}

bool quota_take_beyond(struct quota *quota, size_t beyond, const struct address *address,
		       bool exempt, enum conn_reason *reason)
{
	if (atomic_fetch_add(&quota->total, 1) >= atomic_load(&quota->limit) + beyond) {
		atomic_fetch_sub(&quota->total, 1);
		*reason = CONN_FULL;
		return false;
	}
	if (!exempt && !take_address(quota, address)) {
		atomic_fetch_sub(&quota->total, 1);
		*reason = CONN_FULL_ADDRESS;
		return false;
	}
	return true;
}

bool quota_take(struct quota *quota, const struct address *address, bool exempt,
		enum conn_reason *reason)
{
	return quota_take_beyond(quota, 0, address, exempt, reason);
}

static void give_address(struct quota *quota, const struct address *address)
{
	_Atomic(uint32_t) *cells[2];

	find_cells(quota, address, cells);
	atomic_fetch_sub(cells[0], 1);
	atomic_fetch_sub(cells[1], 1);
}

bool quota_move(struct quota *quota, const struct address *from, bool from_exempt,
		const struct address *to, bool to_exempt)
{
	if (!to_exempt && !take_address(quota, to))
		return false;
	if (!from_exempt)
		give_address(quota, from);
	return true;
}

void quota_give(struct quota *quota, const struct address *address, bool exempt)
{
	if (!exempt)
		give_address(quota, address);
	atomic_fetch_sub(&quota->total, 1);
}

size_t quota_total(const struct quota *quota)
{
	return atomic_load(&quota->total);
}

bool quota_is_beyond(const struct quota *quota)
{
	return atomic_load(&quota->total) > atomic_load(&quota->limit);
}
