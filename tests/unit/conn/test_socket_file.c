#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn/socket_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const struct socket_access ours = {0600, (uid_t)-1, (gid_t)-1};

struct place {
	char folder[64], path[96], lock[104];
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	snprintf(place->folder, sizeof(place->folder), "/tmp/leadgate-socket-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->path, sizeof(place->path), "%s/s", place->folder);
	snprintf(place->lock, sizeof(place->lock), "%s/s.lock", place->folder);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	assert_int_equal(rmdir(place->folder), 0);
	free(place);
	return 0;
}

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	return fd;
}

static struct socket_file *bind_at(int fd, const struct place *place, struct error *error)
{
	return socket_file_bind(fd, slice_from(place->path), &ours, error);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void comes_and_goes(void **state)
{
	const struct place *place = *state;
	struct error error = {0};
	struct stat stat_of;
	int fd = new_socket();
	struct socket_file *file = bind_at(fd, place, &error);

	assert_non_null(file);
	assert_int_equal(stat(place->path, &stat_of), 0);
	assert_true(S_ISSOCK(stat_of.st_mode));
	assert_int_equal(stat_of.st_mode & 0777, 0600);
	assert_true(is_there(place->lock));
	const struct socket_access wider = {0666, getuid(), getgid()};
	assert_true(socket_file_set_access(file, &wider, &error));
	assert_int_equal(stat(place->path, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0666);
	socket_file_remove(&file);
	assert_null(file);
	assert_false(is_there(place->path));
	assert_false(is_there(place->lock));
	socket_file_remove(&file);
	close(fd);
}

/* What a killed process left: nobody answers there. */
static void replaces_what_is_stale(void **state)
{
	const struct place *place = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct error error = {0};
	int old = new_socket(), fd = new_socket();

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", place->path);
	assert_int_equal(bind(old, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(old, 1), 0);
	close(old);
	assert_true(is_there(place->path));
	close(open(place->lock, O_CREAT | O_WRONLY, 0600));
	struct socket_file *file = bind_at(fd, place, &error);
	assert_non_null(file);
	socket_file_remove(&file);
	assert_false(is_there(place->path));
	close(fd);
}

static void leaves_what_is_served(void **state)
{
	const struct place *place = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct error error = {0};
	int served = new_socket(), fd = new_socket();

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", place->path);
	assert_int_equal(bind(served, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(served, 0), 0);
	for (int i = 0; i < 3; i++) { /* the third finds a full queue */
		assert_null(bind_at(fd, place, &error));
		assert_non_null(strstr(error.text, "another process does"));
		assert_true(is_there(place->path));
		assert_false(is_there(place->lock));
	}
	close(served);
	unlink(place->path);
	close(fd);
}

static void leaves_another_listener_alone(void **state)
{
	const struct place *place = *state;
	struct error error = {0};
	int first = new_socket(), second = new_socket();
	struct socket_file *file = bind_at(first, place, &error);

	assert_non_null(file);
	assert_null(bind_at(second, place, &error));
	assert_non_null(strstr(error.text, "another listener does"));
	assert_true(is_there(place->path));
	assert_true(is_there(place->lock));
	socket_file_remove(&file);
	close(first);
	close(second);
}

static void leaves_other_files(void **state)
{
	const struct place *place = *state;
	struct error error = {0};
	int fd = new_socket();

	close(open(place->path, O_CREAT | O_WRONLY, 0600));
	assert_null(bind_at(fd, place, &error));
	assert_non_null(strstr(error.text, "is no socket"));
	assert_true(is_there(place->path));
	unlink(place->path);
	/* Somebody else's came to stand where ours was. */
	struct socket_file *file = bind_at(fd, place, &error);
	assert_non_null(file);
	unlink(place->path);
	close(open(place->path, O_CREAT | O_WRONLY, 0600));
	socket_file_remove(&file);
	assert_true(is_there(place->path));
	unlink(place->path);
	close(fd);
}

static void says_what_is_wrong(void **state)
{
	const struct place *place = *state;
	struct error error = {0};
	int fd = new_socket();

	assert_null(socket_file_bind(fd, LG_SLICE("/nowhere/at/all"), &ours, &error));
	assert_non_null(strstr(error.text, "/nowhere/at/all.lock"));
	const struct socket_access bad = {0600, (uid_t)-1, 12345};
	if (getuid() != 0) {
		assert_null(socket_file_bind(fd, slice_from(place->path), &bad, &error));
		assert_false(is_there(place->path));
	}
	close(fd);
}

static void reads_access(void **state)
{
	const struct lg_slice none = {0};
	struct socket_access access;
	struct error error = {0};

	(void)state;
	assert_true(socket_access_parse(none, none, none, &access, &error));
	assert_int_equal(access.mode, 0660);
	assert_int_equal(access.owner, (uid_t)-1);
	assert_int_equal(access.group, (gid_t)-1);
	assert_true(socket_access_parse(LG_SLICE("0666"), LG_SLICE("root"), LG_SLICE("0"), &access,
					&error));
	assert_int_equal(access.mode, 0666);
	assert_int_equal(access.owner, 0);
	assert_int_equal(access.group, 0);
	static const char *const modes[] = {"", "8", "0x1", "1000", "rw", "77777777777777", "-1"};
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		assert_false(
			socket_access_parse(slice_from(modes[i]), none, none, &access, &error));
	assert_false(
		socket_access_parse(none, LG_SLICE("nobody-has-this-name"), none, &access, &error));
	assert_non_null(strstr(error.text, "nobody-has-this-name"));
	assert_false(socket_access_parse(none, none, LG_SLICE("no-such-group"), &access, &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_and_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(replaces_what_is_stale, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_what_is_served, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_another_listener_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_other_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(says_what_is_wrong, set_up, tear_down),
		cmocka_unit_test(reads_access),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
