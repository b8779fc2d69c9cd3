//! What is asked of a bundle: an image, and the request that the answer is for.

use super::{
	circuit::{BindingOptions, SaltOptions},
	input::Image,
};
use crate::{error::CliError, model_folder::ModelFolder};
use clap::Args;
use opensand_zk_prover::Prover;
use opensand_zk_verifier::{Binding, Statement};
use std::{path::PathBuf, time::Instant};

/// The options of a command that proves.
#[derive(Debug, Args)]
pub struct Question {
	/// Bundle, as `setup` or `commit` writes it.
	#[arg(long, value_name = "FOLDER")]
	pub bundle: PathBuf,
	/// Model folder, for the scale of the input.
	#[arg(long, value_name = "FOLDER")]
	pub model: PathBuf,
	/// The image.
	#[command(flatten)]
	pub image: Image,
	/// The request that the statement names.
	#[command(flatten)]
	pub binding: BindingOptions,
	/// The salt.
	#[command(flatten)]
	pub salt: SaltOptions,
}

/// A question with the prover that answers it.
pub struct Asked {
	/// The bundle's prover.
	pub prover: Prover,
	/// How long the bundle took to load.
	pub load_seconds: f64,
	/// The quantised image.
	pub input: Vec<i8>,
	/// What the proof is bound to.
	pub binding: Binding,
	/// The salt of a hashed input.
	pub salt: [u8; 32],
	/// What is proven.
	pub statement: Statement,
}

impl Question {
	/// Loads the bundle and the image.
	pub fn ask(&self) -> Result<Asked, CliError> {
		let manifest = ModelFolder::read(&self.model)?.manifest;
		let start = Instant::now();
		let prover = Prover::load(&self.bundle)?;
		let load_seconds = start.elapsed().as_secs_f64();
		let input = self
			.image
			.read(&manifest, prover.model().architecture().input_len() as usize)?;
		let binding = self.binding.binding(prover.key_id());
		let salt = self.salt.salt()?;
		let statement = prover.statement(binding.clone(), &input, &salt)?;
		Ok(Asked {
			prover,
			load_seconds,
			input,
			binding,
			salt,
			statement,
		})
	}
}
