"""Quantizes a float .tflite file by ai-edge-quantizer."""
import peer

args = peer.quantizing(__doc__)

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import algorithm_manager, qtyping, quantizer, recipe

watch = peer.Quantizing(args)


def half():
    """float16 weights, which no function of the package names."""
    op = qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
        compute_precision=qtyping.ComputePrecision.FLOAT, explicit_dequantize=True)
    return op, algorithm_manager.AlgorithmName.FLOAT_CASTING


def main():
    rows = np.load(args.rows)
    watch.start()
    q = quantizer.Quantizer(args.model)
    if args.mode == "float16":
        op, algorithm = half()
        q.update_quantization_recipe(regex=".*", operation_name=qtyping.TFLOperationName.ALL_SUPPORTED, op_config=op, algorithm_key=algorithm)
    else:
        q.load_quantization_recipe({
            # As the converter does and goqat: weights of fewer than 1024 elements stay.
            "dynamic": recipe.dynamic_legacy_wi8_afp32, "weights": recipe.weight_only_wi8_afp32,
            "int8": recipe.static_wi8_ai8, "int16": recipe.static_wi8_ai16,
        }[args.mode]())
    found = None
    if q.need_calibration:
        (name, signature), = Interpreter(args.model).get_signature_list().items()
        found = q.calibrate({name: [{signature["inputs"][0]: row[None]} for row in rows]})
    q.quantize(found).export_model(args.out, overwrite=True)
    watch.print("ai-edge-quantizer")


main()
