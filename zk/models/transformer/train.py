"""Train a small transformer encoder on the handwritten digits and write it with its data beside this script.

An image of 8x8 pixels is 16 tokens of 2x2 pixels. A linear embedding of width 64 with a table of positions, two encoder
layers (layer normalisation first, two heads of 32, a feed-forward part of 128 with ReLU), the mean over the tokens, a last
normalisation and a linear classifier. Writes transformer.onnx (input "tokens" [1, 16, 4] of pixels 0..16, output "logits" [1, 10])
and {calibration,heldout}.{images,labels}.npy, uint8. Run with the versions in requirements.txt.
"""

import sys
from pathlib import Path

import numpy as np
from onnx import numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cnn import CALIBRATION, HELD_OUT, SEED, Chain, Graph, Layer, Relu  # noqa: E402

EPOCHS = 180
TOKENS, PATCH = 16, 4
WIDTH, HEADS, HIDDEN = 64, 2, 128
HEAD = WIDTH // HEADS
PIXEL_MAX = 16


def tokens_of(images):
    """Images [n, 8, 8] as [n, 16, 4], patches of 2x2 row by row."""
    n = len(images)
    patches = images.reshape(n, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4)
    return patches.reshape(n, TOKENS, PATCH)


def load():
    """Training and held-out tokens (uint8, [n, 16, 4]) and labels (uint8)."""
    digits = load_digits()
    labels = digits.target.astype(np.uint8)
    images = digits.images.astype(np.uint8)
    return train_test_split(images, labels, test_size=HELD_OUT, random_state=SEED, stratify=labels)


class Dense(Layer):
    """A linear layer over the last axis, weights inputs x outputs."""

    def __init__(self, random, inputs, outputs):
        weights = random.normal(0, np.sqrt(1 / inputs), (inputs, outputs)).astype(np.float32)
        self.parameters = [weights, np.zeros(outputs, np.float32)]

    def forward(self, x, training):
        self.input = x
        return x @ self.parameters[0] + self.parameters[1]

    def backward(self, gradient):
        inputs, outputs = self.parameters[0].shape
        flat = gradient.reshape(-1, outputs)
        self.gradients = [self.input.reshape(-1, inputs).T @ flat, flat.sum(0)]
        return gradient @ self.parameters[0].T


class Positions(Layer):
    """Adds a table of one row a token."""

    def __init__(self, random):
        self.parameters = [random.normal(0, 0.5, (TOKENS, WIDTH)).astype(np.float32)]

    def forward(self, x, training):
        return x + self.parameters[0]

    def backward(self, gradient):
        self.gradients = [gradient.sum(0)]
        return gradient


class Norm(Layer):
    """Layer normalisation over the last axis."""

    EPSILON = 1e-5

    def __init__(self):
        self.parameters = [np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)]

    def forward(self, x, training):
        centred = x - x.mean(-1, keepdims=True)
        self.inverse = 1 / np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(self.EPSILON))
        self.normal = centred * self.inverse
        return self.normal * self.parameters[0] + self.parameters[1]

    def backward(self, gradient):
        flat, normal = gradient.reshape(-1, WIDTH), self.normal.reshape(-1, WIDTH)
        self.gradients = [(flat * normal).sum(0), flat.sum(0)]
        inner = gradient * self.parameters[0]
        along = (inner * self.normal).mean(-1, keepdims=True)
        return (inner - inner.mean(-1, keepdims=True) - self.normal * along) * self.inverse


class Attention(Layer):
    """Self-attention of several heads."""

    def __init__(self, random):
        self.query, self.key, self.value, self.out = (Dense(random, WIDTH, WIDTH) for _ in range(4))

    @staticmethod
    def split(x):
        return x.reshape(len(x), TOKENS, HEADS, HEAD).transpose(0, 2, 1, 3)

    @staticmethod
    def join(x):
        return x.transpose(0, 2, 1, 3).reshape(len(x), TOKENS, WIDTH)

    def forward(self, x, training):
        self.q, self.k, self.v = (
            self.split(layer.forward(x, training)) for layer in (self.query, self.key, self.value)
        )
        scores = self.q @ self.k.transpose(0, 1, 3, 2) / np.float32(np.sqrt(HEAD))
        likely = np.exp(scores - scores.max(-1, keepdims=True))
        self.shares = likely / likely.sum(-1, keepdims=True)
        return self.out.forward(self.join(self.shares @ self.v), training)

    def backward(self, gradient):
        gradient = self.split(self.out.backward(gradient))
        to_shares = gradient @ self.v.transpose(0, 1, 3, 2)
        to_value = self.shares.transpose(0, 1, 3, 2) @ gradient
        to_scores = self.shares * (to_shares - (to_shares * self.shares).sum(-1, keepdims=True))
        to_scores /= np.float32(np.sqrt(HEAD))
        to_query, to_key = to_scores @ self.k, to_scores.transpose(0, 1, 3, 2) @ self.q
        parts = ((self.query, to_query), (self.key, to_key), (self.value, to_value))
        return sum(layer.backward(self.join(part)) for layer, part in parts)

    def leaves(self):
        return [self.query, self.key, self.value, self.out]


class Residual(Layer):
    """x + f(x)."""

    def __init__(self, *layers):
        self.inner = Chain(*layers)

    def forward(self, x, training):
        return x + self.inner.forward(x, training)

    def backward(self, gradient):
        return gradient + self.inner.backward(gradient)

    def leaves(self):
        return self.inner.leaves()


class Mean(Layer):
    """The mean over the tokens."""

    def forward(self, x, training):
        return x.mean(1)

    def backward(self, gradient):
        return np.repeat(gradient[:, None] / np.float32(TOKENS), TOKENS, 1)


def build():
    random = np.random.default_rng(SEED)
    layers = [Dense(random, PATCH, WIDTH), Positions(random)]
    for _ in range(2):
        layers.append(Residual(Norm(), Attention(random)))
        hidden, out = Dense(random, WIDTH, HIDDEN), Dense(random, HIDDEN, WIDTH)
        layers.append(Residual(Norm(), hidden, Relu(), out))
    return Chain(*layers, Mean(), Norm(), Dense(random, WIDTH, 10))


def train(network, images, labels, rate=2e-3, batch=32):
    """Adam with a cosine rate on the cross entropy; images are shifted by up to one pixel at random."""
    random = np.random.default_rng(SEED)
    leaves = [leaf for leaf in network.leaves() if leaf.parameters]
    moments = [[(np.zeros_like(p), np.zeros_like(p)) for p in leaf.parameters] for leaf in leaves]
    step, steps = 0, EPOCHS * (len(labels) // batch)
    for epoch in range(EPOCHS):
        order = random.permutation(len(labels))
        total = 0.0
        for start in range(0, len(order) - batch + 1, batch):
            chosen = order[start : start + batch]
            shifted = np.roll(images[chosen], tuple(random.integers(-1, 2, 2)), (1, 2))
            logits = network.forward(tokens_of(shifted).astype(np.float32) / np.float32(PIXEL_MAX), True)
            likely = np.exp(logits - logits.max(1, keepdims=True))
            likely /= likely.sum(1, keepdims=True)
            total -= np.log(likely[np.arange(batch), labels[chosen]] + 1e-9).sum()
            likely[np.arange(batch), labels[chosen]] -= 1
            network.backward((likely / batch).astype(np.float32))
            step += 1
            now = rate * 0.5 * (1 + np.cos(np.pi * step / steps)) * min(1, step / 200)
            for leaf, pairs in zip(leaves, moments):
                for parameter, gradient, (first, second) in zip(leaf.parameters, leaf.gradients, pairs):
                    first += 0.1 * (gradient - first)
                    second += 0.001 * (gradient * gradient - second)
                    unbiased = first / (1 - 0.9**step), second / (1 - 0.999**step)
                    change = unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
                    # Weights, not biases and tables, decay.
                    if isinstance(leaf, Dense) and parameter.ndim == 2:
                        change = change + 0.1 * parameter
                    parameter -= (now * change).astype(np.float32)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {total / len(labels):.4f}", flush=True)


def correct(network, images, labels):
    """How many images the network gets right."""
    logits = network.forward(tokens_of(images).astype(np.float32) / np.float32(PIXEL_MAX), False)
    return int((logits.argmax(1) == labels).sum())


class Encoder(Graph):
    """Adds a transformer's nodes."""

    def dense(self, x, layer, name):
        weights, biases = layer.parameters
        x = self.node("MatMul", [x, self.constant(f"{name}.weight", weights)], f"{name}.product")
        return self.node("Add", [x, self.constant(f"{name}.bias", biases)], name)

    def normal(self, x, layer, name):
        scale, shift = layer.parameters
        inputs = [x, self.constant(f"{name}.scale", scale), self.constant(f"{name}.shift", shift)]
        return self.node("LayerNormalization", inputs, name, axis=-1, epsilon=Norm.EPSILON)

    def shape(self, x, dims, name):
        dims = numpy_helper.from_array(np.array(dims, np.int64), f"{name}.shape")
        self.constants.append(dims)
        return self.node("Reshape", [x, dims.name], name)

    def attention(self, x, layer, name):
        heads = []
        for part, dense, order in (
            ("query", layer.query, [0, 2, 1, 3]),
            ("key", layer.key, [0, 2, 3, 1]),
            ("value", layer.value, [0, 2, 1, 3]),
        ):
            y = self.shape(self.dense(x, dense, f"{name}.{part}"), [1, TOKENS, HEADS, HEAD], f"{name}.{part}.split")
            heads.append(self.node("Transpose", [y], f"{name}.{part}.heads", perm=order))
        query, key, value = heads
        scores = self.node("MatMul", [query, key], f"{name}.scores")
        root = self.constant(f"{name}.root", np.float32(np.sqrt(HEAD)))
        scores = self.node("Div", [scores, root], f"{name}.scaled")
        shares = self.node("Softmax", [scores], f"{name}.shares", axis=-1)
        y = self.node("MatMul", [shares, value], f"{name}.mixed")
        y = self.node("Transpose", [y], f"{name}.tokens", perm=[0, 2, 1, 3])
        return self.dense(self.shape(y, [1, TOKENS, WIDTH], f"{name}.joined"), layer.out, f"{name}.out")


def export(network):
    graph = Encoder()
    embedding, positions, *blocks, _, last, head = network.layers
    x = graph.node("Div", ["tokens", graph.constant("pixel.max", np.float32(PIXEL_MAX))], "normal")
    x = graph.dense(x, embedding, "embedding")
    x = graph.node("Add", [x, graph.constant("positions", positions.parameters[0][None])], "placed")
    for index, block in enumerate(blocks):
        name = f"layer{index // 2}"
        norm, *inner = block.inner.layers
        if index % 2 == 0:
            y = graph.normal(x, norm, f"{name}.norm1")
            y = graph.attention(y, inner[0], f"{name}.attention")
            x = graph.node("Add", [x, y], f"{name}.sum1")
        else:
            y = graph.normal(x, norm, f"{name}.norm2")
            y = graph.node("Relu", [graph.dense(y, inner[0], f"{name}.hidden")], f"{name}.relu")
            x = graph.node("Add", [x, graph.dense(y, inner[2], f"{name}.output")], f"{name}.sum2")
    x = graph.node("ReduceMean", [x], "mean", axes=[1], keepdims=0)
    x = graph.normal(x, last, "norm")
    weights, biases = head.parameters
    inputs = [x, graph.constant("logits.weight", weights), graph.constant("logits.bias", biases)]
    graph.node("Gemm", inputs, "logits")
    return graph


def main():
    images, held_images, labels, held_labels = load()
    network = build()
    train(network, images, labels)
    for name, x, y in (("training", images, labels), ("held-out", held_images, held_labels)):
        right = correct(network, x, y)
        print(f"{name}: {right} of {len(y)} correct, {100 * right / len(y):.2f} %")
    parameters = sum(array.size for leaf in network.leaves() for array in leaf.parameters)
    print(f"{parameters} parameters")
    export(network).save(HERE / "transformer.onnx", (TOKENS, PATCH), "tokens")
    for name, x, y in (
        ("calibration", images[:CALIBRATION], labels[:CALIBRATION]),
        ("heldout", held_images, held_labels),
    ):
        np.save(HERE / f"{name}.images.npy", tokens_of(x))
        np.save(HERE / f"{name}.labels.npy", y)


if __name__ == "__main__":
    main()
