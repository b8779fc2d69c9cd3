"""Train the handwritten-digits model and write it, with its data, beside this script.

The data set is the one that ships with scikit-learn: 1,797 grey images of 8x8 pixels, each pixel an integer 0..16.
It is split once, stratified by digit and with a fixed seed, into 1,437 images for training and 360 held out. The
first 256 training images also serve to calibrate the integer model.

Writes:
  digits.onnx              float model, input "image" [1, 64] in 0..1 (pixel / 16), output "logits" [1, 10]
  calibration.images.npy   float32 [256, 64], the model's input
  calibration.labels.npy   uint8 [256]
  heldout.images.npy       float32 [360, 64]
  heldout.labels.npy       uint8 [360]

Run with the versions in requirements.txt; the output is then the same byte for byte on the same kind of processor.
"""

import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

SEED = 2609
HELD_OUT = 360
CALIBRATION = 256
HIDDEN = 64
EPOCHS = 300
PIXEL_MAX = 16.0
OPSET = 17
HERE = Path(__file__).resolve().parent


def load():
    """Return training and held-out images (float32, 0..1) and labels (uint8)."""
    digits = load_digits()
    images = (digits.data / PIXEL_MAX).astype(np.float32)
    labels = digits.target.astype(np.uint8)
    return train_test_split(images, labels, test_size=HELD_OUT, random_state=SEED, stratify=labels)


def train(images, labels):
    """Fit a 64-64-10 perceptron with ReLU; return its weight matrices and biases as float32."""
    network = MLPClassifier(
        hidden_layer_sizes=(HIDDEN,),
        activation="relu",
        solver="adam",
        alpha=1e-3,
        batch_size=32,
        learning_rate_init=1e-3,
        max_iter=EPOCHS,
        n_iter_no_change=EPOCHS,
        random_state=SEED,
    )
    with warnings.catch_warnings():
        # The number of epochs is fixed on purpose, so training does not wait for convergence.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(images, labels)
    weights = [matrix.astype(np.float32) for matrix in network.coefs_]
    biases = [vector.astype(np.float32) for vector in network.intercepts_]
    return weights, biases


def logits(images, weights, biases):
    """Evaluate the network in float32."""
    hidden = np.maximum(images @ weights[0] + biases[0], 0)
    return hidden @ weights[1] + biases[1]


def to_onnx(weights, biases):
    """Build the ONNX model: Gemm, Relu, Gemm with weights of shape outputs x inputs."""
    nodes = [
        helper.make_node("Gemm", ["image", "hidden.weight", "hidden.bias"], ["hidden"], "hidden", transB=1),
        helper.make_node("Relu", ["hidden"], ["active"], "active"),
        helper.make_node("Gemm", ["active", "logits.weight", "logits.bias"], ["logits"], "logits", transB=1),
    ]
    tensors = []
    for name, weight, bias in zip(("hidden", "logits"), weights, biases):
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(weight.T), f"{name}.weight"))
        tensors.append(numpy_helper.from_array(bias, f"{name}.bias"))
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, weights[0].shape[0]])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, weights[1].shape[1]])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="opensand")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    images, held_images, labels, held_labels = load()
    weights, biases = train(images, labels)
    for name, x, y in (("training", images, labels), ("held-out", held_images, held_labels)):
        correct = int((logits(x, weights, biases).argmax(1) == y).sum())
        print(f"{name}: {correct} of {len(y)} correct, {100 * correct / len(y):.2f} %")
    onnx.save(to_onnx(weights, biases), HERE / "digits.onnx")
    for name, x, y in (
        ("calibration", images[:CALIBRATION], labels[:CALIBRATION]),
        ("heldout", held_images, held_labels),
    ):
        np.save(HERE / f"{name}.images.npy", x)
        np.save(HERE / f"{name}.labels.npy", y)


if __name__ == "__main__":
    main()
