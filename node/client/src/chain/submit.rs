//! Signed calls, from encoding to inclusion.

use std::{sync::Arc, time::Duration};

use codec::DecodeAll;
use opensand_primitives::Nonce;
use subxt::{
	backend::LegacyBackend,
	client::{ClientAtBlock, OnlineClientAtBlockImpl},
	config::polkadot::{PolkadotConfig, PolkadotExtrinsicParamsBuilder},
	error::{
		BackendError, Error as SubxtError, ExtrinsicError, RpcError as BackendRpcError,
		TransactionEventsError, TransactionStatusError,
	},
	rpcs::Error as RpcError,
	tx::TransactionStatus,
	utils::H256,
	OnlineClient,
};
use tokio::time::timeout;

use super::{disagreement, request_reason, Call, Chain, ChainError, Refusal, View, PALLET};
use crate::keys::AccountKey;

/// How long a call may wait for a block. Transactions are mortal: a valid one is included or dropped before.
const INCLUSION_LIMIT: Duration = Duration::from_secs(600);
/// Blocks for which a transaction is valid.
const MORTALITY: u64 = 64;

/// A block, with the metadata of its runtime.
type ClientAt = ClientAtBlock<PolkadotConfig, OnlineClientAtBlockImpl<PolkadotConfig>>;

impl Chain {
	/// Signs a call, sends it, and waits until a best block holds it. Returns the state after that block.
	///
	/// Of several calls with one `nonce` at most one takes effect; without one the account's next is taken.
	///
	/// # Errors
	/// When the pool refuses the call or it fails; when it is not known whether it was included.
	pub async fn submit(
		&self,
		key: &AccountKey,
		call: &Call,
		nonce: Option<Nonce>,
	) -> Result<View<'_>, ChainError> {
		let name = call.name;
		let hash = timeout(INCLUSION_LIMIT, self.submit_and_watch(key, call, nonce))
			.await
			.map_err(|_| ChainError::Unconfirmed {
				call: name,
				reason: format!("no block within {} s", INCLUSION_LIMIT.as_secs()),
			})??;
		self.at(format!("{hash:?}")).await
	}

	/// A constant of the storage pallet, from the metadata of the best block's runtime.
	///
	/// # Errors
	/// When the runtime has no such constant, or of another type.
	pub async fn constant<T: DecodeAll>(&self, name: &str) -> Result<T, ChainError> {
		let at = self.online(name).await?;
		let value = at
			.metadata_ref()
			.pallet_by_name(PALLET)
			.and_then(|pallet| pallet.constant_by_name(name))
			.ok_or_else(|| ChainError::Unknown(format!("the constant {PALLET}.{name}")))?
			.value();
		T::decode_all(&mut &value[..])
			.map_err(|error| disagreement(format!("the constant {PALLET}.{name}"), &error.to_string()))
	}

	/// The best block with its runtime's metadata, for `purpose`.
	async fn online(&self, purpose: &str) -> Result<ClientAt, ChainError> {
		let best = block_hash(&self.best().await?)?;
		let rpc = self.rpc.read().await.clone();
		let broken = |error: SubxtError| ChainError::Request {
			method: purpose.to_owned(),
			reason: error.to_string(),
		};
		// Not subxt's default: where its `chainHead` subscription has ended, a node answers that a block is not there.
		let backend = LegacyBackend::builder().build(rpc);
		let online = OnlineClient::<PolkadotConfig>::from_backend(Arc::new(backend))
			.await
			.map_err(|error| broken(error.into()))?;
		online.at_block(best).await.map_err(|error| broken(error.into()))
	}

	/// The block from which a transaction is valid: the finalised one, unless finality has stalled. A pool that is behind
	/// the best block, or on another fork, refuses a transaction that is born in it.
	async fn birth(&self) -> Result<View<'_>, ChainError> {
		let (finalised, best) = (self.finalised().await?, self.best().await?);
		let lag = best.number().saturating_sub(finalised.number());
		Ok(if u64::from(lag) < MORTALITY / 2 {
			finalised
		} else {
			best
		})
	}

	async fn submit_and_watch(
		&self,
		key: &AccountKey,
		call: &Call,
		nonce: Option<Nonce>,
	) -> Result<H256, ChainError> {
		let name = call.name;
		let at = self.online(name).await?;

		let index = at
			.metadata_ref()
			.pallet_by_name(PALLET)
			.and_then(|pallet| Some([pallet.call_index(), pallet.call_variant_by_name(name)?.index]))
			.ok_or_else(|| ChainError::Unknown(format!("the call {PALLET}.{name}")))?;
		let encoded = [&index[..], &call.arguments].concat();
		// This decodes the arguments as the runtime will, and refuses what it would not take.
		let payload = at
			.tx()
			.from_call_data_bytes(&encoded)
			.map_err(|error| disagreement(format!("the call {PALLET}.{name}"), &error.to_string()))?;
		let birth = self.birth().await?;
		let mut parameters = PolkadotExtrinsicParamsBuilder::<PolkadotConfig>::new().mortal_from_unchecked(
			MORTALITY,
			birth.number().into(),
			block_hash(&birth)?,
		);
		if let Some(nonce) = nonce {
			parameters = parameters.nonce(nonce.into());
		}
		let mut progress = at
			.tx()
			.sign_and_submit_then_watch(&payload, key, parameters.build())
			.await
			.map_err(|error| unsent(name, error))?;

		let mut last = "nothing".to_owned();
		while let Some(status) = progress.next().await {
			let status = match status {
				Ok(status) => status,
				Err(error) => {
					return Err(ChainError::Unconfirmed {
						call: name,
						reason: error.to_string(),
					})
				}
			};
			match status {
				TransactionStatus::InBestBlock(block) | TransactionStatus::InFinalizedBlock(block) => {
					let hash = block.block_hash();
					return block
						.wait_for_success()
						.await
						.map(|_| hash)
						.map_err(|error| match error {
							TransactionEventsError::ExtrinsicFailed(error) => ChainError::Refused {
								call: name,
								refusal: Refusal::of(&error),
							},
							error => ChainError::Unconfirmed {
								call: name,
								reason: error.to_string(),
							},
						});
				}
				TransactionStatus::Invalid { message } => {
					return Err(ChainError::Refused {
						call: name,
						refusal: Refusal::of_pool(&message),
					});
				}
				TransactionStatus::Error { message } | TransactionStatus::Dropped { message } => {
					return Err(ChainError::Unconfirmed {
						call: name,
						reason: message,
					});
				}
				TransactionStatus::Validated => last = "it was valid".to_owned(),
				TransactionStatus::Broadcasted => last = "it was sent to other nodes".to_owned(),
				TransactionStatus::NoLongerInBestBlock => {
					last = "its block was replaced by another".to_owned()
				}
			}
		}
		Err(ChainError::Unconfirmed {
			call: name,
			reason: format!("the node fell silent; the last it said was: {last}"),
		})
	}
}

fn block_hash(block: &View<'_>) -> Result<H256, ChainError> {
	super::bytes(block.hash())
		.filter(|hash| hash.len() == 32)
		.map(|hash| H256::from_slice(&hash))
		.ok_or_else(|| disagreement("a block's hash", block.hash()))
}

/// Why a transaction did not reach the pool.
fn unsent(call: &'static str, error: ExtrinsicError) -> ChainError {
	match error {
		ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(BackendRpcError::ClientError(
			RpcError::User(error),
		))) => ChainError::Refused {
			call,
			refusal: Refusal::of_pool(&request_reason(&error)),
		},
		// The line broke: the node may have taken the transaction before.
		ExtrinsicError::ErrorSubmittingTransaction(error) => ChainError::Unconfirmed {
			call,
			reason: error.to_string(),
		},
		ExtrinsicError::TransactionStatusError(TransactionStatusError::Invalid(message)) => {
			ChainError::Refused {
				call,
				refusal: Refusal::of_pool(&message),
			}
		}
		error => ChainError::Request {
			method: call.to_owned(),
			reason: error.to_string(),
		},
	}
}
