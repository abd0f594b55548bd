#!/usr/bin/env python3
"""Times .tflite files in goqat and in LiteRT (XNNPACK, its default), one thread, and prints LiteRT's time over goqat's.

    go build -o goqat ./cmd/goqat && ./goqat bench models -out models
    .venv/bin/python bench/inference.py ./goqat models/*.tflite

Both run each file in turn for a quarter of a second, a number of rounds; the ratio is the median over the rounds, so that
it stands when the machine's speed drifts. Needs numpy and ai-edge-litert, as the tests do. LiteRT's times include the call
from Python, below a microsecond.
"""

import argparse
import json
import statistics
import subprocess
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

RESOLVERS = {
    "xnnpack": OpResolverType.AUTO,
    "builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "reference": OpResolverType.BUILTIN_REF,
}


def litert(model, resolver, seconds, threads):
    """Returns the median time of a run in microseconds."""
    interpreter = Interpreter(model_path=model, num_threads=threads, experimental_op_resolver_type=RESOLVERS[resolver])
    interpreter.allocate_tensors()
    random = np.random.default_rng(1)
    for x in interpreter.get_input_details():
        if x["dtype"] == np.float32:
            value = random.uniform(-1, 1, x["shape"]).astype(np.float32)
        else:
            info = np.iinfo(x["dtype"])
            value = random.integers(info.min, info.max, x["shape"], endpoint=True).astype(x["dtype"])
        interpreter.set_tensor(x["index"], value)
    interpreter.invoke()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        interpreter.invoke()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e6


def goqat(program, model, seconds, threads):
    """Returns the median time of a run in microseconds."""
    command = [program, "bench", "run", model, "-json", "-seconds", str(seconds), "-threads", str(threads)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["us"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the goqat command")
    parser.add_argument("models", nargs="+", help=".tflite files")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.25, help="of each measurement")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resolver", choices=RESOLVERS, default="xnnpack")
    args = parser.parse_args()

    pairs = {model: [] for model in args.models}
    for _ in range(args.rounds):
        for model in args.models:
            pairs[model].append(
                (litert(model, args.resolver, args.seconds, args.threads), goqat(args.program, model, args.seconds, args.threads))
            )
    print(f"{'litert us':>10}  {'goqat us':>10}  {'ratio':>6}  {'lowest':>6}  {'highest':>7}  model ({args.resolver}, {args.threads} thread)")
    ratios = []
    for model, measured in pairs.items():
        quotients = [theirs / ours for theirs, ours in measured]
        ratios.append(statistics.median(quotients))
        theirs, ours = (statistics.median(side) for side in zip(*measured))
        print(f"{theirs:10.1f}  {ours:10.1f}  {ratios[-1]:6.2f}  {min(quotients):6.2f}  {max(quotients):7.2f}  {model}")
    print(f"geometric mean {statistics.geometric_mean(ratios):.2f}")


if __name__ == "__main__":
    main()
