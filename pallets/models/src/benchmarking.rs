//! Benchmarks of the registry's calls.

#![allow(clippy::expect_used)] // a benchmark that cannot be set up must fail

use alloc::{boxed::Box, vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
	traits::fungible::{Inspect, Mutate},
	BoundedVec,
};
use frame_system::RawOrigin;
use opensand_nn::{Activation, Architecture, Layer, Operator, Shape};
use opensand_primitives::{
	ids::model_id,
	models::{
		ArchitectureRecord, ArtifactLocator, BenchmarkFamily, CommitmentBytes, FamilyRecord, KeyBytes,
		KeyStatus, ModelRecord, ModelWeights, RegistrationProof, MAX_LOCATOR_BYTES, MAX_TRAINING_SETS,
	},
	storage::BenchmarkDatasets,
	trapdoor::{Trapdoor, TrapdoorWeights},
	AccountId, ArchitectureId, Balance, KeyId, ModelId,
};
use opensand_zk_verifier::{Binding, InputVisibility, KeyOrigin, Statement, StatementShape, VerifyingKey};

use crate::*;

/// Bytes of the longest architecture that is measured: a byte more costs what the bytes before cost on average.
const MAX_BENCHMARK_BYTES: u32 = 2_560;

/// Stores a model with activated weights under an accepted family, without deposits. See `BenchmarkModels`.
pub(crate) fn insert_model<T: Config>(
	owner: AccountId,
	architecture: Vec<u8>,
	input_visibility: InputVisibility,
	keys: BenchmarkFamily,
) -> ModelId {
	let hash = |bytes: &[u8]| KeyId::from(sp_io::hashing::blake2_256(bytes));
	let (family, registration) = (hash(&keys.inference), hash(&keys.registration));
	let shape = Architecture::from_bytes(&architecture).expect("the caller made it");
	let architecture_id = ArchitectureId::from(shape.id());
	let weights_hash = sp_io::hashing::blake2_256(&keys.commitment);
	let model = model_id(&architecture_id, &weights_hash, input_visibility, &owner);
	if Models::<T>::contains_key(model) {
		return model;
	}
	let is_new = !Families::<T>::contains_key(family);
	let known = Architectures::<T>::get(architecture_id);
	let (models, families) = known.map_or((0, 0), |record| (record.models, record.families));
	Architectures::<T>::insert(
		architecture_id,
		ArchitectureRecord {
			depositor: owner.clone(),
			deposit: 0,
			input_len: shape.input_len(),
			output_len: shape.output_len(),
			models: models.saturating_add(1),
			families: families.saturating_add(is_new.into()),
		},
	);
	ArchitectureBytes::<T>::insert(architecture_id, BoundedVec::truncate_from(architecture));
	if is_new {
		let origin = VerifyingKey::from_bytes_with::<T::Curve>(&keys.inference)
			.expect("the caller made it")
			.origin();
		Families::<T>::insert(
			family,
			FamilyRecord {
				depositor: owner.clone(),
				architecture: architecture_id,
				input_visibility,
				registration,
				status: KeyStatus::Accepted,
				origin,
				models: 0,
				deposit: 0,
			},
		);
		VerifyingKeys::<T>::insert(family, KeyBytes::truncate_from(keys.inference));
		RegistrationKeys::<T>::insert(family, KeyBytes::truncate_from(keys.registration));
	}
	Families::<T>::mutate_extant(family, |record| record.models = record.models.saturating_add(1));
	Models::<T>::insert(
		model,
		ModelRecord {
			owner: owner.clone(),
			architecture: architecture_id,
			weights_hash,
			input_visibility,
			royalty: 0,
			artifacts: Default::default(),
			key: Some(family),
			weights: ModelWeights::Committed {
				commitment: Some(keys.commitment),
				previous: None,
			},
			active: true,
			open_uses: 0,
			deposit: 0,
		},
	);
	ModelsOf::<T>::insert(&owner, model, ());
	model
}

fn funded<T: Config>() -> AccountId
where
	T::Currency: Mutate<AccountId>,
{
	let owner = account("owner", 0, 0);
	let plenty: Balance = T::Currency::minimum_balance()
		.max(1_000_000)
		.saturating_mul(1_000_000);
	T::Currency::set_balance(&owner, plenty);
	owner
}

/// An architecture that takes about `bytes` bytes, most of them as costly to check as can be: as many operators as
/// there may be, and shifts.
fn architecture_of(bytes: u32) -> Vec<u8> {
	let operators = bytes.saturating_div(8).clamp(1, 255) as u16;
	let outputs = bytes
		.saturating_sub(u32::from(operators).saturating_mul(3))
		.saturating_sub(32)
		.clamp(1, 2_048);
	let linear = opensand_nn::Linear {
		outputs,
		shifts: vec![0; outputs as usize],
		activation: Activation::Identity,
	};
	let mut layers = vec![Layer {
		input: 0,
		operator: Operator::Linear(linear),
	}];
	layers.extend((1..=operators.saturating_sub(1)).map(|input| Layer {
		input,
		operator: Operator::Relu,
	}));
	Architecture::new(Shape::vector(1), layers)
		.expect("shapes agree")
		.to_bytes()
}

/// An architecture of one value to one: what a key's checks cost does not depend on it.
fn small_architecture() -> Vec<u8> {
	let linear = opensand_nn::Linear {
		outputs: 1,
		shifts: vec![0],
		activation: Activation::Identity,
	};
	let layers = vec![Layer {
		input: 0,
		operator: Operator::Linear(linear),
	}];
	Architecture::new(Shape::vector(1), layers)
		.expect("shapes agree")
		.to_bytes()
}

/// Registers an architecture and a model of it under `owner`, and returns the model.
fn registered<T: Config>(owner: &AccountId, architecture: Vec<u8>) -> ModelId {
	let id = ArchitectureId::from(sp_io::hashing::blake2_256(&architecture));
	let origin = RawOrigin::Signed(owner.clone());
	Pallet::<T>::register_architecture(origin.clone().into(), BoundedVec::truncate_from(architecture))
		.expect("the owner is funded");
	let visibility = InputVisibility::Public;
	Pallet::<T>::register_model(origin.into(), id, [0; 32], visibility, 1, locator())
		.expect("the owner is funded");
	model_id(&id, &[0; 32], visibility, owner)
}

fn locator() -> ArtifactLocator {
	BoundedVec::truncate_from(vec![b'c'; MAX_LOCATOR_BYTES as usize])
}

/// What keys for [`small_architecture`] are for.
const SMALL_SHAPE: StatementShape = StatementShape {
	visibility: InputVisibility::Public,
	input_len: 1,
	output_len: 1,
};

fn ceremony_key(trapdoor: &Trapdoor) -> KeyBytes {
	let origin = KeyOrigin::Ceremony {
		transcript_hash: [0; 32],
	};
	let key = trapdoor.key(origin).expect("no point is the identity");
	KeyBytes::truncate_from(key.to_bytes())
}

/// Registration and inference key of a family for [`small_architecture`].
fn family_keys() -> [KeyBytes; 2] {
	[StatementShape::REGISTRATION, SMALL_SHAPE].map(|shape| ceremony_key(&Trapdoor::of_family(0, shape)))
}

/// Registers [`small_architecture`] and a family of it, which awaits governance, under `owner`. Returns its id.
fn with_family<T: Config>(owner: &AccountId) -> KeyId {
	let origin = RawOrigin::Signed(owner.clone());
	let architecture = small_architecture();
	let id = ArchitectureId::from(sp_io::hashing::blake2_256(&architecture));
	Pallet::<T>::register_architecture(origin.clone().into(), BoundedVec::truncate_from(architecture))
		.expect("the owner is funded");
	let [registration, inference] = family_keys();
	let family = KeyId::from(sp_io::hashing::blake2_256(&inference));
	Pallet::<T>::register_family(origin.into(), id, registration, inference).expect("the owner is funded");
	family
}

/// As [`with_family`], accepted, and a model under it. Returns the family and the model.
fn with_committed_model<T: Config>(owner: &AccountId) -> (KeyId, ModelId) {
	let family = with_family::<T>(owner);
	Families::<T>::mutate_extant(family, |record| record.status = KeyStatus::Accepted);
	let origin = RawOrigin::Signed(owner.clone()).into();
	Pallet::<T>::register_committed_model(origin, family, [0; 32], None, 1, locator())
		.expect("the owner is funded");
	let architecture = Families::<T>::get(family)
		.expect("it was just registered")
		.architecture;
	(
		family,
		model_id(&architecture, &[0; 32], SMALL_SHAPE.visibility, owner),
	)
}

/// Registers a model with a key that awaits governance.
fn with_key<T: Config>(owner: &AccountId) -> (ModelId, KeyId) {
	let model = registered::<T>(owner, small_architecture());
	let key = ceremony_key(&Trapdoor::new(0, SMALL_SHAPE));
	let id = KeyId::from(sp_io::hashing::blake2_256(&key));
	Pallet::<T>::register_key(RawOrigin::Signed(owner.clone()).into(), model, key)
		.expect("the owner is funded");
	(model, id)
}

#[benchmarks(where T::Currency: Mutate<AccountId>)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register_architecture(b: Linear<64, { MAX_BENCHMARK_BYTES }>) {
		let owner = funded::<T>();
		let bytes = BoundedVec::truncate_from(architecture_of(b));

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), bytes);

		assert_eq!(Architectures::<T>::iter().count(), 1);
	}

	#[benchmark]
	fn remove_architecture() {
		let owner = funded::<T>();
		let bytes = architecture_of(MAX_BENCHMARK_BYTES);
		let id = ArchitectureId::from(sp_io::hashing::blake2_256(&bytes));
		let origin = RawOrigin::Signed(owner);
		Pallet::<T>::register_architecture(origin.clone().into(), BoundedVec::truncate_from(bytes))
			.expect("the owner is funded");

		#[extrinsic_call]
		_(origin, id);

		assert!(!Architectures::<T>::contains_key(id));
	}

	#[benchmark]
	fn register_model() {
		let owner = funded::<T>();
		let bytes = architecture_of(64);
		let id = ArchitectureId::from(sp_io::hashing::blake2_256(&bytes));
		let origin = RawOrigin::Signed(owner.clone());
		Pallet::<T>::register_architecture(origin.clone().into(), BoundedVec::truncate_from(bytes))
			.expect("the owner is funded");

		#[extrinsic_call]
		_(origin, id, [0; 32], InputVisibility::Public, 1, locator());

		assert!(Models::<T>::contains_key(model_id(
			&id,
			&[0; 32],
			InputVisibility::Public,
			&owner
		)));
	}

	#[benchmark]
	fn register_key() {
		let owner = funded::<T>();
		let model = registered::<T>(&owner, small_architecture());
		let key = ceremony_key(&Trapdoor::new(0, SMALL_SHAPE));

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model, key);

		assert!(Models::<T>::get(model).is_some_and(|record| record.key.is_some()));
	}

	#[benchmark]
	fn accept_key() {
		// A family is looked for where there is no model's key.
		let family = with_family::<T>(&funded::<T>());

		#[extrinsic_call]
		_(RawOrigin::Root, family);

		assert!(Families::<T>::get(family).is_some_and(|record| record.status == KeyStatus::Accepted));
	}

	#[benchmark]
	fn reject_key() {
		let family = with_family::<T>(&funded::<T>());

		#[extrinsic_call]
		_(RawOrigin::Root, family);

		assert!(Families::<T>::get(family).is_some_and(|record| record.status == KeyStatus::Rejected));
	}

	#[benchmark]
	fn remove_key() {
		let owner = funded::<T>();
		let (model, key) = with_key::<T>(&owner);

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model);

		assert!(!Keys::<T>::contains_key(key));
	}

	#[benchmark]
	fn set_royalty() {
		let owner = funded::<T>();
		let model = registered::<T>(&owner, architecture_of(64));

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model, 7);

		assert!(Models::<T>::get(model).is_some_and(|record| record.royalty == 7));
	}

	#[benchmark]
	fn set_artifacts() {
		let owner = funded::<T>();
		let model = registered::<T>(&owner, architecture_of(64));

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model, locator());

		assert!(Models::<T>::get(model).is_some_and(|record| record.artifacts == locator()));
	}

	#[benchmark]
	fn set_active() {
		let owner = funded::<T>();
		let model = registered::<T>(&owner, architecture_of(64));

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model, false);

		assert!(Models::<T>::get(model).is_some_and(|record| !record.active));
	}

	#[benchmark]
	fn remove_model() {
		let owner = funded::<T>();
		let (model, key) = with_key::<T>(&owner);
		let dataset = T::BenchmarkDatasets::benchmark_dataset();
		Pallet::<T>::declare_training(RawOrigin::Signed(owner.clone()).into(), model, dataset)
			.expect("everybody may train on it");

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model);

		assert!(!Models::<T>::contains_key(model) && !Keys::<T>::contains_key(key));
	}

	#[benchmark]
	fn register_family() {
		let owner = funded::<T>();
		let architecture = small_architecture();
		let id = ArchitectureId::from(sp_io::hashing::blake2_256(&architecture));
		let origin = RawOrigin::Signed(owner);
		Pallet::<T>::register_architecture(origin.clone().into(), BoundedVec::truncate_from(architecture))
			.expect("the owner is funded");
		let [registration, inference] = family_keys();

		#[extrinsic_call]
		_(origin, id, registration, inference);

		assert_eq!(Families::<T>::iter().count(), 1);
	}

	#[benchmark]
	fn remove_family() {
		let owner = funded::<T>();
		let family = with_family::<T>(&owner);

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), family);

		assert!(!Families::<T>::contains_key(family));
	}

	#[benchmark]
	fn register_committed_model() {
		let owner = funded::<T>();
		let (family, previous) = with_committed_model::<T>(&owner);

		#[extrinsic_call]
		_(
			RawOrigin::Signed(owner),
			family,
			[1; 32],
			Some(previous),
			1,
			locator(),
		);

		assert!(Families::<T>::get(family).is_some_and(|record| record.models == 2));
	}

	#[benchmark]
	fn activate_model() {
		let owner = funded::<T>();
		let (family, model) = with_committed_model::<T>(&owner);
		let weights = TrapdoorWeights::new(0);
		let commitment = weights.commitment().expect("it is not the identity").to_bytes();
		let commitment = CommitmentBytes::try_from(commitment).expect("a point has this length");
		let statement = Statement::registration(Binding {
			genesis: Pallet::<T>::genesis_hash(),
			key: Families::<T>::get(family)
				.expect("it was registered")
				.registration
				.0,
			model: model.0,
			request: 0,
			worker: owner.clone().into(),
		});
		let proof: RegistrationProof = Trapdoor::of_family(0, StatementShape::REGISTRATION)
			.prove_with(&statement, Some(&weights), 0)
			.expect("no point is the identity")
			.to_bytes()
			.try_into()
			.expect("a proof has this length");

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model, commitment, Box::new(proof));

		assert!(Pallet::<T>::inference_terms(model).is_some());
	}

	#[benchmark]
	fn declare_training() {
		let owner = funded::<T>();
		let model = registered::<T>(&owner, architecture_of(64));
		let origin = RawOrigin::Signed(owner);
		for _ in 1..MAX_TRAINING_SETS {
			let dataset = T::BenchmarkDatasets::benchmark_dataset();
			Pallet::<T>::declare_training(origin.clone().into(), model, dataset)
				.expect("everybody may train on it");
		}
		let dataset = T::BenchmarkDatasets::benchmark_dataset();

		#[extrinsic_call]
		_(origin, model, dataset);

		assert_eq!(TrainedOn::<T>::get(model).len(), MAX_TRAINING_SETS as usize);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(true), crate::mock::Test);
}
