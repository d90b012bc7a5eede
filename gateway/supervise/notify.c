#include "supervise/notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"

#define STATUS_BYTES 256
/* Beyond what a stop allows itself: for the last commit and the exit. */
#define MARGIN_MS 10000

void notify_status(const char *format, ...)
{
	char text[STATUS_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	sd_notifyf(0, "STATUS=%s", text);
}

void notify_ready(void)
{
	sd_notify(0, "READY=1\nSTATUS=taking leads");
}

/* The time lets the manager tell this reload from an earlier one (sd_notify(3)). */
void notify_reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading",
		   (long long)clock_monotonic_us());
}

void notify_stopping(int64_t within_ms)
{
	sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld\nSTATUS=stopping",
		   (long long)(within_ms + MARGIN_MS) * 1000);
}

void notify_extend(int64_t by_ms)
{
	sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%lld", (long long)by_ms * 1000);
}

int64_t notify_watchdog_ms(void)
{
	uint64_t period_us = 0;

	return sd_watchdog_enabled(0, &period_us) > 0 ? (int64_t)(period_us / 1000) : 0;
}

void notify_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}
