#!/usr/bin/env python3
"""Training speed of lm-tools beside PyTorch's: tokens a second and a CPU-second, on the same text and shape.

    cargo build --release -p lm-tools && pip install torch
    python3 benches/training.py                  # a table
    python3 benches/training.py --json           # the same for a script

Two cases: 10,000 words with the full softmax, 50,000 words with a sampled one (2,048 words a step), both one LSTM layer of
256 units, tied rows, 32 sequences of 35 steps, Adam, gradients clipped to norm 1. PyTorch runs nn.LSTM, F.cross_entropy and
torch.optim.Adam as its documentation shows them; sampled, it gathers the rows it needs and updates all (its sparse
optimizer has no clipping). The text is drawn from Zipf's law. Runs of the two are interleaved; medians and ranges are told.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNITS, BATCH, BPTT, NEGATIVES = 256, 32, 35, 2048
CASES = {
    "10k words, full softmax": (10_000, False),
    "50k words, sampled softmax": (50_000, True),
}


def write_text(path, words, tokens):
    """Lines of 20 words drawn from Zipf's law; the first lines name every word, so that all are in the vocabulary."""
    draw = random.Random(1)
    names = [f"w{index}" for index in range(words)]
    weights = [1.0 / (index + 1) for index in range(words)]
    drawn = names + draw.choices(names, weights, k=tokens)
    with open(path, "w") as file:
        for start in range(0, len(drawn), 20):
            file.write(" ".join(drawn[start : start + 20]) + "\n")


def config(sampled, steps, shards):
    softmax = f'{{ method = "sampled", negatives = {NEGATIVES} }}' if sampled else '{ method = "full" }'
    return f"""
name = "speed"
[model]
cell = "lstm"
layers = 1
units = {UNITS}
embedding = {UNITS}
tied = true
[training]
batch = {BATCH}
bptt = {BPTT}
tokens = {steps * BATCH * BPTT}
learning_rate = 0.001
decay_start = 1.0
shards = {shards}
checkpoint_minutes = 1000
softmax = {softmax}
"""


def run_lm_tools(binary, folder, sampled, steps, shards):
    """Wall and CPU seconds of a run of so many steps."""
    path = folder / "config.toml"
    path.write_text(config(sampled, steps, shards))
    out = tempfile.mkdtemp(dir=folder)
    command = [binary, "train", "--config", path, "--corpus", folder / "corpus", "--out", out]
    began = time.perf_counter()
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit("training: lm-tools failed; run it by hand to see why")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def measure_lm_tools(binary, folder, sampled, steps, shards):
    """Tokens a second and a CPU-second, without what start and end of a run cost."""
    short = run_lm_tools(binary, folder, sampled, steps // 4, shards)
    long = run_lm_tools(binary, folder, sampled, steps + steps // 4, shards)
    tokens = steps * BATCH * BPTT
    return tokens / (long[0] - short[0]), tokens / (long[1] - short[1])


class TorchModel:
    def __init__(self, torch, words):
        self.torch = torch
        torch.manual_seed(1)
        self.embedding = torch.nn.Embedding(words, UNITS)
        self.lstm = torch.nn.LSTM(UNITS, UNITS)
        self.bias = torch.nn.Parameter(torch.zeros(words))
        self.parameters = [self.embedding.weight, self.bias, *self.lstm.parameters()]
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3)
        self.state = None

    def loss(self, hidden, targets, sampled):
        functional = self.torch.nn.functional
        table = self.embedding.weight
        if not sampled:
            return functional.cross_entropy(functional.linear(hidden, table, self.bias), targets)
        words = table.shape[0]
        drawn = self.torch.randint(words, (NEGATIVES,))
        correction = float(NEGATIVES) / words
        positive = (hidden * table[targets]).sum(1) + self.bias[targets] - correction
        negative = functional.linear(hidden, table[drawn], self.bias[drawn]) - correction
        negative = negative.masked_fill(drawn[None] == targets[:, None], -1e9)
        logits = self.torch.cat([positive[:, None], negative], 1)
        return (self.torch.logsumexp(logits, 1) - positive).mean()

    def step(self, inputs, targets, sampled):
        hidden, state = self.lstm(self.embedding(inputs), self.state)
        self.state = tuple(part.detach() for part in state)
        loss = self.loss(hidden.reshape(-1, UNITS), targets.reshape(-1), sampled)
        self.optimizer.zero_grad()
        loss.backward()
        self.torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()


def measure_torch(torch, words, sampled, steps):
    model = TorchModel(torch, words)
    draw = torch.Generator().manual_seed(1)
    weights = 1.0 / torch.arange(1, words + 1)
    text = torch.multinomial(weights, (steps + 5) * BPTT * BATCH + BATCH, True, generator=draw)
    text = text[: len(text) // BATCH * BATCH].reshape(BATCH, -1).t()
    for step in range(steps + 5):
        if step == 5:
            wall, cpu = time.perf_counter(), time.process_time()
        at = step * BPTT
        model.step(text[at : at + BPTT], text[at + 1 : at + BPTT + 1], sampled)
    tokens = steps * BATCH * BPTT
    return tokens / (time.perf_counter() - wall), tokens / (time.process_time() - cpu)


def measure(arguments, torch, words, sampled, folder):
    text, corpus = folder / "text.txt", folder / "corpus"
    write_text(text, words, 400_000)
    subprocess.run(
        [arguments.lm_tools, "corpus", text, "--tokenization", "spaces", "--words", str(words), "--language", "en",
         "--out", corpus], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        ours.append(measure_lm_tools(arguments.lm_tools, folder, sampled, arguments.steps, arguments.threads))
        theirs.append(measure_torch(torch, words, sampled, arguments.steps))
    return ours, theirs


def summary(runs, column):
    values = sorted(run[column] for run in runs)
    return {"median": statistics.median(values), "least": values[0], "most": values[-1]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lm-tools", default=ROOT / "target/release/lm-tools", help="the program to measure")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of both")
    parser.add_argument("--steps", type=int, default=40, help="steps of a measured run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        sys.exit("training: PyTorch is missing; install it with: pip install torch")
    if not Path(arguments.lm_tools).exists():
        sys.exit(f"training: {arguments.lm_tools} is missing; build it with: cargo build --release -p lm-tools")
    torch.set_num_threads(arguments.threads)
    results = {}
    for name, (words, sampled) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = measure(arguments, torch, words, sampled, Path(folder))
        results[name] = {
            "lm-tools": {"second": summary(ours, 0), "cpu_second": summary(ours, 1)},
            "PyTorch": {"second": summary(theirs, 0), "cpu_second": summary(theirs, 1)},
        }
    if arguments.json:
        machine = {"machine": platform.processor() or platform.machine(), "threads": arguments.threads,
                   "torch": torch.__version__}
        print(json.dumps({**machine, "results": results}, indent=2))
        return
    print(f"PyTorch {torch.__version__}, {arguments.threads} threads, median (least to most) of {arguments.rounds} runs")
    print("| case | program | tokens/s | tokens/CPU-second | ratio |\n|---|---|---:|---:|---:|")
    for name, programs in results.items():
        base = programs["PyTorch"]["cpu_second"]["median"]
        for program, rates in programs.items():
            cells = ["{median:.0f} ({least:.0f} to {most:.0f})".format(**rates[key]) for key in ("second", "cpu_second")]
            print(f"| {name} | {program} | {' | '.join(cells)} | {rates['cpu_second']['median'] / base:.2f} |")


if __name__ == "__main__":
    main()
