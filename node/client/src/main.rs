//! The program `opensand`.

use std::process::ExitCode;

fn main() -> ExitCode {
	opensand_client::run()
}
