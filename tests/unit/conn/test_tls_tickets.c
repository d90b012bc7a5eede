#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "conn/tls_tickets.h"

#include <pthread.h>
#include <string.h>

static bool opens(struct tls_tickets *tickets, int64_t now_ms, const struct tls_ticket_key *key,
		  bool *is_old)
{
	struct tls_ticket_key found;

	if (!tls_tickets_find(tickets, now_ms, key->name, &found, is_old))
		return false;
	assert_memory_equal(&found, key, sizeof(found));
	return true;
}

/* A key seals for one life, opens for one more, and is gone. */
static void keys_grow_old(void **state)
{
	struct tls_tickets *tickets = tls_tickets_new(1000, 5000);
	struct tls_ticket_key first, second, third;
	bool is_old;

	(void)state;
	tls_tickets_newest(tickets, 5000, &first);
	tls_tickets_newest(tickets, 5999, &second);
	assert_memory_equal(&first, &second, sizeof(first));
	assert_true(opens(tickets, 5999, &first, &is_old));
	assert_false(is_old);
	tls_tickets_newest(tickets, 6000, &second);
	assert_memory_not_equal(first.name, second.name, sizeof(first.name));
	assert_memory_not_equal(first.cipher_key, second.cipher_key, sizeof(first.cipher_key));
	assert_memory_not_equal(first.mac_key, second.mac_key, sizeof(first.mac_key));
	assert_true(opens(tickets, 6999, &first, &is_old));
	assert_true(is_old);
	tls_tickets_newest(tickets, 7000, &third);
	assert_false(opens(tickets, 7000, &first, &is_old));
	assert_true(opens(tickets, 7000, &second, &is_old));
	assert_true(is_old);
	assert_true(opens(tickets, 7000, &third, &is_old));
	assert_false(is_old);
	tls_tickets_unref(&tickets);
	assert_null(tickets);
}

/* After a quiet time the last key is too old even to open. */
static void a_quiet_time_ages_all(void **state)
{
	struct tls_tickets *tickets = tls_tickets_new(1000, 0);
	struct tls_ticket_key first;
	bool is_old;

	(void)state;
	tls_tickets_newest(tickets, 0, &first);
	assert_false(opens(tickets, 2000, &first, &is_old));
	tls_tickets_set_lifetime(tickets, 5000);
	tls_tickets_newest(tickets, 2000, &first);
	assert_true(opens(tickets, 6999, &first, &is_old));
	assert_false(is_old);
	tls_tickets_unref(&tickets);
}

static void *seal_and_open(void *arg)
{
	struct tls_tickets *tickets = tls_tickets_ref(arg);
	struct tls_ticket_key key;
	bool is_old;

	for (int64_t now_ms = 0; now_ms < 2000; now_ms++) {
		tls_tickets_newest(tickets, now_ms, &key);
		tls_tickets_find(tickets, now_ms, key.name, &key, &is_old);
	}
	tls_tickets_unref(&tickets);
	return NULL;
}

static void threads_share_them(void **state)
{
	struct tls_tickets *tickets = tls_tickets_new(10, 0);
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, seal_and_open, tickets), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	tls_tickets_unref(&tickets);
}

static void survives_without_memory(void **state)
{
	(void)state;
	alloc_fail_at(1);
	assert_null(tls_tickets_new(1000, 0));
	alloc_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_grow_old),
		cmocka_unit_test(a_quiet_time_ages_all),
		cmocka_unit_test(threads_share_them),
		cmocka_unit_test(survives_without_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
