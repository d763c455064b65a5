#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fdpass.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* Room for the one descriptor that a message may bring. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int
fdpass_send(int sock, int fd, const void *p, size_t n)
{
	const char *from = p;
	union control control;
	size_t sent = 0;

	while (sent < n) {
		struct iovec v = { .iov_len = n - sent };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
		ssize_t k;

		/* iovec is for reading too, and so has no const. */
		memcpy(&v.iov_base, &(const void *){ from + sent },
		    sizeof v.iov_base);
		if (fd >= 0 && sent == 0) {
			struct cmsghdr *c;

			memset(&control, 0, sizeof control);
			m.msg_control = control.bytes;
			m.msg_controllen = sizeof control.bytes;
			c = CMSG_FIRSTHDR(&m);
			c->cmsg_level = SOL_SOCKET;
			c->cmsg_type = SCM_RIGHTS;
			c->cmsg_len = CMSG_LEN(sizeof fd);
			memcpy(CMSG_DATA(c), &fd, sizeof fd);
		}
		k = sendmsg(sock, &m, MSG_NOSIGNAL);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		sent += (size_t)k;
	}
	return 0;
}

/* The descriptor in message M, or -1. */
static int
descriptor(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

int
fdpass_receive(int sock, int *fd, void *p, size_t n)
{
	union control control;
	size_t got = 0;

	if (fd != NULL)
		*fd = -1;
	while (got < n) {
		struct iovec v = { .iov_base = (char *)p + got,
		    .iov_len = n - got };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
		ssize_t k;

		if (fd != NULL && *fd < 0) {
			m.msg_control = control.bytes;
			m.msg_controllen = sizeof control.bytes;
		}
		k = recvmsg(sock, &m, 0);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			return 0;
		if (fd != NULL && *fd < 0)
			*fd = descriptor(&m);
		got += (size_t)k;
	}
	return 1;
}
