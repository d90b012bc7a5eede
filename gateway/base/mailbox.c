#include "base/mailbox.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool mailbox_init(struct mailbox *mailbox)
{
	atomic_init(&mailbox->newest, NULL);
	atomic_init(&mailbox->senders, 0);
	mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return mailbox->fd >= 0;
}

void mailbox_fini(struct mailbox *mailbox)
{
	if (mailbox->fd < 0)
		return;
	while (atomic_load_explicit(&mailbox->senders, memory_order_acquire) > 0)
		sched_yield();
	close(mailbox->fd);
	mailbox->fd = -1;
}

void mailbox_poke(struct mailbox *mailbox)
{
	uint64_t one = 1;
	/* EAGAIN: the count is at its maximum, so the receiver is woken anyway. */
	while (write(mailbox->fd, &one, sizeof(one)) < 0)
		if (errno != EINTR)
			break;
}

/* A stack that is only ever pushed to and emptied whole, so no node can come
 * back under a sender's feet (no ABA).
 *
 * No wake-up is lost. Say that the letter L is in the box and look at the
 * oldest letter F that is in it with L. F's sender found the box empty, so it
 * writes the eventfd after F was pushed. mailbox_take reads the eventfd first
 * and empties the box second. Either the write comes after the last read: then
 * the descriptor is readable and the receiver comes again. Or the write comes
 * before that read: then F's push does too, and the exchange that follows the
 * read takes F, and L with it or L is taken later under a new F. The other
 * order, box before eventfd, could swallow the write of a letter that came
 * between the two. */
static void push(struct mailbox *mailbox, struct letter *newest, struct letter *oldest)
{
	struct letter *before = atomic_load_explicit(&mailbox->newest, memory_order_relaxed);

	/* The letter may end the mailbox before its receiver is woken. */
	atomic_fetch_add_explicit(&mailbox->senders, 1, memory_order_relaxed);
	do
		oldest->next = before;
	while (!atomic_compare_exchange_weak_explicit(&mailbox->newest, &before, newest,
						      memory_order_release, memory_order_relaxed));
	if (!before)
		mailbox_poke(mailbox);
	atomic_fetch_sub_explicit(&mailbox->senders, 1, memory_order_release);
}

static struct letter *reverse(struct letter *list)
{
	struct letter *reversed = NULL;

	while (list) {
		struct letter *next = list->next;
		list->next = reversed;
		reversed = list;
		list = next;
	}
	return reversed;
}

void mailbox_send(struct mailbox *mailbox, struct letter *letter)
{
	push(mailbox, letter, letter);
}

void mailbox_send_chain(struct mailbox *mailbox, struct letter *oldest)
{
	if (oldest)
		push(mailbox, reverse(oldest), oldest);
}

struct letter *mailbox_take(struct mailbox *mailbox)
{
	uint64_t count;

	/* One read empties an eventfd; EAGAIN: nobody wrote. */
	while (read(mailbox->fd, &count, sizeof(count)) < 0)
		if (errno != EINTR)
			break;
	return reverse(atomic_exchange_explicit(&mailbox->newest, NULL, memory_order_acquire));
}

bool mailbox_wait(struct mailbox *mailbox, int64_t timeout_ms)
{
	int64_t started_ms = timeout_ms > 0 ? clock_monotonic_ms() : 0;
	int64_t left_ms = timeout_ms;

	while (!atomic_load_explicit(&mailbox->newest, memory_order_relaxed)) {
		struct pollfd poll_fd = {.fd = mailbox->fd, .events = POLLIN};
		int ready = poll(&poll_fd, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR && errno != EAGAIN && errno != ENOMEM)
			error_abort("waiting for a mailbox: %s", strerror(errno));
		if (timeout_ms >= 0) {
			left_ms = timeout_ms;
			if (timeout_ms > 0)
				left_ms -= clock_monotonic_ms() - started_ms;
			if (left_ms <= 0)
				return false;
		}
	}
	return true;
}
