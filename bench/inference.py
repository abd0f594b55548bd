#!/usr/bin/env python3
"""Times .tflite files in goqat and in LiteRT (XNNPACK, its default), one thread, and prints LiteRT's time over goqat's.

    go build -o goqat ./cmd/goqat && ./goqat bench models -out models
    python3 bench/inference.py ./goqat models/*.tflite

Both run each file in turn for a quarter of a second, a number of rounds; the ratio is the median over the rounds, so that
it stands when the machine's speed drifts. LiteRT's times include the call from Python, below a microsecond.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import isa

HERE = pathlib.Path(__file__).resolve().parent


class LiteRT:
    """A process that runs LiteRT."""

    def __init__(self, args, environment):
        self.resolver, self.threads = args.resolver, args.threads
        command = [args.litert, str(HERE / "peer_litert.py"), *([args.isa] if args.isa else [])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        if error := self.read().get("error"):
            sys.exit(error)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"LiteRT failed: {self.process.communicate()[1].strip()[-2000:]}")
        return json.loads(line)

    def begin(self, model, seconds):
        """Begins to measure, and returns the process and what waits for the microseconds."""
        print(json.dumps({"model": model, "resolver": self.resolver, "seconds": seconds, "threads": self.threads}), file=self.process.stdin, flush=True)
        return self.process, lambda: self.read()["us"]


class Goqat:
    """Runs goqat."""

    def __init__(self, args, environment):
        self.program, self.threads, self.environment = args.program, args.threads, environment

    def begin(self, model, seconds):
        """Begins to measure, and returns the process and what waits for the microseconds."""
        command = [self.program, "bench", "run", model, "-json", "-seconds", str(seconds), "-threads", str(self.threads)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment)

        def result():
            out, err = process.communicate()
            if process.returncode:
                sys.exit(f"goqat failed: {err.strip()[-2000:]}")
            return json.loads(out)["us"]

        return process, result


def instructions(programs, models, held):
    """What the programs were seen to run, and whether it is what they were held to."""
    seen, other = [], []
    for name, program in programs.items():
        total = wide = 0
        for model in models:
            process, result = program.begin(model, 0.4)
            counts = isa.samples(process.pid, 0.3)
            result()
            total, wide = total + counts[0], wide + counts[1]
        seen.append(f"{name} at {wide} of {total} samples")
        other += [name] * (wide > 0 or total == 0)
    text = "AVX-512: " + ", ".join(seen)
    if held:
        text += f"; both were held to {held.upper()}"
        text += "".join(f"\nnot held to {held.upper()}: {name}" for name in other)
    return text, not (held and other)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the goqat command")
    parser.add_argument("models", nargs="+", help=".tflite files")
    parser.add_argument("--litert", metavar="PYTHON", default=str(HERE.parent / ".venv/bin/python"),
                        help="Python with ai-edge-litert and numpy; default: that of the tests")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.25, help="of each measurement")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resolver", choices=["xnnpack", "builtin", "reference"], default="xnnpack")
    parser.add_argument("--isa", choices=sorted(isa.ENVIRONMENTS), help="hold both to these instructions; default: each takes what it likes")
    args = parser.parse_args()

    environment = {**os.environ, **isa.ENVIRONMENTS.get(args.isa, {})}
    programs = {"LiteRT": LiteRT(args, environment), "goqat": Goqat(args, environment)}
    pairs = {model: [] for model in args.models}
    for _ in range(args.rounds):
        for model in args.models:
            pairs[model].append([program.begin(model, args.seconds)[1]() for program in programs.values()])
    print(f"{'litert us':>10}  {'goqat us':>10}  {'ratio':>6}  {'lowest':>6}  {'highest':>7}  model ({args.resolver}, {args.threads} thread)")
    ratios = []
    for model, measured in pairs.items():
        quotients = [theirs / ours for theirs, ours in measured]
        ratios.append(statistics.median(quotients))
        theirs, ours = (statistics.median(side) for side in zip(*measured))
        print(f"{theirs:10.1f}  {ours:10.1f}  {ratios[-1]:6.2f}  {min(quotients):6.2f}  {max(quotients):7.2f}  {model}")
    print(f"geometric mean {statistics.geometric_mean(ratios):.2f}")
    try:
        text, good = instructions(programs, args.models, args.isa)
    except isa.Unsupported as e:
        text, good = str(e), not args.isa
    print(text)
    sys.exit(not good)


if __name__ == "__main__":
    main()
