"""Small convolutional networks in numpy: layers with gradients, Adam, and the upsampled digits that they train on.

There is no image set here but scikit-learn's handwritten digits (1,797 grey images of 8x8 pixels, each 0..16). Each image is
brought to a network's input by bilinear interpolation, so a larger input holds no more information than the digits do.
Pixels are integers 0..127, so that they are the int8 input of the integer model; networks divide by 127 themselves.
"""

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 2611
HELD_OUT = 360
CALIBRATION = 128
PIXEL_MAX = 127
OPSET = 17


def upsample(images, side):
    """Bilinear interpolation of images [n, 8, 8] with values 0..16 to pixels 0..127 of [n, side, side], uint8."""
    grid = (np.arange(side) + 0.5) * images.shape[1] / side - 0.5
    grid = grid.clip(0, images.shape[1] - 1)
    low = np.floor(grid).astype(int).clip(0, images.shape[1] - 2)
    part = grid - low
    rows = images[:, low] * (1 - part)[None, :, None] + images[:, low + 1] * part[None, :, None]
    both = rows[:, :, low] * (1 - part) + rows[:, :, low + 1] * part
    return np.floor(both * (PIXEL_MAX / 16) + 0.5).astype(np.uint8)


def load(channels, side):
    """Training and held-out pixels (uint8, [n, channels, side, side]) and labels (uint8)."""
    digits = load_digits()
    pixels = upsample(digits.images, side)[:, None].repeat(channels, axis=1)
    labels = digits.target.astype(np.uint8)
    return train_test_split(pixels, labels, test_size=HELD_OUT, random_state=SEED, stratify=labels)


class Layer:
    """A function with a gradient; `parameters` and `gradients` are lists of arrays of the same shapes."""

    parameters = ()
    gradients = ()


class Conv(Layer):
    """Convolution of [n, channels, rows, columns] with square kernels, by im2col."""

    def __init__(self, random, inputs, outputs, kernel, stride=1, padding=0, bias=True):
        deviation = np.sqrt(2 / (inputs * kernel * kernel))
        self.weights = random.normal(0, deviation, (outputs, inputs, kernel, kernel)).astype(np.float32)
        self.stride, self.padding = stride, padding
        self.parameters = [self.weights]
        if bias:
            self.parameters.append(np.zeros(outputs, np.float32))

    def forward(self, x, training):
        pad = self.padding
        self.padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        kernel = self.weights.shape[2]
        windows = sliding_window_view(self.padded, (kernel, kernel), (2, 3))[:, :, :: self.stride, :: self.stride]
        n, _, rows, columns = windows.shape[:4]
        self.patches = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * rows * columns, -1)
        y = self.patches @ self.weights.reshape(len(self.weights), -1).T
        if len(self.parameters) > 1:
            y = y + self.parameters[1]
        self.shape = (n, rows, columns)
        return y.reshape(n, rows, columns, -1).transpose(0, 3, 1, 2)

    def backward(self, gradient):
        n, rows, columns = self.shape
        flat = gradient.transpose(0, 2, 3, 1).reshape(n * rows * columns, -1)
        self.gradients = [(flat.T @ self.patches).reshape(self.weights.shape)]
        if len(self.parameters) > 1:
            self.gradients.append(flat.sum(0))
        outputs, inputs, kernel, _ = self.weights.shape
        taps = (flat @ self.weights.reshape(outputs, -1)).reshape(n, rows, columns, inputs, kernel, kernel)
        back = np.zeros_like(self.padded)
        for row in range(kernel):
            for column in range(kernel):
                ends = (row + self.stride * rows, column + self.stride * columns)
                target = back[:, :, row : ends[0] : self.stride, column : ends[1] : self.stride]
                target += taps[..., row, column].transpose(0, 3, 1, 2)
        pad = self.padding
        return back[:, :, pad : back.shape[2] - pad, pad : back.shape[3] - pad] if pad else back


class BatchNorm(Layer):
    """Batch normalisation of each channel; keeps running means and variances for evaluation."""

    MOMENTUM = 0.1
    EPSILON = 1e-5

    def __init__(self, channels):
        self.parameters = [np.ones(channels, np.float32), np.zeros(channels, np.float32)]
        self.mean = np.zeros(channels, np.float32)
        self.variance = np.ones(channels, np.float32)

    def forward(self, x, training):
        if training:
            mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
            self.mean += self.MOMENTUM * (mean - self.mean)
            self.variance += self.MOMENTUM * (variance - self.variance)
        else:
            mean, variance = self.mean, self.variance
        self.inverse = 1 / np.sqrt(variance + np.float32(self.EPSILON))[:, None, None]
        self.normal = (x - mean[:, None, None]) * self.inverse
        scale, shift = self.parameters
        return self.normal * scale[:, None, None] + shift[:, None, None]

    def backward(self, gradient):
        self.gradients = [(gradient * self.normal).sum((0, 2, 3)), gradient.sum((0, 2, 3))]
        inner = gradient * self.parameters[0][:, None, None]
        mean = inner.mean((0, 2, 3), keepdims=True)
        along = (inner * self.normal).mean((0, 2, 3), keepdims=True)
        return (inner - mean - self.normal * along) * self.inverse


class Linear(Layer):
    """A fully connected layer, weights outputs x inputs."""

    def __init__(self, random, inputs, outputs):
        weights = random.normal(0, np.sqrt(2 / inputs), (outputs, inputs)).astype(np.float32)
        self.parameters = [weights, np.zeros(outputs, np.float32)]

    def forward(self, x, training):
        self.input = x
        return x @ self.parameters[0].T + self.parameters[1]

    def backward(self, gradient):
        self.gradients = [gradient.T @ self.input, gradient.sum(0)]
        return gradient @ self.parameters[0]


class Relu(Layer):
    """max(x, 0)."""

    def forward(self, x, training):
        self.positive = x > 0
        return x * self.positive

    def backward(self, gradient):
        return gradient * self.positive


class MaxPool(Layer):
    """The maximum of each 2x2 window."""

    def forward(self, x, training):
        n, channels, rows, columns = x.shape
        windows = x.reshape(n, channels, rows // 2, 2, columns // 2, 2)
        y = windows.max((3, 5), keepdims=True)
        self.first = windows == y
        return y[:, :, :, 0, :, 0]

    def backward(self, gradient):
        spread = self.first * gradient[:, :, :, None, :, None]
        n, channels, rows, _, columns, _ = spread.shape
        return spread.reshape(n, channels, 2 * rows, 2 * columns)


class Flatten(Layer):
    """[n, channels, rows, columns] to [n, features]."""

    def forward(self, x, training):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, gradient):
        return gradient.reshape(self.shape)


class Mean(Layer):
    """The mean of each channel: a global average pool and a Flatten."""

    def forward(self, x, training):
        self.shape = x.shape
        return x.mean((2, 3))

    def backward(self, gradient):
        n, channels, rows, columns = self.shape
        return np.broadcast_to(gradient[:, :, None, None] / (rows * columns), self.shape).astype(np.float32)


class Chain(Layer):
    """Layers one after the other."""

    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x, training):
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def backward(self, gradient):
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
        return gradient

    def leaves(self):
        """All layers that are no chains."""
        for layer in self.layers:
            yield from layer.leaves() if hasattr(layer, "leaves") else [layer]


def train(network, pixels, labels, epochs, rate=2e-3, batch=32):
    """Adam with a cosine rate on the cross entropy; images are shifted by up to two pixels at random."""
    random = np.random.default_rng(SEED)
    leaves = [leaf for leaf in network.leaves() if leaf.parameters]
    moments = [[(np.zeros_like(p), np.zeros_like(p)) for p in leaf.parameters] for leaf in leaves]
    step, steps = 0, epochs * (len(labels) // batch)
    for epoch in range(epochs):
        order = random.permutation(len(labels))
        total = 0.0
        for start in range(0, len(order) - batch + 1, batch):
            chosen = order[start : start + batch]
            shift = tuple(random.integers(-2, 3, 2))
            x = np.roll(pixels[chosen], shift, (2, 3)).astype(np.float32) / np.float32(PIXEL_MAX)
            logits = network.forward(x, True)
            likely = np.exp(logits - logits.max(1, keepdims=True))
            likely /= likely.sum(1, keepdims=True)
            total -= np.log(likely[np.arange(batch), labels[chosen]] + 1e-9).sum()
            likely[np.arange(batch), labels[chosen]] -= 1
            network.backward((likely / batch).astype(np.float32))
            step += 1
            now = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
            for leaf, pairs in zip(leaves, moments):
                for parameter, gradient, (first, second) in zip(leaf.parameters, leaf.gradients, pairs):
                    first += 0.1 * (gradient - first)
                    second += 0.001 * (gradient * gradient - second)
                    unbiased = first / (1 - 0.9**step), second / (1 - 0.999**step)
                    parameter -= (now * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)).astype(np.float32)
        print(f"epoch {epoch + 1}: loss {total / len(labels):.4f}", flush=True)


def correct(network, pixels, labels):
    """How many images the network gets right."""
    answers = [
        network.forward(pixels[start : start + 64].astype(np.float32) / np.float32(PIXEL_MAX), False).argmax(1)
        for start in range(0, len(labels), 64)
    ]
    return int((np.concatenate(answers) == labels).sum())


class Graph:
    """Collects the nodes and constants of an ONNX graph; every method returns the name of its output."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind, inputs, name, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name], f"{name}.node", **attributes))
        return name

    def pixels(self, x):
        """Pixels 0..127 to 0..1."""
        return self.node("Div", [x, self.constant("pixel.max", np.float32(PIXEL_MAX))], "normal")

    def conv(self, x, conv, name):
        inputs = [x, self.constant(f"{name}.weight", conv.weights)]
        if len(conv.parameters) > 1:
            inputs.append(self.constant(f"{name}.bias", conv.parameters[1]))
        kernel = conv.weights.shape[2]
        size = {"kernel_shape": [kernel] * 2, "strides": [conv.stride] * 2, "pads": [conv.padding] * 4}
        return self.node("Conv", inputs, name, **size)

    def norm(self, x, norm, name):
        parts = zip(("scale", "shift", "mean", "variance"), (*norm.parameters, norm.mean, norm.variance))
        inputs = [x, *(self.constant(f"{name}.{part}", values) for part, values in parts)]
        return self.node("BatchNormalization", inputs, name, epsilon=BatchNorm.EPSILON)

    def linear(self, x, linear, name):
        weights, biases = linear.parameters
        inputs = [x, self.constant(f"{name}.weight", weights), self.constant(f"{name}.bias", biases)]
        return self.node("Gemm", inputs, name, transB=1)

    def save(self, path, shape, name="image"):
        """Check and write the model from `name` [1, *shape] to "logits" [1, 10]."""
        graph = helper.make_graph(
            self.nodes,
            path.stem,
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *shape])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 10])],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="opensand")
        model.ir_version = 8
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)


def fit_and_save(network, epochs, export, folder, channels, side):
    """Train, report, and write the ONNX model and its data into `folder`."""
    pixels, held_pixels, labels, held_labels = load(channels, side)
    train(network, pixels, labels, epochs)
    for name, x, y in (("training", pixels, labels), ("held-out", held_pixels, held_labels)):
        right = correct(network, x, y)
        print(f"{name}: {right} of {len(y)} correct, {100 * right / len(y):.2f} %")
    parameters = sum(array.size for leaf in network.leaves() for array in leaf.parameters)
    print(f"{parameters} parameters")
    export(network).save(folder / f"{folder.name}.onnx", (channels, side, side))
    for name, x, y in (
        ("calibration", pixels[:CALIBRATION], labels[:CALIBRATION]),
        ("heldout", held_pixels, held_labels),
    ):
        np.save(folder / f"{name}.images.npy", x)
        np.save(folder / f"{name}.labels.npy", y)
