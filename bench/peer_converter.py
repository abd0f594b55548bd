"""Quantizes the network of a float .tflite file by the converter of LiteRT that is part of TensorFlow.

The converter takes no .tflite file: the network is built again as a Keras model with the same weights, which is not timed.
"""
import os

import peer

args = peer.quantizing(__doc__)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L
from tensorflow.lite.python import schema_py_generated as schema

watch = peer.Quantizing(args)


class File:
    """The only subgraph of a .tflite file."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.model = schema.ModelT.InitFromPackedBuf(f.read(), 0)
        self.graph = self.model.subgraphs[0]

    def constant(self, index):
        """The elements of a tensor; None if it is computed or there is none."""
        if index < 0:
            return None
        t = self.graph.tensors[index]
        data = self.model.buffers[t.buffer].data
        kind = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.INT32: np.int32}[t.type]
        return None if data is None else data.view(kind).reshape(t.shape)

    def operators(self):
        """Of each operator: name, options, inputs and output."""
        names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
        for op in self.graph.operators:
            code = self.model.operatorCodes[op.opcodeIndex]
            number = max(code.builtinCode, code.deprecatedBuiltinCode)
            yield names[number], op.builtinOptions, [int(i) for i in op.inputs], int(op.outputs[0])


ACTIVATIONS = {schema.ActivationFunctionType.NONE: lambda x: x, schema.ActivationFunctionType.RELU: lambda x: L.ReLU()(x),
               schema.ActivationFunctionType.RELU6: lambda x: L.ReLU(6)(x)}


def padding(o):
    return {schema.Padding.SAME: "same", schema.Padding.VALID: "valid"}[o.padding]


def weighted(layer, x, weights, bias):
    y = layer(x)
    layer.set_weights([weights] if bias is None else [weights, bias])
    return y


def conv(o, x, w, b):
    l = L.Conv2D(w.shape[0], w.shape[1:3], (o.strideH, o.strideW), padding(o), use_bias=b is not None)
    return weighted(l, x, w.transpose(1, 2, 3, 0), b)


def depthwise(o, x, w, b):
    # Keras takes equal strides only, which the path that needs others would need too.
    l = L.DepthwiseConv2D(w.shape[1:3], (o.strideH, o.strideW), padding(o), o.depthMultiplier, use_bias=b is not None)
    return weighted(l, x, w.reshape(*w.shape[1:3], x.shape[-1], o.depthMultiplier), b)


def pool(layer):
    return lambda o, x: layer((o.filterHeight, o.filterWidth), (o.strideH, o.strideW), padding(o))(x)


LAYERS = {
    "CONV_2D": conv,
    "DEPTHWISE_CONV_2D": depthwise,
    "FULLY_CONNECTED": lambda o, x, w, b=None: weighted(L.Dense(len(w), use_bias=b is not None), x, w.T, b),
    "MAX_POOL_2D": pool(L.MaxPooling2D),
    "AVERAGE_POOL_2D": pool(L.AveragePooling2D),
    "ADD": lambda o, x, y: L.Add()([x, y]),
    "MEAN": lambda o, x, axes: L.GlobalAveragePooling2D(keepdims=o.keepDims)(x),
    "RESHAPE": lambda o, x, shape: L.Reshape(tuple(int(n) for n in shape[1:]))(x),
    "TANH": lambda o, x: L.Activation("tanh")(x),
    "SOFTMAX": lambda o, x: L.Softmax()(x),
}


def build(file):
    """The Keras model of a file."""
    g = file.graph
    start = L.Input(tuple(int(n) for n in g.tensors[g.inputs[0]].shape[1:]))
    values = {int(g.inputs[0]): start}
    for name, options, inputs, output in file.operators():
        y = LAYERS[name](options, *[values[i] if i in values else file.constant(i) for i in inputs])
        values[output] = ACTIVATIONS[getattr(options, "fusedActivationFunction", 0)](y)
    return keras.Model(start, values[int(g.outputs[0])])


def main():
    rows = np.load(args.rows)
    net = build(File(args.model))
    watch.start()
    c = tf.lite.TFLiteConverter.from_keras_model(net)
    c.optimizations = [tf.lite.Optimize.DEFAULT]
    if args.mode == "float16":
        c.target_spec.supported_types = [tf.float16]
    if args.mode in ("int8", "int16"):
        c.representative_dataset = lambda: ([row[None]] for row in rows)
        ops = tf.lite.OpsSet
        c.target_spec.supported_ops = [ops.TFLITE_BUILTINS_INT8 if args.mode == "int8"
                                       else ops.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
        c.inference_input_type = c.inference_output_type = {"int8": tf.int8, "int16": tf.int16}[args.mode]
    content = c.convert()
    with open(args.out, "wb") as f:
        f.write(content)
    watch.print("tensorflow")


main()
