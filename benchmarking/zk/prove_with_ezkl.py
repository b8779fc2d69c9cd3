"""Proves one answer of an ONNX model with EZKL, as its documentation shows it, and prints what each step took as JSON.

Usage: prove_with_ezkl.py <model.onnx> <image.npy> <folder to work in>

Input and output are public, parameters are constants of the circuit: what opensand-zk's default is. Times are by the clock, in seconds;
`peak_kib` is the most resident memory of the process up to the end of a step.
"""

import json
import resource
import sys
import time
from pathlib import Path

import ezkl
import numpy
import onnx


def spell_out(model):
    """EZKL wants attributes of Conv and MaxPool nodes that ONNX gives defaults."""
    defaults = {
        "Conv": {"dilations": [1, 1], "group": 1, "pads": [0, 0, 0, 0], "strides": [1, 1]},
        "MaxPool": {"dilations": [1, 1], "pads": [0, 0, 0, 0], "strides": [1, 1]},
    }
    for node in model.graph.node:
        present = {attribute.name for attribute in node.attribute}
        for name, value in defaults.get(node.op_type, {}).items():
            if name not in present:
                node.attribute.append(onnx.helper.make_attribute(name, value))
    return model


def main():
    path, image, folder = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    at = {
        name: str(folder / name)
        for name in ("network.onnx", "data.json", "settings.json", "network.compiled", "srs", "vk", "pk", "witness.json", "proof.json")
    }
    onnx.save(spell_out(onnx.load(path)), at["network.onnx"])
    values = numpy.load(image).astype(numpy.float32)[:1]
    Path(at["data.json"]).write_text(json.dumps({"input_data": [values.reshape(-1).tolist()]}))

    arguments = ezkl.PyRunArgs()
    arguments.input_visibility = "public"
    arguments.output_visibility = "public"
    arguments.param_visibility = "fixed"

    steps = {}

    def step(name, work):
        start = time.monotonic()
        if work() is False:
            sys.exit(f"EZKL's {name} failed")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        steps[name] = {"seconds": time.monotonic() - start, "peak_kib": peak}
        print(f"  EZKL {name}: {steps[name]['seconds']:.2f} s", file=sys.stderr)

    ezkl.gen_settings(at["network.onnx"], at["settings.json"], py_run_args=arguments)
    step("calibrate", lambda: ezkl.calibrate_settings(at["data.json"], at["network.onnx"], at["settings.json"], "resources"))
    settings = json.loads(Path(at["settings.json"]).read_text())
    logrows = settings["run_args"]["logrows"]
    step("srs", lambda: ezkl.gen_srs(at["srs"], logrows))
    step("compile", lambda: ezkl.compile_circuit(at["network.onnx"], at["network.compiled"], at["settings.json"]))
    step("setup", lambda: ezkl.setup(at["network.compiled"], at["vk"], at["pk"], at["srs"]))
    step("witness", lambda: ezkl.gen_witness(at["data.json"], at["network.compiled"], at["witness.json"]))
    step("prove", lambda: ezkl.prove(at["witness.json"], at["network.compiled"], at["pk"], at["proof.json"], at["srs"]))
    step("verify", lambda: ezkl.verify(at["proof.json"], at["settings.json"], at["vk"], at["srs"]))
    proof = json.loads(Path(at["proof.json"]).read_text())
    bytes_of = lambda proof: len(proof) // 2 - 1 if isinstance(proof, str) else len(proof)
    print(
        json.dumps(
            {
                "version": ezkl.__version__ if hasattr(ezkl, "__version__") else None,
                "logrows": logrows,
                "steps": steps,
                "proving_key_bytes": Path(at["pk"]).stat().st_size,
                "verifying_key_bytes": Path(at["vk"]).stat().st_size,
                "proof_bytes": bytes_of(proof["proof"]),
            }
        )
    )


main()
