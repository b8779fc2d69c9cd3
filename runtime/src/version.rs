//! The runtime's version.

use sp_version::RuntimeVersion;

/// What this runtime calls itself, and which interfaces it has.
///
/// `spec_version` goes up with every change of behaviour that is released; `transaction_version` when the
/// encoding of an existing call or of the transaction extensions changes.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: alloc::borrow::Cow::Borrowed("opensand"),
	impl_name: alloc::borrow::Cow::Borrowed("opensand-node"),
	authoring_version: 1,
	spec_version: 100,
	impl_version: 0,
	apis: crate::apis::RUNTIME_API_VERSIONS,
	transaction_version: 1,
	system_version: 1,
};
