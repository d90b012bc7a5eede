#include "unit.h"

#include "base/list.h"

struct item {
	int number;
	struct list link;
};

/* The numbers in order, as digits, and checks the links backwards. */
static int digits(const struct list *head)
{
	int sum = 0;
	LIST_EACH(link, head) {
		assert_ptr_equal(link->next->prev, link);
		sum = sum * 10 + container_of(link, struct item, link)->number;
	}
	return sum;
}

static void order_is_kept(void **state)
{
	struct item a = {.number = 1}, b = {.number = 2}, c = {.number = 3};
	struct list head;
	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_first(&head));
	list_append(&head, &b.link);
	list_append(&head, &c.link);
	list_prepend(&head, &a.link);
	assert_int_equal(digits(&head), 123);
	assert_ptr_equal(list_first(&head), &a.link);
	list_remove(&b.link);
	list_remove(&b.link);
	assert_int_equal(digits(&head), 13);
	list_insert_before(&a.link, &b.link);
	assert_int_equal(digits(&head), 213);
}

static void safe_walk_may_remove(void **state)
{
	struct item items[5];
	struct list head;
	(void)state;
	list_init(&head);
	for (int i = 0; i < 5; i++) {
		items[i].number = i + 1;
		list_append(&head, &items[i].link);
	}
	LIST_EACH_SAFE(link, &head)
		if (container_of(link, struct item, link)->number % 2 == 0)
			list_remove(link);
	assert_int_equal(digits(&head), 135);
	LIST_EACH_SAFE(link, &head)
		list_remove(link);
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(safe_walk_may_remove),
	};
	return RUN(tests);
}
