//! Transactions and storage through `subxt`, by names and values, without generated code.

use std::sync::Arc;

use anyhow::{anyhow, bail, ensure, Context, Result};
use subxt::{
	backend::LegacyBackend,
	client::{ClientAtBlock, OnlineClientAtBlockImpl},
	config::PolkadotConfig,
	dynamic::{self, At, Value},
	events::Event,
	ext::scale_value::{self, Composite, ValueDef},
	extrinsics::ExtrinsicEvents,
	rpcs::client::{RpcClient, RpcParams},
	tx::TransactionStatus,
	utils::H256,
	OnlineClient,
};
use subxt_signer::sr25519::Keypair;

/// A client of an OpenSand node; the chain's basic types are Polkadot's.
pub struct Client {
	online: OnlineClient<PolkadotConfig>,
	rpc: RpcClient,
}

impl Client {
	/// A client that speaks through `rpc`.
	///
	/// # Errors
	/// When the node does not answer or its metadata does not decode.
	pub async fn new(rpc: RpcClient) -> Result<Self> {
		// Not subxt's default: where its `chainHead` subscription has ended, a node answers that a block is not there.
		let backend = LegacyBackend::builder().build(rpc.clone());
		Ok(Self {
			online: OnlineClient::from_backend(Arc::new(backend)).await?,
			rpc,
		})
	}

	/// The view of the best block now; `subxt`'s own "current block" is the last finalised one.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn at_best(&self) -> Result<ClientAt> {
		let best: H256 = self.rpc.request("chain_getBlockHash", RpcParams::new()).await?;
		Ok(self.online.at_block(best).await?)
	}

	/// The view of block `number` of the best chain.
	///
	/// # Errors
	/// When the node has no such block, or no longer its state.
	pub async fn at_block(&self, number: u32) -> Result<ClientAt> {
		Ok(self.online.at_block(number).await?)
	}
}

/// A client's view of one block.
pub type ClientAt = ClientAtBlock<PolkadotConfig, OnlineClientAtBlockImpl<PolkadotConfig>>;

/// One SAND in its smallest unit.
pub const SAND: u128 = 1_000_000_000_000;

/// A call by its pallet's and its own name, with its arguments in order.
pub struct Call {
	/// Name of the pallet in the runtime.
	pub pallet: String,
	/// Name of the call in the pallet.
	pub name: String,
	/// Arguments in order.
	pub arguments: Vec<Value>,
}

impl Call {
	/// A call of `pallet` with `arguments` in order.
	pub fn new(pallet: &str, name: &str, arguments: Vec<Value>) -> Self {
		Self {
			pallet: pallet.to_owned(),
			name: name.to_owned(),
			arguments,
		}
	}

	/// The call that `bytes` encode; for calls that a tool prints.
	///
	/// # Errors
	/// When the bytes are no call of this runtime, or are followed by others.
	pub fn decode(at: &ClientAt, bytes: &[u8]) -> Result<Self> {
		let metadata = at.metadata_ref();
		let mut rest = bytes;
		let type_id = metadata.outer_enums().call_enum_ty();
		let call = scale_value::scale::decode_as_type(&mut rest, type_id, metadata.types())
			.context("decoding a call")?;
		ensure!(rest.is_empty(), "{} bytes follow the call", rest.len());
		let (pallet, calls) = variant(call.remove_context())?;
		let call = calls.into_values().next().context("a pallet's call")?;
		let (name, arguments) = variant(call)?;
		Ok(Self {
			pallet,
			name,
			arguments: arguments.into_values().collect(),
		})
	}

	/// The call as a value, for calls that take a call.
	pub fn into_value(self) -> Value {
		Value::unnamed_variant(self.pallet, [Value::unnamed_variant(self.name, self.arguments)])
	}
}

/// Name and fields of a variant.
fn variant(value: Value) -> Result<(String, Composite<()>)> {
	match value.value {
		ValueDef::Variant(variant) => Ok((variant.name, variant.values)),
		other => bail!("a variant, not {other:?}"),
	}
}

/// The address of an account, as calls take it.
pub fn address(account: &Keypair) -> Value {
	Value::unnamed_variant("Id", [Value::from_bytes(account.public_key().0)])
}

/// The value that `bytes` encode as argument `index` of a call; for arguments that arrive encoded, such as session keys.
///
/// # Errors
/// When there is no such argument or the bytes are not of its type.
pub fn encoded_argument(
	at: &ClientAt,
	pallet: &str,
	call: &str,
	index: usize,
	bytes: &[u8],
) -> Result<Value> {
	let metadata = at.metadata_ref();
	let type_id = metadata
		.pallet_by_name(pallet)
		.and_then(|pallet| pallet.call_variant_by_name(call))
		.and_then(|variant| variant.fields.get(index))
		.with_context(|| format!("argument {index} of {pallet}.{call}"))?
		.ty
		.id;
	let value = scale_value::scale::decode_as_type(&mut &*bytes, type_id, metadata.types())
		.with_context(|| format!("argument {index} of {pallet}.{call}"))?;
	Ok(value.remove_context())
}

/// Signs and submits a call and waits until a best block holds it.
///
/// # Errors
/// When the pool refuses the transaction or the call fails; the message names the pallet's error.
pub async fn submit(
	client: &Client,
	call: Call,
	signer: &Keypair,
) -> Result<ExtrinsicEvents<PolkadotConfig>> {
	let what = format!("{}.{}", call.pallet, call.name);
	let payload = dynamic::tx(call.pallet, call.name, call.arguments);
	let at = client.at_best().await?;
	let mut progress = at
		.tx()
		.sign_and_submit_then_watch_default(&payload, signer)
		.await
		.with_context(|| what.clone())?;
	while let Some(status) = progress.next().await {
		match status.with_context(|| what.clone())? {
			TransactionStatus::InBestBlock(block) | TransactionStatus::InFinalizedBlock(block) => {
				return block.wait_for_success().await.with_context(|| what.clone());
			}
			TransactionStatus::Error { message }
			| TransactionStatus::Invalid { message }
			| TransactionStatus::Dropped { message } => bail!("{what}: {message}"),
			TransactionStatus::Validated
			| TransactionStatus::Broadcasted
			| TransactionStatus::NoLongerInBestBlock => {}
		}
	}
	bail!("{what}: the node stopped reporting before a block held the transaction")
}

/// The value of a storage entry at a block; `None` where it is absent.
///
/// # Errors
/// When the runtime has no such entry or the keys do not fit.
pub async fn storage(at: &ClientAt, pallet: &str, entry: &str, keys: Vec<Value>) -> Result<Option<Value>> {
	let address = dynamic::storage::<Vec<Value>, Value>(pallet, entry);
	let value = at
		.storage()
		.try_fetch(address, keys)
		.await
		.with_context(|| format!("{pallet}.{entry}"))?;
	value
		.map(|value| {
			value
				.decode()
				.with_context(|| format!("decoding {pallet}.{entry}"))
		})
		.transpose()
}

/// The free balance of an account at a block.
///
/// # Errors
/// As [`storage`].
pub async fn free_balance(at: &ClientAt, account: &[u8; 32]) -> Result<u128> {
	balance(at, account, "free").await
}

/// What is held of an account at a block, for whatever reason.
///
/// # Errors
/// As [`storage`].
pub async fn held_balance(at: &ClientAt, account: &[u8; 32]) -> Result<u128> {
	balance(at, account, "reserved").await
}

async fn balance(at: &ClientAt, account: &[u8; 32], part: &str) -> Result<u128> {
	let info = storage(at, "System", "Account", vec![Value::from_bytes(account)]).await?;
	let Some(info) = info else { return Ok(0) };
	info.at("data")
		.at(part)
		.and_then(Value::as_u128)
		.ok_or_else(|| anyhow!("no {part} balance in {info}"))
}

/// The first event of that name among those of a transaction.
///
/// # Errors
/// When there is none, or events do not decode.
pub fn event<'a>(
	events: &'a ExtrinsicEvents<PolkadotConfig>,
	pallet: &str,
	name: &str,
) -> Result<Event<'a, PolkadotConfig>> {
	for event in events.iter() {
		let event = event?;
		if event.pallet_name() == pallet && event.event_name() == name {
			return Ok(event);
		}
	}
	bail!("no event {pallet}.{name}")
}

/// A field of an event.
///
/// # Errors
/// When the event has no such field.
pub fn field(event: &Event<'_, PolkadotConfig>, name: &str) -> Result<Value> {
	let fields = event.decode_fields_unchecked_as::<Composite<()>>()?;
	fields.at(name).cloned().ok_or_else(|| {
		anyhow!(
			"no field {name} in {}.{}",
			event.pallet_name(),
			event.event_name()
		)
	})
}

/// The bytes of a value that is a sequence of bytes, however wrapped.
pub fn bytes<T>(value: &Value<T>) -> Option<Vec<u8>> {
	let ValueDef::Composite(parts) = &value.value else {
		return None;
	};
	let mut parts = parts.values();
	if parts.len() == 1 {
		let only = parts.next()?;
		// A newtype around the bytes, unless this is a sequence of one.
		if only.as_u128().is_none() {
			return bytes(only);
		}
		return Some(vec![only.as_u128()?.try_into().ok()?]);
	}
	parts.map(|part| part.as_u128()?.try_into().ok()).collect()
}

/// The account that a value names.
///
/// # Errors
/// When it is no account.
pub fn account(value: &Value) -> Result<[u8; 32]> {
	bytes(value)
		.and_then(|id| id.try_into().ok())
		.with_context(|| format!("an account, not {value}"))
}

#[cfg(test)]
mod tests {
	use super::{bytes, Value};

	#[test]
	fn bytes_are_found_under_newtypes() {
		let plain = Value::from_bytes([1, 2, 3]);
		let wrapped = Value::unnamed_composite([Value::unnamed_composite([plain.clone()])]);
		assert_eq!(bytes(&plain), Some(vec![1, 2, 3]));
		assert_eq!(bytes(&wrapped), Some(vec![1, 2, 3]));
		assert_eq!(bytes(&Value::from_bytes([7])), Some(vec![7]));
		assert_eq!(bytes(&Value::from_bytes([])), Some(vec![]));
		assert_eq!(bytes(&Value::u128(1)), None);
	}
}
