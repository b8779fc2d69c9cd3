//! `key set-keys-call`: the call by which a validator registers its session keys.
//!
//! The chain wants a proof that whoever registers session keys holds their private halves: each key signs the
//! account that registers them. Wallets cannot make that proof, only the keystore can. This command obtains
//! keys and proof from a running node or from a keystore on this machine, checks them as the chain will, and
//! prints the encoded call, which any wallet can sign and submit.

use std::path::{Path, PathBuf};

use clap::Parser;
use codec::{DecodeAll, Encode};
use jsonrpsee::core::ClientError;
use jsonrpsee_ws_client::WsClientBuilder;
use opensand_primitives::{AccountId, Hash};
use opensand_runtime::{constants::identity::SS58_PREFIX, RuntimeCall, SessionKeys, VERSION};
use sc_cli::{KeystoreParams, OutputType, SharedParams, SubstrateCli};
use sc_keystore::LocalKeystore;
use sc_rpc_api::{author::AuthorApiClient, state::StateApiClient};
use sc_service::config::{BasePath, KeystoreConfig};
use serde::Serialize;
use sp_core::{
	bytes::to_hex,
	crypto::{Ss58AddressFormat, Ss58Codec},
};
use sp_keystore::{KeystoreExt, KeystorePtr};
use sp_runtime::traits::OpaqueKeys;
use sp_state_machine::BasicExternalities;
use sp_version::RuntimeVersion;

/// Print the `Session.setKeys` call of a validator, with the proof that it owns the keys.
///
/// By default a running node makes the keys. With --keystore they are made in, or taken from, a keystore on
/// this machine; the chain is then the one that --chain names.
#[derive(Debug, Clone, Parser)]
pub struct SetKeysCallCmd {
	/// The account that will sign the call: the validator's stash. An address, or a public key in hex.
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
	pub account: AccountId,

	/// The RPC of the node that shall generate new session keys.
	///
	/// The method is unsafe: call it from the node's own machine.
	#[arg(
		long,
		value_name = "URL",
		default_value = "ws://127.0.0.1:9944",
		conflicts_with = "keystore"
	)]
	pub url: String,

	/// Generate new session keys in the keystore on this machine, without a running node.
	#[arg(long)]
	pub keystore: bool,

	/// Prove the ownership of these keys of the keystore, concatenated in hex, instead of making new ones.
	#[arg(long, value_name = "HEX", requires = "keystore", value_parser = parse_session_keys)]
	pub keys: Option<SessionKeys>,

	/// How to print the result.
	#[arg(long, value_enum, ignore_case = true, default_value_t = OutputType::Text)]
	pub output_type: OutputType,

	/// Which chain's keystore.
	#[command(flatten)]
	pub shared_params: SharedParams,

	/// Where the keystore lies and how it opens.
	#[command(flatten)]
	pub keystore_params: KeystoreParams,
}

impl SetKeysCallCmd {
	/// Obtains keys and proof, and prints the call.
	///
	/// # Errors
	///
	/// See [`SetKeysError`]; and whatever stops the keystore from opening.
	pub fn run<C: SubstrateCli>(&self, cli: &C) -> sc_cli::Result<()> {
		let owned = if self.keystore {
			let keystore = self.open_keystore(cli)?;
			match &self.keys {
				Some(keys) => prove_stored(keystore, keys.clone(), &self.account)?,
				None => generate_stored(keystore, &self.account),
			}
		} else {
			tokio::runtime::Builder::new_current_thread()
				.enable_all()
				.build()?
				.block_on(generate_in_node(&self.url, &self.account))?
		};
		let call = SetKeysCall::new(&self.account, owned)?;
		println!("{}", call.render(self.output_type)?);
		Ok(())
	}

	fn open_keystore<C: SubstrateCli>(&self, cli: &C) -> sc_cli::Result<KeystorePtr> {
		let is_dev = self.shared_params.is_dev();
		if is_dev && self.shared_params.base_path.is_none() && self.keystore_params.keystore_path.is_none() {
			return Err(SetKeysError::TemporaryKeystore.into());
		}
		let base_path = self
			.shared_params
			.base_path()?
			.unwrap_or_else(|| BasePath::from_project("", "", &C::executable_name()));
		let chain_spec = cli.load_spec(&self.shared_params.chain_id(is_dev))?;
		match self
			.keystore_params
			.keystore_config(&base_path.config_dir(chain_spec.id()))?
		{
			KeystoreConfig::Path { path, password } => {
				let keystore = LocalKeystore::open(path.clone(), password)?;
				ensure_writable(&path)?;
				Ok(keystore.into())
			}
			KeystoreConfig::InMemory => Err(SetKeysError::TemporaryKeystore.into()),
		}
	}
}

/// Why there is no call to print.
#[derive(Debug, thiserror::Error)]
pub enum SetKeysError {
	/// No node answers at the URL.
	#[error("no node answers at {url}: {cause}. Start it, or name its RPC with --url")]
	Unreachable {
		/// Where it was looked for.
		url: String,
		/// What the connection said.
		cause: ClientError,
	},
	/// The node refused to make keys.
	#[error(
		"the node made no session keys: {0}. The method is open to its own machine only, unless it runs with \
		 --rpc-methods unsafe"
	)]
	Refused(ClientError),
	/// The node's runtime numbers its calls otherwise than this binary's.
	#[error(
		"the node runs {node} with call encoding {node_encoding}, this binary knows {binary} with call encoding \
		 {binary_encoding}: use the binary of the node's release"
	)]
	OtherRuntime {
		/// Name of the node's runtime.
		node: String,
		/// Version of its call encoding.
		node_encoding: u32,
		/// Name of the runtime in this binary.
		binary: String,
		/// Version of its call encoding.
		binary_encoding: u32,
	},
	/// The node answered keys of another shape.
	#[error("the node's session keys do not decode: it serves another chain. Name another node with --url")]
	MalformedKeys,
	/// The node gave keys without a proof.
	#[error("the node's runtime gives no proof of ownership: it serves another chain. Name another node with --url")]
	MissingProof,
	/// The proof does not hold for the account.
	#[error("the proof of ownership does not hold for the account: the keystore gave a wrong signature; try again")]
	InvalidProof,
	/// A private key is not in the keystore.
	#[error("the keystore lacks the private half of a key: insert it, or leave out --keys to make new ones")]
	MissingKeys,
	/// The keystore would vanish with this command.
	#[error("the development chain's keystore is temporary: name one with --base-path or --keystore-path")]
	TemporaryKeystore,
	/// New keys cannot be stored.
	#[error("the keystore {path} cannot be written: {cause}. Run as its owner, or name another with --keystore-path")]
	Unwritable {
		/// The keystore's directory.
		path: PathBuf,
		/// What the file system said.
		cause: std::io::Error,
	},
}

impl From<SetKeysError> for sc_cli::Error {
	fn from(error: SetKeysError) -> Self {
		Self::Application(Box::new(error))
	}
}

/// Session keys, and the proof that their holder knows the private halves.
#[derive(Debug, Clone)]
pub struct OwnedKeys {
	/// The public keys.
	pub keys: SessionKeys,
	/// The account's bytes signed by each key, in order, SCALE encoded.
	pub proof: Vec<u8>,
}

/// Lets the node at `url` make session keys and prove them for `account`.
///
/// # Errors
///
/// [`SetKeysError::Unreachable`], [`Refused`](SetKeysError::Refused),
/// [`OtherRuntime`](SetKeysError::OtherRuntime), [`MalformedKeys`](SetKeysError::MalformedKeys) or
/// [`MissingProof`](SetKeysError::MissingProof). The node made no keys if the runtime is another.
pub async fn generate_in_node(url: &str, account: &AccountId) -> Result<OwnedKeys, SetKeysError> {
	let unreachable = |cause| SetKeysError::Unreachable {
		url: url.into(),
		cause,
	};
	let client = WsClientBuilder::default().build(url).await.map_err(unreachable)?;
	let version = StateApiClient::<Hash>::runtime_version(&client, None)
		.await
		.map_err(unreachable)?;
	ensure_same_calls(&version)?;

	let generated = AuthorApiClient::<Hash, Hash>::rotate_keys_with_owner(&client, account.encode().into())
		.await
		.map_err(SetKeysError::Refused)?;
	Ok(OwnedKeys {
		keys: SessionKeys::decode_all(&mut &generated.keys[..]).map_err(|_| SetKeysError::MalformedKeys)?,
		proof: generated.proof.ok_or(SetKeysError::MissingProof)?.0,
	})
}

/// Makes session keys in `keystore` and proves them for `account`.
pub fn generate_stored(keystore: KeystorePtr, account: &AccountId) -> OwnedKeys {
	with_keystore(keystore, || {
		let generated = SessionKeys::generate(&account.encode(), None);
		OwnedKeys {
			keys: generated.keys,
			proof: generated.proof.encode(),
		}
	})
}

/// Proves for `account` that `keystore` holds `keys`.
///
/// # Errors
///
/// [`SetKeysError::MissingKeys`] if it does not.
pub fn prove_stored(
	keystore: KeystorePtr,
	mut keys: SessionKeys,
	account: &AccountId,
) -> Result<OwnedKeys, SetKeysError> {
	if !keystore.has_keys(&keys.clone().into_raw_public_keys()) {
		return Err(SetKeysError::MissingKeys);
	}
	let proof = with_keystore(keystore, || keys.create_ownership_proof(&account.encode()))
		.map_err(|()| SetKeysError::MissingKeys)?
		.encode();
	Ok(OwnedKeys { keys, proof })
}

/// The call, and what it says.
#[derive(Debug, Serialize)]
pub struct SetKeysCall {
	/// Who must sign it.
	pub account: String,
	/// The session keys, SCALE encoded, in hex.
	pub keys: String,
	/// The proof of ownership, in hex.
	pub proof: String,
	/// The encoded call, in hex.
	pub call: String,
}

impl SetKeysCall {
	/// Checks the proof as the chain will, and encodes the call.
	///
	/// # Errors
	///
	/// [`SetKeysError::InvalidProof`] if the chain would refuse it.
	pub fn new(account: &AccountId, owned: OwnedKeys) -> Result<Self, SetKeysError> {
		let OwnedKeys { keys, proof } = owned;
		if !keys.ownership_proof_is_valid(&account.encode(), &proof) {
			return Err(SetKeysError::InvalidProof);
		}
		Ok(Self {
			account: account.to_ss58check_with_version(Ss58AddressFormat::custom(SS58_PREFIX)),
			keys: to_hex(&keys.encode(), false),
			proof: to_hex(&proof, false),
			call: to_hex(
				&RuntimeCall::Session(pallet_session::Call::set_keys { keys, proof }).encode(),
				false,
			),
		})
	}

	fn render(&self, output_type: OutputType) -> sc_cli::Result<String> {
		Ok(match output_type {
			OutputType::Json => serde_json::to_string_pretty(self)
				.map_err(|error| sc_cli::Error::Application(error.into()))?,
			OutputType::Text => format!(
				"Account:      {}\nSession keys: {}\nProof:        {}\nCall:         {}\n\n\
				 Sign and submit the call with the account: in polkadot.js under Developer, Extrinsics, Decode.",
				self.account, self.keys, self.proof, self.call,
			),
		})
	}
}

/// An address of this chain, a generic Substrate address, or 32 bytes of hex.
fn parse_account(text: &str) -> Result<AccountId, String> {
	if text.starts_with("0x") {
		return text
			.parse()
			.map_err(|_| "a public key is 0x and 64 hex digits".into());
	}
	let (account, format) = AccountId::from_ss58check_with_version(text)
		.map_err(|error| format!("not an address: {error:?}; copy it again from your wallet"))?;
	let format = u16::from(format);
	if format != SS58_PREFIX && format != GENERIC_SS58_PREFIX {
		return Err(format!(
			"an address of another network (prefix {format}); this chain's prefix is {}",
			SS58_PREFIX
		));
	}
	Ok(account)
}

/// The prefix of addresses that belong to no network in particular.
const GENERIC_SS58_PREFIX: u16 = 42;

fn parse_session_keys(text: &str) -> Result<SessionKeys, String> {
	let bytes = sp_core::bytes::from_hex(text).map_err(|error| format!("not hex: {error}"))?;
	SessionKeys::decode_all(&mut &bytes[..]).map_err(|_| {
		format!(
			"not session keys of this chain: {} bytes are not a key of each kind",
			bytes.len()
		)
	})
}

fn ensure_same_calls(version: &RuntimeVersion) -> Result<(), SetKeysError> {
	if version.spec_name == VERSION.spec_name && version.transaction_version == VERSION.transaction_version {
		return Ok(());
	}
	Err(SetKeysError::OtherRuntime {
		node: version.spec_name.to_string(),
		node_encoding: version.transaction_version,
		binary: VERSION.spec_name.to_string(),
		binary_encoding: VERSION.transaction_version,
	})
}

/// The runtime panics on a keystore that it cannot write, so that is found out before it is asked.
fn ensure_writable(path: &Path) -> Result<(), SetKeysError> {
	tempfile::tempfile_in(path)
		.map(drop)
		.map_err(|cause| SetKeysError::Unwritable {
			path: path.into(),
			cause,
		})
}

fn with_keystore<R>(keystore: KeystorePtr, action: impl FnOnce() -> R) -> R {
	let mut externalities = BasicExternalities::default();
	externalities.register_extension(KeystoreExt::from(keystore));
	externalities.execute_with(action)
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_keyring::Sr25519Keyring;

	fn keystore() -> KeystorePtr {
		LocalKeystore::in_memory().into()
	}

	#[test]
	fn call_encodes_and_decodes() {
		let account = Sr25519Keyring::Alice.to_account_id();
		let owned = generate_stored(keystore(), &account);
		let call = SetKeysCall::new(&account, owned.clone()).expect("the proof is fresh");

		let bytes = sp_core::bytes::from_hex(&call.call).expect("hex");
		let decoded = RuntimeCall::decode_all(&mut &bytes[..]).expect("a call of this runtime");
		let RuntimeCall::Session(pallet_session::Call::set_keys { keys, proof }) = decoded else {
			panic!("another call: {decoded:?}");
		};
		assert_eq!(keys, owned.keys);
		assert_eq!(proof, owned.proof);
		assert!(keys.ownership_proof_is_valid(&account.encode(), &proof));
	}

	#[test]
	fn proof_holds_for_its_account_only() {
		let owned = generate_stored(keystore(), &Sr25519Keyring::Alice.to_account_id());
		let result = SetKeysCall::new(&Sr25519Keyring::Bob.to_account_id(), owned);
		assert!(matches!(result, Err(SetKeysError::InvalidProof)));
	}

	#[test]
	fn stored_keys_are_proven_for_any_account() {
		let keystore = keystore();
		let owned = generate_stored(keystore.clone(), &Sr25519Keyring::Alice.to_account_id());
		let bob = Sr25519Keyring::Bob.to_account_id();
		let again = prove_stored(keystore, owned.keys.clone(), &bob).expect("the keys are stored");
		assert_eq!(again.keys, owned.keys);
		assert!(SetKeysCall::new(&bob, again).is_ok());
	}

	#[test]
	fn keys_of_another_keystore_cannot_be_proven() {
		let account = Sr25519Keyring::Alice.to_account_id();
		let foreign = generate_stored(keystore(), &account).keys;
		assert!(matches!(
			prove_stored(keystore(), foreign, &account),
			Err(SetKeysError::MissingKeys)
		));
	}

	#[test]
	fn session_keys_argument_round_trips() {
		let keys = generate_stored(keystore(), &Sr25519Keyring::Alice.to_account_id()).keys;
		assert_eq!(
			parse_session_keys(&to_hex(&keys.encode(), false)),
			Ok(keys.clone())
		);
		assert!(parse_session_keys("0x00").is_err());
		assert!(parse_session_keys("no hex").is_err());
		let mut long = keys.encode();
		long.push(0);
		assert!(parse_session_keys(&to_hex(&long, false)).is_err());
	}

	#[test]
	fn accounts_of_other_networks_are_refused() {
		let alice = Sr25519Keyring::Alice.to_account_id();
		let address = |prefix| alice.to_ss58check_with_version(Ss58AddressFormat::custom(prefix));
		assert_eq!(parse_account(&address(SS58_PREFIX)), Ok(alice.clone()));
		assert_eq!(parse_account(&address(GENERIC_SS58_PREFIX)), Ok(alice.clone()));
		assert_eq!(parse_account(&to_hex(alice.as_ref(), false)), Ok(alice.clone()));
		assert!(parse_account(&address(0))
			.expect_err("Polkadot's")
			.contains("another network"));
		assert!(parse_account("0x00").is_err());
		assert!(parse_account("nonsense").is_err());
	}

	#[test]
	fn runtimes_with_other_calls_are_refused() {
		assert!(ensure_same_calls(&VERSION).is_ok());
		let mut newer = VERSION;
		newer.transaction_version += 1;
		assert!(matches!(
			ensure_same_calls(&newer),
			Err(SetKeysError::OtherRuntime { .. })
		));
	}

	#[test]
	fn json_output_has_every_part() {
		let account = Sr25519Keyring::Alice.to_account_id();
		let call = SetKeysCall::new(&account, generate_stored(keystore(), &account)).expect("fresh");
		let json = call.render(OutputType::Json).expect("serialises");
		let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
		for field in ["account", "keys", "proof", "call"] {
			assert!(value[field].is_string(), "{field}");
		}
	}

	#[test]
	fn missing_node_is_named() {
		let runtime = tokio::runtime::Builder::new_current_thread()
			.enable_all()
			.build()
			.expect("starts");
		// Port 9 is the discard service, which nothing on this machine offers.
		let result = runtime.block_on(generate_in_node(
			"ws://127.0.0.1:9",
			&Sr25519Keyring::Alice.to_account_id(),
		));
		assert!(matches!(result, Err(SetKeysError::Unreachable { .. })));
	}
}
