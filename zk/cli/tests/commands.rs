//! The command itself, from ONNX to a verified proof, and its exit codes.

use serde_json::Value;
use std::{
	ffi::OsStr,
	fs,
	path::{Path, PathBuf},
	process::{Command, Output},
};

fn digits(file: &str) -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR"))
		.join("../models/digits")
		.join(file)
}

fn run<T: AsRef<OsStr>>(arguments: impl IntoIterator<Item = T>) -> Output {
	Command::new(env!("CARGO_BIN_EXE_opensand-zk"))
		.args(arguments)
		.output()
		.unwrap()
}

/// Runs with `--json` and returns the report.
fn report(arguments: &[&dyn AsRef<OsStr>]) -> Value {
	let output = run(arguments
		.iter()
		.map(|argument| argument.as_ref())
		.chain([OsStr::new("--json")]));
	assert!(
		output.status.success(),
		"{}",
		String::from_utf8_lossy(&output.stderr)
	);
	serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs with `--json` and returns exit code and message of the failure.
fn failure(arguments: &[&dyn AsRef<OsStr>]) -> (i32, String) {
	let output = run(arguments
		.iter()
		.map(|argument| argument.as_ref())
		.chain([OsStr::new("--json")]));
	let error: Value = serde_json::from_slice(&output.stderr).unwrap();
	let code = output.status.code().unwrap();
	assert_eq!(error["code"], code);
	(code, error["error"].as_str().unwrap().into())
}

/// Makes a bundle of the digits model and proves held-out image 5.
fn prove(folder: &Path, visibility: &str) -> (PathBuf, PathBuf) {
	let bundles = folder.join(visibility);
	let setup = report(&[
		&"setup",
		&"--model",
		&digits(""),
		&"--bundles",
		&bundles,
		&"--input-visibility",
		&visibility,
	]);
	assert_eq!(setup["development"], true);
	let bundle = PathBuf::from(setup["bundle"].as_str().unwrap());
	let out = folder.join("proof").join(visibility);
	let images = digits("heldout.images.npy");
	let proof = report(&[
		&"prove",
		&"--model",
		&digits(""),
		&"--bundle",
		&bundle,
		&"--images",
		&images,
		&"--index",
		&"5",
		&"--request",
		&"9",
		&"--out",
		&out,
	]);
	let expected = report(&[
		&"evaluate",
		&"--model",
		&digits(""),
		&"--images",
		&images,
		&"--index",
		&"5",
	]);
	assert_eq!(proof["output"], expected["answers"][0]["logits"]);
	assert_eq!(proof["salt"].is_string(), visibility == "hashed");
	(bundle.join("verifying.key"), out)
}

#[test]
fn proofs_are_timed() {
	let folder = tempfile::tempdir().unwrap();
	let bundles = folder.path();
	let setup = report(&[&"setup", &"--model", &digits(""), &"--bundles", &bundles]);
	let bundle = setup["bundle"].as_str().unwrap();
	let (model, images) = (digits(""), digits("heldout.images.npy"));
	let bench = |runs: &str| -> Vec<std::ffi::OsString> {
		let words = ["bench", "--bundle", bundle, "--runs", runs, "--model"].map(Into::into);
		let files = [model.clone().into(), "--images".into(), images.clone().into()];
		words.into_iter().chain(files).collect()
	};
	let arguments = bench("3");
	let arguments: Vec<&dyn AsRef<OsStr>> = arguments.iter().map(|argument| argument as _).collect();
	let timed = report(&arguments);
	assert_eq!(timed["key"], setup["key"]);
	for work in ["prove", "verify"] {
		let [least, median, greatest] =
			["least", "median", "greatest"].map(|name| timed[work][name].as_f64().unwrap());
		assert!(0.0 < least && least <= median && median <= greatest, "{timed}");
	}
	assert_eq!(run(bench("0")).status.code(), Some(2));
}

#[test]
fn from_onnx_to_a_verified_proof() {
	let folder = tempfile::tempdir().unwrap();
	let model = folder.path().join("model");
	let imported = report(&[
		&"import",
		&digits("digits.onnx"),
		&"--calibration",
		&digits("calibration.images.npy"),
		&"--calibration-labels",
		&digits("calibration.labels.npy"),
		&"--held-out",
		&digits("heldout.images.npy"),
		&"--held-out-labels",
		&digits("heldout.labels.npy"),
		&"--out",
		&model,
	]);
	assert_eq!(imported["manifest"]["held_out"]["images"], 360);
	assert_eq!(report(&[&"inspect", &model])["kind"], "model");
	let compiled = report(&[&"compile", &"--model", &model]);
	assert_eq!(compiled["words"], 4);
	let mock = report(&[
		&"mock",
		&"--model",
		&model,
		&"--images",
		&digits("heldout.images.npy"),
	]);
	assert_eq!(
		(&mock["satisfied"], &mock["constraints"]),
		(&Value::Bool(true), &compiled["constraints"])
	);

	for visibility in ["public", "hashed"] {
		let (key, proof) = prove(folder.path(), visibility);
		let verify = |key: &Path, statement: &Path, proof: &Path| {
			let arguments: [&dyn AsRef<OsStr>; 7] = [
				&"verify",
				&"--key",
				&key,
				&"--statement",
				&statement,
				&"--proof",
				&proof,
			];
			run(arguments.iter().map(|argument| argument.as_ref()))
				.status
				.code()
				.unwrap()
		};
		let statement = proof.join("statement.json");
		let bytes = proof.join("proof.bin");
		assert_eq!(verify(&key, &statement, &bytes), 0);
		assert_eq!(report(&[&"inspect", &key])["kind"], "verifying-key");
		assert_eq!(report(&[&"inspect", &bytes])["kind"], "proof");
		assert_eq!(report(&[&"inspect", &key.parent().unwrap()])["kind"], "bundle");

		// The same proof for another request.
		let other = proof.join("other.json");
		fs::write(
			&other,
			fs::read_to_string(&statement)
				.unwrap()
				.replace("\"request\": 9", "\"request\": 10"),
		)
		.unwrap();
		assert_eq!(verify(&key, &other, &bytes), 1);
		// Bytes that are no proof, a key that is no key, a statement that is none.
		let damaged = proof.join("damaged.bin");
		fs::write(&damaged, [7; 480]).unwrap();
		assert_eq!(verify(&key, &statement, &damaged), 3);
		assert_eq!(verify(&bytes, &statement, &bytes), 3);
		assert_eq!(verify(&key, &key, &bytes), 3);
		assert_eq!(verify(&key, &statement, &proof.join("absent")), 5);
	}
}

#[test]
fn an_onnx_file_is_measured_before_anything_is_made() {
	let model = digits("digits.onnx");
	let estimated = report(&[&"inspect", &model]);
	assert_eq!(
		(&estimated["kind"], &estimated["estimated"]),
		(&Value::from("onnx"), &Value::Bool(true))
	);
	assert_eq!(estimated["operators"]["Linear"], 2);
	assert_eq!(estimated["parameters"], 64 * 64 + 64 + 64 * 10 + 10);
	assert_eq!(estimated["multiply_adds"], 64 * 64 + 64 * 10);
	assert_eq!(estimated["circuit"]["domain"], 2048);
	// On the calibration images it is the circuit that `import` makes.
	let calibration = digits("calibration.images.npy");
	let exact = report(&[&"inspect", &model, &"--calibration", &calibration]);
	assert_eq!(exact["estimated"], false);
	assert_eq!(exact["circuit"], report(&[&"compile", &"--model", &digits("")]));
	let hashed = report(&[&"inspect", &model, &"--input-visibility", &"hashed"]);
	assert_eq!(hashed["circuit"]["words"], 2);
}

#[test]
fn calibration_states_the_loss_of_each_method_and_layer() {
	let arguments: [&dyn AsRef<OsStr>; 10] = [
		&"calibrate",
		&digits("digits.onnx"),
		&"--calibration",
		&digits("calibration.images.npy"),
		&"--calibration-labels",
		&digits("calibration.labels.npy"),
		&"--held-out",
		&digits("heldout.images.npy"),
		&"--held-out-labels",
		&digits("heldout.labels.npy"),
	];
	let chosen = |report: &Value| {
		let methods = report["methods"].as_array().unwrap();
		assert_eq!(methods.len(), 3);
		let chosen = methods.iter().filter(|method| method["chosen"] == true);
		let chosen: Vec<_> = chosen.map(|method| method["method"].clone()).collect();
		assert_eq!(chosen.len(), 1);
		chosen[0].clone()
	};
	let squares = report(&arguments);
	assert_eq!(chosen(&squares), "least squares");
	// The same as the manifest of the committed model, which was imported with this method.
	let manifest: Value = serde_json::from_slice(&fs::read(digits("model.json")).unwrap()).unwrap();
	assert_eq!(squares["methods"][0]["held_out"], manifest["held_out"]);
	assert_eq!(squares["methods"][0]["calibration"], manifest["calibration"]);
	let layers = squares["layers"].as_array().unwrap();
	assert_eq!(layers.len(), 2);
	assert_eq!(layers[1]["scale"], manifest["output_scale"]);
	assert!(layers
		.iter()
		.all(|layer| layer["signal_to_noise"].as_f64().unwrap() > 20.0));

	let percentile: Vec<&dyn AsRef<OsStr>> = arguments
		.iter()
		.copied()
		.chain([
			&"--method" as &dyn AsRef<OsStr>,
			&"percentile",
			&"--percentile",
			&"60",
		])
		.collect();
	let percentile = report(&percentile);
	assert_eq!(chosen(&percentile), "percentile 60");
	let saturated = |report: &Value| report["layers"][0]["saturated"].as_f64().unwrap();
	assert!(saturated(&percentile) > saturated(&squares));
	for wrong in ["0", "101", "NaN", "many"] {
		let output = run(["calibrate", "x", "--calibration", "y", "--percentile", wrong]);
		assert_eq!(output.status.code(), Some(2), "{wrong}");
	}
	// The table for people.
	let text = run(arguments.iter().map(|argument| argument.as_ref()));
	let text = String::from_utf8(text.stdout).unwrap();
	assert!(
		text.contains("* least squares") && text.contains("hidden"),
		"{text}"
	);
}

#[test]
fn exit_codes_and_remedies() {
	let folder = tempfile::tempdir().unwrap();
	let out = folder.path().join("out");
	let images = digits("heldout.images.npy");
	assert_eq!(run(["import"]).status.code(), Some(2));
	assert_eq!(failure(&[&"inspect", &folder.path().join("absent")]).0, 5);
	assert_eq!(failure(&[&"inspect", &images]).0, 3);
	let import =
		|onnx: &Path, images: &Path| failure(&[&"import", &onnx, &"--calibration", &images, &"--out", &out]);
	assert_eq!(import(&images, &images).0, 3);
	assert_eq!(import(&digits("digits.onnx"), &digits("digits.onnx")).0, 3);
	assert_eq!(import(&digits("digits.onnx"), &digits("heldout.labels.npy")).0, 3);
	assert!(!out.exists());
	let (code, message) = failure(&[
		&"evaluate",
		&"--model",
		&digits(""),
		&"--images",
		&images,
		&"--index",
		&"360",
	]);
	assert_eq!(code, 3);
	assert!(message.contains("--index can be 0 to 359"), "{message}");
}

#[test]
fn a_model_that_loses_accuracy_is_not_written() {
	let folder = tempfile::tempdir().unwrap();
	let out = folder.path().join("out");
	let labels = digits("calibration.labels.npy");
	let (code, message) = failure(&[
		&"import",
		&digits("digits.onnx"),
		&"--calibration",
		&digits("calibration.images.npy"),
		&"--calibration-labels",
		&labels,
		&"--max-drop=-1",
		&"--out",
		&out,
	]);
	assert_eq!(code, 1);
	assert!(message.contains("Nothing was written"), "{message}");
	assert!(!out.exists());
}

#[test]
fn a_damaged_model_folder_is_refused() {
	let folder = tempfile::tempdir().unwrap();
	for file in ["architecture.bin", "weights.bin", "model.json"] {
		fs::copy(digits(file), folder.path().join(file)).unwrap();
	}
	let inspect = || {
		run([OsStr::new("inspect"), folder.path().as_os_str()])
			.status
			.code()
	};
	assert_eq!(inspect(), Some(0));
	for file in ["architecture.bin", "weights.bin", "model.json"] {
		let path = folder.path().join(file);
		let good = fs::read(&path).unwrap();
		let mut bad = good.clone();
		bad[good.len() / 2] ^= 1;
		fs::write(&path, bad).unwrap();
		assert_eq!(inspect(), Some(3), "{file}");
		fs::write(&path, good).unwrap();
	}
	fs::remove_file(folder.path().join("weights.bin")).unwrap();
	assert_eq!(inspect(), Some(5));
}

#[test]
fn ids_are_hashes_of_files() {
	let digests = report(&[&"digest", &digits("architecture.bin"), &digits("weights.bin")]);
	let manifest: Value = serde_json::from_slice(&fs::read(digits("model.json")).unwrap()).unwrap();
	assert_eq!(digests[0]["blake2_256"], manifest["architecture"]);
	assert_eq!(digests[1]["blake2_256"], manifest["weights"]);
}

#[test]
fn a_witness_holds_every_value() {
	let folder = tempfile::tempdir().unwrap();
	let out = folder.path().join("witness.json");
	let salt = format!("0x{}", "01".repeat(32));
	report(&[
		&"witness",
		&"--model",
		&digits(""),
		&"--images",
		&digits("heldout.images.npy"),
		&"--input-visibility",
		&"hashed",
		&"--salt",
		&salt,
		&"--out",
		&out,
	]);
	let witness: Value = serde_json::from_slice(&fs::read(out).unwrap()).unwrap();
	assert_eq!(witness["salt"], salt);
	assert!(witness["input_hash"].is_string());
	assert_eq!(witness["layers"][0]["accumulators"].as_array().unwrap().len(), 64);
	assert_eq!(witness["layers"][1]["outputs"].as_array().unwrap().len(), 10);
}
