"""Writes the LSTM language model that onnxruntime-web runs beside ours: the same shape, in float32 and in int8.

    python benches/make_onnx.py FOLDER WORDS UNITS

One step: word -> embedding -> LSTM -> logits of all words -> the five largest. The int8 file is what
onnxruntime.quantization.quantize_dynamic makes of the float32 one. Weights are random; no operator's speed depends on them.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic


def main(folder: Path, words: int, units: int) -> None:
    random = np.random.default_rng(0)

    def weights(name, *shape):
        return numpy_helper.from_array((random.standard_normal(shape) * 0.08).astype(np.float32), name)

    constants = [
        weights("embedding", words, units),
        weights("input", 1, 4 * units, units),
        weights("recurrent", 1, 4 * units, units),
        weights("bias", 1, 8 * units),
        weights("output", units, words),
        weights("output_bias", words),
        numpy_helper.from_array(np.array([0], np.int64), "first"),
        numpy_helper.from_array(np.array([5], np.int64), "five"),
    ]
    nodes = [
        helper.make_node("Gather", ["embedding", "word"], ["x"]),
        helper.make_node("LSTM", ["x", "input", "recurrent", "bias", "", "h", "c"], ["", "h_new", "c_new"], hidden_size=units),
        helper.make_node("Squeeze", ["h_new", "first"], ["top"]),
        helper.make_node("MatMul", ["top", "output"], ["product"]),
        helper.make_node("Add", ["product", "output_bias"], ["logits"]),
        helper.make_node("TopK", ["logits", "five"], ["best", "best_rows"], axis=-1),
    ]
    state = [1, 1, units]
    graph = helper.make_graph(
        nodes,
        "step",
        [
            helper.make_tensor_value_info("word", TensorProto.INT64, [1, 1]),
            helper.make_tensor_value_info("h", TensorProto.FLOAT, state),
            helper.make_tensor_value_info("c", TensorProto.FLOAT, state),
        ],
        [
            helper.make_tensor_value_info("h_new", TensorProto.FLOAT, state),
            helper.make_tensor_value_info("c_new", TensorProto.FLOAT, state),
            helper.make_tensor_value_info("best_rows", TensorProto.INT64, [1, 5]),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder.mkdir(parents=True, exist_ok=True)
    float32 = folder / f"{words}-{units}-float32.onnx"
    onnx.save(model, float32)
    quantize_dynamic(float32, folder / f"{words}-{units}-int8.onnx", weight_type=QuantType.QInt8)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
