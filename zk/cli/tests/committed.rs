//! Committed weights by the command: keys, a commitment, proofs, and another commitment after training.

use opensand_nn::{LayerWeights, Model, Weights};
use opensand_zk_cli::model_folder::{Hash, ModelFolder};
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

fn run(arguments: &[&dyn AsRef<OsStr>]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_opensand-zk"))
		.args(arguments.iter().map(|argument| argument.as_ref()))
		.arg("--json")
		.output()
		.unwrap()
}

fn report(arguments: &[&dyn AsRef<OsStr>]) -> Value {
	let output = run(arguments);
	let error = String::from_utf8_lossy(&output.stderr);
	assert!(output.status.success(), "{error}");
	serde_json::from_slice(&output.stdout).unwrap()
}

fn failure(arguments: &[&dyn AsRef<OsStr>]) -> (i32, String) {
	let output = run(arguments);
	let error: Value = serde_json::from_slice(&output.stderr).unwrap();
	(
		output.status.code().unwrap(),
		error["error"].as_str().unwrap().into(),
	)
}

/// The digits model with changed weights, as a folder.
fn changed(folder: &Path, change: impl Fn(&mut [LayerWeights])) {
	let ModelFolder { model, mut manifest } = ModelFolder::read(&digits("")).unwrap();
	let mut layers = model.weights().layers().to_vec();
	change(&mut layers);
	let weights = Weights::new(layers).unwrap();
	manifest.weights = Hash(weights.hash());
	let model = Model::new(model.architecture().clone(), weights).unwrap();
	ModelFolder { model, manifest }.write(folder).unwrap();
}

/// A registered version of the model and a proof about it.
struct Version {
	bundle: PathBuf,
	registration: PathBuf,
	proof: PathBuf,
}

fn commit_and_prove(root: &Path, family: &Path, model: &Path, name: &str) -> Version {
	let registration = root.join(name).join("registration");
	let committed = report(&[
		&"commit",
		&"--family",
		&family,
		&"--model",
		&model,
		&"--owner",
		&"07".repeat(32),
		&"--bundles",
		&root.join(name),
		&"--out",
		&registration,
	]);
	let bundle = PathBuf::from(committed["bundle"].as_str().unwrap());
	let commitment = fs::read(registration.join("commitment.bin")).unwrap();
	assert_eq!(commitment.len(), 96);
	assert_eq!(committed["commitment"], format!("0x{}", hex::encode(&commitment)));
	let proof = root.join(name).join("proof");
	let images = digits("heldout.images.npy");
	let proven = report(&[
		&"prove",
		&"--model",
		&model,
		&"--bundle",
		&bundle,
		&"--images",
		&images,
		&"--index",
		&"5",
		&"--out",
		&proof,
	]);
	let expected = report(&[
		&"evaluate",
		&"--model",
		&model,
		&"--images",
		&images,
		&"--index",
		&"5",
	]);
	assert_eq!(proven["output"], expected["answers"][0]["logits"]);
	Version {
		bundle,
		registration,
		proof,
	}
}

#[test]
fn weights_are_committed_to_proven_about_and_replaced() {
	let folder = tempfile::tempdir().unwrap();
	let root = folder.path();
	let compiled = report(&[&"compile", &"--model", &digits(""), &"--weights", &"committed"]);
	assert!(
		compiled["committed_weights"]["registration_constraints"]
			.as_u64()
			.unwrap() > 0
	);
	assert!(report(&[&"compile", &"--model", &digits("")])["committed_weights"].is_null());
	let mock = report(&[
		&"mock",
		&"--model",
		&digits(""),
		&"--weights",
		&"committed",
		&"--images",
		&digits("heldout.images.npy"),
		&"--index",
		&"0",
	]);
	assert_eq!(mock["satisfied"], true);

	let setup = report(&[
		&"setup",
		&"--model",
		&digits(""),
		&"--weights",
		&"committed",
		&"--bundles",
		&root,
	]);
	let family = PathBuf::from(setup["family"].as_str().unwrap());
	let inspected = report(&[&"inspect", &family]);
	assert_eq!(inspected["kind"], "key-family");
	assert_eq!(inspected["inference_key"], setup["inference_key"]);
	assert_eq!(inspected["domain"], compiled["domain"]);
	assert_eq!(setup["domain"], compiled["domain"]);
	let registration_domain = &compiled["committed_weights"]["registration_domain"];
	assert!(registration_domain.is_u64());
	for report in [&inspected, &setup] {
		assert_eq!(report["registration_domain"], *registration_domain);
	}
	assert_eq!(inspected["weight_words"], compiled["committed_weights"]["words"]);
	let keys = ["registration-verifying.key", "verifying.key"].map(|name| family.join(name));
	assert_eq!(report(&[&"inspect", &keys[0]])["weights"], "registration");
	assert_eq!(report(&[&"inspect", &keys[1]])["weights"], "committed");

	let trained = root.join("trained");
	changed(&trained, |layers| {
		let weights = layers[0].weights.iter_mut();
		weights.for_each(|weight| *weight -= weight.signum());
	});
	let before = commit_and_prove(root, &family, &digits(""), "before");
	let after = commit_and_prove(root, &family, &trained, "after");
	assert_eq!(report(&[&"inspect", &before.bundle])["weights"], "committed");
	#[cfg(unix)]
	{
		use std::os::unix::fs::PermissionsExt;
		let opening = fs::metadata(before.bundle.join("opening.bin")).unwrap();
		assert_eq!(opening.permissions().mode() & 0o777, 0o600);
	}
	let verify = |version: &Version, key: usize, commitment: &Version, inference: bool| -> Vec<PathBuf> {
		let (folder, name) = if inference {
			(&version.proof, ["statement.json", "proof.bin"])
		} else {
			(&version.registration, ["registration.json", "registration.bin"])
		};
		vec![
			keys[key].clone(),
			folder.join(name[0]),
			folder.join(name[1]),
			commitment.registration.join("commitment.bin"),
		]
	};
	let arguments = |files: &[PathBuf]| {
		let names = ["--key", "--statement", "--proof", "--commitment"];
		let pairs = names.into_iter().zip(files);
		let mut arguments: Vec<PathBuf> = vec!["verify".into()];
		arguments.extend(pairs.flat_map(|(name, file)| [PathBuf::from(name), file.clone()]));
		arguments
	};
	let run_verify = |files: &[PathBuf]| {
		let arguments = arguments(files);
		let arguments: Vec<&dyn AsRef<OsStr>> = arguments.iter().map(|argument| argument as _).collect();
		run(&arguments)
	};
	for (key, inference) in [(0, false), (1, true)] {
		for (version, other) in [(&before, &after), (&after, &before)] {
			assert!(run_verify(&verify(version, key, version, inference))
				.status
				.success());
			// An old proof is none about the new weights, nor a new one about the old.
			let refused = run_verify(&verify(version, key, other, inference));
			assert_eq!(refused.status.code(), Some(1));
			// Without a commitment, and under the family's other key.
			let without = run_verify(&verify(version, key, version, inference)[..3]);
			assert_eq!(without.status.code(), Some(3));
			assert!(String::from_utf8_lossy(&without.stderr).contains("--commitment"));
			let elsewhere = run_verify(&verify(version, 1 - key, version, inference));
			assert_eq!(elsewhere.status.code(), Some(3));
		}
	}

	// Weights beyond the widths, and a model of another architecture.
	let large = root.join("large");
	changed(&large, |layers| layers[1].biases.fill(1 << 20));
	let refuse = |model: &Path| {
		failure(&[
			&"commit",
			&"--family",
			&family,
			&"--model",
			&model,
			&"--bundles",
			&root,
			&"--out",
			&root.join("refused"),
		])
	};
	let (code, message) = refuse(&large);
	assert_eq!(code, 3, "{message}");
	assert!(
		message.contains("layer 1") && message.contains("new key"),
		"{message}"
	);
	let (code, message) = refuse(&digits("../residual"));
	assert_eq!(code, 3);
	assert!(message.contains("architecture"), "{message}");
	assert!(!root.join("refused").exists());
}
