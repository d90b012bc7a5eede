#include "supervise/rights.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

/* The kernel wants it aligned as its head is. */
union room {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int) * RIGHTS_MAX)];
};

ssize_t rights_send(int socket, const void *bytes, size_t length, const int *files, size_t count)
{
	union room room = {.bytes = {0}};
	struct iovec part = {.iov_base = (void *)(size_t)bytes, .iov_len = length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	ALWAYS(count <= RIGHTS_MAX);
	if (count > 0) {
		struct cmsghdr *head;

		message.msg_control = room.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(head), files, sizeof(int) * count);
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL);
}

static void take(const struct cmsghdr *head, int *files, size_t *count)
{
	size_t came = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < came; i++) {
		int file;

		memcpy(&file, CMSG_DATA(head) + i * sizeof(int), sizeof(file));
		if (*count < RIGHTS_MAX)
			files[(*count)++] = file;
		else
			close(file);
	}
}

/* More than there is room for does not come in at all (MSG_CTRUNC). */
ssize_t rights_receive(int socket, void *bytes, size_t capacity, int *files, size_t *count)
{
	union room room;
	struct iovec part = {.iov_base = bytes, .iov_len = capacity};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = room.bytes,
				 .msg_controllen = sizeof(room)};
	ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);

	if (got < 0)
		return got;
	for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head;
	     head = CMSG_NXTHDR(&message, head))
		if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
			take(head, files, count);
	return got;
}
