//! Options that commands around circuits share.

use crate::{error::CliError, model_folder::Hash};
use clap::{Args, ValueEnum};
use opensand_nn::Model;
use opensand_zk_circuit::{DeclaredWidths, WeightsMode};
use opensand_zk_verifier::{Binding, InputVisibility};
use rand::{rngs::OsRng, RngCore};

/// Whether the statement shows the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Visibility {
	/// The input stands in the statement.
	Public,
	/// The statement has a salted hash of the input.
	Hashed,
}

impl From<Visibility> for InputVisibility {
	fn from(visibility: Visibility) -> Self {
		match visibility {
			Visibility::Public => InputVisibility::Public,
			Visibility::Hashed => InputVisibility::Hashed,
		}
	}
}

/// How a circuit takes a model's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WeightsOption {
	/// As constants of the circuit: other weights need other keys.
	Constant,
	/// As a commitment that is registered: weights that fit the same widths share keys.
	Committed,
}

impl WeightsOption {
	/// The mode for a model, with widths that leave room for training.
	pub fn mode(self, model: &Model) -> WeightsMode {
		match self {
			WeightsOption::Constant => WeightsMode::Constant,
			WeightsOption::Committed => WeightsMode::Committed(DeclaredWidths::of(model)),
		}
	}
}

/// What ties a proof to one request on one chain. The chain knows all of it; zeros stand for a proof made off any chain.
#[derive(Debug, Args)]
pub struct BindingOptions {
	/// Hash of the chain's genesis block.
	#[arg(long, value_name = "HASH", default_value_t = Hash([0; 32]))]
	pub genesis: Hash,
	/// Id of the model on the chain.
	#[arg(long, value_name = "HASH", default_value_t = Hash([0; 32]))]
	pub model_id: Hash,
	/// Id of the request.
	#[arg(long, default_value_t = 0)]
	pub request: u64,
	/// Account of the worker, as 32 bytes in hexadecimal.
	#[arg(long, value_name = "ACCOUNT", default_value_t = Hash([0; 32]))]
	pub worker: Hash,
}

impl BindingOptions {
	/// The binding for the key with id `key`.
	pub fn binding(&self, key: [u8; 32]) -> Binding {
		let Hash(genesis) = self.genesis;
		let Hash(model) = self.model_id;
		let Hash(worker) = self.worker;
		Binding {
			genesis,
			key,
			model,
			request: self.request,
			worker,
		}
	}
}

/// The salt of a hashed input.
#[derive(Debug, Args)]
pub struct SaltOptions {
	/// Salt of a hashed input, 32 bytes in hexadecimal; drawn at random if left out.
	#[arg(long, value_name = "SALT")]
	pub salt: Option<Hash>,
}

impl SaltOptions {
	/// The salt given, or a fresh one.
	pub fn salt(&self) -> Result<[u8; 32], CliError> {
		if let Some(Hash(salt)) = self.salt {
			return Ok(salt);
		}
		let mut salt = [0; 32];
		OsRng.try_fill_bytes(&mut salt).map_err(CliError::Randomness)?;
		Ok(salt)
	}
}
