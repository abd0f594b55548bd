"""Makes the .tflite files beside this script: small Keras networks with random
weights, as the converter of TensorFlow writes them. They are what the reader
meets in files that goqat did not make.

Needs tensorflow 2.21 (tensorflow-cpu will do); nothing else in this repository
needs Python with TensorFlow. Usage: python make.py [NAME...]
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import layers as l


def series():
    """One-dimensional layers, with and without padding and dilation."""
    return keras.Sequential([
        l.Input((32, 3)),
        l.Conv1D(8, 5, padding="same", use_bias=False), l.BatchNormalization(), l.ReLU(),
        l.MaxPooling1D(2),
        l.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="relu"),
        l.DepthwiseConv1D(3, padding="same"), l.LeakyReLU(0.1),
        l.SeparableConv1D(12, 3, strides=2, activation="relu"),
        l.GlobalAveragePooling1D(),
        l.Dense(4, activation="softmax"),
    ])


def mobile():
    """Depthwise and dilated convolutions, residuals, HardSwish and a gate."""
    x = inputs = l.Input((16, 16, 3))
    x = l.Rescaling(1 / 127.5, offset=-1)(x)
    x = l.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = l.ReLU(6)(l.BatchNormalization()(x))
    y = l.DepthwiseConv2D(3, padding="same", dilation_rate=2, use_bias=False)(x)
    y = l.Activation("hard_silu")(l.BatchNormalization()(y))
    gate = l.GlobalAveragePooling2D(keepdims=True)(y)
    gate = l.Conv2D(4, 1, activation="relu")(gate)
    gate = l.Conv2D(8, 1, activation="hard_sigmoid")(gate)
    y = l.Multiply()([y, gate])
    y = l.Conv2D(8, 1, use_bias=False)(y)
    y = l.BatchNormalization()(y)
    x = l.Add()([x, y])
    x = l.Conv2D(12, 3, strides=2, padding="valid", dilation_rate=1)(x)
    x = l.PReLU(shared_axes=[1, 2])(x)
    x = l.Conv2D(12, 3, padding="same", dilation_rate=2, activation="relu")(x)
    x = l.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, l.Dense(5)(x))


def leftovers():
    """BatchNorm that no convolution absorbs, and a dynamic Flatten."""
    x = inputs = l.Input((12, 10, 2))
    x = l.BatchNormalization()(x)
    x = l.Conv2D(6, 3, activation="relu")(x)
    x = l.BatchNormalization()(x)
    x = l.AveragePooling2D(2)(x)
    x = l.Flatten()(x)
    x = l.Dense(16, use_bias=False)(x)
    x = l.BatchNormalization()(x)
    x = l.Activation("tanh")(x)
    return keras.Model(inputs, l.Dense(3, activation="sigmoid")(x))


def branches():
    """Branches, padding, cropping, and slices of all kinds."""
    x = inputs = l.Input((9, 9, 4))
    a = l.Conv2D(4, 1, activation="relu")(x)
    b = l.Cropping2D(1)(l.ZeroPadding2D((1, 2))(l.Conv2D(4, 3)(x)))
    b = l.ZeroPadding2D(((0, 1), (0, 0)))(b)[:, :9, :9]
    c = l.MaxPooling2D(3, strides=1, padding="same")(x)
    d = l.Lambda(lambda t: tf.concat(tf.split(t, 2, axis=3)[::-1], axis=3))(x)
    x = l.Concatenate()([a, c, d])
    x = l.Subtract()([l.Conv2D(4, 1)(x), l.Conv2D(4, 1)(c)])
    x = l.Permute((2, 1, 3))(x)
    x = l.Reshape((9, 36))(x)
    x = l.Dense(6, activation="relu")(x)
    x = l.Lambda(lambda t: tf.stack(tf.unstack(t, axis=1)[::2], axis=1))(x)
    return keras.Model(inputs, l.Dense(4, activation="softmax")(l.Flatten()(x)))


def rearranged():
    """Operators that only move elements, written in many ways."""
    def move(t):
        a = tf.slice(t, [0, 1, 0, 2], [-1, 3, 5, -1])  # [3, 5, 4]
        b, _, c = tf.split(t, [1, 2, 3], axis=3)  # [6, 5, 1] and [6, 5, 3]
        b = tf.squeeze(b, axis=-1)[:, 1:4, :, tf.newaxis]  # [3, 5, 1]
        b = tf.tile(b, [1, 1, 1, 4])
        c = c[:, 5:2:-1, ..., 1][..., tf.newaxis]  # [3, 5, 1]
        c = tf.tile(tf.pad(c, [[0, 0], [0, 0], [0, 0], [0, 1]]), [1, 1, 1, 2])
        d = tf.gather(t, 3, axis=1)  # [5, 6]
        d = tf.tile(tf.reshape(d[:, :, :4], [-1, 1, 5, 4]), [1, 3, 1, 1])
        e = tf.transpose(tf.pad(t, [[0, 0], [1, 0], [0, 2], [0, 0]])[:, 2:5, 2:, :4], [0, 1, 2, 3])
        return tf.concat([a + b, c * d, tf.stack([a, e], axis=-1)[..., 0]], axis=-1)

    x = inputs = l.Input((6, 5, 6))
    x = l.Lambda(move)(x)
    return keras.Model(inputs, l.Dense(3)(l.Flatten()(x)))


def enlarging():
    """An autoencoder with both ways of becoming larger."""
    return keras.Sequential([
        l.Input((8, 8, 1)),
        l.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        l.Conv2D(8, 3, strides=2, padding="same", activation="swish"),
        l.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"),
        l.UpSampling2D(2),
        l.Conv2D(1, 3, padding="same", activation="sigmoid"),
    ])


def foreign():
    """Operators that goqat does not know."""
    x = inputs = l.Input((8, 8, 4))
    x = l.Conv2D(16, 3, padding="same", activation="relu")(x)
    x = l.UpSampling2D(2, interpolation="bilinear")(x)
    x = l.Conv2D(16, 3, strides=2, activation="gelu")(x)
    x = l.LayerNormalization()(x)
    x = l.Lambda(lambda t: tf.nn.l2_normalize(tf.pad(t, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT"), axis=-1))(x)
    x = l.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, l.Dense(4, activation="softmax")(x))


def recurrent():
    """A loop: several subgraphs."""
    return keras.Sequential([l.Input(batch_shape=(1, 6, 3)), l.GRU(4), l.Dense(2)])


def unrolled():
    """The same without a loop: the batch is not always the first axis."""
    return keras.Sequential([l.Input((6, 3)), l.GRU(4, unroll=True), l.Dense(2)])


def randomize(model, seed):
    """Gives all weights values that training could have left."""
    r = np.random.default_rng(seed)
    for layer in model.layers:
        inner = getattr(layer, "layer", layer)
        for w in inner.weights:
            shape = w.shape
            if "variance" in w.path:
                v = r.uniform(0.3, 2, shape)
            elif "gamma" in w.path:
                v = r.uniform(0.5, 1.5, shape) * r.choice([-1, 1], shape, p=[0.1, 0.9])
            elif len(shape) < 2 or "alpha" in w.path:
                v = r.normal(0, 0.2, shape)
            else:
                v = r.normal(0, (2 / max(1, np.prod(shape[:-1]))) ** 0.5, shape)
            w.assign(v.astype("float32"))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    networks = [series, mobile, leftovers, branches, rearranged, enlarging, foreign, recurrent, unrolled]
    for seed, network in enumerate(networks):
        name = network.__name__
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        keras.backend.clear_session()
        model = network()
        randomize(model, seed)
        data = tf.lite.TFLiteConverter.from_keras_model(model).convert()
        with open(os.path.join(here, name + ".tflite"), "wb") as f:
            f.write(data)
        print(name, len(data))


main()
