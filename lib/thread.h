/*
 * thread: how many threads this process may use.
 */
#ifndef THREAD_H
#define THREAD_H

/*
 * The processors that affinity and the cgroup's quota (v2 cpu.max, v1
 * cpu.cfs_quota_us, of its group and all above it) leave us, rounded up;
 * at least 1, at most THREAD_MAX.  Where nothing can be learned, what the
 * system has on line.
 */
#define THREAD_MAX 1024
unsigned thread_available(void);

/*
 * The quota, in whole processors, that a cgroup's file sets: TEXT is v2's
 * cpu.max ("200000 100000", "max 100000"); 0 where it sets none.
 */
unsigned thread_quota(const char *text);

/*
 * The path of this process in the cgroup hierarchy of CONTROLLER ("" is v2)
 * as /proc/self/cgroup's TEXT has it, to PATH of SIZE bytes.  0, or -1 where
 * there is none or it does not fit.
 */
int thread_cgroup(const char *text, const char *controller, char *path,
    unsigned size);

#endif
