//! The `opensand-node` executable.

use std::process::ExitCode;

fn main() -> ExitCode {
	match opensand_node::command::run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("{}", opensand_node::errors::report(&error));
			ExitCode::FAILURE
		}
	}
}
