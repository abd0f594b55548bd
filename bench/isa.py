"""Holds LiteRT to AVX2, and tells which instructions a process runs. For Linux on x86-64.

LiteRT's kernels, those of XNNPACK, have no switch for instructions. They ask the library cpuinfo, which trusts AVX-512, VNNI
included, only if the instruction XGETBV says that the operating system saves the registers of AVX-512. hold() gives that answer
itself: in the memory of its own process, never in a file, another instruction stands where XGETBV stood, and answers that only
those of AVX are saved. It has to be called behind the import of LiteRT and before the first interpreter is made.

samples() proves it: it stops a process at times and looks at the instruction that it is at. Each of AVX-512, and none
else, begins with the byte 62 (EVEX).
"""
import os
import platform
import re
import signal
import time

# What goqat goes by, with VL off Go's garbage collector too, and the C library of LiteRT's process.
ENVIRONMENTS = {"avx2": {"GODEBUG": "cpu.avx512f=off,cpu.avx512vl=off", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL"}}

QUESTION = re.compile(rb"(?<=\x31\xc9)\x0f\x01\xd0")  # XGETBV, behind XORL ECX, ECX: of register 0
ANSWER = b"\x8d\x41\x07"  # LEAL 7(RCX), EAX: ECX being 0, the states x87, SSE and AVX
EVEX = 0x62


class Unsupported(Exception):
    """Says why something cannot be done on this machine or with this LiteRT."""


def questions(code):
    """Where in code the states are asked for that the operating system saves."""
    return [match.start() for match in QUESTION.finditer(code)]


def hold(folder):
    """Makes libraries below folder, that this process has loaded, take AVX-512 for unusable. Returns in how many places."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise Unsupported("LiteRT can be held to AVX2 on Linux on x86-64 only")
    with open("/proc/cpuinfo") as f:
        if re.search(r"^flags\b.*\bavx_vnni", f.read(), re.MULTILINE):
            raise Unsupported("LiteRT would take AVX-VNNI, which this processor has and which XGETBV says nothing of")
    folder = os.path.join(os.path.realpath(folder), "")
    found = 0
    with open("/proc/self/maps") as f:
        maps = [line.rstrip("\n").split(None, 5) for line in f]
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        for span, access, _, _, _, path in (fields for fields in maps if len(fields) == 6):
            if "x" not in access or not path.startswith(folder):
                continue
            begin, end = (int(address, 16) for address in span.split("-"))
            memory.seek(begin)
            for at in questions(memory.read(end - begin)):
                memory.seek(begin + at)
                memory.write(ANSWER)
                found += 1
    if not found:
        raise Unsupported(f"no library in {folder} asks for AVX-512 in the way that is known")
    return found


def samples(pid, seconds):
    """How many instructions a child process was seen at within some seconds, or until its end, and how many are of AVX-512."""
    seen = wide = 0
    end = time.monotonic() + seconds
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            while time.monotonic() < end:
                time.sleep(0.001)
                os.kill(pid, signal.SIGSTOP)
                if os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT).si_code != os.CLD_STOPPED:
                    break
                try:
                    for task in os.listdir(f"/proc/{pid}/task"):
                        with open(f"/proc/{pid}/task/{task}/syscall") as f:
                            state = f.read().split()
                        if state[0] == "-1":  # in no system call: stack and instruction follow
                            memory.seek(int(state[2], 16))
                            seen += 1
                            wide += memory.read(1)[0] == EVEX
                finally:
                    os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass  # it ended
    except OSError as e:
        raise Unsupported(f"no look at what a process runs: {e}") from e
    return seen, wide
