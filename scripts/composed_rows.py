#!/usr/bin/env python3
"""How much of a model's rows the spellings of their words tell: would it pay to compose rows from n-grams and keep a correction?

    python3 -m venv venv && venv/bin/pip install numpy scipy xxhash
    venv/bin/python scripts/composed_rows.py runs/pl/model runs/pl/corpus

Reads the rows of a run of `lm-tools train` (tied rows, with `ngrams`), takes the narrow ones and fits them by least squares with
vectors for n-grams, or with a matrix times a code of random hyperplanes (Charikar 2002). What that saves is told as the entropy of the
rows' integers, by themselves and where the fitted value is known: an ideal code that is told nothing else.
"""

import argparse
import json
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import tomllib
import xxhash
from scipy.sparse import csr_matrix

BITS = 3
RIDGE = 1e-3


def read_checkpoint(run):
    """The run's config and a function from names to arrays."""
    file = (run / "checkpoint.safetensors").open("rb")
    (length,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(length))

    def array(name):
        entry = header[name]
        begin, end = entry["data_offsets"]
        file.seek(8 + length + begin)
        return np.frombuffer(file.read(end - begin), np.float32).reshape(entry["shape"])

    return tomllib.loads(header["__metadata__"]["config"]), array


def ngrams_of(word, shortest, longest):
    marked = f"\x02{word}\x03"
    return [marked[at : at + n] for n in range(shortest, longest + 1) for at in range(len(marked) - n + 1)]


def means(lists, columns):
    """The sparse matrix that makes of vectors their means, a row a list of columns."""
    rows = np.repeat(np.arange(len(lists)), [len(numbers) for numbers in lists])
    shares = np.repeat([1 / max(len(numbers), 1) for numbers in lists], [len(numbers) for numbers in lists])
    return csr_matrix((shares.astype(np.float32), (rows, np.concatenate(lists).astype(int))), (len(lists), columns))


def composed_rows(run, words):
    """The rows that the file would hold, before quantization."""
    config, array = read_checkpoint(run)
    options = config["training"]["ngrams"]
    vectors = array("embedding.ngrams")
    hashed = lambda ngram: xxhash.xxh64_intdigest(ngram.encode()) % len(vectors)
    shared = [ngrams_of(word, options["shortest"], options["longest"]) for word in words]
    lists = [np.array([hashed(ngram) for ngram in ngrams]) for ngrams in shared]
    return config, array("embedding") + means(lists, len(vectors)) @ vectors


def solve(features, rows, steps=80):
    """Ridge regression by conjugate gradients, all columns at a time."""
    solution = np.zeros((features.shape[1], rows.shape[1]))
    residual = features.T @ rows
    direction, square = residual.copy(), (residual**2).sum(0)
    for _ in range(steps):
        image = features.T @ (features @ direction) + RIDGE * direction
        length = square / np.maximum((direction * image).sum(0), 1e-30)
        solution += length * direction
        residual = residual - length * image
        before, square = square, (residual**2).sum(0)
        direction = residual + square / np.maximum(before, 1e-30) * direction
    return solution


def codes(words, bits):
    """Signs of random hyperplanes' sides of each word's n-grams of 1 to 4 characters."""
    lists = [ngrams_of(word, 1, 4) for word in words]
    names = {name: at for at, name in enumerate(sorted({name for names in lists for name in names}))}
    planes = np.random.default_rng(1).choice(np.float32([-1, 1]), (len(names), bits))
    counts = means([np.array([names[name] for name in list_]) for list_ in lists], len(names))
    return np.sign(counts @ planes).astype(np.float32)


def entropy(symbols):
    """Bits of an ideal code of all symbols together."""
    counts = np.unique(symbols, return_counts=True)[1]
    return -(counts * np.log2(counts / counts.sum())).sum()


def report(what, features, rows, weights):
    integers = np.round(rows)
    fitted = features @ solve(features, rows)
    left = ((rows - fitted) ** 2).sum() / (rows**2).sum()
    contexts = np.clip(np.round(2 * fitted), -7, 7).astype(int)
    saved = entropy(integers) - sum(entropy(integers[contexts == context]) for context in np.unique(contexts))
    print(f"| {what} | {100 * (1 - left):.1f} % | {saved / 8e3:.0f} kB | {weights * BITS / 8e3:.0f} kB |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("corpus", type=Path)
    options = parser.parse_args()
    lines = [line.split("\t") for line in (options.corpus / "vocabulary.tsv").read_text().splitlines()[1:]]
    words, counts = [line[0] for line in lines], np.array([float(line[1]) for line in lines])
    config, rows = composed_rows(options.run, words)
    tail = config["model"]["tail"]
    narrow = np.argsort(-counts, kind="stable")[tail["after"] :]
    words, rows = [words[row] for row in narrow], rows[narrow, : tail["width"]].astype(np.float64)
    # A column's mean is told by one number.
    rows = rows - rows.mean(0)
    # Each row by its own scale, as the file has it: the outermost level is its largest element.
    rows *= (2 ** (BITS - 1) - 1) / np.abs(rows).max(1, keepdims=True)
    print(f"{len(words)} rows of {tail['width']} columns, by themselves {entropy(np.round(rows)) / 8e3:.0f} kB\n")
    print("| known of them | variance explained | saved | cost |\n|---|---:|---:|---:|")
    lists = [ngrams_of(word, 2, 5) for word in words]
    frequent = Counter(name for names in lists for name in set(names)).most_common()
    for count in (1_000, 4_000, 16_000):
        number = {name: at for at, (name, _) in enumerate(frequent[:count])}
        features = means([np.array([number[name] for name in names if name in number]) for names in lists], count)
        report(f"vectors of the {count} most frequent n-grams of 2 to 5 characters", features, rows, count * rows.shape[1])
    for bits in (256, 1024):
        report(f"a matrix times a code of {bits} bits", codes(words, bits), rows, bits * rows.shape[1])


main()
