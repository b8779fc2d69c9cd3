//! Models that name the stored data that they were trained on, through both pallets.

use frame_support::{assert_noop, assert_ok, BoundedVec};
use opensand_nn::{Activation, Architecture, Layer, Linear, Operator, Shape};
use opensand_primitives::{
	ids::model_id,
	models::TrainingSet,
	storage::{DatasetOperation, ErasureCode, OrderTerms, ShardCommitment, Visibility},
	AccountId, ModelId, OrderId,
};
use opensand_zk_verifier::InputVisibility;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::DispatchError;

use super::preset_externalities;
use crate::{Dsm, Models, Runtime, RuntimeOrigin};

/// An order of Alice's for data that others with access may train on.
fn dataset() -> OrderId {
	let id = pallet_dsm::NextOrderId::<Runtime>::get();
	let terms = OrderTerms {
		manifest: [1; 32],
		code: ErasureCode { data: 1, total: 2 },
		shard_bytes: 256,
		price: Dsm::storage_terms().price_floor,
		windows: 10,
		regions: BoundedVec::default(),
		visibility: Visibility::Private,
		training: true,
		key_commitment: [2; 32],
	};
	let shards = [1, 2].map(|shard| ShardCommitment {
		cid: [shard; 32],
		segments: BoundedVec::truncate_from(vec![[shard + 10; 32]]),
	});
	assert_ok!(Dsm::place_order(
		RuntimeOrigin::signed(Alice.to_account_id()),
		terms,
		BoundedVec::truncate_from(shards.to_vec()),
		BoundedVec::truncate_from(vec![3; 80]),
		None,
		u128::MAX,
	));
	id
}

/// A model of this account.
fn model(owner: &AccountId) -> ModelId {
	let linear = Linear {
		outputs: 1,
		shifts: vec![0],
		activation: Activation::Identity,
	};
	let layers = vec![Layer {
		input: 0,
		operator: Operator::Linear(linear),
	}];
	let bytes = Architecture::new(Shape::vector(1), layers)
		.expect("shapes agree")
		.to_bytes();
	let architecture = sp_io::hashing::blake2_256(&bytes).into();
	let origin = RuntimeOrigin::signed(owner.clone());
	if Models::architecture(architecture).is_none() {
		assert_ok!(Models::register_architecture(
			origin.clone(),
			BoundedVec::truncate_from(bytes)
		));
	}
	let visibility = InputVisibility::Public;
	assert_ok!(Models::register_model(
		origin,
		architecture,
		[0; 32],
		visibility,
		1,
		BoundedVec::default()
	));
	model_id(&architecture, &[0; 32], visibility, owner)
}

#[test]
fn training_needs_the_permission_of_the_data() {
	preset_externalities("development").execute_with(|| {
		let (alice, bob) = (Alice.to_account_id(), Bob.to_account_id());
		let (by_owner, by_other) = (model(&alice), model(&bob));
		let dataset = dataset();
		let declare = |who: &AccountId, model| {
			Models::declare_training(RuntimeOrigin::signed(who.clone()), model, dataset)
		};
		assert_ok!(declare(&alice, by_owner));
		let refused = DispatchError::from(pallet_models::Error::<Runtime>::TrainingNotPermitted);
		assert_noop!(declare(&bob, by_other), refused);

		assert_ok!(Dsm::set_access_key(RuntimeOrigin::signed(bob.clone()), [9; 32]));
		let grant = |training| {
			let origin = RuntimeOrigin::signed(alice.clone());
			let key = BoundedVec::truncate_from(vec![4; 80]);
			assert_ok!(Dsm::grant(origin, dataset, bob.clone(), key, training));
		};
		grant(false);
		assert_noop!(declare(&bob, by_other), refused);
		grant(true);
		assert_ok!(declare(&bob, by_other));

		let set = TrainingSet {
			dataset,
			manifest: [1; 32],
		};
		assert_eq!(Models::training_sets(by_owner), [set]);
		assert_eq!(Models::training_sets(by_other), [set]);
		let uses: Vec<_> = Dsm::dataset_events(dataset, 0, 100)
			.into_iter()
			.filter_map(|event| match event.operation {
				DatasetOperation::Used { by, purpose } => Some((by, ModelId::from(purpose))),
				_ => None,
			})
			.collect();
		assert_eq!(uses, [(alice, by_owner), (bob, by_other)]);
	});
}
