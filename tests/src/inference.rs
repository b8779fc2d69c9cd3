//! The main job, step by step as a client takes it: register a model, become a worker, ask, and see it settled.

use std::{cell::Cell, fs, path::Path, time::Duration};

use anyhow::{anyhow, bail, Context, Result};
use opensand_zk_envelope::seal;
use opensand_zk_verifier::{poseidon::salted_input_hash, InputVisibility, VerifyingKey};
use serde_json::Value as Json;
use subxt::{
	dynamic::{At, Value},
	events::Phase,
};
use subxt_signer::sr25519::Keypair;

use crate::{
	client::{account, bytes, event, field, storage, submit, Call, Client},
	eventually,
	node::Node,
};

/// A model with its keys as `opensand-zk` leaves it in an artifact bundle.
pub struct Bundle {
	/// The encoded architecture.
	pub architecture: Vec<u8>,
	/// BLAKE2-256 of the encoded weights.
	pub weights_hash: [u8; 32],
	/// The encoded verifying key.
	pub verifying_key: Vec<u8>,
	/// Whether statements under that key show the input.
	pub visibility: InputVisibility,
}

impl Bundle {
	/// Reads the bundle in `directory`.
	///
	/// # Errors
	/// When a file is missing, or the key is none.
	pub fn read(directory: &Path) -> Result<Self> {
		let file = |name: &str| {
			let path = directory.join(name);
			fs::read(&path).with_context(|| path.display().to_string())
		};
		let verifying_key = file("verifying.key")?;
		let key = VerifyingKey::from_trusted_bytes(&verifying_key)
			.map_err(|error| anyhow!("the verifying key of {}: {error:?}", directory.display()))?;
		Ok(Self {
			architecture: file("architecture.bin")?,
			weights_hash: sp_crypto_hashing::blake2_256(&file("weights.bin")?),
			visibility: key.shape().visibility,
			verifying_key,
		})
	}
}

/// The id of a registered model.
pub type ModelId = [u8; 32];

/// Registers architecture, model and verifying key, and returns the model's id.
///
/// # Errors
/// When the chain refuses one of them.
pub async fn register_model(
	client: &Client,
	bundle: &Bundle,
	owner: &Keypair,
	royalty: u128,
) -> Result<ModelId> {
	let architecture = Call::new(
		"Models",
		"register_architecture",
		vec![Value::from_bytes(&bundle.architecture)],
	);
	let events = submit(client, architecture, owner).await?;
	let architecture = field(
		&event(&events, "Models", "ArchitectureRegistered")?,
		"architecture",
	)?;

	let model = Call::new(
		"Models",
		"register_model",
		vec![
			architecture,
			Value::from_bytes(bundle.weights_hash),
			Value::unnamed_variant(
				match bundle.visibility {
					InputVisibility::Public => "Public",
					InputVisibility::Hashed => "Hashed",
				},
				[],
			),
			Value::u128(royalty),
			Value::from_bytes([]),
		],
	);
	let events = submit(client, model, owner).await?;
	let model = field(&event(&events, "Models", "ModelRegistered")?, "model")?;

	let key = vec![model.clone(), Value::from_bytes(&bundle.verifying_key)];
	submit(client, Call::new("Models", "register_key", key), owner).await?;
	bytes(&model)
		.and_then(|id| id.try_into().ok())
		.context("a model's id has 32 bytes")
}

/// Makes `worker` a bonded worker whose results `node` signs and proves, with a key that is derived from `seed`.
///
/// # Errors
/// When the node runs without `--worker`, or the chain refuses the worker.
pub async fn register_worker(
	node: &Node,
	client: &Client,
	worker: &Keypair,
	seed: &str,
	bond: u128,
) -> Result<()> {
	let key = Keypair::from_uri(&seed.parse::<subxt_signer::SecretUri>()?)?
		.public_key()
		.0;
	let public = format!("0x{}", hex::encode(key));
	node.call("author_insertKey", &["work".into(), seed.into(), public.into()])
		.await?;
	let sealing = node.call("prover_publicKey", &[]).await?;
	let sealing = sealing.as_str().context("the sealing key is a string")?;
	let arguments = vec![
		Value::from_bytes(key),
		Value::from_bytes(hex::decode(sealing.trim_start_matches("0x"))?),
		Value::u128(bond),
		Value::u128(8),
	];
	submit(
		client,
		Call::new("Inference", "register_worker", arguments),
		worker,
	)
	.await?;
	Ok(())
}

/// Lists `worker` for `model` at `price`, for requests that allow at least `turnaround` blocks.
///
/// # Errors
/// When the chain refuses the offer.
pub async fn offer_model(
	client: &Client,
	worker: &Keypair,
	model: &ModelId,
	price: u128,
	turnaround: u32,
) -> Result<()> {
	let arguments = vec![
		Value::from_bytes(model),
		Value::u128(price),
		Value::u128(turnaround.into()),
	];
	submit(client, Call::new("Inference", "offer_model", arguments), worker).await?;
	Ok(())
}

/// Asks `model`, lets the chain choose the worker, and returns the request's id.
///
/// # Errors
/// When the chain refuses the request.
pub async fn request_inference(
	client: &Client,
	requester: &Keypair,
	model: &ModelId,
	input: &[i8],
	max_fee: u128,
	timeout: u32,
) -> Result<u64> {
	let input = Value::unnamed_variant("Public", [Value::from_bytes(unsigned(input))]);
	let anyone = Value::unnamed_variant("None", []);
	request(client, requester, model, [input, anyone], max_fee, timeout).await
}

/// As [`request_inference`], of `worker` and with an input that only that worker can read: the chain sees its hash under
/// `salt`, and input and salt sealed to the key that the worker has registered.
///
/// # Errors
/// When the worker is not registered, or the chain refuses the request.
#[allow(clippy::too_many_arguments, reason = "a request says as much")]
pub async fn request_hidden_inference(
	node: &Node,
	client: &Client,
	requester: &Keypair,
	model: &ModelId,
	worker: &[u8; 32],
	(input, salt): (&[i8], &[u8; 32]),
	max_fee: u128,
	timeout: u32,
) -> Result<u64> {
	let genesis = node.block_hash(0).await?.context("a chain has a genesis")?;
	let context = opensand_zk_envelope::Context {
		genesis: key(&hex::decode(genesis.trim_start_matches("0x"))?)?,
		model: *model,
		worker: *worker,
	};
	let at = client.at_best().await?;
	let record = storage(&at, "Inference", "Workers", vec![Value::from_bytes(worker)])
		.await?
		.context("the worker is registered")?;
	let sealing = record
		.at("encryption_key")
		.and_then(bytes)
		.context("a worker has a sealing key")?;
	let envelope = seal(&context, salt, &unsigned(input), &key(&sealing)?)?;
	let hidden = [
		("hash", Value::from_bytes(salted_input_hash(salt, input))),
		("envelope", Value::from_bytes(envelope)),
	];
	let input = Value::named_variant("Hashed", hidden);
	let worker = Value::unnamed_variant("Some", [Value::from_bytes(worker)]);
	request(client, requester, model, [input, worker], max_fee, timeout).await
}

/// Bytes that are a key or hash.
fn key(bytes: &[u8]) -> Result<[u8; 32]> {
	bytes.try_into().context("keys and hashes have 32 bytes")
}

/// The bytes that stand for values on the chain.
fn unsigned(values: &[i8]) -> Vec<u8> {
	values.iter().map(|value| value.cast_unsigned()).collect()
}

/// Sends a request and returns its id.
async fn request(
	client: &Client,
	requester: &Keypair,
	model: &ModelId,
	[input, worker]: [Value; 2],
	max_fee: u128,
	timeout: u32,
) -> Result<u64> {
	let arguments = vec![
		Value::from_bytes(model),
		input,
		worker,
		Value::u128(max_fee),
		Value::u128(timeout.into()),
	];
	let events = submit(
		client,
		Call::new("Inference", "request_inference", arguments),
		requester,
	)
	.await?;
	let request = field(&event(&events, "Inference", "InferenceRequested")?, "request")?;
	request
		.as_u128()
		.and_then(|id| id.try_into().ok())
		.context("a request's id is a number")
}

/// How a request was answered and who was paid, in the token's smallest unit.
pub struct Settlement {
	/// The block that settled it.
	pub block: u32,
	/// The model's output.
	pub output: Vec<i8>,
	/// The worker and what it got.
	pub worker: ([u8; 32], u128),
	/// The model's owner and what it got.
	pub owner: ([u8; 32], u128),
	/// What the block's author got.
	pub author: u128,
	/// What the treasury got.
	pub treasury: u128,
	/// Weight that the block was charged for the result, verification included, in picoseconds.
	pub weight: u128,
}

/// How a request ended.
enum End {
	Settled(Settlement),
	/// With this event.
	Otherwise(String),
}

/// The end of `request`, if block `number` brought it.
async fn end_in(client: &Client, number: u32, request: u64) -> Result<Option<End>> {
	let events = client.at_block(number).await?.events().fetch().await?;
	for event in events.iter() {
		let event = event?;
		if event.pallet_name() != "Inference" || !ENDS.contains(&event.event_name()) {
			continue;
		}
		if field(&event, "request")?.as_u128() != Some(request.into()) {
			continue;
		}
		if event.event_name() != "InferenceSettled" {
			return Ok(Some(End::Otherwise(event.event_name().to_owned())));
		}
		let amount = |name: &str| -> Result<u128> {
			field(&event, name)?
				.as_u128()
				.with_context(|| format!("{name} is an amount"))
		};
		let output = bytes(&field(&event, "output")?).context("the output is bytes")?;
		return Ok(Some(End::Settled(Settlement {
			block: number,
			output: output.into_iter().map(u8::cast_signed).collect(),
			worker: (account(&field(&event, "worker")?)?, amount("worker_paid")?),
			owner: (account(&field(&event, "owner")?)?, amount("owner_paid")?),
			author: amount("author_paid")?,
			treasury: amount("treasury_paid")?,
			weight: weight_of(&events, event.phase())?,
		})));
	}
	Ok(None)
}

/// The events by which a request ends.
const ENDS: [&str; 5] = [
	"InferenceSettled",
	"ResultRejected",
	"RequestExpired",
	"RequestDeclined",
	"RequestCancelled",
];

/// The weight of the extrinsic that is applied in `phase`, in picoseconds.
fn weight_of(events: &subxt::events::Events<subxt::PolkadotConfig>, phase: Phase) -> Result<u128> {
	for event in events.iter() {
		let event = event?;
		if event.phase() == phase
			&& event.pallet_name() == "System"
			&& event.event_name() == "ExtrinsicSuccess"
		{
			let information = field(&event, "dispatch_info")?;
			return information
				.at("weight")
				.at("ref_time")
				.and_then(Value::as_u128)
				.with_context(|| format!("a weight in {information}"));
		}
	}
	bail!("an extrinsic with events succeeded")
}

/// Waits until `request`, made in block `from` or later, is settled.
///
/// # Errors
/// When it ends otherwise, or not within `limit`.
pub async fn wait_for_settlement(
	node: &Node,
	client: &Client,
	request: u64,
	from: u32,
	limit: Duration,
) -> Result<Settlement> {
	let what = format!("request {request} is settled");
	let next = Cell::new(from);
	let end = eventually(&what, limit, || async {
		while next.get() <= node.best_number().await? {
			if let Some(end) = end_in(client, next.get(), request).await? {
				return Ok(Some(end));
			}
			next.set(next.get() + 1);
		}
		Ok(None)
	});
	match end.await? {
		End::Settled(settlement) => Ok(settlement),
		End::Otherwise(event) => bail!("request {request} ended with {event}"),
	}
}

/// The job that answers `request` as the node's prover shows it; `None` while it has none.
///
/// # Errors
/// When the node runs without `--worker`.
pub async fn job(node: &Node, request: u64) -> Result<Option<Json>> {
	let jobs = node.call("prover_jobs", &[]).await?;
	let jobs = jobs.as_array().context("a list of jobs")?;
	Ok(jobs.iter().find(|job| job["request"] == request).cloned())
}

/// The ids of the node's prover processes.
///
/// # Errors
/// When the node runs without `--worker`.
pub async fn prover_processes(node: &Node) -> Result<Vec<u32>> {
	let workers = node.call("prover_workers", &[]).await?;
	let workers = workers.as_array().context("a list of processes")?;
	workers
		.iter()
		.map(|worker| {
			worker["process"]
				.as_u64()
				.and_then(|id| id.try_into().ok())
				.context("a process id")
		})
		.collect()
}
