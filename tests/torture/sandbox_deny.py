"""sandbox_deny.py ERRNO CALL[,CALL...] COMMAND...: run COMMAND where the
system calls numbered CALL fail with ERRNO, as under a container's list.
"seccomp" is both ways to install a list, past this one."""
import ctypes
import os
import struct
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
SECCOMP = {"x86_64": (317, 157), "aarch64": (277, 167)}[os.uname().machine]


def rules(error, calls, seccomp):
    """The list, in the kernel's byte code."""
    def op(code, k, yes=0, no=0):
        return struct.pack("<HBBI", code, yes, no, k)

    fail = op(0x06, 0x00050000 | error)         # return SECCOMP_RET_ERRNO
    code = op(0x20, 0)                          # load the call's number
    for n in calls + ([SECCOMP[0]] if seccomp else []):
        code += op(0x15, n, 0, 1) + fail        # if it is N
    if seccomp:                                 # prctl(PR_SET_SECCOMP, ...)
        code += op(0x15, SECCOMP[1], 0, 3) + op(0x20, 16) + \
            op(0x15, PR_SET_SECCOMP, 0, 1) + fail
    return code + op(0x06, 0x7fff0000)          # return SECCOMP_RET_ALLOW


def main():
    words = sys.argv[2].split(",")
    code = rules(int(sys.argv[1]), [int(w) for w in words if w.isdigit()],
                 "seccomp" in words)
    kept = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero) or \
            libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(2),
                       ctypes.create_string_buffer(program), zero, zero):
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[3], sys.argv[3:])


main()
