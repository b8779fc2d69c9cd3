//! The chain, through a node: questions to its runtime, and signed calls.
//!
//! Questions are runtime API calls of `StorageApi`, encoded and decoded with the runtime's own types; calls are encoded
//! with these types too and checked against the node's metadata before they are signed.

mod calls;
mod questions;
mod refusal;
mod submit;

use std::time::Duration;

use opensand_primitives::{AccountId, BlockNumber};
use serde::de::DeserializeOwned;
use serde_json::{json, Value};
use sp_core::crypto::{Ss58AddressFormat, Ss58Codec};
use subxt::rpcs::{
	client::{RpcClient, RpcParams},
	Error as RpcError, UserError,
};
use thiserror::Error;
use tokio::{sync::RwLock, time::sleep};

pub use calls::Call;
pub use questions::{decoded, View};
pub use refusal::Refusal;

/// The pallet's name in the runtime.
const PALLET: &str = "Dsm";

/// Waits between attempts to reach a node that does not answer. After the last one it counts as unreachable.
const RETRY_WAITS: [Duration; 5] = [
	Duration::from_secs(1),
	Duration::from_secs(2),
	Duration::from_secs(4),
	Duration::from_secs(8),
	Duration::from_secs(15),
];

/// Why the chain gave no answer or did not do what was asked.
#[derive(Debug, Error)]
pub enum ChainError {
	/// No connection.
	#[error("cannot reach a node at {url}: {source}")]
	Unreachable {
		/// Where.
		url: String,
		/// Why.
		source: RpcError,
	},
	/// The connection would not be encrypted.
	#[error("{0} is neither encrypted nor on this machine")]
	Insecure(String),
	/// The node refused a request.
	#[error("the node refuses {method}: {reason}")]
	Request {
		/// The RPC method.
		method: String,
		/// What the node says.
		reason: String,
	},
	/// The node's runtime lacks the storage market, or part of it.
	#[error("the node's runtime does not know {0}")]
	Unknown(String),
	/// The answer does not decode, or a call does not encode.
	#[error("the node's runtime and this client disagree on {what}: {reason}")]
	Incompatible {
		/// On what.
		what: String,
		/// How.
		reason: String,
	},
	/// A call was included and failed, or the pool refused it.
	#[error("the chain refuses {call}: {refusal}")]
	Refused {
		/// The call.
		call: &'static str,
		/// Why.
		refusal: Refusal,
	},
	/// Nobody knows whether the call was included.
	#[error("it is not known whether {call} was included: {reason}")]
	Unconfirmed {
		/// The call.
		call: &'static str,
		/// What was heard last.
		reason: String,
	},
}

impl ChainError {
	/// Whether the chain itself said no.
	pub fn is_refusal(&self) -> bool {
		matches!(self, Self::Refused { .. })
	}

	/// What to do about it.
	pub fn remedy(&self) -> Option<String> {
		let text = match self {
			Self::Unreachable { .. } => {
				"check that the node runs and that --url (or OPENSAND_URL) names its RPC port, such as ws://127.0.0.1:9944"
			}
			Self::Insecure(_) => "use a wss:// address, or an SSH tunnel to the node's port",
			Self::Unknown(_) => "use a node of a chain with the storage market, and one that is in sync",
			Self::Incompatible { .. } => "update this client to the release of the node",
			Self::Refused { refusal, .. } => return refusal.remedy(),
			Self::Unconfirmed { .. } => "look at the order or provider before you repeat the command",
			Self::Request { .. } => return None,
		};
		Some(text.to_owned())
	}
}

/// A node, and what does not change of its chain.
pub struct Chain {
	url: String,
	rpc: RwLock<RpcClient>,
	genesis: [u8; 32],
	is_development: bool,
	address_format: Ss58AddressFormat,
}

impl Chain {
	/// Connects to the node at `url`.
	///
	/// # Errors
	/// When it cannot be reached or is not asked over a safe line.
	pub async fn connect(url: &str) -> Result<Self, ChainError> {
		let rpc = open(url).await?;
		let mut chain = Self {
			url: url.to_owned(),
			rpc: RwLock::new(rpc),
			genesis: [0; 32],
			is_development: false,
			address_format: Ss58AddressFormat::custom(42),
		};
		let genesis: String = chain.request("chain_getBlockHash", &[json!(0)]).await?;
		chain.genesis = bytes(&genesis)
			.and_then(|hash| hash.try_into().ok())
			.ok_or_else(|| disagreement("the genesis hash", &genesis))?;
		// Old nodes may lack these; the careful assumption is a live chain.
		let kind: Value = chain.request("system_chainType", &[]).await.unwrap_or_default();
		chain.is_development = matches!(kind.as_str(), Some("Development" | "Local"));
		let properties: Value = chain.request("system_properties", &[]).await.unwrap_or_default();
		if let Some(format) = properties["ss58Format"]
			.as_u64()
			.and_then(|format| format.try_into().ok())
		{
			chain.address_format = Ss58AddressFormat::custom(format);
		}
		Ok(chain)
	}

	/// Hash of the chain's first block.
	pub fn genesis(&self) -> [u8; 32] {
		self.genesis
	}

	/// Whether it is a development or local chain, whose tokens are worth nothing.
	pub fn is_development(&self) -> bool {
		self.is_development
	}

	/// The account's address on this chain.
	pub fn address(&self, account: &AccountId) -> String {
		account.to_ss58check_with_version(self.address_format)
	}

	/// The state after the best block.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn best(&self) -> Result<View<'_>, ChainError> {
		let hash: String = self.request("chain_getBlockHash", &[]).await?;
		self.at(hash).await
	}

	/// The state after the last finalised block.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn finalised(&self) -> Result<View<'_>, ChainError> {
		let hash: String = self.request("chain_getFinalizedHead", &[]).await?;
		self.at(hash).await
	}

	async fn at(&self, hash: String) -> Result<View<'_>, ChainError> {
		let header: Value = self.request("chain_getHeader", &[json!(hash)]).await?;
		let number =
			block_number(&header).ok_or_else(|| disagreement("a block's header", &header.to_string()))?;
		Ok(View::new(self, hash, number))
	}

	/// What a method of the node answers; `None` if the node has no such method.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn optional_method(&self, method: &str) -> Result<Option<Value>, ChainError> {
		match self.request(method, &[]).await {
			Ok(answer) => Ok(Some(answer)),
			Err(ChainError::Unknown(_)) => Ok(None),
			Err(error) => Err(error),
		}
	}

	/// Asks the node, again over a new connection where the old one breaks. Only for what may be asked twice.
	async fn request<T: DeserializeOwned>(
		&self,
		method: &str,
		parameters: &[Value],
	) -> Result<T, ChainError> {
		let mut waits = RETRY_WAITS.iter();
		loop {
			let rpc = self.rpc.read().await.clone();
			let mut encoded = RpcParams::new();
			for parameter in parameters {
				encoded
					.push(parameter)
					.map_err(|source| self.unreachable(source))?;
			}
			let source = match rpc.request(method, encoded).await {
				Ok(answer) => return Ok(answer),
				Err(RpcError::User(error)) => return Err(refused_request(method, &error)),
				Err(RpcError::Deserialization(error)) => {
					return Err(disagreement(method, &error.to_string()))
				}
				Err(source) => source,
			};
			let Some(wait) = waits.next() else {
				return Err(self.unreachable(source));
			};
			sleep(*wait).await;
			if let Ok(rpc) = open(&self.url).await {
				*self.rpc.write().await = rpc;
			}
		}
	}

	fn unreachable(&self, source: RpcError) -> ChainError {
		ChainError::Unreachable {
			url: self.url.clone(),
			source,
		}
	}
}

/// A connection, encrypted unless the node is on this machine.
async fn open(url: &str) -> Result<RpcClient, ChainError> {
	RpcClient::from_url(url).await.map_err(|source| match source {
		RpcError::InsecureUrl(url) => ChainError::Insecure(url),
		source => ChainError::Unreachable {
			url: url.to_owned(),
			source,
		},
	})
}

/// JSON-RPC's code for a method that is not there.
const METHOD_NOT_FOUND: i32 = -32601;

fn refused_request(method: &str, error: &UserError) -> ChainError {
	if error.code == METHOD_NOT_FOUND {
		return ChainError::Unknown(format!("the method {method}"));
	}
	ChainError::Request {
		method: method.to_owned(),
		reason: request_reason(error),
	}
}

/// A node's error with its details, which tell more than its message.
fn request_reason(error: &UserError) -> String {
	let details = error
		.data
		.as_ref()
		.map(|data| data.get().trim_matches('"'))
		.unwrap_or_default();
	format!("{}: {details}", error.message)
		.trim_end_matches([':', ' '])
		.to_owned()
}

fn disagreement(what: impl Into<String>, reason: &str) -> ChainError {
	ChainError::Incompatible {
		what: what.into(),
		reason: reason.to_owned(),
	}
}

/// The number in a header as nodes tell it.
pub fn block_number(header: &Value) -> Option<BlockNumber> {
	let digits = header["number"].as_str()?.strip_prefix("0x")?;
	BlockNumber::from_str_radix(digits, 16).ok()
}

/// The bytes that hexadecimal digits after `0x` stand for.
fn bytes(text: &str) -> Option<Vec<u8>> {
	hex::decode(text.strip_prefix("0x")?).ok()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn hexadecimal_answers_are_read() {
		assert_eq!(bytes("0x01ff"), Some(vec![1, 255]));
		assert_eq!(bytes("0x"), Some(Vec::new()));
		for bad in ["", "01", "0x1", "0xzz"] {
			assert_eq!(bytes(bad), None, "{bad}");
		}
	}

	#[test]
	fn a_missing_method_is_told_from_a_refusal() {
		let missing = refused_request("storage_status", &UserError::method_not_found());
		assert!(matches!(missing, ChainError::Unknown(_)));
		let other = UserError {
			code: 1,
			message: "busy".into(),
			data: None,
		};
		let refused = refused_request("state_call", &other);
		assert_eq!(refused.to_string(), "the node refuses state_call: busy");
	}

	#[tokio::test]
	async fn a_line_that_others_can_read_is_refused() {
		let Err(error) = Chain::connect("ws://192.0.2.1:9944").await else {
			panic!("it connected")
		};
		assert!(matches!(error, ChainError::Insecure(_)));
		assert!(error.remedy().unwrap().contains("wss://"));
	}

	#[tokio::test]
	async fn a_silent_port_is_unreachable() {
		let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
		let url = format!("ws://{}", listener.local_addr().unwrap());
		drop(listener);
		let Err(error) = Chain::connect(&url).await else {
			panic!("it connected")
		};
		assert!(matches!(error, ChainError::Unreachable { .. }));
	}
}
