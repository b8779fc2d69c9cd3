//! A development chain on which the digits model can be asked: one node that makes blocks, serves as worker and proves.

use std::path::PathBuf;

use anyhow::Result;
use subxt_signer::sr25519::{dev, Keypair};

use crate::{
	client::{Client, SAND},
	digits::Digits,
	inference::{
		offer_model, register_model, register_worker, request_hidden_inference, request_inference, Bundle,
		ModelId,
	},
	node::{Node, StoppedNode},
};

/// What the owner asks for an answer.
pub const ROYALTY: u128 = SAND / 2;
/// What the worker asks for an answer.
pub const PRICE: u128 = 2 * SAND;
/// What the worker bonds: enough for several requests at once.
pub const BOND: u128 = 1_000 * SAND;
/// The most that a request may cost.
pub const MAX_FEE: u128 = 10 * SAND;
/// Blocks that a worker takes for an answer at most, by its own offer.
pub const TURNAROUND: u32 = 5;
/// Blocks in which the requests want their answer.
pub const TIMEOUT: u32 = 50;
/// Derivation of the key with which the node signs results.
const WORKER_KEY: &str = "//Worker";

/// The chain, the model on it, and who plays which part.
pub struct Market {
	/// The node.
	pub node: Node,
	/// A client of it.
	pub client: Client,
	/// The digits model.
	pub model: ModelId,
	/// Owns the model.
	pub owner: Keypair,
	/// Is paid for answers.
	pub worker: Keypair,
	/// Asks.
	pub requester: Keypair,
}

impl Market {
	/// Starts a chain and opens the market on it.
	///
	/// # Errors
	/// When a step fails.
	pub async fn open(digits: &Digits) -> Result<Self> {
		Self::on(Self::start_chain().await?, digits).await
	}

	/// Starts a development chain whose node serves as worker.
	///
	/// # Errors
	/// When the node does not start.
	pub async fn start_chain() -> Result<Node> {
		StoppedNode::new("alice", "dev")?
			.with(&["--alice", "--force-authoring", "--worker"])
			.start()
			.await
	}

	/// Installs keys for `digits` in the prover of `node`, registers the model, and offers it.
	///
	/// # Errors
	/// When a step fails.
	pub async fn on(node: Node, digits: &Digits) -> Result<Self> {
		let bundle = digits.set_up(&bundles(&node))?;
		Self::of(node, &bundle).await
	}

	/// As [`Market::open`], for a model whose inputs are hidden; it is asked by [`Market::ask_hidden`].
	///
	/// # Errors
	/// When a step fails.
	pub async fn open_hidden(digits: &Digits) -> Result<Self> {
		let node = Self::start_chain().await?;
		let bundle = digits.set_up_hidden(&bundles(&node))?;
		Self::of(node, &bundle).await
	}

	async fn of(node: Node, bundle: &Bundle) -> Result<Self> {
		let client = node.client().await?;
		let (owner, worker, requester) = (dev::charlie(), dev::bob(), dev::dave());
		let model = register_model(&client, bundle, &owner, ROYALTY).await?;
		register_worker(&node, &client, &worker, WORKER_KEY, BOND).await?;
		offer_model(&client, &worker, &model, PRICE, TURNAROUND).await?;
		Ok(Self {
			node,
			client,
			model,
			owner,
			worker,
			requester,
		})
	}

	/// Asks about `input` and returns the request's id.
	///
	/// # Errors
	/// When the chain refuses the request.
	pub async fn ask(&self, input: &[i8]) -> Result<u64> {
		request_inference(
			&self.client,
			&self.requester,
			&self.model,
			input,
			MAX_FEE,
			TIMEOUT,
		)
		.await
	}
	/// As [`Market::ask`], for a model whose inputs are hidden: `input` is hashed with `salt` and sealed to the worker.
	///
	/// # Errors
	/// When the chain refuses the request.
	pub async fn ask_hidden(&self, input: &[i8], salt: &[u8; 32]) -> Result<u64> {
		request_hidden_inference(
			&self.node,
			&self.client,
			&self.requester,
			&self.model,
			&self.worker.public_key().0,
			(input, salt),
			MAX_FEE,
			TIMEOUT,
		)
		.await
	}
}

/// Where a node's prover looks for bundles.
fn bundles(node: &Node) -> PathBuf {
	node.directory().join("prover/bundles")
}
