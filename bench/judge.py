"""Runs .tflite files in LiteRT, row by row, and prints for each file what its outputs are worth beside those of a float model.

"sqnr_db" is 10 log10 of the sum of squares of the float outputs over that of the differences, over all rows and outputs;
"accuracy" is the share of rows whose largest output is that of their label. The kernels are LiteRT's own, without delegate.
"""
import argparse
import json
import math

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType


def outputs(model, rows):
    """The real numbers that a model gives for rows, [N, outputs]."""
    interpreter = Interpreter(model_path=model, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    interpreter.allocate_tensors()
    (x,), (y,) = interpreter.get_input_details(), interpreter.get_output_details()
    codes = rows
    if x["dtype"] != np.float32:
        scale, zero = x["quantization"]
        kind = np.iinfo(x["dtype"])
        codes = np.clip(np.round(rows / np.float32(scale)) + zero, kind.min, kind.max)
    codes = codes.astype(x["dtype"])
    result = []
    for row in codes:
        interpreter.set_tensor(x["index"], row.reshape(x["shape"]))
        interpreter.invoke()
        result.append(interpreter.get_tensor(y["index"]).ravel())
    result = np.array(result).astype(np.float64)
    if y["dtype"] != np.float32:
        scale, zero = y["quantization"]
        result = (result - zero) * scale
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("float", help="the float model")
    p.add_argument("rows", help=".npy of float32, rows along the first axis")
    p.add_argument("labels", help=".npy of as many numbers; - for a model that tells no classes")
    p.add_argument("models", nargs="+")
    args = p.parse_args()
    rows = np.load(args.rows)
    labels = None if args.labels == "-" else np.load(args.labels)
    want = outputs(args.float, rows)
    for model in [args.float, *args.models]:
        got = want if model == args.float else outputs(model, rows)
        noise = ((got - want) ** 2).sum()
        print(json.dumps({
            "model": model,
            "sqnr_db": 10 * math.log10((want ** 2).sum() / noise) if noise else None,
            "accuracy": None if labels is None else float((got.argmax(1) == labels).mean()),
        }), flush=True)


main()
