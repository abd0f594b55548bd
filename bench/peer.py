"""What the peers have in common: arguments, data, the stopwatch, and results of the form that `goqat bench train -json` prints."""
import argparse
import gzip
import importlib.metadata
import json
import os
import resource
import statistics
import sys
import time

WARMUP, WINDOWS, SIDE, CLASSES = 5, 10, 28, 10  # as in goqat


def arguments():
    p = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    p.add_argument("--net", required=True, choices=["mlp", "tutorial", "cnn", "dscnn"])
    p.add_argument("--batch", type=int, required=True)
    p.add_argument("--data", help="directory of IDX files, plain or .gz; without it: noise")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--epochs", type=int, default=0, help="measure whole epochs; 0: --seconds")
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--started", type=float, default=time.time(), help="when the process was started, in seconds since 1970")
    p.add_argument("--compile", action="store_true", help="PyTorch: torch.compile, float only")
    return p.parse_args()


def rows(directory):
    """The training rows: images [N, 28, 28] in [0, 1] and labels [N]."""
    import numpy as np

    def read(name, header):
        path = os.path.join(directory, name)
        with open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz") as f:
            return np.frombuffer(f.read(), np.uint8, offset=header)

    if directory:
        x, y = read("train-images-idx3-ubyte", 16), read("train-labels-idx1-ubyte", 8)
    else:
        random = np.random.default_rng(1)
        x, y = random.integers(0, 256, 60000 * SIDE * SIDE, np.uint8), random.integers(0, CLASSES, 60000, np.uint8)
    return x.reshape(-1, SIDE, SIDE).astype(np.float32) / 255, y


class Result:
    """One line. It is made before the network is, and so knows how long the first step takes."""

    def __init__(self, args, what, before):
        self.args, self.what, self.before, self.began, self.first = args, what, before, time.time(), None

    def stepped(self):
        """To be called after the first step."""
        if self.first is None:
            self.first = self.before + time.time() - self.began

    def print(self, count, rates, **more):
        """rates are rows of a second, by window."""
        speed = statistics.median(rates)
        print(json.dumps({
            "net": self.args.net, "batch": self.args.batch, "what": self.what, "threads": self.args.threads,
            "epoch_s": count / speed, "samples_per_s": speed, "first_step_s": self.first,
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, **more,
        }), flush=True)


def quantizing(about):
    """The arguments of a peer that quantizes one file in one mode."""
    p = argparse.ArgumentParser(description=about)
    p.add_argument("--model", required=True, help="float .tflite file")
    p.add_argument("--mode", required=True, choices=["dynamic", "int8", "int16", "float16", "weights"])
    p.add_argument("--rows", required=True, help=".npy of float32 to calibrate with")
    p.add_argument("--out", required=True)
    p.add_argument("--started", type=float, default=time.time(), help="when the process was started, in seconds since 1970")
    return p.parse_args()


class Quantizing:
    """The times of a peer that quantizes. It is made when everything is imported."""

    def __init__(self, args):
        self.imported = time.time() - args.started

    def start(self):
        self.began = time.time()

    def print(self, package):
        """To be called when the file is written."""
        print(json.dumps({"import_s": self.imported, "quantize_s": time.time() - self.began,
                          "version": importlib.metadata.version(package)}), flush=True)
