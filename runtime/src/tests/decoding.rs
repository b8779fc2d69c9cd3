//! Transactions come from anybody: no bytes make their decoding panic or take long.

use codec::{Decode, DecodeLimit, Encode};
use frame_support::{dispatch::GetDispatchInfo, traits::PalletsInfoAccess, MAX_EXTRINSIC_DEPTH};
use opensand_primitives::currency::SAND;
use proptest::{collection::vec, prelude::*, sample::Index};
use sp_core::sr25519;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{MultiAddress, MultiSignature};

use super::blocks::extension;
use crate::{AllPalletsWithSystem, Runtime, RuntimeCall, UncheckedExtrinsic};

/// Calls of several kinds: bare data, addresses, nested calls, and a call that authorises itself.
fn calls() -> Vec<RuntimeCall> {
	let transfer = RuntimeCall::from(pallet_balances::Call::<Runtime>::transfer_keep_alive {
		dest: MultiAddress::Id(Sr25519Keyring::Bob.to_account_id()),
		value: SAND,
	});
	let batch = RuntimeCall::from(pallet_utility::Call::<Runtime>::batch_all {
		calls: vec![transfer.clone(); 3],
	});
	vec![
		frame_system::Call::<Runtime>::remark {
			remark: b"a remark".to_vec(),
		}
		.into(),
		pallet_proxy::Call::<Runtime>::proxy {
			real: MultiAddress::Id(Sr25519Keyring::Alice.to_account_id()),
			force_proxy_type: None,
			call: Box::new(batch.clone()),
		}
		.into(),
		pallet_inference::Call::<Runtime>::decline_request {
			request: 7,
			signature: sr25519::Signature::from_raw([1; 64]).into(),
		}
		.into(),
		transfer,
		batch,
	]
}

/// What goes before the call in a version 5 transaction.
fn general() -> Vec<u8> {
	/// The version, with the bit that says general, and the version of the extensions.
	const FRONT: [u8; 2] = [0x45, 0];
	[&FRONT[..], &extension(1, 2).encode()[..]].concat()
}

/// Every call as an inherent, as a version 4 and as a version 5 transaction, without the length that goes before it.
fn bodies() -> Vec<Vec<u8>> {
	let signature = MultiSignature::Sr25519(sr25519::Signature::from_raw([2; 64]));
	let signer = MultiAddress::Id(Sr25519Keyring::Alice.to_account_id());
	calls()
		.into_iter()
		.flat_map(|call| {
			[
				UncheckedExtrinsic::new_bare(call.clone()),
				UncheckedExtrinsic::new_signed(
					call.clone(),
					signer.clone(),
					signature.clone(),
					extension(3, 5),
				),
				UncheckedExtrinsic::new_transaction(call, extension(3, 5)),
			]
		})
		.map(|transaction| {
			Vec::<u8>::decode(&mut &transaction.encode()[..])
				.expect("a transaction is bytes with their length")
		})
		.collect()
}

/// As many calls in calls as are allowed take more stack than a test has: the native runtime is compiled unoptimised.
const STACK_BYTES: usize = 1 << 29;

/// Decodes as the runtime's API does, and asks for what is known of a transaction before anything of it is checked.
fn decode<T: Decode + Encode + GetDispatchInfo + Send + 'static>(bytes: &[u8]) -> Option<T> {
	let decode = || {
		let limited = |mut bytes: &[u8]| T::decode_all_with_depth_limit(MAX_EXTRINSIC_DEPTH, &mut bytes).ok();
		let value = limited(bytes)?;
		let _ = value.get_dispatch_info();
		// Not always to the same bytes: shares of more than all are taken as all.
		assert!(limited(&value.encode()).is_some(), "what was decoded encodes");
		Some(value)
	};
	std::thread::scope(|scope| {
		let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
		let decoding = thread.spawn_scoped(scope, decode).expect("a thread starts");
		decoding.join().expect("decoding does not panic")
	})
}

/// A transaction before which stands its true length: the node writes it.
fn receive(body: &[u8]) -> Option<UncheckedExtrinsic> {
	decode(&body.encode())
}

fn receive_call(bytes: &[u8]) -> Option<RuntimeCall> {
	decode(bytes)
}

/// A change of bytes: one is replaced, one is put in between, or everything from a place on is dropped.
fn edit() -> impl Strategy<Value = (u8, Index, u8)> {
	(0..5u8, any::<Index>(), any::<u8>())
}

fn changed(mut bytes: Vec<u8>, edits: Vec<(u8, Index, u8)>) -> Vec<u8> {
	for (kind, at, byte) in edits {
		let at = at.index(bytes.len() + 1);
		match kind {
			0 => bytes.truncate(at),
			1 => bytes.insert(at, byte),
			_ => {
				if let Some(changed) = bytes.get_mut(at) {
					*changed = byte;
				}
			}
		}
	}
	bytes
}

#[test]
fn unchanged_transactions_are_received() {
	for body in bodies() {
		assert!(receive(&body).is_some());
	}
	for call in calls() {
		assert_eq!(receive_call(&call.encode()), Some(call));
	}
}

#[test]
fn calls_in_calls_end_at_the_limit() {
	let innermost = RuntimeCall::from(frame_system::Call::<Runtime>::remark { remark: Vec::new() });
	let batch = RuntimeCall::from(pallet_utility::Call::<Runtime>::batch { calls: Vec::new() }).encode();
	// The pallet, the call, and how many calls follow: one.
	let layer = [&batch[..2], &[4]].concat();
	let nested = |depth: usize| [layer.repeat(depth), innermost.encode()].concat();
	assert!(receive_call(&nested(8)).is_some());
	assert!(receive_call(&nested(MAX_EXTRINSIC_DEPTH as usize + 1)).is_none());
	assert!(receive_call(&nested(1_000_000)).is_none());
	let bare = |depth| [&[5][..], &nested(depth)[..]].concat();
	assert!(receive(&bare(8)).is_some());
	assert!(receive(&bare(1_000_000)).is_none());
}

#[test]
fn a_vast_vector_is_not_believed() {
	let remark = RuntimeCall::from(frame_system::Call::<Runtime>::remark { remark: Vec::new() }).encode();
	// Nearly 2^30 bytes are to follow, and two do.
	let vast = [&remark[..2], &[0xfe, 0xff, 0xff, 0xff], &[1, 2]].concat();
	assert_eq!(receive_call(&vast), None);
	assert!(receive(&[&[5][..], &vast].concat()).is_none());
}

proptest! {
	#![proptest_config(ProptestConfig {
		cases: 2_048,
		failure_persistence: None,
		..ProptestConfig::default()
	})]

	#[test]
	fn arbitrary_bytes_are_refused_or_received(bytes in vec(any::<u8>(), 0..512)) {
		receive(&bytes);
		receive_call(&bytes);
	}

	/// The pallet is one that exists, and what goes before the call is right.
	#[test]
	fn arbitrary_arguments_are_refused_or_received(
		front in prop_oneof![Just(vec![4u8]), Just(vec![5u8]), Just(general())],
		pallet in any::<Index>(),
		call in 0..32u8,
		arguments in vec(prop_oneof![3 => Just(0), 2 => any::<u8>()], 0..256),
	) {
		let pallets = AllPalletsWithSystem::infos();
		let call = [&[pallet.get(&pallets).index as u8, call][..], &arguments[..]].concat();
		receive_call(&call);
		receive(&[front, call].concat());
	}

	#[test]
	fn changed_transactions_are_refused_or_received(body in any::<Index>(), edits in vec(edit(), 1..6)) {
		receive(&changed(body.get(&bodies()).clone(), edits));
	}

	#[test]
	fn changed_calls_are_refused_or_received(call in any::<Index>(), edits in vec(edit(), 1..6)) {
		receive_call(&changed(call.get(&calls()).encode(), edits));
	}
}
