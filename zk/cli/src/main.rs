//! The `opensand-zk` command.

use clap::Parser;
use opensand_zk_cli::commands::{run, Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
	let cli = Cli::parse();
	let json = cli.json;
	let Err(error) = run(cli) else {
		return ExitCode::SUCCESS;
	};
	let code = error.exit_code();
	if json {
		eprintln!(
			"{}",
			serde_json::json!({ "error": error.to_string(), "code": code })
		);
	} else {
		eprintln!("error: {error}");
	}
	ExitCode::from(code)
}
