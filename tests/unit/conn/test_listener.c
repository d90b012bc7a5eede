#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"
#include "base/log.h"
#include "conn/listener.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct socket_access ours = {0660, (uid_t)-1, (gid_t)-1};

struct seen {
	struct loop *loop;
	int count, wanted;
	char peer[ADDRESS_TEXT_BYTES];
};

static void on_accepted(struct listener *listener, int fd, const struct address *peer)
{
	struct seen *seen = listener->context;

	int unsent_bytes = 0;
	socklen_t length = sizeof(unsent_bytes);

	address_format(peer, seen->peer);
	/* What a peer does not read does not pile up in the kernel. */
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes, &length), 0);
	assert_in_range(unsent_bytes, 1, 1 << 20);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	if (++seen->count == seen->wanted)
		loop_stop(seen->loop);
}

static int dial_v4(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int dial_v6(int port)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
				  .sin6_port = htons((uint16_t)port),
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void expect_accepted(const char *address, int (*dial)(int port), const char *peer)
{
	struct seen seen = {.loop = loop_new(), .wanted = 1};
	struct listener listener;
	struct error error = {0};

	if (!listener_open(&listener, seen.loop, slice_from(address), 16, &ours, &error))
		fail_msg("%s", error.text);
	assert_true(listener_start(&listener, on_accepted, &seen));
	assert_true(listener_port(&listener) > 0);
	int fd = dial(listener_port(&listener));
	assert_true(fd >= 0);
	loop_run(seen.loop);
	assert_string_equal(seen.peer, peer);
	close(fd);
	listener_close(&listener);
	listener_close(&listener);
	assert_int_equal(listener_port(&listener), 0);
	loop_free(&seen.loop);
}

/* A machine may have been set up without IPv6; then "*" means IPv4 alone. */
static bool has_v6(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

static void accepts(void **state)
{
	(void)state;
	expect_accepted("127.0.0.1:0", dial_v4, "127.0.0.1");
	expect_accepted("*:0", dial_v4, "127.0.0.1");
	if (!has_v6())
		return;
	expect_accepted("[::1]:0", dial_v6, "::1");
	expect_accepted("*:0", dial_v6, "::1");
}

static void keeps_ipv6_to_itself(void **state)
{
	struct loop *loop = loop_new();
	struct listener listener;

	int fd = -1;

	(void)state;
	/* Somebody else may listen on the same port of IPv4, though not on each of them. */
	for (int i = 0; i < 3 && has_v6(); i++) {
		assert_true(listener_open(&listener, loop, LG_SLICE("[::]:0"), 16, &ours, NULL));
		fd = dial_v4(listener_port(&listener));
		listener_close(&listener);
		if (fd < 0)
			break;
		close(fd);
	}
	assert_int_equal(fd, -1);
	loop_free(&loop);
}

static void says_what_is_wrong(void **state)
{
	static const char *const bad[] = {"8080",
					  "127.0.0.1",
					  "127.0.0.1:",
					  "127.0.0.1:65536",
					  "127.0.0.1:x",
					  "::1:80",
					  "[127.0.0.1]:80",
					  "[::1:80",
					  "localhost:80",
					  ":80",
					  "",
					  "[]:1"};
	struct loop *loop = loop_new();
	struct listener first, second;
	struct error error = {0};
	char address[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(listener_open(&second, loop, slice_from(bad[i]), 16, &ours, &error));
		assert_non_null(strstr(error.text, bad[i]));
		assert_int_equal(second.fd, -1);
	}
	assert_true(listener_open(&first, loop, LG_SLICE("127.0.0.1:0"), 16, &ours, &error));
	snprintf(address, sizeof(address), "127.0.0.1:%d", listener_port(&first));
	assert_false(listener_open(&second, loop, slice_from(address), 16, &ours, &error));
	assert_non_null(strstr(error.text, address));
	assert_non_null(strstr(error.text, "the port is taken"));
	assert_false(listener_open(&second, loop, LG_SLICE("192.0.2.1:8080"), 16, &ours, &error));
	assert_non_null(strstr(error.text, "no such address"));
	listener_close(&first);
	loop_free(&loop);
}

/* Without descriptors it waits, and goes on when there are some. A connection
 * is dialled then, too: valgrind, which counts descriptors itself, accepts and
 * drops those that came before. */
struct shortage {
	struct loop_timer timer;
	struct listener listener;
	struct rlimit before;
	int dialled;
};

static void end_shortage(struct loop_timer *timer)
{
	struct shortage *shortage = container_of(timer, struct shortage, timer);
	struct seen *seen = shortage->listener.context;

	assert_int_equal(seen->count, 0);
	setrlimit(RLIMIT_NOFILE, &shortage->before);
	shortage->dialled = dial_v4(listener_port(&shortage->listener));
}

static void waits_for_descriptors(void **state)
{
	struct seen seen = {.loop = loop_new(), .wanted = 1};
	int log = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct shortage shortage;
	struct listener *listener = &shortage.listener;

	(void)state;
	log_setup(log, LOG_LOGFMT, LG_LOG_WARNING);
	assert_true(listener_open(listener, seen.loop, LG_SLICE("127.0.0.1:0"), 16, &ours, NULL));
	assert_true(listener_start(listener, on_accepted, &seen));
	int first = dial_v4(listener_port(listener));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &shortage.before), 0);
	struct rlimit none = {.rlim_cur = (rlim_t)first + 1, .rlim_max = shortage.before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	loop_timer_init(&shortage.timer, seen.loop, end_shortage);
	assert_true(loop_timer_set(&shortage.timer, 50));
	loop_run(seen.loop);
	assert_true(seen.count >= 1);
	loop_timer_fini(&shortage.timer);
	close(first);
	close(shortage.dialled);
	listener_close(listener);
	loop_free(&seen.loop);
	log_setup(STDERR_FILENO, LOG_LOGFMT, LG_LOG_INFO);
	close(log);
}

/* ---- the end of a shortage -------------------------------------------------------- */

/* One that shows the shortage, then two full batches: no look finds the queue empty. */
#define WAITING 129

struct episode {
	struct loop_timer timer;
	struct listener listener;
	int looks;
};

/* The shortage ends; a while later nothing may be left of it. */
static void watch_episode(struct loop_timer *timer)
{
	struct episode *episode = container_of(timer, struct episode, timer);
	const struct seen *seen = episode->listener.context;

	episode->listener.ceiling = INT_MAX;
	if (seen->count < WAITING || (episode->listener.paused_ms > 0 && ++episode->looks < 1000))
		loop_timer_set(timer, 10);
	else
		loop_stop(seen->loop);
}

static void ends_a_shortage_with_a_full_batch(void **state)
{
	struct seen seen = {.loop = loop_new(), .wanted = INT_MAX};
	int log = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct episode episode = {.looks = 0};
	int clients[WAITING];

	(void)state;
	log_setup(log, LOG_LOGFMT, LG_LOG_WARNING);
	assert_true(listener_open(&episode.listener, seen.loop, LG_SLICE("127.0.0.1:0"), WAITING,
				  &ours, NULL));
	episode.listener.ceiling = 0; /* the first is accepted, and is one too many */
	assert_true(listener_start(&episode.listener, on_accepted, &seen));
	for (int i = 0; i < WAITING; i++)
		assert_true((clients[i] = dial_v4(listener_port(&episode.listener))) >= 0);
	loop_timer_init(&episode.timer, seen.loop, watch_episode);
	assert_true(loop_timer_set(&episode.timer, 50));
	loop_run(seen.loop);
	assert_int_equal(seen.count, WAITING);
	assert_int_equal(episode.listener.paused_ms, 0);
	for (int i = 0; i < WAITING; i++)
		close(clients[i]);
	loop_timer_fini(&episode.timer);
	listener_close(&episode.listener);
	loop_free(&seen.loop);
	log_setup(STDERR_FILENO, LOG_LOGFMT, LG_LOG_INFO);
	close(log);
}

/* Who gets a connection may close the listener that it came by, also when it took one of
 * the last descriptors: nothing is paused then. */
static void on_last(struct listener *listener, int fd, const struct address *peer)
{
	struct seen *seen = listener->context;

	(void)peer;
	close(fd);
	listener_close(listener);
	loop_stop(seen->loop);
}

static void may_be_closed_by_whom_it_serves(void **state)
{
	struct seen seen = {.loop = loop_new()};
	struct listener listener;
	int client;

	(void)state;
	assert_true(listener_open(&listener, seen.loop, LG_SLICE("127.0.0.1:0"), 16, &ours, NULL));
	listener.ceiling = 0;
	assert_true(listener_start(&listener, on_last, &seen));
	client = dial_v4(listener_port(&listener));
	loop_run(seen.loop);
	assert_int_equal(listener.fd, -1);
	assert_int_equal(listener.paused_ms, 0);
	close(client);
	listener_close(&listener);
	loop_free(&seen.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(keeps_ipv6_to_itself),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(waits_for_descriptors),
		cmocka_unit_test(ends_a_shortage_with_a_full_batch),
		cmocka_unit_test(may_be_closed_by_whom_it_serves),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
