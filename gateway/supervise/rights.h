/* Descriptors that go with bytes over a unix socket (SCM_RIGHTS, unix(7)): who opened
 * a file may let another process use it that has no right to its path. Any thread. */
#ifndef SUPERVISE_RIGHTS_H
#define SUPERVISE_RIGHTS_H

#include <stddef.h>
#include <sys/types.h>

/* With one message. */
#define RIGHTS_MAX 2

/* As send(2) with MSG_NOSIGNAL; the `count` descriptors, which stay open here, go with
 * the first byte. Returns what was sent, or -1 with errno. */
ssize_t rights_send(int socket, const void *bytes, size_t length, const int *files, size_t count);

/* As recv(2). Descriptors that came are appended to `files`, closed on exec and the
 * caller's from here on; what goes beyond RIGHTS_MAX of them in all is closed. */
ssize_t rights_receive(int socket, void *bytes, size_t capacity, int *files, size_t *count);

#endif
