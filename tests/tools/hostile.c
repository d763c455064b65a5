/*
 * hostile: preloaded into audio-check, it makes libsndfile do what a file
 * that begins with "HOSTILE " tells it to, as one that exploits a fault
 * would: tests/tools/audio-check.bats sees what that costs.  With
 * NO_LANDLOCK in the environment, the kernel seems to have none.
 */
#include <sys/socket.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As in sndfile.h, which is audio.c's alone. */
struct io {
	long long (*size)(void *);
	long long (*seek)(long long, int, void *);
	long long (*read)(void *, long long, void *);
	long long (*write)(const void *, long long, void *);
	long long (*tell)(void *);
};

void *sf_open_virtual(struct io *io, int mode, void *info, void *self);

/* Do WHAT; what goes well is shown by ending in peace. */
static void
act(const char *what)
{
	volatile int *nowhere = NULL, zero = 0;
	char *p;

	if (strcmp(what, "crash") == 0)
		nowhere[zero] = 1;
	if (strcmp(what, "loop") == 0)
		for (;;)
			zero++;
	if (strcmp(what, "memory") == 0) {
		while ((p = malloc(1 << 24)) != NULL)
			memset(p, 1, 1 << 24);
		abort();
	}
	if (strcmp(what, "open") == 0 && open("/etc/passwd", O_RDONLY) < 0)
		abort();
	if (strcmp(what, "socket") == 0)
		(void)socket(AF_INET, SOCK_STREAM, 0);
	if (strcmp(what, "exec") == 0)
		(void)execl("/bin/true", "true", (char *)NULL);
	_exit(0);
}

long
syscall(long number, ...)
{
	long (*real)(long, ...), a[6];
	void *symbol = dlsym(RTLD_NEXT, "syscall");
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == 444 && getenv("NO_LANDLOCK") != NULL) {
		errno = ENOSYS;
		return -1;
	}
	memcpy(&real, &symbol, sizeof real);
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

void *
sf_open_virtual(struct io *io, int mode, void *info, void *self)
{
	void *(*real)(struct io *, int, void *, void *);
	void *symbol = dlsym(RTLD_NEXT, "sf_open_virtual");
	char text[32] = "";

	if (io->read(text, sizeof text - 1, self) > 8 &&
	    strncmp(text, "HOSTILE ", 8) == 0) {
		text[strcspn(text, "\n")] = '\0';
		act(text + 8);
	}
	(void)io->seek(0, 0, self);
	memcpy(&real, &symbol, sizeof real);
	return real(io, mode, info, self);
}
