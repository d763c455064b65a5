/* Forkserver and fdpass: children come when called, and go with us. */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#include "fdpass.h"
#include "forkserver.h"
#include "sounds.h"

static struct forkserver *server;
static struct err e;

/*
 * A child that answers each byte: 'n' its number, 'p' its pid, 'd' which
 * descriptors it holds, 'r' a byte of the file that came along, 'w' a wait
 * for ever.
 */
static void
child(void *self, unsigned number, int sock)
{
	int fd;
	char verb;

	(void)self;
	while (fdpass_receive(sock, &fd, &verb, 1) == 1) {
		long answer = -1;
		char byte = 0;

		if (verb == 'n')
			answer = number;
		if (verb == 'p')
			answer = getpid();
		if (verb == 'd')
			answer = 0;
		for (int i = 0; i < 63 && verb == 'd'; i++)
			answer |= fcntl(i, F_GETFD) >= 0 ? 1L << i : 0;
		if (verb == 'r' && pread(fd, &byte, 1, 0) == 1)
			answer = byte;
		if (verb == 'w')
			(void)pause();
		if (fd >= 0)
			(void)close(fd);
		if (fdpass_send(sock, -1, &answer, sizeof answer) < 0)
			return;
	}
}

static int
setup(void **state)
{
	(void)state;
	server = forkserver_new(child, NULL, &e);
	return server == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	forkserver_free(server);
	forkserver_free(NULL);
	return 0;
}

/* Ask VERB, with FD. */
static long
ask(int sock, char verb, int fd)
{
	long answer;

	assert_int_equal(fdpass_send(sock, fd, &verb, 1), 0);
	assert_int_equal(fdpass_receive(sock, NULL, &answer, sizeof answer),
	    1);
	return answer;
}

static void
a_child_knows_its_number_and_we_its_pid(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		int sock, status;
		pid_t pid;

		assert_int_equal(forkserver_spawn(server, i, &sock, &pid, &e),
		    0);
		assert_int_equal(ask(sock, 'n', -1), i);
		assert_int_equal(ask(sock, 'p', -1), pid);
		assert_int_equal(close(sock), 0);
		assert_int_equal(forkserver_end(server, pid, &status, &e), 0);
	}
}

static void
a_child_holds_its_socket_and_nothing_else(void **state)
{
	int sock, status, more[8];
	pid_t pid;
	long held;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		more[i] = open("/dev/null", O_RDONLY);
	assert_int_equal(forkserver_spawn(server, 0, &sock, &pid, &e), 0);
	held = ask(sock, 'd', -1);
	assert_int_equal(held & 7, 7);
	assert_int_equal(__builtin_popcountl((unsigned long)held), 4);
	/* It keeps none of what it is sent, and knows none of ours. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(ask(sock, 'd', more[0]) & 7, 7);
	assert_int_equal(ask(sock, 'd', -1), held);
	assert_int_equal(close(sock), 0);
	assert_int_equal(forkserver_end(server, pid, &status, &e), 0);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(close(more[i]), 0);
}

static void
a_descriptor_arrives_with_its_file(void **state)
{
	int sock, status, fd = sound_fd("Z", 1);
	pid_t pid;

	(void)state;
	assert_int_equal(forkserver_spawn(server, 0, &sock, &pid, &e), 0);
	assert_int_equal(ask(sock, 'r', fd), 'Z');
	assert_int_equal(ask(sock, 'r', -1), -1);
	assert_int_equal(close(sock) + close(fd), 0);
	assert_int_equal(forkserver_end(server, pid, &status, &e), 0);
	assert_true(WIFEXITED(status) || WTERMSIG(status) == SIGKILL);
}

static void
how_a_child_ended_is_told(void **state)
{
	int sock, status;
	pid_t pid;
	char byte;

	(void)state;
	assert_int_equal(forkserver_spawn(server, 0, &sock, &pid, &e), 0);
	assert_int_equal(kill(pid, SIGSEGV), 0);
	assert_int_equal(fdpass_receive(sock, NULL, &byte, 1), 0);
	assert_int_equal(forkserver_end(server, pid, &status, &e), 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	assert_int_equal(close(sock), 0);
	/* Its number is no longer ours to end. */
	assert_int_equal(forkserver_end(server, pid, &status, &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
}

static void
the_signals_of_a_terminal_are_ignored(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	int sock, status;
	pid_t pid;

	(void)state;
	assert_int_equal(forkserver_spawn(server, 7, &sock, &pid, &e), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(kill(pid, signals[i]), 0);
	assert_int_equal(ask(sock, 'n', -1), 7);
	assert_int_equal(close(sock), 0);
	assert_int_equal(forkserver_end(server, pid, &status, &e), 0);
}

/* Spawn, ask and end, again and again. */
static void *
busy(void *number)
{
	unsigned n = *(unsigned *)number;

	for (int i = 0; i < 50; i++) {
		struct err mine;
		int sock, status;
		pid_t pid;

		if (forkserver_spawn(server, n, &sock, &pid, &mine) < 0 ||
		    ask(sock, 'n', -1) != (long)n || close(sock) < 0 ||
		    forkserver_end(server, pid, &status, &mine) < 0)
			return NULL;
	}
	return number;
}

static void
threads_may_call_at_once(void **state)
{
	pthread_t thread[4];
	unsigned number[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		number[i] = i;
		assert_int_equal(pthread_create(&thread[i], NULL, busy,
		    &number[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		void *result;

		assert_int_equal(pthread_join(thread[i], &result), 0);
		assert_ptr_equal(result, &number[i]);
	}
}

/* Whether PID is gone within a second or five. */
static int
goes(pid_t pid)
{
	struct timespec moment = { .tv_nsec = 10000000 };

	for (int i = 0; i < 500; i++) {
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return 1;
		(void)nanosleep(&moment, NULL);
	}
	return 0;
}

/* However we end: the server hears of it, and its children do. */
static void
all_end_with_the_process_that_made_them(void **state)
{
	int out[2], sock;
	pid_t self = fork(), pids[2];

	(void)state;
	assert_true(self >= 0);
	if (self == 0)
		_exit(0);
	assert_int_equal(waitpid(self, NULL, 0), self);
	assert_int_equal(pipe(out), 0);
	self = fork();
	if (self == 0) {
		struct forkserver *mine = forkserver_new(child, NULL, &e);
		char verb = 'w';

		for (size_t i = 0; i < 2; i++)
			if (forkserver_spawn(mine, 0, &sock, &pids[i],
			    &e) < 0 ||
			    fdpass_send(sock, -1, &verb, 1) < 0)
				_exit(1);
		if (write(out[1], pids, sizeof pids) < 0)
			_exit(1);
		(void)raise(SIGKILL);
	}
	assert_int_equal(read(out[0], pids, sizeof pids), sizeof pids);
	assert_int_equal(waitpid(self, NULL, 0), self);
	assert_true(goes(pids[0]) && goes(pids[1]));
	assert_int_equal(close(out[0]) + close(out[1]), 0);
}

static void
what_is_sent_to_nobody_is_an_error_and_no_signal(void **state)
{
	int pair[2];
	char byte = 1;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(close(pair[1]), 0);
	assert_int_equal(fdpass_send(pair[0], 0, &byte, 1), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(fdpass_receive(pair[0], NULL, &byte, 1), 0);
	assert_int_equal(close(pair[0]), 0);
}

static void
a_message_comes_whole_whatever_its_size(void **state)
{
	static char big[300000], got[300000];
	int pair[2], fd;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)(i * 31 >> 3);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	if (pid == 0)
		_exit(fdpass_send(pair[1], 0, big, sizeof big) < 0);
	assert_int_equal(fdpass_receive(pair[0], &fd, got, sizeof got), 1);
	assert_memory_equal(got, big, sizeof big);
	assert_true(fd > 2);
	assert_int_equal(close(fd), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(close(pair[0]) + close(pair[1]), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_knows_its_number_and_we_its_pid),
		cmocka_unit_test(a_child_holds_its_socket_and_nothing_else),
		cmocka_unit_test(a_descriptor_arrives_with_its_file),
		cmocka_unit_test(how_a_child_ended_is_told),
		cmocka_unit_test(the_signals_of_a_terminal_are_ignored),
		cmocka_unit_test(threads_may_call_at_once),
		cmocka_unit_test(all_end_with_the_process_that_made_them),
		cmocka_unit_test(
		    what_is_sent_to_nobody_is_an_error_and_no_signal),
		cmocka_unit_test(a_message_comes_whole_whatever_its_size),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
