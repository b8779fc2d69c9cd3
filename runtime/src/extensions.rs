//! What a transaction passes through before and after its call.

use crate::Runtime;

/// The transaction extensions, in the order in which they run.
///
/// - `AuthorizeCall` comes first, so that the calls which authorise themselves (`#[pallet::authorize]`) carry
///   their origin through the rest; signed transactions pass it untouched.
/// - The checks that cost nothing come before those that read state, and payment comes after the nonce, so a
///   replay is refused before its signer is looked up twice.
/// - `WeightReclaim` comes last: it gives back to the block what the call and all extensions left unused.
pub type TxExtension = (
	frame_system::AuthorizeCall<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckMortality<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);
