/* The control socket: a unix socket beside the store (FILE.sock, mode 0600).
 * The same user or root sends one line of JSON, {"command":"status"}, and gets
 * lines of JSON; then the connection is closed. A refused request is answered
 * with {"error":"…"}. An import answers for as long as it goes on, and ends when the
 * other side is closed for writing. On the main thread's loop. */
#ifndef SUPERVISE_CONTROL_H
#define SUPERVISE_CONTROL_H

#include "base/buffer.h"
#include "base/loop.h"
#include "supervise/gateway.h"

#define CONTROL_CLIENTS 8		 /* at once */
#define CONTROL_FOLLOWERS 6		 /* of these, at most: imports take their time */
#define CONTROL_REQUEST_BYTES (64 << 10) /* with the line feed */
#define CONTROL_ANSWER_BYTES (1 << 20)
#define CONTROL_TIMEOUT_MS 5000 /* absolute, of one exchange */
#define CONTROL_RELOAD_MS 60000 /* of one that waits for a reload */

/* Listens; sets gateway->control. A socket that is left over is replaced: we
 * hold the store's lock, so nobody listens there. */
bool control_open(struct gateway *gateway, struct error *error);
/* Closes and removes the socket. */
void control_close(struct control **control);

/* The other end, for commands: sends `request` (one line, no line feed) to the
 * gateway that owns the store, and appends its answer. False with a reason;
 * `absent` says that no gateway runs there. Blocks up to CONTROL_TIMEOUT_MS. */
bool control_call(struct lg_slice store_path, const char *request, struct buffer *answer,
		  bool *absent, struct error *error);
/* The same with a limit of its own, for what the gateway answers later. */
bool control_call_within(struct lg_slice store_path, int64_t timeout_ms, const char *request,
			 struct buffer *answer, bool *absent, struct error *error);

/* Connects to the gateway that owns the store: a socket that does not block. False with
 * a reason; `absent` as above. */
bool control_connect(struct lg_slice store_path, int *fd, bool *absent, struct error *error);

/* An address that is short enough whatever the path: the folder is opened as
 * `*folder` (close it afterwards), and the socket named below it. False with a reason;
 * `absent` says that there is no such folder. */
bool control_address(struct lg_slice store_path, int *folder, char *path, size_t path_bytes,
		     bool *absent, struct error *error);

#endif
