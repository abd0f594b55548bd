"""Run by `make test`: python3 -m unittest discover bench"""
import ctypes
import mmap
import os
import pathlib
import platform
import stat
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import isa  # noqa: E402

X86 = platform.system() == "Linux" and platform.machine() == "x86_64"
ASKING = bytes.fromhex("b801000000 31c9 0f01d0 c3")  # MOVL 1, EAX; XORL ECX, ECX; XGETBV; RET
WIDE = bytes.fromhex("62f17d48fec0" * 8 + "ebce")  # VPADDD ZMM0, ZMM0, ZMM0, again and again
NARROW = bytes.fromhex("c5fdfec0" * 8 + "ebde")  # VPADDD YMM0, YMM0, YMM0
LOOP = """
import ctypes, mmap
code = bytes.fromhex("{code}")
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
print(flush=True)
ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""

# Stands for goqat and for the Python of LiteRT. Its name is the time of a run that it tells.
FAKE = """#!{python}
import json, os, sys, time
us = float(os.path.basename(sys.argv[0]).removeprefix("fake"))
if us == 0:
    sys.exit("no such module")
if sys.argv[1] == "bench":
    time.sleep(float(sys.argv[sys.argv.index("-seconds") + 1]))
    print(json.dumps(dict(us=us * (2 if "second" in sys.argv[3] else 1))))
else:
    print(json.dumps(dict(error="cannot be held") if us == 1 else dict(held=1)), flush=True)
    for line in sys.stdin:
        time.sleep(json.loads(line)["seconds"])
        print(json.dumps(dict(us=us)), flush=True)
"""


class Isa(unittest.TestCase):
    def test_questions(self):
        other = bytes.fromhex("31d2 0f01d0 31c9 0f01d1 31c9 90 0f01d0 0f01d0")
        self.assertEqual(isa.questions(other), [])
        self.assertEqual(isa.questions(ASKING + other + ASKING), [7, 7 + len(ASKING) + len(other)])
        self.assertEqual(len(isa.ANSWER), 3)

    @unittest.skipUnless(X86, "x86-64 Linux only")
    def test_hold(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "library.so")
            path.write_bytes(ASKING)
            with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC) as code:
                begin = ctypes.c_char.from_buffer(code)
                states = ctypes.CFUNCTYPE(ctypes.c_uint)(ctypes.addressof(begin))
                self.assertEqual(states() & 3, 3)  # x87 and SSE, at least; else it did not run
                with self.assertRaisesRegex(isa.Unsupported, "no library in .*elsewhere/ asks"):
                    isa.hold(os.path.join(folder, "elsewhere"))
                try:
                    self.assertEqual(isa.hold(folder), 1)
                except isa.Unsupported as e:
                    self.skipTest(str(e))
                self.assertEqual(states(), 7)
                del begin
            self.assertEqual(path.read_bytes(), ASKING)

    @unittest.skipUnless(X86, "x86-64 Linux only")
    def test_samples(self):
        with open("/proc/cpuinfo") as f:
            flags = f.read().split()
        for code, wide in ((NARROW, False), (WIDE, True)):
            if ("avx512f" if wide else "avx2") not in flags:
                continue
            with subprocess.Popen([sys.executable, "-c", LOOP.format(code=code.hex())], stdout=subprocess.PIPE) as process:
                process.stdout.readline()
                try:
                    seen, of_avx512 = isa.samples(process.pid, 0.2)
                except isa.Unsupported as e:
                    self.skipTest(str(e))
                finally:
                    process.kill()
            self.assertGreater(seen, 5)
            if wide:
                self.assertGreater(of_avx512, seen / 4)
            else:
                self.assertEqual(of_avx512, 0)

    @unittest.skipUnless(X86, "x86-64 Linux only")
    def test_samples_end(self):
        with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
            isa.samples(process.pid, 60)


class Inference(unittest.TestCase):
    def run_with(self, *flags, litert=300):
        """Runs the driver on a goqat of 100 and 200 us, and a LiteRT."""
        with tempfile.TemporaryDirectory() as scratch:
            def fake(us):
                path = pathlib.Path(scratch, f"fake{us}")
                path.write_text(FAKE.format(python=sys.executable))
                path.chmod(path.stat().st_mode | stat.S_IXUSR)
                return str(path)

            command = [sys.executable, str(HERE / "inference.py"), fake(100), "first", "second", "--litert", fake(litert), "--seconds", "0.01", "--rounds", "2"]
            return subprocess.run([*command, *flags], capture_output=True, text=True)

    def test_ratios(self):
        run = self.run_with()
        self.assertEqual(run.returncode, 0, run.stderr)
        lines = [line.split() for line in run.stdout.splitlines()]
        self.assertEqual(lines[1:3], [["300.0", "100.0", "3.00", "3.00", "3.00", "first"], ["300.0", "200.0", "1.50", "1.50", "1.50", "second"]])
        self.assertEqual(lines[3], ["geometric", "mean", "2.12"])

    def test_failing(self):
        run = self.run_with(litert=0)
        self.assertIn("LiteRT failed: no such module", run.stderr)
        self.assertNotEqual(run.returncode, 0)
        run = self.run_with("--isa", "avx2", litert=1)
        self.assertEqual(run.stderr, "cannot be held\n")
        self.assertNotEqual(run.returncode, 0)


if __name__ == "__main__":
    unittest.main()
