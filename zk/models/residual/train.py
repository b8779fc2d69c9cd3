"""Train a small residual network on the digits upsampled to 32x32 in three equal channels (the shape of CIFAR images), and
write it with its data beside this script.

A strided stem of 16 channels, then residual blocks of 16, 32 and 64 channels with batch normalisation, the last two with a
strided projection, a global average and a linear layer. Writes residual.onnx (input "image" [1, 3, 32, 32] of pixels
0..127, output "logits" [1, 10]; batch normalisation stays in the graph) and {calibration,heldout}.{images,labels}.npy,
uint8. Run with the versions in requirements.txt.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cnn import SEED, BatchNorm, Chain, Conv, Graph, Layer, Linear, Mean, Relu, fit_and_save  # noqa: E402

EPOCHS = 25
WIDTHS = (16, 32, 64)


class Residual(Layer):
    """relu(f(x) + shortcut(x))."""

    def __init__(self, random, inputs, outputs, stride):
        self.inner = Chain(
            Conv(random, inputs, outputs, 3, stride, 1, bias=False),
            BatchNorm(outputs),
            Relu(),
            Conv(random, outputs, outputs, 3, 1, 1, bias=False),
            BatchNorm(outputs),
        )
        projection = (Conv(random, inputs, outputs, 1, stride, bias=False), BatchNorm(outputs))
        self.shortcut = Chain(*(projection if stride > 1 or inputs != outputs else ()))
        self.relu = Relu()

    def forward(self, x, training):
        return self.relu.forward(self.inner.forward(x, training) + self.shortcut.forward(x, training), training)

    def backward(self, gradient):
        gradient = self.relu.backward(gradient)
        return self.inner.backward(gradient) + self.shortcut.backward(gradient)

    def leaves(self):
        yield from self.inner.leaves()
        yield from self.shortcut.leaves()


def build():
    random = np.random.default_rng(SEED)
    stem, middle, last = WIDTHS
    return Chain(
        Conv(random, 3, stem, 3, 2, 1, bias=False),
        BatchNorm(stem),
        Relu(),
        Residual(random, stem, stem, 1),
        Residual(random, stem, middle, 2),
        Residual(random, middle, last, 2),
        Mean(),
        Linear(random, last, 10),
    )


def export(network):
    graph = Graph()
    conv, norm, _, *blocks, _, head = network.layers
    x = graph.norm(graph.conv(graph.pixels("image"), conv, "stem"), norm, "stem.norm")
    x = graph.node("Relu", [x], "stem.relu")
    for index, block in enumerate(blocks):
        name = f"block{index}"
        first, first_norm, _, second, second_norm = block.inner.layers
        y = graph.norm(graph.conv(x, first, f"{name}.conv1"), first_norm, f"{name}.norm1")
        y = graph.node("Relu", [y], f"{name}.relu1")
        y = graph.norm(graph.conv(y, second, f"{name}.conv2"), second_norm, f"{name}.norm2")
        if block.shortcut.layers:
            projection, projection_norm = block.shortcut.layers
            x = graph.norm(graph.conv(x, projection, f"{name}.projection"), projection_norm, f"{name}.norm3")
        x = graph.node("Add", [y, x], f"{name}.sum")
        x = graph.node("Relu", [x], f"{name}.relu")
    x = graph.node("GlobalAveragePool", [x], "mean")
    graph.linear(graph.node("Flatten", [x], "flat"), head, "logits")
    return graph


if __name__ == "__main__":
    fit_and_save(build(), EPOCHS, export, HERE, 3, 32)
