#!/usr/bin/env python3
"""Makes the reference vectors that the recurrent layers are tested against.

Runs PyTorch's own nn.LSTM and nn.GRU on the CPU, one layer each, batch 1, from a zero state, and writes every weight,
the input and the output to lstm.txt and gru.txt beside this script. The Rust tests read those files, so PyTorch is
needed only to make them again:

    pip install torch
    python3 tests/reference/make_vectors.py           # write the files
    python3 tests/reference/make_vectors.py --check   # recompute and compare with the files

The format: comment lines that start with '#', then for each tensor a line 'name rows cols' and a line of rows * cols
numbers, row by row. Each number is the shortest decimal that reads back as the same 32-bit float.

Weights and input come from Python's random(), whose sequence for a seed is the same everywhere, rounded to 4 decimals
to keep the files small. The results are computed in 32-bit floats, and must agree with 64-bit ones to TOLERANCE.
"""

import argparse
import random
import struct
import sys
from pathlib import Path

INPUT = 12
HIDDEN = 20
STEPS = 16
# Wide enough that the gates run from nearly shut to nearly open, and narrow enough that few of them stay there.
WEIGHT_RANGE = 1.0
INPUT_RANGE = 2.0
DECIMALS = 4
TOLERANCE = 1e-6

PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
RESULTS = ("output", "cell")
# Results may differ in the last bits from one processor or PyTorch release to the next; the file's and the recomputed
# ones are each within TOLERANCE of the 64-bit ones.
CHECK_TOLERANCE = 2 * TOLERANCE


class Case:
    """One kind of layer: the file it is written to, its seed, and what a reader of the file has to know of it."""

    def __init__(self, name, layer, seed, gates, equations):
        self.name = name
        self.layer = layer
        self.seed = seed
        self.gates = gates
        self.equations = equations

    @property
    def path(self):
        return Path(__file__).resolve().with_name(f"{self.name}.txt")


CASES = (
    Case(
        "lstm",
        "LSTM",
        seed=1,
        gates="ifgo",
        equations=(
            "i, f, o = sigmoid, g = tanh, each of weight_ih x + bias_ih + weight_hh h + bias_hh",
            "c' = f c + i g; h' = o tanh(c')",
            "output: h' of each step; cell: c' of the last step",
        ),
    ),
    Case(
        "gru",
        "GRU",
        seed=2,
        gates="rzn",
        equations=(
            "r, z = sigmoid(weight_ih x + bias_ih + weight_hh h + bias_hh)",
            "n = tanh(weight_ih x + bias_ih + r (weight_hh h + bias_hh)); h' = (1 - z) n + z h",
            "output: h' of each step",
        ),
    ),
)


def import_torch():
    try:
        import torch
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        sys.exit("make_vectors: PyTorch is missing; install it with: pip install torch")
    return torch


def to_f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def shortest(value):
    """The shortest decimal that reads back as `value`, a 32-bit float; 9 significant digits always do."""
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        if to_f32(float(text)) == value:
            return text
    raise ValueError(f"not a finite 32-bit float: {value!r}")


def draw(case):
    """The case's weights and input: name -> rows, each value a 32-bit float."""
    rng = random.Random(case.seed)

    def matrix(rows, cols, limit):
        return [[to_f32(round((2 * rng.random() - 1) * limit, DECIMALS)) for _ in range(cols)] for _ in range(rows)]

    rows = len(case.gates) * HIDDEN
    return {
        "weight_ih": matrix(rows, INPUT, WEIGHT_RANGE),
        "weight_hh": matrix(rows, HIDDEN, WEIGHT_RANGE),
        "bias_ih": matrix(1, rows, WEIGHT_RANGE),
        "bias_hh": matrix(1, rows, WEIGHT_RANGE),
        "input": matrix(STEPS, INPUT, INPUT_RANGE),
    }


def run(torch, case, tensors, dtype):
    """What PyTorch's layer makes of `tensors` in floats of type `dtype`: name -> rows."""
    layer = getattr(torch.nn, case.layer)(INPUT, HIDDEN).to(dtype)
    with torch.no_grad():
        for name in PARAMETERS:
            parameter = getattr(layer, f"{name}_l0")
            parameter.copy_(torch.tensor(tensors[name], dtype=dtype).reshape(parameter.shape))
        sequence = torch.tensor(tensors["input"], dtype=dtype).unsqueeze(1)
        output, state = layer(sequence)
    results = {"output": output.squeeze(1).tolist()}
    if case.layer == "LSTM":
        results["cell"] = state[1].reshape(1, HIDDEN).tolist()
    return results


def largest_difference(left, right):
    return max(abs(a - b) for rows in zip(left, right, strict=True) for a, b in zip(*rows, strict=True))


def compute(torch, case):
    """All of the case's tensors, in the order of the file."""
    tensors = draw(case)
    results = run(torch, case, tensors, torch.float32)
    exact = run(torch, case, tensors, torch.float64)
    for name, rows in results.items():
        difference = largest_difference(rows, exact[name])
        # Written so that NaN fails too.
        if not difference <= TOLERANCE:
            sys.exit(f"make_vectors: {case.name}: {name} differs by {difference:.2g} between 32 and 64 bits")
    return tensors | results


def render(torch, case, tensors):
    version = torch.__version__.split("+")[0]
    lines = [
        f"# torch {version}, CPU, float32; seed {case.seed}",
        f"# nn.{case.layer}({INPUT}, {HIDDEN}) on {STEPS} steps, batch 1, zero initial state",
        "# Made by: python3 tests/reference/make_vectors.py",
        f"# Blocks of {HIDDEN} rows in the weights, and of {HIDDEN} values in the biases: {' '.join(case.gates)}",
        *(f"# {line}" for line in case.equations),
        "# Each tensor: a line 'name rows cols', then a line of rows * cols numbers, row by row",
    ]
    for name, rows in tensors.items():
        lines.append(f"{name} {len(rows)} {len(rows[0])}")
        lines.append(" ".join(shortest(value) for row in rows for value in row))
    return "\n".join(lines) + "\n"


def parse(text):
    """The tensors of a file: name -> rows. Raises ValueError where the text is not in the format."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    if len(lines) % 2:
        raise ValueError("a tensor without its line of numbers")
    tensors = {}
    for head, body in zip(lines[::2], lines[1::2]):
        fields = head.split()
        if len(fields) != 3:
            raise ValueError(f"not 'name rows cols': {head[:60]!r}")
        name, rows, cols = fields[0], int(fields[1]), int(fields[2])
        values = [to_f32(float(number)) for number in body.split()]
        if name in tensors:
            raise ValueError(f"{name} is there twice")
        if min(rows, cols) < 1 or len(values) != rows * cols:
            raise ValueError(f"{name} has {len(values)} numbers, not {rows} x {cols}")
        tensors[name] = [values[start : start + cols] for start in range(0, len(values), cols)]
    return tensors


def shape(rows):
    return f"{len(rows)} x {len(rows[0])}"


def faults(expected, found):
    """How a file's tensors differ from those recomputed, a line for each."""
    if list(expected) != list(found):
        yield f"has the tensors {' '.join(found) or '(none)'}, not {' '.join(expected)}"
        return
    for name, rows in expected.items():
        if shape(rows) != shape(found[name]):
            yield f"{name} is {shape(found[name])}, not {shape(rows)}"
            continue
        limit = CHECK_TOLERANCE if name in RESULTS else 0.0
        difference = largest_difference(rows, found[name])
        if not difference <= limit:
            yield f"{name} differs by up to {difference:.2g}; the limit is {limit:g}"


def check(case, expected):
    try:
        found = parse(case.path.read_text(encoding="ascii"))
    except OSError as error:
        return [f"cannot be read: {error.strerror}"]
    except (ValueError, OverflowError) as error:
        return [f"is not in the format: {error}"]
    return list(faults(expected, found))


def main():
    parser = argparse.ArgumentParser(
        description="Make the LSTM and GRU reference vectors, lstm.txt and gru.txt, with PyTorch.",
        epilog="PyTorch is needed: pip install torch",
    )
    parser.add_argument("--check", action="store_true", help="write nothing: recompute, and compare with the files")
    options = parser.parse_args()

    torch = import_torch()
    failed = False
    for case in CASES:
        tensors = compute(torch, case)
        if not options.check:
            text = render(torch, case, tensors)
            case.path.write_text(text, encoding="ascii", newline="\n")
            print(f"{case.path.name}: written, {len(text)} bytes")
            continue
        problems = check(case, tensors)
        for problem in problems:
            print(f"make_vectors: {case.path.name}: {problem}", file=sys.stderr)
        if problems:
            failed = True
        else:
            print(f"{case.path.name}: agrees")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
