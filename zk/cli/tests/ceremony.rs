//! A whole ceremony by the command: three participants, keys, proofs, and what is refused.

use serde_json::Value;
use std::{
	ffi::OsString,
	fs,
	path::{Path, PathBuf},
	process::{Command, Output},
};

/// Arguments of the command: words and paths.
macro_rules! command {
	($($argument:expr),* $(,)?) => { vec![$(OsString::from(&$argument)),*] };
}

fn digits(file: &str) -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR"))
		.join("../models/digits")
		.join(file)
}

fn run(arguments: Vec<OsString>) -> Output {
	Command::new(env!("CARGO_BIN_EXE_opensand-zk"))
		.args(arguments)
		.arg("--json")
		.output()
		.unwrap()
}

/// The report of a command that succeeds.
fn report(arguments: Vec<OsString>) -> Value {
	let output = run(arguments);
	assert!(
		output.status.success(),
		"{}",
		String::from_utf8_lossy(&output.stderr)
	);
	serde_json::from_slice(&output.stdout).unwrap()
}

/// Exit code and message of a command that fails.
fn failure(arguments: Vec<OsString>) -> (i32, String) {
	let output = run(arguments);
	let error: Value = serde_json::from_slice(&output.stderr).unwrap();
	let code = output.status.code().unwrap();
	assert_eq!(error["code"], code);
	(code, error["error"].as_str().unwrap().into())
}

/// Proves held-out image 5 and checks the answer: the files of statement and proof.
fn prove(bundle: &Path, out: &Path) -> (PathBuf, PathBuf) {
	let (model, images) = (digits(""), digits("heldout.images.npy"));
	let image = command!["--model", model, "--images", images, "--index", "5"];
	let mut arguments = command!["prove", "--bundle", bundle, "--request", "9", "--out", out];
	arguments.extend(image.clone());
	let proof = report(arguments);
	let mut arguments = command!["evaluate"];
	arguments.extend(image);
	assert_eq!(proof["output"], report(arguments)["answers"][0]["logits"]);
	(out.join("statement.json"), out.join("proof.bin"))
}

fn verify(key: &Path, statement: &Path, proof: &Path) -> Vec<OsString> {
	command!["verify", "--key", key, "--statement", statement, "--proof", proof]
}

/// The folder of a test, and its files of powers and ceremonies.
struct Scene {
	folder: tempfile::TempDir,
}

impl Scene {
	fn file(&self, name: &str) -> PathBuf {
		self.folder.path().join(name)
	}

	/// Phase 1 with three participants, for 2^11 rows: the file of powers.
	fn powers(&self) -> PathBuf {
		let mut powers = self.file("powers-0");
		let begun = report(command![
			"ceremony",
			"new-powers",
			"--log2",
			"12",
			"--out",
			powers
		]);
		assert_eq!((&begun["rows"], &begun["count"]), (&2048.into(), &4096.into()));
		let mut heard = vec![begun["transcript"][0].clone()];
		for participant in 1..=3 {
			let next = self.file(&format!("powers-{participant}"));
			let contributed = report(command![
				"ceremony",
				"contribute-powers",
				"--powers",
				powers,
				"--entropy",
				"dice: 3 5 1",
				"--out",
				next
			]);
			heard.push(contributed["transcript"][participant].clone());
			powers = next;
		}
		let verified = report(command!["ceremony", "verify-powers", "--powers", powers]);
		assert_eq!(verified["transcript"], Value::from(heard));
		powers
	}

	/// `verify` or `finish`, for the digits model.
	fn check(&self, step: &str, powers: &Path, ceremony: &Path) -> Vec<OsString> {
		let model = digits("");
		let mut arguments = command![
			"ceremony",
			step,
			"--ceremony",
			ceremony,
			"--powers",
			powers,
			"--model",
			model
		];
		if step == "finish" {
			arguments.extend(command!["--bundles", self.file("bundles")]);
		}
		arguments
	}
}

#[test]
fn three_participants_make_the_keys_of_the_digits_model() {
	let scene = Scene {
		folder: tempfile::tempdir().unwrap(),
	};
	let model = digits("");
	assert_eq!(report(command!["compile", "--model", model])["domain"], 2048);
	let powers = scene.powers();
	let init = |powers: &Path, out: &Path| {
		command!["ceremony", "init", "--powers", powers, "--model", model, "--out", out]
	};
	let (code, message) = failure(init(&scene.file("powers-0"), &scene.file("early")));
	assert_eq!(code, 3, "{message}");
	assert!(message.contains("contribute to the powers first"), "{message}");
	assert!(!scene.file("early").exists());

	// Phase 2: three participants and a beacon.
	let mut ceremony = scene.file("ceremony-0");
	let begun = report(init(&powers, &ceremony));
	let (code, message) = failure(scene.check("verify", &powers, &ceremony));
	assert_eq!(code, 1);
	assert!(message.contains("no participant"), "{message}");
	let mut heard = vec![begun["transcript_hash"].clone()];
	for participant in 1..=3 {
		let next = scene.file(&format!("ceremony-{participant}"));
		let contributed = report(command![
			"ceremony",
			"contribute",
			"--ceremony",
			ceremony,
			"--entropy",
			"dice",
			"--out",
			next
		]);
		assert_eq!(contributed["contributions"], participant);
		heard.push(contributed["transcript_hash"].clone());
		ceremony = next;
	}
	let closed = scene.file("closed");
	let beacon = report(command![
		"ceremony",
		"beacon",
		"--ceremony",
		ceremony,
		"--value",
		"0x00c0ffee",
		"--iterations-log2",
		"4",
		"--out",
		closed
	]);
	heard.push(beacon["transcript_hash"].clone());
	let late = failure(command![
		"ceremony",
		"contribute",
		"--ceremony",
		closed,
		"--out",
		scene.file("late")
	]);
	assert_eq!(late.0, 3, "{}", late.1);
	let verified = report(scene.check("verify", &powers, &closed));
	assert_eq!(
		(&verified["transcript"], &verified["participants"]),
		(&Value::from(heard), &3.into())
	);
	let finished = report(scene.check("finish", &powers, &closed));
	assert_eq!(finished["transcript_hash"], beacon["transcript_hash"]);
	assert_eq!(finished["development"], false);

	let inspected = report(command!["inspect", closed]);
	assert_eq!(
		(&inspected["kind"], &inspected["closed"], &inspected["transcript"]),
		(&"ceremony".into(), &true.into(), &verified["transcript"])
	);
	let inspected = report(command!["inspect", powers]);
	assert_eq!(
		(&inspected["kind"], &inspected["rows"]),
		(&"powers".into(), &2048.into())
	);

	// The keys prove and verify.
	let bundle = PathBuf::from(finished["bundles"][0]["bundle"].as_str().unwrap());
	let key = bundle.join("verifying.key");
	let inspected = report(command!["inspect", bundle]);
	assert_eq!(
		(&inspected["development"], &inspected["key"]),
		(&Value::Bool(false), &finished["bundles"][0]["key"])
	);
	let (statement, proof) = prove(&bundle, &scene.file("proof"));
	let valid = report(verify(&key, &statement, &proof));
	assert_eq!(
		(&valid["valid"], &valid["development"]),
		(&Value::Bool(true), &Value::Bool(false))
	);

	// Proofs of a development key of the same model do not verify, even for the statement that names the ceremony's.
	let setup = report(command![
		"setup",
		"--model",
		model,
		"--bundles",
		scene.file("development")
	]);
	let development = PathBuf::from(setup["bundle"].as_str().unwrap());
	let (old_statement, old_proof) = prove(&development, &scene.file("old"));
	let old_key = development.join("verifying.key");
	assert_eq!(
		report(verify(&old_key, &old_statement, &old_proof))["development"],
		true
	);
	assert_eq!(failure(verify(&key, &old_statement, &old_proof)).0, 3);
	assert_eq!(failure(verify(&key, &statement, &old_proof)).0, 1);
	assert_eq!(failure(verify(&old_key, &statement, &proof)).0, 3);

	// What is not the ceremony's is refused, and nothing is written.
	let mut hashed = scene.check("finish", &powers, &closed);
	hashed.extend(command!["--input-visibility", "hashed"]);
	let (code, message) = failure(hashed);
	assert_eq!(code, 3);
	assert!(message.contains("other circuits"), "{message}");
	let damaged = scene.file("damaged");
	let mut bytes = fs::read(&closed).unwrap();
	let middle = bytes.len() / 2;
	bytes[middle] ^= 1;
	fs::write(&damaged, bytes).unwrap();
	assert_eq!(failure(scene.check("finish", &powers, &damaged)).0, 3);
	assert_eq!(failure(scene.check("verify", &powers, &powers)).0, 3);
	assert_eq!(
		failure(scene.check("verify", &powers, &scene.file("absent"))).0,
		5
	);
	assert_eq!(fs::read_dir(scene.file("bundles")).unwrap().count(), 1);
}

#[test]
fn a_ceremony_makes_a_key_family() {
	let scene = Scene {
		folder: tempfile::tempdir().unwrap(),
	};
	let model = digits("");
	let compiled = report(command!["compile", "--model", model, "--weights", "committed"]);
	let domains = [
		&compiled["domain"],
		&compiled["committed_weights"]["registration_domain"],
	];
	let domain = domains
		.map(|domain| domain.as_u64().unwrap())
		.into_iter()
		.max()
		.unwrap();
	let [begun, powers] = ["powers-0", "powers-1"].map(|name| scene.file(name));
	let log2 = (domain.ilog2() + 1).to_string();
	report(command!["ceremony", "new-powers", "--log2", log2, "--out", begun]);
	report(command![
		"ceremony",
		"contribute-powers",
		"--powers",
		begun,
		"--out",
		powers
	]);
	let [begun, ceremony] = ["ceremony-0", "ceremony-1"].map(|name| scene.file(name));
	let mut init = command!["ceremony", "init", "--powers", powers, "--model", model];
	init.extend(command!["--weights", "committed", "--out", begun]);
	report(init);
	report(command![
		"ceremony",
		"contribute",
		"--ceremony",
		begun,
		"--out",
		ceremony
	]);
	let (code, message) = failure(scene.check("finish", &powers, &ceremony));
	assert_eq!(code, 3);
	assert!(message.contains("other circuits"), "{message}");
	let mut finish = scene.check("finish", &powers, &ceremony);
	finish.extend(command!["--weights", "committed"]);
	let finished = report(finish);

	// One commitment is registered under the one key and proven about under the other.
	let family = PathBuf::from(finished["bundles"][0]["bundle"].as_str().unwrap());
	assert_eq!(report(command!["inspect", family])["development"], false);
	let registration = scene.file("registration");
	let mut commit = command!["commit", "--family", family, "--model", model];
	commit.extend(command![
		"--bundles",
		scene.file("bundles"),
		"--out",
		registration
	]);
	let committed = report(commit);
	let bundle = PathBuf::from(committed["bundle"].as_str().unwrap());
	let (statement, proof) = prove(&bundle, &scene.file("proof"));
	let registered = ["registration.json", "registration.bin"].map(|name| registration.join(name));
	for (key, [statement, proof]) in [
		("verifying.key", [&statement, &proof]),
		("registration-verifying.key", [&registered[0], &registered[1]]),
	] {
		let mut arguments = verify(&family.join(key), statement, proof);
		arguments.extend(command!["--commitment", registration.join("commitment.bin")]);
		let valid = report(arguments);
		assert_eq!(
			(&valid["valid"], &valid["development"]),
			(&true.into(), &false.into())
		);
	}
}

#[test]
fn usage_is_checked() {
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("powers");
	for log2 in ["0", "23", "many"] {
		let output = run(command!["ceremony", "new-powers", "--log2", log2, "--out", file]);
		assert_eq!(output.status.code(), Some(2));
	}
	fs::write(&file, [0; 100]).unwrap();
	let out = folder.path().join("out");
	let (code, message) = failure(command![
		"ceremony",
		"import-powers",
		"--from",
		file,
		"--log2",
		"1",
		"--out",
		out
	]);
	assert_eq!(code, 3);
	assert!(message.contains("100 bytes is not the length"), "{message}");
	assert!(!out.exists());
	let (code, message) = failure(command!["ceremony", "verify-powers", "--powers", file]);
	assert_eq!(code, 3);
	assert!(message.contains("not powers of tau"), "{message}");
}
