//! The `storage_*` RPC methods: how this node's storage provider stands. They change nothing.

use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use opensand_storage::{StorageHandle, StorageStatus};

/// What can be asked of a node's storage provider.
#[rpc(server)]
pub trait StorageProviderApi {
	/// Its peer key and addresses, what it holds, and what it owes.
	#[method(name = "storage_status")]
	fn status(&self) -> RpcResult<StorageStatus>;
}

/// The `storage_*` methods of one provider.
pub struct StorageProviderRpc(StorageHandle);

impl StorageProviderRpc {
	/// Methods that ask `provider`.
	pub fn new(provider: StorageHandle) -> Self {
		Self(provider)
	}
}

impl StorageProviderApiServer for StorageProviderRpc {
	fn status(&self) -> RpcResult<StorageStatus> {
		Ok(self.0.status())
	}
}
