"""Runs .tflite models in Google's LiteRT on behalf of the Go package oracle, one request after another.

A message is a little-endian uint32 (length of the header), a JSON header, and the bytes the header announces.
Requests come on stdin:
    {"command": "run", "resolver": "reference" | "optimized" | "default", "batch": n, "model": bytes, "inputs": [{"type", "size"}]}
    {"command": "inspect", "model": bytes}
followed by the model and the inputs. Answers go to what was stdout at the start; whatever LiteRT prints goes to stderr:
    {"error": text}   or   {"tensors": [{..., "size"}], "operators": [...], "inputs": [...], "outputs": [...]}
followed by the data of the tensors, in order. The first message, {"version"}, is sent unasked. EOF on stdin ends the process.
Scales travel as the bits of their float32, so that nothing is lost, NaN included.
"""
import importlib.metadata
import json
import os
import struct
import sys

import numpy as np
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as schema

TYPES = {  # TensorType of the TensorFlow Lite schema -> numpy
    0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64, 6: np.bool_, 7: np.int16, 9: np.int8,
    10: np.float64, 12: np.uint64, 15: np.uint32, 16: np.uint16,
}
NUMBERS = {np.dtype(t): n for n, t in TYPES.items()}
OPERATORS = {n: name for name, n in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
RESOLVERS = {
    "reference": litert.OpResolverType.BUILTIN_REF,
    "optimized": litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "default": litert.OpResolverType.AUTO,
}


class File:
    """What the file itself says, read with the schema code that LiteRT ships: versions, constants, variables."""

    def __init__(self, content):
        model = schema.Model.GetRootAs(content, 0)
        graph = model.Subgraphs(0)
        self.constant, self.variable = [], []
        for i in range(graph.TensorsLength()):
            tensor = graph.Tensors(i)
            buffer = model.Buffers(tensor.Buffer())
            self.constant.append(buffer.DataLength() > 0 or buffer.Offset() > 1)
            self.variable.append(tensor.IsVariable())
        self.inputs = graph.InputsAsNumpy().tolist() if graph.InputsLength() else []
        self.outputs = graph.OutputsAsNumpy().tolist() if graph.OutputsLength() else []
        self.operators = []
        for i in range(graph.OperatorsLength()):
            operator = graph.Operators(i)
            code = model.OperatorCodes(operator.OpcodeIndex())
            number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            self.operators.append({"code": number, "name": OPERATORS[number], "version": code.Version()})

    def role(self, index):
        if index >= len(self.constant):
            return "scratch"
        if self.constant[index]:
            return "constant"
        if self.variable[index]:
            return "variable"
        if index in self.inputs:
            return "input"
        return "output" if index in self.outputs else "intermediate"


def interpreter(content, resolver):
    """A ready single-threaded interpreter. It keeps every tensor, unless XNNPACK swallows some: the default resolver."""
    result = litert.Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=RESOLVERS[resolver],
                                experimental_preserve_all_tensors=resolver != "default")
    result.allocate_tensors()
    return result


def describe(interp, file):
    """One dict per tensor: those of the file at their own index, then the kernels' scratch tensors.

    The public get_tensor_details leaves out tensors without a name, scratch tensors among them, so this asks the
    wrapped interpreter. It raises ValueError for what LiteRT has reserved and not used: "no type found", "no shape
    found".
    """
    raw, result = interp._interpreter, []
    for index in range(raw.NumTensors(0)):
        try:
            kind, shape = np.dtype(raw.TensorType(index, 0)), [int(n) for n in raw.TensorSize(index, 0)]
        except ValueError:
            if file.role(index) == "scratch":
                continue
            raise
        if kind not in NUMBERS:
            raise ValueError(f"tensor {index}: the oracle cannot carry type {kind}")
        scales, zero_points, dimension = raw.TensorQuantizationParameters(index, 0)[:3]
        result.append({
            "index": index, "name": raw.TensorName(index, 0), "type": NUMBERS[kind], "role": file.role(index),
            "shape": shape, "scale_bits": scales.view(np.uint32).tolist(),
            "zero_points": zero_points.tolist(), "quantized_dimension": int(dimension), "examples": 0, "size": 0,
        })
    return result


def fetch(interp, index):
    """A copy of the tensor's bytes, or None where LiteRT holds none: unused, or swallowed by a delegate."""
    try:
        return interp.get_tensor(index).tobytes()
    except ValueError:
        return None


def split_inputs(interp, request, payloads):
    """The inputs as arrays of shape [batch, *shape of one example]; any misfit is an error that names the input."""
    details, batch = interp.get_input_details(), request["batch"]
    if len(details) != len(payloads):
        raise ValueError(f"the model has {len(details)} inputs, {len(payloads)} were given")
    arrays = []
    for number, (detail, given, data) in enumerate(zip(details, request["inputs"], payloads)):
        label = f"input {number} ({detail['name']})"
        want = NUMBERS[np.dtype(detail["dtype"])]
        if given["type"] != want:
            raise ValueError(f"{label}: is of type {want}, was given type {given['type']}")
        size = int(np.prod(detail["shape"])) * np.dtype(detail["dtype"]).itemsize * batch
        if len(data) != size:
            raise ValueError(f"{label}: {batch} examples are {size} bytes, {len(data)} were given")
        arrays.append((detail["index"], np.frombuffer(data, detail["dtype"]).reshape([batch, *detail["shape"]])))
    return arrays


def run(request, content, payloads):
    """Runs the examples one by one and stacks what they leave behind."""
    whole = request["resolver"] != "default"
    interp = interpreter(content, request["resolver"])
    file = File(content)
    arrays = split_inputs(interp, request, payloads)
    parts = {}
    for example in range(request["batch"]):
        if any(file.variable):
            interp.reset_all_variables()
        for index, array in arrays:
            interp.set_tensor(index, array[example])
        interp.invoke()
        if example == 0:
            tensors = describe(interp, file)
            watched = [t for t in tensors if whole or t["role"] in ("constant", "input", "output")]
        for tensor in watched:
            if tensor["role"] == "constant" and example > 0:
                continue
            data = fetch(interp, tensor["index"])
            if data is not None:
                parts.setdefault(tensor["index"], []).append(data)
    for tensor in tensors:
        blocks = parts.get(tensor["index"], [])
        if len({len(block) for block in blocks}) > 1:
            raise ValueError(f"tensor {tensor['index']} ({tensor['name']}): its size differs from example to example")
        tensor["examples"] = len(blocks)
    return answer(file, interp, tensors, [b"".join(parts.get(t["index"], [])) for t in tensors])


def inspect(content):
    """The model as LiteRT sees it, with the data of the constants; nothing is run."""
    interp = interpreter(content, "reference")
    file = File(content)
    tensors = [t for t in describe(interp, file) if t["role"] != "scratch"]
    data = [fetch(interp, t["index"]) if t["role"] == "constant" else None for t in tensors]
    for tensor, block in zip(tensors, data):
        tensor["examples"] = int(block is not None)
    return answer(file, interp, tensors, [block or b"" for block in data])


def answer(file, interp, tensors, blocks):
    for tensor, block in zip(tensors, blocks):
        tensor["size"] = len(block)
    nodes = interp._get_ops_details()  # a delegate's node, if any, comes after those of the file
    operators = []
    for operator, node in zip(file.operators, nodes):
        if node["op_name"] != operator["name"]:
            raise ValueError(f"operator {node['index']}: the file says {operator['name']}, LiteRT {node['op_name']}")
        operators.append({**operator, "inputs": node["inputs"].tolist(), "outputs": node["outputs"].tolist()})
    return {"tensors": tensors, "operators": operators, "inputs": file.inputs, "outputs": file.outputs}, blocks


def handle(request, content, payloads):
    """Errors are answers: the Go side returns them, and the process is ready for the next request."""
    try:
        return inspect(content) if request["command"] == "inspect" else run(request, content, payloads)
    except (ValueError, RuntimeError) as error:  # what LiteRT raises, with its message; and what this file raises
        return {"error": str(error)}, []
    except Exception as error:  # anything else, of a damaged file for example, says little without its name
        return {"error": f"{type(error).__name__}: {error}"}, []


def main():
    source = sys.stdin.buffer
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # from here on, whatever native code prints on stdout lands on stderr

    def send(header, blocks):
        text = json.dumps(header).encode()
        sink.write(struct.pack("<I", len(text)) + text)
        for block in blocks:
            sink.write(block)
        sink.flush()

    send({"version": importlib.metadata.version("ai-edge-litert")}, [])
    while len(size := source.read(4)) == 4:
        request = json.loads(source.read(struct.unpack("<I", size)[0]))
        content = source.read(request["model"])
        send(*handle(request, content, [source.read(i["size"]) for i in request["inputs"] or []]))


main()
