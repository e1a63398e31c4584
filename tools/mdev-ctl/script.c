// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running scripts.
 *
 * Nothing that a script does may stop the tool: it is fed and listened to at the same time, so it
 * may write before it reads, or not read at all; it has a limited time; and when it has exited,
 * what it has left running in the background is not waited for, although that may still hold
 * the pipes.
 *
 * A script gets its three standard descriptors and no other. It is a process group of its own,
 * so that all of it can be killed, and is told with SIGTERM when the tool has died.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "out.h"
#include "script.h"

#define OUTPUT_LIMIT (1 << 20)
#define TIME_LIMIT 60		/* udev gives all of autostart three times as much */

enum { FEED, OUT, ERRORS, EXIT, FDS };

struct running {
	pid_t pid;
	int status;		/* of its exit, when it has_exited */
	int has_exited;
	sigset_t mask;		/* of signals, as it was before */
	struct pollfd fd[FDS];
	const char *input;	/* what is left of it */
	int64_t deadline;	/* in ms of the monotonic clock; 0: none */
};

unsigned int script_time_limit(void)
{
	const char *value = getenv("MDEV_CTL_SCRIPT_TIMEOUT");
	unsigned long limit;
	char *end;

	if (!value)
		return TIME_LIMIT;
	errno = 0;
	limit = strtoul(value, &end, 10);
	return errno || *end || !*value || limit > 86400 ? TIME_LIMIT : limit;
}

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The child; returns only if argv[0] cannot be executed. */
static void become(char *const argv[], const int fds[3], const sigset_t *mask)
{
	const int above[3] = {
		/* The three may be among 0, 1 and 2 themselves, and in each other's way. */
		fcntl(fds[0], F_DUPFD_CLOEXEC, 3),
		fcntl(fds[1], F_DUPFD_CLOEXEC, 3),
		fcntl(fds[2], F_DUPFD_CLOEXEC, 3),
	};

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	for (int i = 0; i < 3; i++)
		if (above[i] < 0 || dup2(above[i], i) < 0)
			return;
	syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
	execv(argv[0], argv);
}

/* Pipes to and from the child: [i][0] is read from. 0 or -errno, and then there are none. */
static int make_pipes(int pipes[4][2])
{
	int err = 0;

	for (int i = 0; i < 4; i++) {
		pipes[i][0] = pipes[i][1] = -1;
		if (!err && pipe2(pipes[i], O_CLOEXEC))
			err = -errno;
	}
	for (int i = 0; err && i < 4; i++) {
		close_fd(&pipes[i][0]);
		close_fd(&pipes[i][1]);
	}
	return err;
}

/* Whether the child came to life: it writes only if it did not. */
static int read_birth(int fd)
{
	int err = 0;
	ssize_t n;

	do {
		n = read(fd, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	return n == sizeof(err) ? err : 0;
}

static int start(struct running *run, char *const argv[])
{
	int pipes[4][2];	/* stdin, stdout, stderr, and its birth */
	int err = make_pipes(pipes);

	if (err)
		return err;
	run->pid = fork();
	if (!run->pid) {
		const int fds[3] = { pipes[0][0], pipes[1][1], pipes[2][1] };

		/* Out of the way of 0, 1 and 2, which may be closed here */
		pipes[3][1] = fcntl(pipes[3][1], F_DUPFD_CLOEXEC, 3);
		become(argv, fds, &run->mask);
		err = -errno;
		if (write(pipes[3][1], &err, sizeof(err)) != sizeof(err))
			_exit(126);
		_exit(127);
	}
	if (run->pid < 0)
		err = -errno;

	close_fd(&pipes[0][0]);
	for (int i = 1; i < 4; i++)
		close_fd(&pipes[i][1]);
	if (!err)
		err = read_birth(pipes[3][0]);
	close_fd(&pipes[3][0]);
	run->fd[FEED].fd = pipes[0][1];
	run->fd[OUT].fd = pipes[1][0];
	run->fd[ERRORS].fd = pipes[2][0];
	return err;
}

static void kill_all(const struct running *run)
{
	kill(-run->pid, SIGKILL);
	kill(run->pid, SIGKILL);
}

static void feed(struct running *run)
{
	struct pollfd *fd = &run->fd[FEED];
	size_t left = strlen(run->input);
	ssize_t n = left ? write(fd->fd, run->input, left) : 0;

	if (n > 0)
		run->input += n;
	/* A script that does not want its input need not take it. */
	if (!*run->input || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&fd->fd);
}

/* Returns 0 when there is nothing to read for now. */
static int listen_to(struct pollfd *fd, struct script_output *output)
{
	char data[65536];
	ssize_t n = read(fd->fd, data, sizeof(data));
	size_t room = OUTPUT_LIMIT - output->len;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		close_fd(&fd->fd);
		return 0;
	}
	if ((size_t)n < room)
		room = n;
	output->text = realloc(output->text, output->len + room + 1);
	if (!output->text)
		out_of_memory();
	memcpy(output->text + output->len, data, room);
	output->len += room;
	output->text[output->len] = '\0';
	return 1;
}

/* The signal may be of a child of long ago. */
static int is_over(struct running *run)
{
	struct signalfd_siginfo info;

	while (read(run->fd[EXIT].fd, &info, sizeof(info)) > 0)
		;
	run->has_exited = waitpid(run->pid, &run->status, WNOHANG) == run->pid;
	return run->has_exited;
}

static int time_left(const struct running *run)
{
	int64_t left = run->deadline - now();

	if (!run->deadline)
		return -1;
	return left > 0 ? (int)left : 0;
}

/* What a dead script has written is in the pipes, and can be read without waiting. */
static void listen_to_the_end(struct running *run, struct script_result *result)
{
	for (int rounds = 0; rounds < 64; rounds++) {
		int more = 0;

		if (run->fd[OUT].fd >= 0)
			more |= listen_to(&run->fd[OUT], &result->out);
		if (run->fd[ERRORS].fd >= 0)
			more |= listen_to(&run->fd[ERRORS], &result->errors);
		if (!more)
			return;
	}
}

static void attend(struct running *run, struct script_result *result)
{
	for (;;) {
		int n = poll(run->fd, FDS, time_left(run));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			result->timed_out = 1;
			kill_all(run);
			return;
		}
		if (run->fd[FEED].fd >= 0 && run->fd[FEED].revents)
			feed(run);
		if (run->fd[OUT].fd >= 0 && run->fd[OUT].revents)
			listen_to(&run->fd[OUT], &result->out);
		if (run->fd[ERRORS].fd >= 0 && run->fd[ERRORS].revents)
			listen_to(&run->fd[ERRORS], &result->errors);
		if (run->fd[EXIT].revents && is_over(run))
			return;
		/* What is written without end is not read without end. */
		if (!time_left(run)) {
			result->timed_out = 1;
			kill_all(run);
			return;
		}
	}
}

static void finish(struct running *run, struct script_result *result)
{
	while (!run->has_exited && waitpid(run->pid, &run->status, 0) < 0 && errno == EINTR)
		;
	result->code = WIFEXITED(run->status) ? WEXITSTATUS(run->status) : -1;
	listen_to_the_end(run, result);
}

/* From here on, the exit of a child is something to poll for. 0 or -errno. */
static int watch_children(struct running *run)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &run->mask);
	run->fd[EXIT].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return run->fd[EXIT].fd < 0 ? -errno : 0;
}

static void run_it(struct running *run, char *const argv[], struct script_result *result)
{
	result->err = watch_children(run);
	if (result->err)
		return;
	result->err = start(run, argv);
	if (result->err) {
		if (run->pid > 0)
			waitpid(run->pid, NULL, 0);
		return;
	}
	for (int i = FEED; i <= ERRORS; i++)
		fcntl(run->fd[i].fd, F_SETFL, O_NONBLOCK);
	feed(run);
	attend(run, result);
	finish(run, result);
}

void script_run(struct script_result *result, char *const argv[], const char *input)
{
	unsigned int limit = script_time_limit();
	struct running run = {
		.fd = { { .fd = -1, .events = POLLOUT }, { .fd = -1, .events = POLLIN },
			{ .fd = -1, .events = POLLIN }, { .fd = -1, .events = POLLIN } },
		.input = input,
		.deadline = limit ? now() + limit * 1000LL : 0,
	};

	*result = (struct script_result){ 0 };
	run_it(&run, argv, result);
	sigprocmask(SIG_SETMASK, &run.mask, NULL);
	for (int i = 0; i < FDS; i++)
		close_fd(&run.fd[i].fd);
	if (result->err)
		script_free(result);
}

void script_free(struct script_result *result)
{
	free(result->out.text);
	free(result->errors.text);
	result->out = result->errors = (struct script_output){ 0 };
}
