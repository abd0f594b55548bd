"""Quantizes the same float networks after training by goqat, by LiteRT's converter and by ai-edge-quantizer, and prints what
becomes of them: bytes, accuracy, signal to noise of the outputs, and the time that it takes.

  python3 bench/quantizers.py --data /usr/share/datasets/fashion-mnist --litert .venv/bin/python \\
      --tensorflow ~/tf/bin/python --quantizer ~/aeq/bin/python

See README.md beside this file.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import typing

import rows

HERE = pathlib.Path(__file__).resolve().parent
MODES = ["dynamic", "int8", "int16", "float16", "weights"]
CALIBRATED = ["int8", "int16"]
OURS, BEST, CONVERTER, QUANTIZER = "goqat", "goqat, best", "converter", "ai-edge-quantizer"
PEERS = [CONVERTER, QUANTIZER]


class Net(typing.NamedTuple):
    shape: tuple  # of a row
    train: int  # rows to learn
    epochs: int
    normal: typing.Optional[int] = None  # the class that an autoencoder learns to give back


IMAGE = rows.SIDE, rows.SIDE, 1
NETS = {
    "cnn": Net(IMAGE, 60000, 5),
    "lenet5": Net(IMAGE, 30000, 2),
    "ds-cnn": Net(IMAGE, 60000, 2),
    "mobilenet": Net(IMAGE, 60000, 3),
    "resnet8": Net(IMAGE, 30000, 3),
    "accelerometer": Net(IMAGE[:2], 60000, 3),
    "autoencoder": Net((rows.SIDE**2,), 60000, 5, normal=0),
}


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", metavar="DIR", required=True, help="directory of Fashion-MNIST's IDX files")
    p.add_argument("--litert", metavar="PYTHON", default=".venv/bin/python", help="Python with ai-edge-litert, which runs all files; default: .venv/bin/python")
    p.add_argument("--tensorflow", metavar="PYTHON", default=os.environ.get("GOQAT_BENCH_TENSORFLOW"),
                   help="Python with tensorflow; or set GOQAT_BENCH_TENSORFLOW")
    p.add_argument("--quantizer", metavar="PYTHON", default=os.environ.get("GOQAT_BENCH_QUANTIZER"),
                   help="Python with ai-edge-quantizer; or set GOQAT_BENCH_QUANTIZER")
    p.add_argument("--goqat", metavar="PROGRAM", help="a goqat that is built already; default: build it")
    p.add_argument("--best", metavar="FLAGS", default="-range mse -repair bias", help="flags of goqat's second row in calibrated modes; default: %(default)s")
    p.add_argument("--nets", type=lambda t: t.split(","), default=list(NETS), metavar="NET,...")
    p.add_argument("--modes", type=lambda t: t.split(","), default=MODES, metavar="MODE,...")
    p.add_argument("--samples", type=int, default=500, metavar="N", help="rows to calibrate with; default: 500")
    p.add_argument("--test", type=int, default=2000, metavar="N", help="test rows that the files are judged by; default: 2000")
    p.add_argument("--rounds", type=int, default=1, metavar="N", help="the best time of so many counts; default: 1")
    p.add_argument("--keep", metavar="DIR", help="where to keep networks, rows and files; networks that are there are used again")
    p.add_argument("--json", metavar="FILE", help="write every line measured there")
    args = p.parse_args()
    for given, known in ((args.nets, NETS), (args.modes, MODES)):
        if unknown := set(given) - set(known):
            p.error(f"unknown: {sorted(unknown)}: use {list(known)}")
    return args


def prepare(args, goqat, net, folder):
    """Trains a network in a folder, unless it is there, and writes the rows beside it."""
    os.makedirs(folder, exist_ok=True)
    n, model = NETS[net], os.path.join(folder, "float32.tflite")
    at = lambda name: os.path.join(folder, name)
    size = rows.SIDE**2
    images, labels = rows.read(args.data, "train")
    test_images, test_labels = rows.read(args.data, "t10k")
    classes = lambda y: y if n.normal is None else bytes(label != n.normal for label in y)
    if not os.path.exists(model):
        print(f"{net}: training", file=sys.stderr, flush=True)
        count, tests = min(n.train, len(labels)), len(test_labels)
        rows.write_npz(at("data.npz"), {
            "x_train": ("|u1", (count, *n.shape), images[:count * size]), "y_train": ("|u1", (count,), classes(labels[:count])),
            "x_test": ("|u1", (tests, *n.shape), test_images), "y_test": ("|u1", (tests,), classes(test_labels)),
        })
        command = [goqat, "compare", "-model", net, "-data", at("data.npz"), "-epochs", str(n.epochs), "-qat-epochs", "1", "-batch", "128", "-out", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    count, tests = min(args.samples, len(labels)), min(args.test, len(test_labels))
    rows.write(at("rows.npy"), "<f4", (count, *n.shape), rows.floats(images[:count * size]))
    rows.write(at("test.npy"), "<f4", (tests, *n.shape), rows.floats(test_images[:tests * size]))
    rows.write(at("labels.npy"), "|u1", (tests,), test_labels[:tests])
    return model


def programs(args, goqat):
    """The programs: name -> a function of model, mode, rows and file to write that returns the command, None where it has no such mode."""
    def ours(model, mode, calibration, out, flags=()):
        return [goqat, "quantize", model, "-o", out, "-mode", mode, *(["-data", calibration] if mode in CALIBRATED else []), *flags]

    def best(model, mode, calibration, out):
        return ours(model, mode, calibration, out, shlex.split(args.best)) if mode in CALIBRATED else None

    def theirs(python, script, modes):
        return lambda model, mode, calibration, out: [
            python, str(HERE / script), "--model", model, "--mode", mode, "--rows", calibration, "--out", out, "--started", repr(time.time()),
        ] if mode in modes else None

    found = {OURS: ours, BEST: best}
    if args.tensorflow:
        found[CONVERTER] = theirs(args.tensorflow, "peer_converter.py", [m for m in MODES if m != "weights"])
    if args.quantizer:
        found[QUANTIZER] = theirs(args.quantizer, "peer_quantizer.py", MODES)
    return found


def measure(args, found, net, model, folder):
    """Quantizes a network in every way and returns a line for each file."""
    lines = {}
    for round in range(args.rounds):
        for mode in args.modes:
            names = list(found)
            for name in names[round % len(names):] + names[:round % len(names)]:
                out = os.path.join(folder, f"{mode}-{name.replace(', ', '-')}.tflite")
                command = found[name](model, mode, os.path.join(folder, "rows.npy"), out)
                if not command:
                    continue
                print(f"round {round + 1} of {args.rounds}: {net}, {mode}: {name}", file=sys.stderr, flush=True)
                began = time.monotonic()
                run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                took = time.monotonic() - began
                if run.returncode:
                    print(f"  failed: {run.stderr.strip()[-2000:]}", file=sys.stderr)
                    continue
                more = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
                line = {"net": net, "mode": mode, "program": name, "file": out, "bytes": os.path.getsize(out),
                        "command_s": took, **(more[-1] if more else {})}
                before = lines.setdefault((mode, name), line)
                for key in ("command_s", "import_s", "quantize_s"):
                    if key in line:
                        before[key] = min(before[key], line[key])
    return list(lines.values())


def judge(args, net, model, folder, lines):
    """Adds what the files are worth and returns the float model's accuracy."""
    labels = os.path.join(folder, "labels.npy") if NETS[net].normal is None else "-"
    command = [args.litert, str(HERE / "judge.py"), model, os.path.join(folder, "test.npy"), labels, *(line["file"] for line in lines)]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    judged = {j.pop("model"): j for j in map(json.loads, run.stdout.splitlines())}
    for line in lines:
        line.update(judged[line["file"]])
    return judged[model]["accuracy"]


def percent(share):
    return f"{100 * share:.2f} %" if share is not None else "-"


def seconds(line):
    """What quantizing takes without imports; the whole command, where that is all there is."""
    return line.get("quantize_s", line["command_s"])


def table(net, accuracy, size, lines):
    """The figures of a network as text."""
    out = [f"{net}: {size} bytes in float32, accuracy {percent(accuracy)}",
           f"{'mode':8} {'program':18} {'bytes':>8} {'accuracy':>9} {'SQNR dB':>8} {'command s':>10} {'without imports':>16}"]
    for mode in MODES:
        for line in (l for l in lines if l["mode"] == mode):
            db = f"{line['sqnr_db']:8.2f}" if line["sqnr_db"] is not None else f"{'-':>8}"
            out.append(f"{mode:8} {line['program']:18} {line['bytes']:8} {percent(line['accuracy']):>9} {db} "
                       f"{line['command_s']:10.3f} {seconds(line):16.3f}")
    return "\n".join(out + [""])


def summary(lines):
    """How goqat compares, as text."""
    at = {(l["net"], l["mode"], l["program"]): l for l in lines}
    rival = lambda net, mode: [at[net, mode, p] for p in PEERS if (net, mode, p) in at]
    out, gaps, better, bytes_, whole, bare = [], {}, [], {}, {}, {}
    for (net, mode, program), line in at.items():
        theirs = rival(net, mode)
        if not theirs:
            continue
        known = [t["sqnr_db"] for t in theirs if t["sqnr_db"] is not None]
        if program == OURS:
            bytes_[net, mode] = line["bytes"] - min(t["bytes"] for t in theirs)
            if known and line["sqnr_db"] is not None:
                gaps[net, mode] = line["sqnr_db"] - max(known)
            if mode in CALIBRATED:
                whole[net, mode] = min(t["command_s"] for t in theirs) / line["command_s"]
                bare[net, mode] = min(map(seconds, theirs)) / line["command_s"]
        if program == BEST and known and line["sqnr_db"] is not None:
            better.append(line["sqnr_db"] - max(known))
    name = lambda values, pick: "{}, {}".format(*pick(values, key=values.get))
    if gaps:
        out.append(f"SQNR, goqat less the better peer: median {statistics.median(gaps.values()):+.2f} dB, "
                   f"least {min(gaps.values()):+.2f} ({name(gaps, min)}), over {len(gaps)} pairs")
    if better:
        out.append(f"SQNR, goqat at its best less the better peer: median {statistics.median(better):+.2f} dB, over {len(better)} pairs")
    if bytes_:
        out.append(f"bytes, goqat less the smaller peer: median {statistics.median(bytes_.values()):+.0f}, "
                   f"most {max(bytes_.values()):+d} ({name(bytes_, max)})")
    for what, ratios in (("whole commands", whole), ("goqat's whole command, the peers without imports", bare)):
        if ratios:
            out.append(f"calibrated modes, times as fast as the faster peer, {what}: median {statistics.median(ratios.values()):.1f}, "
                       f"least {min(ratios.values()):.1f} ({name(ratios, min)})")
    return "\n".join(out)


@contextlib.contextmanager
def directory(keep):
    """A folder that stays, or one that does not."""
    if keep:
        yield keep
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield scratch


def main():
    args = arguments()
    measured = []
    with directory(args.keep) as place:
        goqat = args.goqat
        if not goqat:
            goqat = os.path.abspath(os.path.join(place, "goqat"))
            subprocess.run(["go", "build", "-o", goqat, "./cmd/goqat"], cwd=HERE.parent, check=True)
        found = programs(args, goqat)
        for net in args.nets:
            folder = os.path.join(place, net)
            model = prepare(args, goqat, net, folder)
            lines = measure(args, found, net, model, folder)
            accuracy = judge(args, net, model, folder, lines)
            print(table(net, accuracy, os.path.getsize(model), lines), flush=True)
            measured += lines
    print(summary(measured))
    for name, flag, python in (("LiteRT's converter", "--tensorflow", args.tensorflow), ("ai-edge-quantizer", "--quantizer", args.quantizer)):
        if not python:
            print(f"missing: {name}: no Python given ({flag})")
    for name in found:
        tried = name != BEST or set(args.modes) & set(CALIBRATED)
        if tried and not any(line["program"] == name for line in measured):
            print(f"missing: {name}: failed on every file")
    if args.json:
        with open(args.json, "w") as f:
            f.writelines(json.dumps(line) + "\n" for line in measured)
    sys.exit(not measured)


if __name__ == "__main__":
    main()
