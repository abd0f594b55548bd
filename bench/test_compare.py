"""Run by `make test`: python3 -m unittest discover bench"""
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent

# A program that prints what the real ones print. Its name says how fast it is.
FAKE = """#!{python}
import json, os, sys
a = [x.lstrip("-") for x in sys.argv]
value = lambda *names: next(a[a.index(n) + 1] for n in names if n in a)
speed = float(os.path.basename(sys.argv[0]).removeprefix("fake"))
if speed == 0:
    sys.exit("no such module")
for what, slower in (("float", 1), ("qat", 2)):
    print(json.dumps(dict(net=value("net", "nets"), batch=int(value("batch", "batches")), what=what, threads=int(value("threads")),
                          epoch_s=slower / speed * 2 / min(2, int(value("threads"))), first_step_s=0.5, peak_bytes=10**8,
                          **({{}} if speed == 0.25 else dict(isa=os.environ.get("ATEN_CPU_CAPABILITY" if speed < 1 else "GODEBUG", "AVX512").upper())))))
"""


class Compare(unittest.TestCase):
    def run_with(self, *flags, torch=None, tensorflow=None):
        """Runs the driver on a goqat of speed 2 and peers of the given speeds."""
        with tempfile.TemporaryDirectory() as scratch:
            def fake(speed):
                path = pathlib.Path(scratch, f"fake{speed}")
                path.write_text(FAKE.format(python=sys.executable))
                path.chmod(path.stat().st_mode | stat.S_IXUSR)
                return str(path)

            out = os.path.join(scratch, "out.jsonl")
            command = [sys.executable, str(HERE / "compare.py"), "--goqat", fake(2), "--threads", "2", "--json", out, *flags]
            for flag, speed in (("--torch", torch), ("--tensorflow", tensorflow)):
                if speed is not None:
                    command += [flag, fake(speed)]
            environment = {k: v for k, v in os.environ.items() if not k.startswith("GOQAT_BENCH")}
            run = subprocess.run(command, capture_output=True, text=True, env=environment)
            self.assertEqual(run.returncode, 0, run.stderr)
            with open(out) as f:
                return run.stdout, run.stderr, [json.loads(line) for line in f]

    def test_ratios(self):
        text, progress, lines = self.run_with("--rounds", "2", "--nets", "mlp,dscnn", "--scaling", torch=0.5, tensorflow=0.25)
        self.assertEqual(len(lines), 2 * 4 * 4 * 2)  # rounds, rows, programs, ways
        self.assertIn("geometric mean 4.00, minimum 4.00 (mlp, batch 32), over 4 rows", text)
        self.assertIn("goqat, QAT / float: mlp 32: 2.00", text)
        self.assertIn("goqat, 1 thread / all, qat: mlp 32: 2.00", text)
        self.assertIn("goqat 100 to 100, PyTorch 100 to 100", text)
        self.assertIn("round 2 of 2: dscnn, batch 128: TensorFlow", progress)
        self.assertNotIn("missing", text)

    def test_instructions(self):
        text, _, lines = self.run_with("--nets", "mlp", "--batches", "8", "--isa", "avx2", torch=0.5, tensorflow=0.25)
        # The fake goqat names the variable that it was held by, which is no kind of instructions.
        self.assertIn("instructions: goqat CPU.AVX512F=OFF, PyTorch AVX2, TensorFlow does not say; all were held to AVX2", text)
        self.assertIn("not held to AVX2: goqat\n", text + "\n")
        self.assertEqual({line.get("isa") for line in lines if line["program"] == "PyTorch"}, {"AVX2"})
        text, _, _ = self.run_with("--nets", "mlp", "--batches", "8", torch=0.5)
        self.assertIn("instructions: goqat AVX512, PyTorch AVX512\n", text)

    def test_missing_and_failing(self):
        text, progress, _ = self.run_with("--nets", "cnn", "--batches", "8", torch=0)
        self.assertIn("missing: TensorFlow: no Python given (--tensorflow)", text)
        self.assertIn("missing: PyTorch: failed on every row", text)
        self.assertIn("failed: no such module", progress)
        self.assertNotIn("geometric", text)


if __name__ == "__main__":
    unittest.main()
