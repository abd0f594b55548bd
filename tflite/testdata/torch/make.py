"""Makes the .tflite files beside this script: small PyTorch networks with random
weights, as litert-torch converts them. Inputs have their channels in front, and the
files TRANSPOSE operators where PyTorch's order of axes and that of TensorFlow Lite
meet.

Needs torch and litert-torch 0.10; nothing else in this repository does. Usage:
python make.py [NAME...]
"""

import pathlib
import sys

import litert_torch
import numpy as np
import torch
from torch import nn


def plain():
    """Convolutions with BatchNorm, pools, and a dense layer on what is flattened with channels in front."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 12, 3), nn.BatchNorm2d(12), nn.ReLU6(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(12 * 3 * 3, 10),
    ), (1, 3, 16, 16)


class Residual(nn.Module):
    """Depthwise convolutions, padding that is not that of TensorFlow, a residual, and a mean over the image."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.body = nn.Sequential(
            nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.head = nn.Linear(8, 6)

    def forward(self, x):
        x = self.stem(x)
        x = torch.relu(x + self.body(x))
        return self.head(x.mean((2, 3)))


def residual():
    return Residual(), (1, 1, 20, 14)


def signal():
    """One-dimensional convolutions, LeakyReLU, and sigmoid outputs."""
    return nn.Sequential(
        nn.Conv1d(4, 8, 5, padding=2), nn.LeakyReLU(0.1), nn.MaxPool1d(2),
        nn.Conv1d(8, 8, 3, dilation=2), nn.Tanh(), nn.Flatten(), nn.Linear(8 * 12, 3), nn.Sigmoid(),
    ), (1, 4, 32)


def randomize(model, seed):
    """Gives all weights and statistics values that training could have left."""
    r = np.random.default_rng(seed)
    for name, w in [*model.named_parameters(), *model.named_buffers()]:
        if w.dtype != torch.float32:
            continue
        shape = tuple(w.shape)
        if name.endswith("running_var"):
            v = r.uniform(0.3, 2, shape)
        elif w.dim() > 1:
            v = r.normal(0, (1 / np.prod(shape[1:])) ** 0.5, shape)
        elif name.endswith("weight"):  # of BatchNorm
            v = r.uniform(0.5, 1.5, shape) * r.choice([-1, 1], shape, p=[0.1, 0.9])
        else:
            v = r.normal(0, 0.2, shape)
        with torch.no_grad():
            w.copy_(torch.from_numpy(np.asarray(v, np.float32)))


def main():
    for seed, make in enumerate([plain, residual, signal]):
        if sys.argv[1:] and make.__name__ not in sys.argv[1:]:
            continue
        model, shape = make()
        randomize(model, seed)
        edge = litert_torch.convert(model.eval(), (torch.zeros(shape),))
        edge.export(str(pathlib.Path(__file__).with_name(make.__name__ + ".tflite")))


main()
