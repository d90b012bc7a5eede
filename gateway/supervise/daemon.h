/* The gateway as a process: start in order, serve, drain in order. */
#ifndef SUPERVISE_DAEMON_H
#define SUPERVISE_DAEMON_H

/* Exit statuses of every command. */
#define EXIT_DONE 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_CONFIG 78

/* Runs until SIGTERM or SIGINT; returns an exit status. What is wrong with the
 * configuration goes to standard error as it stands, all else to the log.
 *
 * The first SIGTERM or SIGINT drains: readiness falls, no connection is
 * accepted, what is under way is answered, batches end; at most core.shutdown
 * long. The second one ends the waiting. Main thread; once a process. */
int daemon_run(const char *config_path);

#endif
