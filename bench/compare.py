"""Times training in goqat beside PyTorch and TensorFlow, on this machine, in one run, and prints how many times faster goqat is.

  python3 bench/compare.py --torch ~/torch/bin/python --tensorflow ~/tf/bin/python --data /usr/share/datasets/fashion-mnist

Each figure is the best of the rounds. A round runs one program after the other on each network and batch size, so that the
ratios come from the same minutes; times of different runs are not comparable. See README.md beside this file.
"""
import argparse
import json
import math
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NETS, BATCHES, WHATS = ["mlp", "tutorial", "cnn", "dscnn"], [32, 128], ["float", "qat"]
OURS, ALONE = "goqat", "goqat, 1 thread"

# What holds programs to instructions of this kind: of Go, of PyTorch itself, of oneDNN and of MKL. Each ignores the others'.
ISAS = {"avx2": {"GODEBUG": "cpu.avx512f=off", "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}}


def numbers(text):
    return [int(n) for n in text.split(",")]


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--torch", metavar="PYTHON", default=os.environ.get("GOQAT_BENCH_TORCH"),
                   help="Python with torch; or set GOQAT_BENCH_TORCH")
    p.add_argument("--tensorflow", metavar="PYTHON", default=os.environ.get("GOQAT_BENCH_TENSORFLOW"),
                   help="Python with tensorflow, tf_keras and tensorflow-model-optimization; or set GOQAT_BENCH_TENSORFLOW")
    p.add_argument("--compile", action="store_true", help="PyTorch with torch.compile too; needs a C++ compiler")
    p.add_argument("--goqat", metavar="PROGRAM", help="a goqat that is built already; default: build it")
    p.add_argument("--data", metavar="DIR", help="directory of Fashion-MNIST's IDX files; default: noise of that shape")
    p.add_argument("--nets", type=lambda t: t.split(","), default=NETS, metavar="NET,...")
    p.add_argument("--batches", type=numbers, default=BATCHES, metavar="N,...")
    p.add_argument("--threads", type=int, default=os.cpu_count(), metavar="N")
    p.add_argument("--rounds", type=int, default=1, metavar="N")
    p.add_argument("--epochs", type=int, default=1, metavar="N", help="whole epochs to measure in each round; default: 1")
    p.add_argument("--seconds", type=float, metavar="S", help="measure parts of epochs, of so many seconds: a quick look")
    p.add_argument("--scaling", action="store_true", help="run goqat on one thread too")
    p.add_argument("--isa", choices=sorted(ISAS), help="hold all programs to these instructions; default: each takes what it likes")
    p.add_argument("--json", metavar="FILE", help="write every line measured there")
    args = p.parse_args()
    if unknown := set(args.nets) - set(NETS):
        p.error(f"unknown networks {sorted(unknown)}: use {NETS}")
    return args


def programs(args, goqat):
    """The programs to time: name -> a function of network and batch that returns the command."""
    def ours(threads):
        return lambda net, batch: [goqat, "bench", "train", "-json", "-nets", net, "-batches", str(batch), "-threads", str(threads),
                                   *(["-data", args.data] if args.data else []), *span("-")]

    def theirs(python, script, *more):
        return lambda net, batch: [python, str(HERE / script), "--net", net, "--batch", str(batch), "--threads", str(args.threads),
                                   "--started", repr(time.time()), *(["--data", args.data] if args.data else []), *span("--"), *more]

    def span(dashes):
        return [dashes + "seconds", str(args.seconds)] if args.seconds else [dashes + "epochs", str(args.epochs)]

    found = {OURS: ours(args.threads)}
    if args.scaling:
        found[ALONE] = ours(1)
    if args.torch:
        found["PyTorch"] = theirs(args.torch, "peer_torch.py")
        if args.compile:
            found["PyTorch compiled"] = theirs(args.torch, "peer_torch.py", "--compile")
    if args.tensorflow:
        found["TensorFlow"] = theirs(args.tensorflow, "peer_tensorflow.py")
    return found


def busy():
    """Seconds that all cores have worked so far, and those of them in programs started here; None where Linux does not tell."""
    try:
        with open("/proc/stat") as f:
            user, nice, system, _, _, irq, soft = map(int, f.readline().split()[1:8])
    except (OSError, ValueError):
        return None
    mine = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK"), mine.ru_utime + mine.ru_stime


def others(before, after, seconds):
    """The share of the machine that other programs took."""
    if not before or not after:
        return 0
    return max(0, after[0] - before[0] - (after[1] - before[1])) / (seconds * os.cpu_count())


def measure(args, found):
    """Runs everything and returns the lines, each with its program, its round, and how busy the machine was with other work."""
    lines = []
    environment = {**os.environ, **ISAS.get(args.isa, {})}
    for round in range(args.rounds):
        for net in args.nets:
            for batch in args.batches:
                # Another program is first each time: none is always the one to meet a cold machine.
                names = list(found)
                for name in names[round % len(names):] + names[:round % len(names)]:
                    print(f"round {round + 1} of {args.rounds}: {net}, batch {batch}: {name}", file=sys.stderr, flush=True)
                    before, began = busy(), time.monotonic()
                    run = subprocess.run(found[name](net, batch), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
                    share = others(before, busy(), time.monotonic() - began)
                    if run.returncode:
                        print(f"  failed: {run.stderr.strip()[-2000:]}", file=sys.stderr)
                    for line in run.stdout.splitlines():
                        if line.startswith("{"):
                            lines.append({"program": name, "round": round + 1, "others": share, **json.loads(line)})
    return lines


def best(lines, key):
    """The smallest value of key by (program, net, batch, what)."""
    values = {}
    for line in lines:
        place = line["program"], line["net"], line["batch"], line["what"]
        values[place] = min(values.get(place, math.inf), line[key])
    return values


def geometric(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def table(lines, peers, missing, isa=None):
    """The report as text."""
    epoch = best(lines, "epoch_s")
    out = []
    for what in WHATS:
        out.append(f"{'float training' if what == 'float' else 'quantization-aware training'}: seconds of an epoch, best peer / goqat")
        out.append(f"{'net':9} {'batch':>5} {OURS:>9} " + " ".join(f"{p:>16}" for p in peers) + f" {'ratio':>7}")
        ratios = {}
        for net in NETS:
            for batch in sorted({b for _, n, b, _ in epoch if n == net}):
                mine = epoch.get((OURS, net, batch, what))
                theirs = [epoch.get((p, net, batch, what)) for p in peers]
                have = [t for t in theirs if t]
                if mine and have:
                    ratios[net, batch] = min(have) / mine
                cells = [f"{mine:9.2f}" if mine else f"{'-':>9}"] + [f"{t:16.2f}" if t else f"{'-':>16}" for t in theirs]
                cells.append(f"{ratios[net, batch]:7.2f}" if (net, batch) in ratios else f"{'-':>7}")
                out.append(f"{net:9} {batch:5} " + " ".join(cells))
        if ratios:
            worst = min(ratios, key=ratios.get)
            out.append(f"geometric mean {geometric(list(ratios.values())):.2f}, "
                       f"minimum {ratios[worst]:.2f} ({worst[0]}, batch {worst[1]}), over {len(ratios)} rows")
        out.append("")
    out += own(epoch)
    for key, scale, title, places in [("peak_bytes", 1e6, "peak memory, MB", 0),
                                      ("first_step_s", 1, "first step after the start of the program, s", 2)]:
        out.append(title + ": " + ", ".join(
            f"{p} {min(v) / scale:.{places}f} to {max(v) / scale:.{places}f}" for p in [OURS, *peers]
            if (v := [x for (q, _, _, _), x in best(lines, key).items() if q == p])))
    out += instructions(lines, isa)
    if (most := max((line["others"] for line in lines), default=0)) > 0.1:
        out.append(f"other programs took up to {most:.0%} of the machine meanwhile: these figures say little")
    out += [f"missing: {m}" for m in missing]
    return "\n".join(out)


def instructions(lines, wanted):
    """What the programs say they run, and what they were held to."""
    found = {}
    for line in lines:
        found.setdefault(line["program"], set()).add(line.get("isa") or "does not say")
    text = "instructions: " + ", ".join(f"{p} {'/'.join(sorted(v))}" for p, v in found.items())
    if not wanted:
        return [text]
    other = [p for p, v in found.items() if v - {wanted.upper(), "does not say"}]
    return [f"{text}; all were held to {wanted.upper()}"] + [f"not held to {wanted.upper()}: {p}" for p in other]


def own(epoch):
    """What goqat is compared with itself for."""
    out = []
    if steps := {(n, b): t / epoch[OURS, n, b, "float"] for (p, n, b, w), t in epoch.items()
                 if p == OURS and w == "qat" and (OURS, n, b, "float") in epoch}:
        out.append("goqat, QAT / float: " + ", ".join(f"{n} {b}: {r:.2f}" for (n, b), r in steps.items()))
    for what in WHATS:
        if gains := {(n, b): epoch[ALONE, n, b, w] / t for (p, n, b, w), t in epoch.items()
                     if p == OURS and w == what and (ALONE, n, b, w) in epoch}:
            out.append(f"goqat, 1 thread / all, {what}: " + ", ".join(f"{n} {b}: {r:.2f}" for (n, b), r in gains.items()))
    return out


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        goqat = args.goqat
        if not goqat:
            goqat = os.path.join(scratch, "goqat")
            subprocess.run(["go", "build", "-o", goqat, "./cmd/goqat"], cwd=HERE.parent, check=True)
        found = programs(args, goqat)
        lines = measure(args, found)
    if args.json:
        with open(args.json, "w") as f:
            f.writelines(json.dumps(line) + "\n" for line in lines)
    missing = [f"{name}: no Python given ({flag})" for name, flag, python in
               [("PyTorch", "--torch", args.torch), ("TensorFlow", "--tensorflow", args.tensorflow)] if not python]
    peers = [p for p in found if p not in (OURS, ALONE)]
    missing += [f"{p}: failed on every row" for p in peers if not any(line["program"] == p for line in lines)]
    print(table(lines, peers, missing, args.isa))
    sys.exit(not lines)


if __name__ == "__main__":
    main()
