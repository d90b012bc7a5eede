/* Word to the service manager that started us (sd_notify(3)); without one nothing
 * happens, and what it does not hear is no error. Main thread. */
#ifndef SUPERVISE_NOTIFY_H
#define SUPERVISE_NOTIFY_H

#include <stdint.h>

/* One line for people; what `systemctl status` shows. No personal data. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Leads are taken: after the start, and after each reload however it went. */
void notify_ready(void);
/* A reload begins; notify_ready ends it. */
void notify_reloading(void);
/* A stop begins that takes at most `within_ms`. */
void notify_stopping(int64_t within_ms);
/* The start or stop under way is alive and wants so much more time from now. */
void notify_extend(int64_t by_ms);

/* How often notify_alive is to be called at least (WATCHDOG_USEC); 0: never. */
int64_t notify_watchdog_ms(void);
void notify_alive(void);

#endif
