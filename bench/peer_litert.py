"""Times .tflite files in LiteRT. Each line of the input is a JSON object with "model", "resolver", "seconds" and "threads"; the
answer is one with "us", the median time of a run in microseconds. The first line that is written says whether LiteRT is held to
the instructions that the argument names: {"held": places} or {"error": "..."}.
"""
import json
import os
import statistics
import sys
import time

import ai_edge_litert
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import isa

RESOLVERS = {
    "xnnpack": OpResolverType.AUTO,
    "builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "reference": OpResolverType.BUILTIN_REF,
}


def measure(model, resolver, seconds, threads):
    """The median time of a run in microseconds."""
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


def main():
    held = 0
    if sys.argv[1:]:
        try:
            held = isa.hold(os.path.dirname(ai_edge_litert.__file__))
        except (isa.Unsupported, OSError) as e:
            print(json.dumps({"error": str(e)}), flush=True)
            return
    print(json.dumps({"held": held}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"us": measure(**json.loads(line))}), flush=True)


main()
