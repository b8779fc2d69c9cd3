"""Train LeNet-5 with ReLU and max-pooling on the digits upsampled to 28x28, and write it with its data beside this script.

61,706 parameters: convolutions of 6 and 16 channels, 5x5, then 400-120-84-10. Writes lenet5.onnx (input "image"
[1, 1, 28, 28] of pixels 0..127, output "logits" [1, 10]) and {calibration,heldout}.{images,labels}.npy, uint8. Run with the
versions in requirements.txt.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cnn import SEED, Chain, Conv, Flatten, Graph, Linear, MaxPool, Relu, fit_and_save  # noqa: E402

EPOCHS = 30


def build():
    random = np.random.default_rng(SEED)
    return Chain(
        Conv(random, 1, 6, 5, padding=2),
        Relu(),
        MaxPool(),
        Conv(random, 6, 16, 5),
        Relu(),
        MaxPool(),
        Flatten(),
        Linear(random, 400, 120),
        Relu(),
        Linear(random, 120, 84),
        Relu(),
        Linear(random, 84, 10),
    )


def export(network):
    graph = Graph()
    x = graph.pixels("image")
    names = {Conv: iter(("conv1", "conv2")), Linear: iter(("dense1", "dense2", "logits"))}
    for layer in network.layers:
        if isinstance(layer, Conv):
            x = graph.conv(x, layer, next(names[Conv]))
        elif isinstance(layer, Linear):
            x = graph.linear(x, layer, next(names[Linear]))
        elif isinstance(layer, Relu):
            x = graph.node("Relu", [x], f"{x}.relu")
        elif isinstance(layer, MaxPool):
            x = graph.node("MaxPool", [x], f"{x}.pool", kernel_shape=[2, 2], strides=[2, 2])
        else:
            x = graph.node("Flatten", [x], f"{x}.flat")
    return graph


if __name__ == "__main__":
    fit_and_save(build(), EPOCHS, export, HERE, 1, 28)
