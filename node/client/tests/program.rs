//! The program as scripts see it: exit codes, what is printed where, and what is never printed.

use std::{
	fs,
	os::unix::fs::PermissionsExt,
	path::Path,
	process::{Command, Output, Stdio},
};

use serde_json::Value;

const PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

/// Runs the program with nothing of this process's environment but what finds libraries, and no terminal.
fn run(directory: &Path, arguments: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_opensand"))
		.args(arguments)
		.current_dir(directory)
		.env_clear()
		.env("HOME", directory)
		.stdin(Stdio::null())
		.output()
		.unwrap()
}

fn text(bytes: &[u8]) -> &str {
	std::str::from_utf8(bytes).unwrap()
}

/// An address at which nobody listens.
fn nobody() -> String {
	let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
	format!("ws://{}", listener.local_addr().unwrap())
}

#[test]
fn failures_have_their_exit_codes_and_say_what_to_do() {
	let home = tempfile::tempdir().unwrap();
	fs::write(home.path().join("file"), b"content").unwrap();
	fs::write(home.path().join("open.txt"), PHRASE).unwrap();
	fs::set_permissions(home.path().join("open.txt"), fs::Permissions::from_mode(0o644)).unwrap();
	let url = nobody();
	let cases: [(&[&str], i32, &str); 8] = [
		(&["store", "ls"], 2, "--key"),
		(&["store", "get", "1", "file", "--url", &url], 1, "--force"),
		(&["store", "get", "1", "-", "--json"], 2, "leave --json away"),
		(&["store", "ls", "--key", "//Alice", "--url", &url], 1, "--url"),
		(
			&["store", "ls", "--key", "//Alice", "--url", "ws://192.0.2.1:9944"],
			1,
			"wss://",
		),
		(&["store", "put", "absent", "--key", "//Alice"], 1, ""),
		(&["store", "put", ".", "--key", "//Alice"], 2, "archive"),
		(&["store", "put", "file", "--code", "9/4"], 2, ""),
	];
	for (arguments, code, remedy) in cases {
		let output = run(home.path(), arguments);
		let stderr = text(&output.stderr);
		assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
		assert!(stderr.contains(remedy), "{arguments:?}: {stderr}");
		assert!(stderr.starts_with("error: "), "{arguments:?}: {stderr}");
	}
}

#[test]
fn an_error_is_one_object_for_programs() {
	let home = tempfile::tempdir().unwrap();
	let output = run(home.path(), &["--json", "store", "show", "1", "--url", &nobody()]);
	assert_eq!(output.status.code(), Some(1));
	let lines: Vec<&str> = text(&output.stdout).lines().collect();
	assert_eq!(lines.len(), 1, "{lines:?}");
	let error: Value = serde_json::from_str(lines[0]).unwrap();
	assert_eq!(error["event"], "error");
	assert_eq!(error["code"], 1);
	assert!(error["message"].as_str().unwrap().contains("cannot reach a node"));
	assert!(error["remedy"].is_string() && error["details"].is_array());
}

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_printed() {
	let home = tempfile::tempdir().unwrap();
	let seed = format!("0x{}", "5e".repeat(32));
	for secret in [PHRASE, &seed] {
		for arguments in [
			&["store", "ls", "--key", secret][..],
			&["--json", "store", "ls", "--key", secret],
		] {
			let output = run(home.path(), arguments);
			assert_eq!(output.status.code(), Some(2));
			for stream in [&output.stdout, &output.stderr] {
				assert!(!text(stream).contains(secret));
			}
		}
	}
}

#[test]
fn help_and_version_go_to_standard_output() {
	let home = tempfile::tempdir().unwrap();
	for arguments in [&["--help"][..], &["store", "put", "--help"], &["--version"]] {
		let output = run(home.path(), arguments);
		assert!(output.status.success());
		assert!(!output.stdout.is_empty() && output.stderr.is_empty());
	}
	assert!(text(&run(home.path(), &["--help"]).stdout).contains("Exit codes:"));
	let readme = include_str!("../README.md");
	for line in text(&run(home.path(), &["--help"]).stdout)
		.lines()
		.skip_while(|line| *line != "Exit codes:")
		.skip(1)
	{
		let code = line.split_whitespace().next().unwrap();
		assert!(
			readme.contains(&format!("\n| {code} | ")),
			"{code} stands in the README"
		);
	}
}
