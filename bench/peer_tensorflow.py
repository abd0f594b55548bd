"""Times training in Keras 2 on TensorFlow, in float and with the quantizers of the TensorFlow Model Optimization toolkit.

It is Model.fit as a user calls it, with accuracy as metric.
"""
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # the toolkit needs Keras 2

import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras as keras
from tf_keras import layers as L

import peer


def normalized(layer):
    return [layer, L.BatchNormalization(), L.ReLU()]


def separable():
    return [*normalized(L.DepthwiseConv2D(3, padding="same", use_bias=False)),
            *normalized(L.Conv2D(32, 1, padding="same", use_bias=False))]


NETS = {
    "mlp": lambda: [L.Flatten(), L.Dense(128, activation="relu"), L.Dense(10)],
    "tutorial": lambda: [L.Conv2D(12, 3, activation="relu"), L.MaxPooling2D(2), L.Flatten(), L.Dense(10)],
    "cnn": lambda: [L.Conv2D(16, 3, padding="same", activation="relu"), L.MaxPooling2D(2),
                    L.Conv2D(32, 3, padding="same", activation="relu"), L.MaxPooling2D(2), L.Flatten(), L.Dense(10)],
    "dscnn": lambda: [*normalized(L.Conv2D(32, 3, strides=2, padding="same", use_bias=False)),
                      *separable(), *separable(), *separable(), L.GlobalAveragePooling2D(), L.Dense(10)],
}


class Clock(keras.callbacks.Callback):
    def on_epoch_begin(self, *_):
        self.began = time.perf_counter()

    def on_epoch_end(self, *_):
        self.took = time.perf_counter() - self.began


def fit(net, x, y, batch):
    """Trains on all rows once and returns the rows of a second."""
    clock = Clock()
    net.fit(x, y, batch_size=batch, epochs=1, verbose=0, callbacks=[clock])
    return len(x) / clock.took


def measure(args, what, x, y, before):
    result = peer.Result(args, what, before)
    keras.utils.set_random_seed(1)
    net = keras.Sequential([L.InputLayer((peer.SIDE, peer.SIDE, 1)), *NETS[args.net]()])
    if what == "qat":
        net = tfmot.quantization.keras.quantize_model(net)
    net.compile(optimizer=keras.optimizers.Adam(1e-4 if what == "qat" else 1e-3),
                loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    fit(net, x[:args.batch], y[:args.batch], args.batch)
    result.stepped()
    warm = peer.WARMUP * args.batch
    rate = fit(net, x[:warm], y[:warm], args.batch)
    count, epochs = len(x), args.epochs
    if not epochs:  # as many rows as take the time, twice: the first estimate is a low one
        epochs = 1
        for share in (0.2, 1):
            count = min(len(x), max(warm, int(rate * args.seconds * share) // args.batch * args.batch))
            if share < 1:
                rate = fit(net, x[:count], y[:count], args.batch)
    result.print(len(x), [fit(net, x[:count], y[:count], args.batch) for _ in range(epochs)], version=tf.__version__)


def main():
    args = peer.arguments()
    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(args.threads)
    x, y = peer.rows(args.data)
    x, y = x[..., None], y.astype("int32")
    before = time.time() - args.started
    for what in ["float", "qat"]:
        measure(args, what, x, y, before)


main()
