//! A whole ceremony by the command: three participants, keys, proofs, and what is refused.

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

/// The report of a command that succeeds.
fn report(arguments: &[&dyn AsRef<OsStr>]) -> Value {
	let output = run(arguments);
	assert!(
		output.status.success(),
		"{}",
		String::from_utf8_lossy(&output.stderr)
	);
	serde_json::from_slice(&output.stdout).unwrap()
}

/// Exit code and message of a command that fails.
fn failure(arguments: &[&dyn AsRef<OsStr>]) -> (i32, String) {
	let output = run(arguments);
	let error: Value = serde_json::from_slice(&output.stderr).unwrap();
	let code = output.status.code().unwrap();
	assert_eq!(error["code"], code);
	(code, error["error"].as_str().unwrap().into())
}

/// Proves held-out image 5: the folder with proof and statement.
fn prove(bundle: &Path, out: PathBuf) -> PathBuf {
	let (model, images) = (digits(""), digits("heldout.images.npy"));
	let proof = report(&[
		&"prove",
		&"--model",
		&model,
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
		&model,
		&"--images",
		&images,
		&"--index",
		&"5",
	]);
	assert_eq!(proof["output"], expected["answers"][0]["logits"]);
	out
}

fn verify<'a>(key: &'a Path, statement: &'a Path, proof: &'a Path) -> [&'a dyn AsRef<OsStr>; 7] {
	// Paths of unequal types do not fit one array of references to them.
	[
		&"verify",
		&"--key",
		Box::leak(Box::new(key)),
		&"--statement",
		Box::leak(Box::new(statement)),
		&"--proof",
		Box::leak(Box::new(proof)),
	]
}

#[test]
fn three_participants_make_the_keys_of_the_digits_model() {
	let folder = tempfile::tempdir().unwrap();
	let file = |name: &str| folder.path().join(name);
	let model = digits("");

	// Phase 1: three participants, for 2^11 rows.
	assert_eq!(report(&[&"compile", &"--model", &model])["domain"], 2048);
	let mut powers = file("powers-0");
	let begun = report(&[&"ceremony", &"new-powers", &"--log2", &"12", &"--out", &powers]);
	assert_eq!((&begun["rows"], &begun["count"]), (&2048.into(), &4096.into()));
	let early = file("early");
	let begin_early: [&dyn AsRef<OsStr>; 8] = [
		&"ceremony",
		&"init",
		&"--powers",
		&powers,
		&"--model",
		&model,
		&"--out",
		&early,
	];
	let (code, message) = failure(&begin_early);
	assert_eq!(code, 3, "{message}");
	assert!(
		message.contains("contribute to the powers first") && !early.exists(),
		"{message}"
	);
	let mut heard = vec![begun["transcript"][0].clone()];
	for participant in 1..=3 {
		let next = file(&format!("powers-{participant}"));
		let contributed = report(&[
			&"ceremony",
			&"contribute-powers",
			&"--powers",
			&powers,
			&"--entropy",
			&"dice: 3 5 1",
			&"--out",
			&next,
		]);
		heard.push(contributed["transcript"][participant].clone());
		powers = next;
	}
	let verified = report(&[&"ceremony", &"verify-powers", &"--powers", &powers]);
	assert_eq!(verified["transcript"], Value::from(heard));

	// Phase 2: three participants and a beacon.
	let mut ceremony = file("ceremony-0");
	let begun = report(&[
		&"ceremony",
		&"init",
		&"--powers",
		&powers,
		&"--model",
		&model,
		&"--out",
		&ceremony,
	]);
	let checked = |command: &'static str, ceremony: &Path| {
		let bundles = file("bundles");
		let mut arguments: Vec<&dyn AsRef<OsStr>> = vec![
			&"ceremony",
			Box::leak(Box::new(command)),
			&"--ceremony",
			Box::leak(Box::new(ceremony.to_owned())),
			&"--powers",
			Box::leak(Box::new(powers.clone())),
			&"--model",
			Box::leak(Box::new(model.clone())),
		];
		if command == "finish" {
			arguments.extend([&"--bundles" as &dyn AsRef<OsStr>, Box::leak(Box::new(bundles))]);
		}
		arguments
	};
	let (code, message) = failure(&checked("verify", &ceremony));
	assert_eq!(code, 1);
	assert!(message.contains("no participant"), "{message}");
	let mut heard = vec![begun["transcript_hash"].clone()];
	for participant in 1..=3 {
		let next = file(&format!("ceremony-{participant}"));
		let contributed = report(&[
			&"ceremony",
			&"contribute",
			&"--ceremony",
			&ceremony,
			&"--entropy",
			&"dice",
			&"--out",
			&next,
		]);
		assert_eq!(contributed["contributions"], participant);
		heard.push(contributed["transcript_hash"].clone());
		ceremony = next;
	}
	let closed = file("closed");
	let beacon = report(&[
		&"ceremony",
		&"beacon",
		&"--ceremony",
		&ceremony,
		&"--value",
		&"0x00c0ffee",
		&"--iterations-log2",
		&"4",
		&"--out",
		&closed,
	]);
	heard.push(beacon["transcript_hash"].clone());
	let (code, message) = failure(&[
		&"ceremony",
		&"contribute",
		&"--ceremony",
		&closed,
		&"--out",
		&file("late"),
	]);
	assert_eq!(code, 3, "{message}");
	let verified = report(&checked("verify", &closed));
	assert_eq!(
		(&verified["transcript"], &verified["participants"]),
		(&Value::from(heard), &3.into())
	);
	let finished = report(&checked("finish", &closed));
	assert_eq!(finished["transcript_hash"], beacon["transcript_hash"]);
	assert_eq!(finished["development"], false);

	// The keys prove and verify.
	let bundle = PathBuf::from(finished["bundles"][0]["bundle"].as_str().unwrap());
	let key = bundle.join("verifying.key");
	let inspected = report(&[&"inspect", &bundle]);
	assert_eq!(
		(&inspected["development"], &inspected["key"]),
		(&Value::Bool(false), &finished["bundles"][0]["key"])
	);
	let proof = prove(&bundle, file("proof"));
	let (statement, bytes) = (proof.join("statement.json"), proof.join("proof.bin"));
	let valid = report(&verify(&key, &statement, &bytes));
	assert_eq!(
		(&valid["valid"], &valid["development"]),
		(&Value::Bool(true), &Value::Bool(false))
	);

	// A development key of the same model: its proofs are not proofs under the ceremony's, even for a statement that names that.
	let development = report(&[&"setup", &"--model", &model, &"--bundles", &file("development")]);
	let development = PathBuf::from(development["bundle"].as_str().unwrap());
	let other = prove(&development, file("other"));
	let other_key = development.join("verifying.key");
	assert_eq!(
		report(&verify(
			&other_key,
			&other.join("statement.json"),
			&other.join("proof.bin")
		))["development"],
		true
	);
	let (code, _) = failure(&verify(
		&key,
		&other.join("statement.json"),
		&other.join("proof.bin"),
	));
	assert_eq!(code, 3);
	let (code, message) = failure(&verify(&key, &statement, &other.join("proof.bin")));
	assert_eq!(code, 1, "{message}");
	let (code, _) = failure(&verify(&other_key, &statement, &bytes));
	assert_eq!(code, 3);

	// What is not the ceremony's is refused, and nothing is written.
	let (code, message) = failure(&{
		let mut arguments = checked("verify", &closed);
		arguments.extend([&"--input-visibility" as &dyn AsRef<OsStr>, &"hashed"]);
		arguments
	});
	assert_eq!(code, 3);
	assert!(message.contains("other circuits"), "{message}");
	let damaged = file("damaged");
	let mut bytes = fs::read(&closed).unwrap();
	let middle = bytes.len() / 2;
	bytes[middle] ^= 1;
	fs::write(&damaged, bytes).unwrap();
	assert_eq!(failure(&checked("finish", &damaged)).0, 3);
	assert_eq!(failure(&checked("verify", &powers)).0, 3);
	assert_eq!(failure(&checked("verify", &file("absent"))).0, 5);
	assert_eq!(fs::read_dir(file("bundles")).unwrap().count(), 1);
}

#[test]
fn usage_is_checked() {
	let folder = tempfile::tempdir().unwrap();
	let out = folder.path().join("powers");
	for log2 in ["0", "23", "many"] {
		let output = run(&[&"ceremony", &"new-powers", &"--log2", &log2, &"--out", &out]);
		assert_eq!(output.status.code(), Some(2));
	}
	fs::write(&out, [0; 100]).unwrap();
	let (code, message) = failure(&[
		&"ceremony",
		&"import-powers",
		&"--from",
		&out,
		&"--log2",
		&"1",
		&"--out",
		&out,
	]);
	assert_eq!(code, 3);
	assert!(message.contains("100 bytes is not the length"), "{message}");
	let (code, message) = failure(&[&"ceremony", &"verify-powers", &"--powers", &out]);
	assert_eq!(code, 3);
	assert!(message.contains("not powers of tau"), "{message}");
}
