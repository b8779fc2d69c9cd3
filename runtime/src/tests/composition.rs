//! Names, indices and prefixes that clients and stored state rely on.

use codec::{Decode, Encode};
use frame_support::{
	dispatch::GetDispatchInfo,
	traits::{PalletsInfoAccess, StorageInfoTrait},
};
use scale_info::{form::MetaForm, TypeDef, Variant};

use crate::{configs::accounts::ProxyType, AllPalletsWithSystem, Runtime, RuntimeCall};

/// Every pallet in the order of its index.
const PALLETS: &[(usize, &str)] = &[
	(0, "System"),
	(1, "Timestamp"),
	(2, "Babe"),
	(3, "Balances"),
	(4, "TransactionPayment"),
	(5, "MultiBlockMigrations"),
	(10, "Authorship"),
	(11, "Staking"),
	(12, "Offences"),
	(13, "Historical"),
	(14, "Session"),
	(15, "Grandpa"),
	(16, "AuthorityDiscovery"),
	(17, "VoterList"),
	(18, "NominationPools"),
	(19, "DelegatedStaking"),
	(25, "Preimage"),
	(26, "Scheduler"),
	(27, "ConvictionVoting"),
	(28, "Referenda"),
	(29, "Origins"),
	(30, "Whitelist"),
	(31, "Treasury"),
	(32, "Bounties"),
	(33, "ChildBounties"),
	(40, "Utility"),
	(41, "Identity"),
	(42, "Proxy"),
	(43, "Multisig"),
	(44, "Vesting"),
	(60, "Models"),
	(61, "Inference"),
	(62, "Dsm"),
];

/// The pallets that this project wrote and answers for.
const PROJECT_PALLETS: &[&str] = &["Models", "Inference", "Dsm"];

/// Calls whose whole weight is an argument, which the caller answers for: zero where that is zero.
const WEIGHED_BY_CALLER: &[(&str, &str)] = &[("Utility", "with_weight")];

/// What there is to say takes at least so many characters, in the pallets of this project and in others.
const SHORTEST_DOCS: (usize, usize) = (20, 10);
/// What even the cheapest call costs in a pallet of this project, in picoseconds.
const LEAST_WEIGHT: u64 = 1_000_000;

/// The variants of an enum that the metadata names.
fn variants(ty: &scale_info::MetaType) -> Vec<Variant<MetaForm>> {
	match ty.type_info().type_def {
		TypeDef::Variant(definition) => definition.variants,
		_ => panic!("calls, events and errors are enums"),
	}
}

#[test]
fn pallet_names_and_indices_are_fixed() {
	let pallets: Vec<_> = AllPalletsWithSystem::infos()
		.into_iter()
		.map(|pallet| (pallet.index, pallet.name))
		.collect();
	assert_eq!(pallets, PALLETS);
}

#[test]
fn storage_prefixes_are_the_pallets_names() {
	assert_eq!(
		pallet_timestamp::Now::<Runtime>::hashed_key(),
		[
			sp_io::hashing::twox_128(b"Timestamp"),
			sp_io::hashing::twox_128(b"Now")
		]
		.concat()
		.as_slice()
	);
	for info in AllPalletsWithSystem::storage_info() {
		let pallet = core::str::from_utf8(&info.pallet_name).expect("names are UTF-8");
		assert!(
			PALLETS.iter().any(|(_, name)| *name == pallet),
			"{pallet} stores under a foreign prefix"
		);
		assert_eq!(info.prefix[..16], sp_io::hashing::twox_128(&info.pallet_name));
	}
}

#[test]
fn metadata_is_served_in_the_versions_that_clients_read() {
	assert_eq!(Runtime::metadata_versions(), vec![14, 15, 16]);
	for version in Runtime::metadata_versions() {
		assert!(Runtime::metadata_at_version(version).is_some());
	}
	assert!(Runtime::metadata_at_version(13).is_none());
}

#[test]
fn transaction_extensions_keep_their_order() {
	let extrinsic = Runtime::metadata_ir().extrinsic;
	assert_eq!(extrinsic.versions, [4, 5]);
	let names: Vec<_> = extrinsic
		.extensions_in_versions
		.iter()
		.map(|extension| extension.identifier)
		.collect();
	assert_eq!(
		names,
		[
			"AuthorizeCall",
			"CheckNonZeroSender",
			"CheckSpecVersion",
			"CheckTxVersion",
			"CheckGenesis",
			"CheckMortality",
			"CheckNonce",
			"CheckWeight",
			"ChargeTransactionPayment",
			"CheckMetadataHash",
			"WeightReclaim",
		]
	);
}

#[test]
fn proxy_types_keep_their_numbers() {
	for (proxy_type, number) in [
		(ProxyType::Any, 0),
		(ProxyType::NonTransfer, 1),
		(ProxyType::Governance, 2),
		(ProxyType::Staking, 3),
		(ProxyType::NominationPools, 4),
		(ProxyType::IdentityJudgement, 5),
		(ProxyType::CancelProxy, 6),
		(ProxyType::Inference, 7),
	] {
		assert_eq!(proxy_type.encode(), [number]);
	}
}

#[test]
fn every_call_event_and_error_of_the_project_is_documented() {
	for name in PROJECT_PALLETS {
		let metadata = Runtime::metadata_ir();
		let pallet = metadata
			.pallets
			.iter()
			.find(|pallet| pallet.name == *name)
			.expect("the pallet is there");
		let types = [
			("call", pallet.calls.as_ref().map(|calls| &calls.ty)),
			("event", pallet.event.as_ref().map(|event| &event.ty)),
			("error", pallet.error.as_ref().map(|error| &error.ty)),
		];
		for (kind, ty) in types {
			let ty = ty.unwrap_or_else(|| panic!("{name} has no {kind}"));
			assert_documented(&format!("{kind} of {name}"), ty, SHORTEST_DOCS.0);
		}
	}
}

fn assert_documented(what: &str, ty: &scale_info::MetaType, shortest: usize) {
	for variant in variants(ty) {
		let docs = variant.docs.join(" ");
		assert!(
			docs.trim().len() >= shortest,
			"{what}: {} is not documented",
			variant.name
		);
	}
}

#[test]
fn every_error_of_every_pallet_is_documented() {
	let mut pallets_with_errors = 0;
	for pallet in Runtime::metadata_ir().pallets {
		if let Some(error) = &pallet.error {
			pallets_with_errors += 1;
			assert_documented(pallet.name, &error.ty, SHORTEST_DOCS.1);
		}
	}
	assert!(pallets_with_errors > PROJECT_PALLETS.len());
}

#[test]
fn every_fault_of_a_result_is_documented() {
	let faults = scale_info::meta_type::<opensand_primitives::inference::ResultFault>();
	assert_documented("ResultFault", &faults, SHORTEST_DOCS.0);
}

#[test]
fn calls_of_the_storage_market_keep_their_indices() {
	let metadata = Runtime::metadata_ir();
	let dsm = metadata
		.pallets
		.iter()
		.find(|pallet| pallet.name == "Dsm")
		.expect("the pallet is there");
	let calls: Vec<_> = variants(&dsm.calls.as_ref().expect("the pallet has calls").ty)
		.into_iter()
		.map(|call| (call.index, call.name))
		.collect();
	let expected = [
		"register_provider",
		"update_provider",
		"add_collateral",
		"withdraw_collateral",
		"drain",
		"exit",
		"unjail",
		"place_order",
		"renew",
		"top_up",
		"cancel",
		"close",
		"accept",
		"first_proof",
		"submit_possession",
		"settle",
		"declare_lost",
		"hand_over",
		"open_repair",
		"take_repair",
		"set_access_key",
		"grant",
		"revoke",
		"set_access",
		"strike_region",
		"set_parameters",
		"list_dataset",
		"withdraw_listing",
		"buy",
		"deliver",
		"confirm",
		"finish",
		"dispute",
		"surrender",
	];
	assert!(calls.into_iter().eq((0..).zip(expected)));
}

#[test]
fn every_call_has_a_weight() {
	let mut weightless = Vec::new();
	for pallet in Runtime::metadata_ir().pallets {
		let Some(calls) = &pallet.calls else { continue };
		for variant in variants(&calls.ty) {
			// Zeros decode to the smallest arguments: empty vectors, first variants, `System.remark` where a call is taken. Ones
			// are for what has no variant 0, such as a versioned argument.
			let decoded = [0, 1].map(|filling| {
				let mut bytes = vec![pallet.index, variant.index];
				bytes.resize(4_096, filling);
				RuntimeCall::decode(&mut bytes.as_slice())
			});
			let [zeros, ones] = decoded;
			let call = zeros
				.or(ones)
				.unwrap_or_else(|error| panic!("{}::{}: {error}", pallet.name, variant.name));
			let weight = call.get_dispatch_info().call_weight.ref_time();
			if weight == 0 {
				weightless.push((pallet.name, variant.name));
			} else if PROJECT_PALLETS.contains(&pallet.name) {
				assert!(
					weight > LEAST_WEIGHT,
					"{}::{} weighs next to nothing",
					pallet.name,
					variant.name
				);
			}
		}
	}
	assert_eq!(weightless, WEIGHED_BY_CALLER);
}
