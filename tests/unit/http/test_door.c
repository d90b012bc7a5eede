/* Who goes when a server is full and many come at once. Its loops have no threads of
 * their own: the test lets each of them have its turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOPS 2
#define PLACES 8

struct house {
	struct loop *loops[LOOPS];
	struct http_server *server;
};

/* One bound for all, or the same one for the only listener. */
static struct house open_house(bool by_listener)
{
	struct http_limits limits = fixture_limits();
	struct http_listen listen = {.address = LG_SLICE("127.0.0.1:0"),
				     .backlog = 64,
				     .probe_path = LG_SLICE("/probe")};
	struct http_service service = {0};
	struct error error = {0};
	struct house house = {0};

	*(by_listener ? &listen.connections : &limits.connections) = PLACES;
	for (size_t i = 0; i < LOOPS; i++)
		house.loops[i] = loop_new();
	house.server = http_server_open(house.loops, LOOPS, &listen, 1, &limits, &service, &error);
	assert_non_null(house.server);
	return house;
}

static void close_house(struct house *house)
{
	http_server_close(&house->server);
	for (size_t i = 0; i < LOOPS; i++)
		loop_free(&house->loops[i]);
}

/* Often enough for all that is under way, whichever loop hands it on to the other. */
static void turn_all(struct house *house)
{
	for (int i = 0; i < 200; i++)
		loop_turn(house->loops[i % LOOPS]);
}

/* What begins after it began at another millisecond than what was before. */
static void pass_a_moment(struct house *house)
{
	int64_t now_ms = clock_monotonic_ms();

	while (clock_monotonic_ms() == now_ms)
		;
	turn_all(house);
}

static int come(const struct house *house)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)http_server_port(house->server, 0)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Whether a request on it is answered. */
static bool is_served(struct house *house, int fd)
{
	static const char request[] = "GET /probe HTTP/1.1\r\nHost: a\r\n\r\n";
	char answer[1024];

	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		return false;
	turn_all(house);
	return recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0;
}

static bool has_ended(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* So many newcomers, who are all accepted in one turn of the first loop, and whose requests
 * are under way for longer than they take to be dealt out. */
static void come_at_once(struct house *house, int *newcomers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		newcomers[i] = come(house);
	loop_turn(house->loops[0]);
	turn_all(house);
}

/* The longest-idle ones go for them, in that order, and no newcomer for another one,
 * whichever of the loops has the longest-idle one. */
static void check_displaced(size_t count, bool by_listener, size_t oldest)
{
	struct house house = open_house(by_listener);
	int residents[PLACES], newcomers[PLACES];

	for (size_t i = 0; i < PLACES; i++) {
		residents[i] = come(&house);
		turn_all(&house);
	}
	for (size_t i = 0; i < PLACES; i++) {
		assert_true(is_served(&house, residents[(i + oldest) % PLACES]));
		pass_a_moment(&house);
	}
	come_at_once(&house, newcomers, count);
	for (size_t i = 0; i < PLACES; i++)
		assert_int_equal(has_ended(residents[(i + oldest) % PLACES]), i < count);
	for (size_t i = 0; i < count; i++)
		assert_true(is_served(&house, newcomers[i]));
	for (size_t i = 0; i < PLACES; i++)
		close(residents[i]);
	for (size_t i = 0; i < count; i++)
		close(newcomers[i]);
	close_house(&house);
}

static void displaces_the_longest_idle_of_all_loops(void **state)
{
	(void)state;
	for (size_t count = 1; count <= PLACES; count++)
		for (size_t row = 0; row < 4; row++)
			check_displaced(count, row / 2, row % 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(displaces_the_longest_idle_of_all_loops),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
