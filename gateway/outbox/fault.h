/* Places where the kill rig ends the process (configure --enable-fault):
 *
 *   LEADGATE_FAULT=after-commit:3   SIGKILL at the third pass of that place
 *
 * Absent from other builds. Any thread. */
#ifndef OUTBOX_FAULT_H
#define OUTBOX_FAULT_H

#ifdef LG_FAULT
void outbox_fault(const char *place);
#else
static inline void outbox_fault(const char *place)
{
	(void)place;
}
#endif

#endif
