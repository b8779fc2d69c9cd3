//! Whole blocks through the executive, as a node builds them.

use codec::{Decode, Encode};
use frame_support::traits::Currency;
use opensand_primitives::currency::SAND;
use sp_core::Pair;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
	generic::{Era, Preamble},
	traits::Header as _,
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
	MultiAddress, MultiSignature,
};

use super::{chain::Chain, preset_externalities};
use crate::{
	configs::treasury::TreasuryAccount, genesis::DEVELOPMENT, Balances, Executive, Runtime, RuntimeCall,
	SignedPayload, System, TxExtension, UncheckedExtrinsic,
};

pub(super) fn extension(nonce: u32, tip: u128) -> TxExtension {
	(
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(tip),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	)
}

/// A version 4 transaction.
fn signed(who: Sr25519Keyring, call: RuntimeCall, nonce: u32, tip: u128) -> UncheckedExtrinsic {
	let payload = SignedPayload::new(call, extension(nonce, tip)).expect("every implicit is known");
	let signature = payload.using_encoded(|bytes| who.pair().sign(bytes));
	let (call, extension, _) = payload.deconstruct();
	UncheckedExtrinsic::new_signed(
		call,
		MultiAddress::Id(who.to_account_id()),
		MultiSignature::Sr25519(signature),
		extension,
	)
}

fn transfer(to: Sr25519Keyring, value: u128) -> RuntimeCall {
	pallet_balances::Call::transfer_keep_alive {
		dest: MultiAddress::Id(to.to_account_id()),
		value,
	}
	.into()
}

#[test]
fn a_version_4_transfer_is_applied_and_its_fee_split() {
	preset_externalities(DEVELOPMENT).execute_with(|| {
		Chain::start().open();
		let (author, treasury) = (Sr25519Keyring::AliceStash.to_account_id(), TreasuryAccount::get());
		let balance = |account| <Balances as Currency<_>>::free_balance(account);
		let (bob, dave) = (
			Sr25519Keyring::Bob.to_account_id(),
			Sr25519Keyring::Dave.to_account_id(),
		);
		let before = [&bob, &dave, &author, &treasury].map(balance);
		let issued = Balances::total_issuance();

		let tip = SAND;
		let transaction = signed(
			Sr25519Keyring::Bob,
			transfer(Sr25519Keyring::Dave, 5 * SAND),
			0,
			tip,
		);
		// The first byte after the length says: signed, version 4.
		assert!(matches!(transaction.preamble, Preamble::Signed(..)));
		let bytes = transaction.encode();
		assert_eq!(
			UncheckedExtrinsic::decode(&mut bytes.as_slice())
				.expect("it decodes")
				.encode(),
			bytes
		);
		Executive::apply_extrinsic(transaction)
			.expect("the transaction is valid")
			.expect("the call succeeds");

		let after = [&bob, &dave, &author, &treasury].map(balance);
		let fee = before[0] - after[0] - 5 * SAND - tip;
		assert_eq!(after[1] - before[1], 5 * SAND);
		assert_eq!(
			after[2] - before[2],
			fee / 5 + tip,
			"the author has a fifth and the tip"
		);
		assert_eq!(after[3] - before[3], fee - fee / 5, "the treasury has the rest");
		assert_eq!(Balances::total_issuance(), issued);

		let header = Executive::finalize_block();
		assert_eq!(header.number(), &1);
	});
}

#[test]
fn replays_and_forged_signatures_are_refused() {
	preset_externalities(DEVELOPMENT).execute_with(|| {
		Chain::start().open();
		let transaction = signed(Sr25519Keyring::Bob, transfer(Sr25519Keyring::Dave, SAND), 0, 0);
		Executive::apply_extrinsic(transaction.clone())
			.expect("valid once")
			.expect("the call succeeds");
		assert_eq!(
			Executive::apply_extrinsic(transaction),
			Err(TransactionValidityError::Invalid(InvalidTransaction::Stale))
		);

		let mut forged = signed(Sr25519Keyring::Bob, transfer(Sr25519Keyring::Dave, SAND), 1, 0);
		forged.function = transfer(Sr25519Keyring::Eve, 100 * SAND);
		assert_eq!(
			Executive::apply_extrinsic(forged),
			Err(TransactionValidityError::Invalid(InvalidTransaction::BadProof))
		);
	});
}

#[test]
fn nobody_is_sudo() {
	preset_externalities(DEVELOPMENT).execute_with(|| {
		Chain::start().open();
		let call = frame_system::Call::set_storage {
			items: vec![(b"x".to_vec(), b"y".to_vec())],
		};
		let outcome = Executive::apply_extrinsic(signed(Sr25519Keyring::Alice, call.into(), 0, 0));
		assert_eq!(outcome, Ok(Err(sp_runtime::DispatchError::BadOrigin)));
	});
}

#[test]
fn an_unsigned_call_that_authorises_nothing_is_refused() {
	preset_externalities(DEVELOPMENT).execute_with(|| {
		Chain::start().open();
		let call = transfer(Sr25519Keyring::Dave, SAND);
		let general = <Runtime as frame_system::offchain::CreateAuthorizedTransaction<
			pallet_balances::Call<Runtime>,
		>>::create_authorized_transaction(call);
		assert!(
			Executive::validate_transaction(TransactionSource::External, general, System::block_hash(0))
				.is_err()
		);
	});
}
