//! A model with committed weights is registered, asked, trained on and asked again, under one key: openly, and with inputs that
//! only the worker can read.

use std::{
	fs,
	path::{Path, PathBuf},
	process::Command,
	time::Duration,
};

use anyhow::{ensure, Context, Result};
use opensand_nn::{Model, Weights};
use opensand_tests::{
	client::{bytes, event, field, submit, Call, Client},
	digits::Digits,
	inference::{
		offer_model, register_worker, request_hidden_inference, request_inference, wait_for_settlement,
		ModelId,
	},
	market::{Market, BOND, MAX_FEE, PRICE, ROYALTY, TIMEOUT, TURNAROUND},
	node::{binary, Node},
};
use opensand_zk_cli::model_folder::{Hash, ModelFolder};
use subxt::dynamic::Value;
use subxt_signer::sr25519::{dev, Keypair};

/// How long a request may take: a few blocks and a proof.
const LIMIT: Duration = Duration::from_secs(300);
/// Derivation of the key with which the node signs results.
const WORKER_KEY: &str = "//Worker";

/// Runs a command and returns its JSON.
fn run(program: &str, arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Result<serde_json::Value> {
	let output = Command::new(binary(program)?)
		.args(arguments.iter().map(|argument| argument.as_ref()))
		.arg("--json")
		.output()?;
	ensure!(
		output.status.success(),
		"{program}: {}",
		String::from_utf8_lossy(&output.stderr)
	);
	Ok(serde_json::from_slice(&output.stdout)?)
}

/// Registers a model's architecture and returns its id on chain.
async fn register_architecture(client: &Client, model: &Path, depositor: &Keypair) -> Result<Value> {
	let bytes = ModelFolder::read(model)?.model.architecture().to_bytes();
	let call = Call::new("Models", "register_architecture", vec![Value::from_bytes(bytes)]);
	let events = submit(client, call, depositor).await?;
	field(
		&event(&events, "Models", "ArchitectureRegistered")?,
		"architecture",
	)
}

/// Makes the keys of a model's architecture for inputs of a visibility, and registers them. Returns the family's folder and its id
/// on chain.
async fn register_family(
	client: &Client,
	architecture: &Value,
	visibility: &str,
	model: &Path,
	root: &Path,
	depositor: &Keypair,
) -> Result<(PathBuf, Value)> {
	let setup = run(
		"opensand-zk",
		&[
			&"setup",
			&"--weights",
			&"committed",
			&"--input-visibility",
			&visibility,
			&"--model",
			&model,
			&"--bundles",
			&root,
		],
	)?;
	let folder = PathBuf::from(setup["family"].as_str().context("a folder")?);
	let key = |name: &str| anyhow::Ok(Value::from_bytes(fs::read(folder.join(name))?));
	let family = Call::new(
		"Models",
		"register_family",
		vec![
			architecture.clone(),
			key("registration-verifying.key")?,
			key("verifying.key")?,
		],
	);
	let events = submit(client, family, depositor).await?;
	let family = field(&event(&events, "Models", "FamilyRegistered")?, "family")?;
	Ok((folder, family))
}

/// Registers a version of the model, activates it with a commitment, and installs its bundle in the node.
async fn register_version(
	node: &Node,
	client: &Client,
	family: &(PathBuf, Value),
	version: &Path,
	previous: Option<ModelId>,
	owner: &Keypair,
) -> Result<ModelId> {
	let weights = ModelFolder::read(version)?.model.weights().hash();
	let previous = previous.map_or(Value::unnamed_variant("None", []), |model| {
		Value::unnamed_variant("Some", [Value::from_bytes(model)])
	});
	let arguments = vec![
		family.1.clone(),
		Value::from_bytes(weights),
		previous,
		Value::u128(ROYALTY),
		Value::from_bytes([]),
	];
	let events = submit(
		client,
		Call::new("Models", "register_committed_model", arguments),
		owner,
	)
	.await?;
	let model = field(&event(&events, "Models", "ModelRegistered")?, "model")?;
	let id: ModelId = bytes(&model)
		.and_then(|id| id.try_into().ok())
		.context("a model's id has 32 bytes")?;

	let genesis = node.call("chain_getBlockHash", &[0.into()]).await?;
	let genesis = genesis.as_str().context("a hash")?;
	let [registration, bundles] = ["registration", "bundles"].map(|part| {
		let version = version.file_name().unwrap_or_default();
		family.0.with_extension(part).join(version)
	});
	let committed = run(
		"opensand-zk",
		&[
			&"commit",
			&"--family",
			&family.0,
			&"--model",
			&version,
			&"--genesis",
			&genesis,
			&"--model-id",
			&format!("0x{}", hex::encode(id)),
			&"--owner",
			&format!("0x{}", hex::encode(owner.public_key().0)),
			&"--bundles",
			&bundles,
			&"--out",
			&registration,
		],
	)?;
	let part = |name: &str| anyhow::Ok(Value::from_bytes(fs::read(registration.join(name))?));
	let arguments = vec![model, part("commitment.bin")?, part("registration.bin")?];
	submit(client, Call::new("Models", "activate_model", arguments), owner).await?;

	let bundle = committed["bundle"].as_str().context("a bundle")?;
	let store = node.directory().join("prover/bundles");
	let installed = run(
		"opensand-node",
		&[&"prover", &"install", &bundle, &"--prover-bundles", &store],
	)?;
	ensure!(
		installed["commitment"] == committed["commitment"],
		"{installed}: the bundle of another commitment"
	);
	Ok(id)
}

/// The model after a step of training, as it were: every weight one nearer to zero.
fn trained(model: &Path, folder: &Path) -> Result<()> {
	let ModelFolder { model, mut manifest } = ModelFolder::read(model)?;
	let mut layers = model.weights().layers().to_vec();
	for layer in &mut layers {
		layer
			.weights
			.iter_mut()
			.for_each(|weight| *weight -= weight.signum());
	}
	let weights = Weights::new(layers)?;
	manifest.weights = Hash(weights.hash());
	let model = Model::new(model.architecture().clone(), weights)?;
	ModelFolder { model, manifest }.write(folder)?;
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn training_goes_on_under_one_key() -> Result<()> {
	let directory = tempfile::tempdir()?;
	let [first, second] = ["first", "second"].map(|name| directory.path().join(name));
	let digits = Digits::import(&first)?;
	trained(&first, &second)?;
	let node = Market::start_chain().await?;
	let client = node.client().await?;
	let (owner, worker, requester) = (dev::charlie(), dev::bob(), dev::dave());
	let architecture = register_architecture(&client, &first, &owner).await?;
	register_worker(&node, &client, &worker, WORKER_KEY, BOND).await?;

	let input = digits.input(0)?;
	for visibility in ["public", "hashed"] {
		let root = directory.path().join(visibility);
		let family = register_family(&client, &architecture, visibility, &first, &root, &owner).await?;
		let mut previous = None;
		for (salt, version) in [(1, &first), (2, &second)] {
			let model = register_version(&node, &client, &family, version, previous, &owner).await?;
			offer_model(&client, &worker, &model, PRICE, TURNAROUND).await?;
			let request = if visibility == "public" {
				request_inference(&client, &requester, &model, &input, MAX_FEE, TIMEOUT).await?
			} else {
				request_hidden_inference(
					&node,
					&client,
					&requester,
					&model,
					&worker.public_key().0,
					(&input, &[salt; 32]),
					MAX_FEE,
					TIMEOUT,
				)
				.await?
			};
			let settlement = wait_for_settlement(&node, &client, request, 1, LIMIT).await?;
			let expected = ModelFolder::read(version)?.model.evaluate(&input)?;
			assert_eq!(settlement.output, expected);
			assert_eq!(settlement.owner.0, owner.public_key().0);
			previous = Some(model);
		}
	}
	Ok(())
}
