"""Times training in PyTorch, eager or compiled, in float and with fake quantization.

The loop is the leanest that PyTorch allows: all rows lie in one tensor, images are channels-last, Adam is fused, and neither
loss nor accuracy is read. Quantizers are PyTorch's fused ones, where goqat has its own: the input, the weights by channel,
and what follows each convolution or dense layer with its BatchNorm and relu.
"""
import time

import torch
from torch import nn
from torch.ao.quantization import FusedMovingAvgObsFakeQuantize, MovingAverageMinMaxObserver, MovingAveragePerChannelMinMaxObserver
from torch.nn import functional as F

import peer


def separable():
    return [nn.Conv2d(32, 32, 3, padding=1, groups=32, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 32, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU()]


NETS = {
    "mlp": lambda: [nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)],
    "tutorial": lambda: [nn.Conv2d(1, 12, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12 * 13 * 13, 10)],
    "cnn": lambda: [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
                    nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 7 * 7, 10)],
    "dscnn": lambda: [nn.Conv2d(1, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
                      *separable(), *separable(), *separable(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)],
}


def activations():
    return FusedMovingAvgObsFakeQuantize(observer=MovingAverageMinMaxObserver, quant_min=-128, quant_max=127, dtype=torch.qint8,
                                         qscheme=torch.per_tensor_affine)


class QuantizedWeights(nn.Module):
    """A convolution or dense layer whose weights are rounded to int8, symmetrically, with a scale for each channel."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.round = FusedMovingAvgObsFakeQuantize(observer=MovingAveragePerChannelMinMaxObserver, quant_min=-127, quant_max=127,
                                                   dtype=torch.qint8, qscheme=torch.per_channel_symmetric, ch_axis=0)

    def forward(self, x):
        w = self.round(self.layer.weight)
        if isinstance(self.layer, nn.Linear):
            return F.linear(x, w, self.layer.bias)
        return self.layer._conv_forward(x, w, self.layer.bias)


def quantized(layers):
    out, due = [activations()], False  # due: the group of an anchor is not over
    for layer in layers:
        if due and not isinstance(layer, (nn.BatchNorm2d, nn.ReLU)):
            out.append(activations())
            due = False
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer, due = QuantizedWeights(layer), True
        out.append(layer)
    return out + [activations()]


def measure(args, what, x, y, before):
    result = peer.Result(args, what, before)
    torch.manual_seed(1)
    layers = NETS[args.net]()
    net = nn.Sequential(*(quantized(layers) if what == "qat" else layers)).to(memory_format=torch.channels_last).train()
    run = torch.compile(net) if args.compile else net
    optimizer = torch.optim.Adam(net.parameters(), 1e-4 if what == "qat" else 1e-3, fused=True)
    rates, steps, rows, since = [], 0, 0, None
    while not since or (len(rates) < args.epochs if args.epochs else len(rates) < peer.WINDOWS):
        order = torch.randperm(len(x))
        for start in range(0, len(x), args.batch):
            index = order[start:start + args.batch]
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(run(x[index]), y[index]).backward()
            optimizer.step()
            result.stepped()
            steps, rows = steps + 1, rows + len(index)
            if steps == peer.WARMUP:
                rows, since = 0, time.perf_counter()
            elif since and not args.epochs and time.perf_counter() - since >= args.seconds / peer.WINDOWS:
                rates.append(rows / (time.perf_counter() - since))
                rows, since = 0, time.perf_counter()
                if len(rates) == peer.WINDOWS:
                    break
        if args.epochs and rows:
            rates.append(rows / (time.perf_counter() - since))
            rows, since = 0, time.perf_counter()
    result.print(len(x), rates, version=torch.__version__, isa=torch.backends.cpu.get_cpu_capability())


def main():
    args = peer.arguments()
    torch.set_num_threads(args.threads)
    x, y = peer.rows(args.data)
    x = torch.tensor(x).reshape(-1, 1, peer.SIDE, peer.SIDE).to(memory_format=torch.channels_last)
    y = torch.tensor(y, dtype=torch.int64)
    before = time.time() - args.started
    for what in ["float"] if args.compile else ["float", "qat"]:
        measure(args, what, x, y, before)


main()
