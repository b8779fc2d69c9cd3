//! `opensand-zk digest`.

use crate::{error::CliError, files, model_folder::Hash, output::Output};
use clap::Args;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::PathBuf,
};

/// Bytes of a file that is hashed at most.
const MAX_BYTES: usize = 1 << 30;

/// Print the BLAKE2-256 hash of a file.
///
/// Of architecture.bin it is the architecture id, of weights.bin the weights' hash, of verifying.key the key id: the ids that
/// the chain knows them by.
#[derive(Debug, Args)]
pub struct Digest {
	/// The files.
	#[arg(required = true)]
	pub files: Vec<PathBuf>,
}

impl Digest {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let digest = |path: PathBuf| {
			Ok(FileDigest {
				blake2_256: Hash::of(&files::read(&path, MAX_BYTES)?),
				path,
			})
		};
		let digests = self
			.files
			.into_iter()
			.map(digest)
			.collect::<Result<Vec<_>, CliError>>()?;
		output.report(&Digests(digests));
		Ok(())
	}
}

#[derive(Serialize)]
struct FileDigest {
	path: PathBuf,
	blake2_256: Hash,
}

#[derive(Serialize)]
struct Digests(Vec<FileDigest>);

impl Display for Digests {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		self.0
			.iter()
			.try_for_each(|file| writeln!(formatter, "{}  {}", file.blake2_256, file.path.display()))
	}
}
