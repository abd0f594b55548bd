"""Run by `make test`: python3 -m unittest discover bench"""
import gzip
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import quantizers  # noqa: E402
import rows  # noqa: E402

# Stands for goqat, for the Python of a peer and for that of the judge: it writes what they write. Its name says how large its files are.
FAKE = """#!{python}
import json, os, sys
a = [x.lstrip("-") for x in sys.argv]
after = lambda *names: next(a[a.index(n) + 1] for n in names if n in a)
size = int(os.path.basename(sys.argv[0]).removeprefix("fake"))
write = lambda path, n: open(path, "wb").write(bytes(n))
if a[1] == "compare":
    assert os.path.getsize(after("data")) > 784
    write(os.path.join(after("out"), "float32.tflite"), 4000)
elif a[1].endswith("judge.py"):
    for model in [a[2], *a[5:]]:
        db = None if model == a[2] else os.path.getsize(model) / 10
        print(json.dumps(dict(model=model, sqnr_db=db, accuracy=None if a[4] == "" else 0.5)))
else:
    if size == 0:
        sys.exit("no such module")
    assert os.path.exists(a[2]) or os.path.exists(after("model"))
    write(after("o", "out"), size)
    if a[1] != "quantize":
        print(json.dumps(dict(import_s=1, quantize_s=0.5)))
"""


class Quantizers(unittest.TestCase):
    def run_with(self, *flags, tensorflow=None, quantizer=None):
        """Runs the driver on a goqat that writes 300 bytes and peers that write as many as they are given."""
        with tempfile.TemporaryDirectory() as scratch:
            def fake(size):
                path = pathlib.Path(scratch, f"fake{size}")
                path.write_text(FAKE.format(python=sys.executable))
                path.chmod(path.stat().st_mode | stat.S_IXUSR)
                return str(path)

            for part, count in (("train", 20), ("t10k", 8)):
                for kind, header, size in (("images-idx3", 16, 784), ("labels-idx1", 8, 1)):
                    with gzip.open(os.path.join(scratch, f"{part}-{kind}-ubyte.gz"), "wb") as f:
                        f.write(bytes(header) + bytes(i % 256 for i in range(count * size)))
            out = os.path.join(scratch, "out.jsonl")
            command = [sys.executable, str(HERE / "quantizers.py"), "--goqat", fake(300), "--litert", fake(1), "--data", scratch, "--json", out, *flags]
            for flag, size in (("--tensorflow", tensorflow), ("--quantizer", quantizer)):
                if size is not None:
                    command += [flag, fake(size)]
            environment = {k: v for k, v in os.environ.items() if not k.startswith("GOQAT_BENCH")}
            run = subprocess.run(command, capture_output=True, text=True, env=environment)
            self.assertEqual(run.returncode, 0, run.stderr)
            with open(out) as f:
                return run.stdout, run.stderr, [json.loads(line) for line in f]

    def test_table(self):
        text, progress, lines = self.run_with("--nets", "cnn,autoencoder", "--rounds", "2", tensorflow=320, quantizer=280)
        self.assertEqual(len(lines), 2 * (5 + 2 + 4 + 5))  # networks; files of goqat, at its best, of the peers
        self.assertIn("cnn: 4000 bytes in float32, accuracy 50.00 %", text)
        self.assertIn("autoencoder: 4000 bytes in float32, accuracy -", text)
        self.assertIn("round 2 of 2: autoencoder, weights: ai-edge-quantizer", progress)
        self.assertIn("SQNR, goqat less the better peer: median -2.00 dB, least -2.00 (cnn, dynamic), over 10 pairs", text)
        self.assertIn("SQNR, goqat at its best less the better peer: median -2.00 dB, over 4 pairs", text)
        self.assertIn("bytes, goqat less the smaller peer: median +20, most +20 (cnn, dynamic)", text)
        self.assertIn("the peers without imports: median", text)
        self.assertNotIn("missing", text)

    def test_missing_and_failing(self):
        text, progress, _ = self.run_with("--nets", "cnn", "--modes", "weights", quantizer=0)
        self.assertIn("missing: LiteRT's converter: no Python given (--tensorflow)", text)
        self.assertIn("missing: ai-edge-quantizer: failed on every file", text)
        self.assertNotIn("goqat, best", text)
        self.assertIn("failed: no such module", progress)

    def test_rows(self):
        header = rows.npy("<f4", (2, 3), b"")
        self.assertEqual(len(header) % 64, 0)
        self.assertTrue(header.startswith(b"\x93NUMPY\x01\x00") and b"'shape': (2, 3)" in header)
        self.assertEqual(rows.floats(bytes([0, 255])), b"\0\0\0\0\0\0\x80\x3f")

    def test_summary_without_peers(self):
        line = {"net": "cnn", "mode": "int8", "program": quantizers.OURS, "sqnr_db": 40, "bytes": 1, "command_s": 1}
        self.assertEqual(quantizers.summary([line]), "")


if __name__ == "__main__":
    unittest.main()
