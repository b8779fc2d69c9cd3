//! Measures the figures of `benchmarking/README.md` and writes the page.
//!
//! Usage: `figures <page>`; `make bench` calls it. It needs the machine for itself, or the figures are too high.

mod capacity;
mod proving;
mod report;
mod transfers;
mod verification;

use std::{env, fs};

use anyhow::{bail, Context, Result};
use opensand_tests::digits::Digits;

fn main() -> Result<()> {
	let arguments: Vec<String> = env::args().skip(1).collect();
	match arguments.split_first() {
		Some((first, rest)) if first == proving::CHILD => proving::child(rest),
		Some((page, [])) => {
			let figures = tokio::runtime::Runtime::new()?.block_on(measure())?;
			fs::write(page, report::render(&figures, page.as_ref())).with_context(|| page.clone())?;
			println!("wrote {page}");
			Ok(())
		}
		_ => bail!("usage: figures <page to write>"),
	}
}

async fn measure() -> Result<report::Figures> {
	let directory = tempfile::tempdir()?;
	println!("Setting up the digits model …");
	let digits = Digits::import(&directory.path().join("digits"))?;
	let bundles = directory.path().join("bundles");
	digits.set_up(&bundles)?;
	let bundle = fs::read_dir(&bundles)?
		.next()
		.context("a bundle was written")??
		.path();

	println!("Proving …");
	let proving = proving::measure(&digits, &bundle)?;
	println!("Verifying …");
	let verification = verification::measure(&proving.accepted)?;
	println!("Importing transfers …");
	let import = transfers::measure().await?;
	let wasm_bytes = opensand_runtime::WASM_BINARY
		.context("built with SKIP_WASM_BUILD; build again without it")?
		.len();
	let len = |values: &[i8]| u32::try_from(values.len());
	let capacity = capacity::of(len(&proving.accepted.input)?, len(&proving.accepted.output)?);
	Ok(report::Figures {
		proving,
		verification,
		capacity,
		import,
		wasm_bytes,
	})
}
