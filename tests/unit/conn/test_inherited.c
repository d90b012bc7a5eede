#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

/* A millisecond each. */
#define PATIENCE_TURNS 60000

static const struct socket_access access_of = {0660, (uid_t)-1, (gid_t)-1};

/* A listening socket on a free port of 127.0.0.1, as a service manager has it. */
static int listening(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static int dial(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static int reset(void **state)
{
	(void)state;
	inherited_forget();
	return 0;
}

static struct inherited *lend(const char *text)
{
	struct bind_address address;

	assert_true(bind_address_parse(slice_from(text), &address, NULL));
	return inherited_lend(&address);
}

static void lends_by_name_and_by_address(void **state)
{
	int ports[3], fds[3];
	char address[64];

	(void)state;
	for (int i = 0; i < 3; i++) {
		fds[i] = listening(&ports[i]);
		assert_true(inherited_add(fds[i], i < 2 ? "web" : "other", NULL));
		assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
	}
	assert_null(lend("systemd:nobody"));
	assert_null(lend("127.0.0.1:0"));
	struct inherited *first = lend("systemd:web"), *second = lend("systemd:web");
	assert_int_equal(inherited_fd(first), fds[0]);
	assert_int_equal(inherited_fd(second), fds[1]);
	assert_null(lend("systemd:web"));
	assert_string_equal(inherited_idle(0), "other");
	assert_null(inherited_idle(1));
	snprintf(address, sizeof(address), "*:%d", ports[2]);
	assert_null(lend(address));
	snprintf(address, sizeof(address), "127.0.0.2:%d", ports[2]);
	assert_null(lend(address));
	snprintf(address, sizeof(address), "127.0.0.1:%d", ports[2]);
	struct inherited *third = lend(address);
	assert_int_equal(inherited_fd(third), fds[2]);
	assert_null(inherited_idle(0));
	inherited_give_back(third);
	assert_non_null(lend("systemd:other"));
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

/* As systemd makes it for ListenStream=[::]:PORT; port 0 takes a free one. */
static int listening_v6(int *port, int v6_only)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6,
				       .sin6_port = htons((uint16_t)*port)};
	socklen_t length = sizeof(address);
	int on = 1, fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0)
		skip(); /* a machine without IPv6 */
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin6_port);
	return fd;
}

static void finds_sockets_that_take_ipv4_too(void **state)
{
	int port = 0, both = listening_v6(&port, 0), alone = listening_v6(&port, 1);
	char any[32], v6[32];

	(void)state;
	snprintf(any, sizeof(any), "*:%d", port);
	snprintf(v6, sizeof(v6), "[::]:%d", port);
	assert_true(inherited_add(both, "both", NULL));
	struct inherited *lent = lend(v6);
	assert_non_null(lent);
	assert_int_equal(inherited_fd(lent), both);
	inherited_give_back(lent);
	assert_true(inherited_add(alone, "alone", NULL));
	assert_int_equal(inherited_fd(lend(v6)), alone);
	assert_int_equal(inherited_fd(lend(any)), both);
	assert_null(lend(v6));
	inherited_forget();
	assert_true(inherited_add(alone, "alone", NULL));
	assert_null(lend(any));
	close(both);
	close(alone);
}

static void finds_unix_sockets_by_path(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char folder[] = "/tmp/leadgate-inherited-XXXXXX", text[128];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_true(inherited_add(fd, "s", NULL));
	snprintf(text, sizeof(text), "unix:%s/other", folder);
	assert_null(lend(text));
	snprintf(text, sizeof(text), "unix:%s/s", folder);
	assert_int_equal(inherited_fd(lend(text)), fd);
	unlink(address.sun_path);
	rmdir(folder);
	close(fd);
}

static void takes_listening_streams_alone(void **state)
{
	int stream = socket(AF_INET, SOCK_STREAM, 0), datagram = socket(AF_INET, SOCK_DGRAM, 0);
	int file = open("/dev/null", O_RDONLY);
	struct error error = {0};

	(void)state;
	assert_false(inherited_add(stream, "stream", &error));
	assert_non_null(strstr(error.text, "\"stream\""));
	assert_false(inherited_add(datagram, "datagram", &error));
	assert_false(inherited_add(file, "file", &error));
	assert_null(inherited_idle(0));
	close(stream);
	close(datagram);
	close(file);
}

static void keep(struct listener *listener, int fd, const struct address *peer)
{
	int *accepted = listener->context;

	(void)peer;
	if (*accepted >= 0)
		close(*accepted);
	*accepted = fd;
}

/* Whoever connects while nobody accepts is accepted by the next listener. */
static void loses_no_connection_between_listeners(void **state)
{
	struct loop *loop = loop_new();
	struct listener listener;
	struct error error = {0};
	int port, accepted = -1, fd = listening(&port);

	(void)state;
	assert_true(inherited_add(fd, "web", NULL));
	for (int i = 0; i < 3; i++) {
		int client = dial(port);
		assert_true(listener_open(&listener, loop, LG_SLICE("systemd:web"), 16, &access_of,
					  &error));
		assert_int_equal(listener_port(&listener), port);
		assert_true(listener_start(&listener, keep, &accepted));
		/* The kernel may still be busy with what dial has seen done. */
		for (int turns = 0; accepted < 0 && turns < PATIENCE_TURNS; turns++) {
			loop_turn(loop);
			poll(NULL, 0, accepted < 0);
		}
		assert_true(accepted >= 0);
		close(accepted);
		close(client);
		accepted = -1;
		client = dial(port);
		listener_empty(&listener);
		assert_int_equal(accepted, -1);
		listener_close(&listener);
		close(client);
	}
	assert_false(
		listener_open(&listener, loop, LG_SLICE("systemd:other"), 16, &access_of, &error));
	assert_non_null(strstr(error.text, "systemd:other"));
	close(fd);
	loop_free(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lends_by_name_and_by_address, reset),
		cmocka_unit_test_setup(finds_sockets_that_take_ipv4_too, reset),
		cmocka_unit_test_setup(finds_unix_sockets_by_path, reset),
		cmocka_unit_test_setup(takes_listening_streams_alone, reset),
		cmocka_unit_test_setup(loses_no_connection_between_listeners, reset),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
