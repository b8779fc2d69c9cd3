use frame_support::{
	assert_noop, assert_ok, traits::fungible::InspectHold, traits::fungible::MutateHold, BoundedVec,
};
use opensand_primitives::{
	currency::SAND,
	ids::model_id,
	models::{KeyStatus, ModelView},
	KeyId, ModelId,
};
use opensand_zk_verifier::{InputVisibility, KeyOrigin, G1_LEN};
use sp_runtime::{DispatchError, TokenError};

use crate::{
	mock::{Models, *},
	*,
};

mod conservation;
mod families;
mod training;

fn alice() -> RuntimeOrigin {
	RuntimeOrigin::signed(ALICE)
}

fn bob() -> RuntimeOrigin {
	RuntimeOrigin::signed(BOB)
}

fn held(reason: HoldReason, who: &opensand_primitives::AccountId) -> u128 {
	Balances::balance_on_hold(&reason.into(), who)
}

fn key_id(bytes: &[u8]) -> KeyId {
	sp_io::hashing::blake2_256(bytes).into()
}

mod architectures {
	use super::*;

	#[test]
	fn is_stored_under_its_hash_and_deposit() {
		run(|| {
			let id = architecture();
			let bytes = linear(4, 2);
			let record = Architectures::<Test>::get(id).unwrap();
			assert_eq!((record.input_len, record.output_len, record.models), (4, 2, 0));
			assert_eq!(
				record.deposit,
				2 * ItemDeposit::get() + bytes.len() as u128 * ByteDeposit::get()
			);
			assert_eq!(held(HoldReason::ArchitectureDeposit, &ALICE), record.deposit);
			assert_eq!(Models::architecture_bytes(id), Some(bytes));
			System::assert_last_event(
				Event::ArchitectureRegistered {
					architecture: id,
					depositor: ALICE,
				}
				.into(),
			);
		});
	}

	#[test]
	fn refuses_what_is_not_an_architecture() {
		run(|| {
			let valid = linear(4, 2);
			let register =
				|bytes: Vec<u8>| Models::register_architecture(alice(), BoundedVec::truncate_from(bytes));
			for len in 0..valid.len() {
				assert_noop!(
					register(valid[..len].to_vec()),
					Error::<Test>::UndecodableArchitecture
				);
			}
			assert_noop!(
				register([&valid[..], &[0]].concat()),
				Error::<Test>::UndecodableArchitecture
			);
			let mut version = valid.clone();
			version[4] ^= 0xff;
			assert_noop!(register(version), Error::<Test>::UnsupportedArchitectureVersion);
			assert_noop!(register(linear(12_289, 1)), Error::<Test>::TensorTooLong);
			assert_noop!(register(linear(1, 2_049)), Error::<Test>::TensorTooLong);
			assert_ok!(register(linear(12_288, 1)));
			assert_ok!(register(linear(1, 2_048)));
		});
	}

	#[test]
	fn refuses_a_duplicate_and_a_pauper() {
		run(|| {
			architecture();
			let bytes = BoundedVec::truncate_from(linear(4, 2));
			assert_noop!(
				Models::register_architecture(bob(), bytes),
				Error::<Test>::ArchitectureExists
			);
			let bytes = BoundedVec::truncate_from(linear(5, 2));
			assert_noop!(
				Models::register_architecture(RuntimeOrigin::signed(PAUPER), bytes),
				TokenError::FundsUnavailable
			);
		});
	}

	#[test]
	fn goes_when_unused_and_returns_its_deposit() {
		run(|| {
			let model = model();
			let id = Models::model(model).unwrap().architecture;
			assert_noop!(
				Models::remove_architecture(alice(), id),
				Error::<Test>::ArchitectureInUse
			);
			assert_ok!(Models::remove_model(alice(), model));
			assert_noop!(
				Models::remove_architecture(bob(), id),
				Error::<Test>::NotDepositor
			);
			assert_ok!(Models::remove_architecture(alice(), id));
			assert_noop!(
				Models::remove_architecture(alice(), id),
				Error::<Test>::UnknownArchitecture
			);
			assert_eq!(Balances::free_balance(ALICE), 1_000 * SAND);
			assert_eq!(Models::architecture_bytes(id), None);
		});
	}
}

mod models {
	use super::*;

	#[test]
	fn has_the_id_that_anyone_can_compute() {
		run(|| {
			let model = model();
			let record = Models::model(model).unwrap();
			assert_eq!(record.owner, ALICE);
			assert!(record.active);
			assert_eq!(record.key, None);
			assert_eq!(held(HoldReason::ModelDeposit, &ALICE), record.deposit);
			assert_eq!(Models::models_of(ALICE, 10), vec![model]);
			assert_eq!(Models::models_of(ALICE, 0), Vec::<ModelId>::new());
			assert_eq!(Architectures::<Test>::get(record.architecture).unwrap().models, 1);
		});
	}

	#[test]
	fn differs_by_owner_and_visibility() {
		run(|| {
			let model = model();
			let architecture = Models::model(model).unwrap().architecture;
			let register = |origin, visibility| {
				Models::register_model(origin, architecture, [9; 32], visibility, 0, Default::default())
			};
			assert_noop!(
				register(alice(), InputVisibility::Public),
				Error::<Test>::ModelExists
			);
			assert_ok!(register(alice(), InputVisibility::Hashed));
			assert_ok!(register(bob(), InputVisibility::Public));
			assert!(
				Models::model(model_id(&architecture, &[9; 32], InputVisibility::Hashed, &ALICE)).is_some()
			);
			assert!(
				Models::model(model_id(&architecture, &[9; 32], InputVisibility::Public, &BOB)).is_some()
			);
		});
	}

	#[test]
	fn needs_an_architecture() {
		run(|| {
			assert_noop!(
				Models::register_model(
					alice(),
					Default::default(),
					[0; 32],
					InputVisibility::Public,
					0,
					Default::default()
				),
				Error::<Test>::UnknownArchitecture
			);
		});
	}

	#[test]
	fn only_its_owner_changes_it() {
		run(|| {
			let model = model();
			let artifacts: opensand_primitives::models::ArtifactLocator =
				BoundedVec::truncate_from(b"ipfs://cid".to_vec());
			assert_noop!(Models::set_royalty(bob(), model, 1), Error::<Test>::NotOwner);
			assert_noop!(
				Models::set_artifacts(bob(), model, artifacts.clone()),
				Error::<Test>::NotOwner
			);
			assert_noop!(Models::set_active(bob(), model, false), Error::<Test>::NotOwner);
			assert_noop!(Models::remove_model(bob(), model), Error::<Test>::NotOwner);
			assert_noop!(Models::remove_key(bob(), model), Error::<Test>::NotOwner);
			assert_noop!(
				Models::register_key(bob(), model, Default::default()),
				Error::<Test>::NotOwner
			);
			let unknown = ModelId::default();
			assert_noop!(
				Models::set_royalty(alice(), unknown, 1),
				Error::<Test>::UnknownModel
			);

			assert_ok!(Models::set_royalty(alice(), model, 5));
			assert_ok!(Models::set_artifacts(alice(), model, artifacts.clone()));
			let record = Models::model(model).unwrap();
			assert_eq!((record.royalty, record.artifacts), (5, artifacts));
		});
	}

	#[test]
	fn returns_every_deposit_when_removed() {
		run(|| {
			let model = model();
			let bytes = key(1, KeyOrigin::Development, 4, 2);
			assert_ok!(Models::register_key(alice(), model, bytes.clone()));
			assert_ok!(Models::remove_model(alice(), model));
			assert_eq!(held(HoldReason::ModelDeposit, &ALICE), 0);
			assert_eq!(held(HoldReason::KeyDeposit, &ALICE), 0);
			assert_eq!(Models::key(key_id(&bytes)), None);
			assert_eq!(Models::models_of(ALICE, 10), Vec::<ModelId>::new());
		});
	}

	#[test]
	fn stays_while_in_use() {
		run(|| {
			let model = model();
			assert_ok!(Models::register_key(
				alice(),
				model,
				key(1, KeyOrigin::Development, 4, 2)
			));
			assert_ok!(Models::begin_use(&model));
			assert_ok!(Models::begin_use(&model));
			assert_noop!(Models::remove_model(alice(), model), Error::<Test>::ModelInUse);
			assert_noop!(Models::remove_key(alice(), model), Error::<Test>::ModelInUse);
			Models::end_use(&model);
			assert_noop!(Models::remove_model(alice(), model), Error::<Test>::ModelInUse);
			Models::end_use(&model);
			assert_ok!(Models::remove_key(alice(), model));
			assert_ok!(Models::remove_model(alice(), model));
			assert_noop!(Models::begin_use(&model), Error::<Test>::UnknownModel);
			Models::end_use(&model);
		});
	}
}

mod keys {
	use super::*;

	#[test]
	fn a_development_key_is_accepted_on_a_development_chain() {
		run(|| {
			let model = model();
			assert_eq!(Models::inference_terms(model), None);
			let bytes = key(1, KeyOrigin::Development, 4, 2);
			assert_ok!(Models::register_key(alice(), model, bytes.clone()));
			let id = key_id(&bytes);
			let record = Models::key(id).unwrap();
			assert_eq!((record.model, record.status), (model, KeyStatus::Accepted));
			assert_eq!(held(HoldReason::KeyDeposit, &ALICE), record.deposit);
			let terms = Models::inference_terms(model).unwrap();
			assert_eq!((terms.owner, terms.key, terms.royalty), (ALICE, id, SAND));
			assert_eq!((terms.input_len, terms.output_len), (4, 2));
			assert_eq!(Models::verifying_key(id), Some(bytes.into_inner()));

			assert_ok!(Models::set_active(alice(), model, false));
			assert_eq!(Models::inference_terms(model), None);
			assert_ok!(Models::set_active(alice(), model, true));
			assert!(Models::inference_terms(model).is_some());
		});
	}

	#[test]
	fn a_development_key_is_refused_elsewhere() {
		run_on(new_test_ext(false), || {
			let model = model();
			assert!(!Models::takes_development_keys());
			assert_noop!(
				Models::register_key(alice(), model, key(1, KeyOrigin::Development, 4, 2)),
				Error::<Test>::DevelopmentKeyRefused
			);
			assert_ok!(Models::register_key(alice(), model, key(1, CEREMONY, 4, 2)));
		});
	}

	#[test]
	fn a_ceremony_key_waits_for_governance() {
		run_on(new_test_ext(false), || {
			let model = model();
			let bytes = key(1, CEREMONY, 4, 2);
			let id = key_id(&bytes);
			assert_ok!(Models::register_key(alice(), model, bytes));
			assert_eq!(Models::key(id).unwrap().status, KeyStatus::Pending);
			assert_eq!(Models::inference_terms(model), None);

			assert_noop!(Models::accept_key(alice(), id), DispatchError::BadOrigin);
			assert_noop!(Models::reject_key(alice(), id), DispatchError::BadOrigin);
			let unknown = KeyId::default();
			assert_noop!(
				Models::accept_key(RuntimeOrigin::root(), unknown),
				Error::<Test>::UnknownKey
			);
			assert_noop!(
				Models::reject_key(RuntimeOrigin::root(), unknown),
				Error::<Test>::UnknownKey
			);

			assert_ok!(Models::accept_key(RuntimeOrigin::root(), id));
			assert_noop!(
				Models::accept_key(RuntimeOrigin::root(), id),
				Error::<Test>::AlreadyAccepted
			);
			assert_eq!(Models::inference_terms(model).unwrap().key, id);
			System::assert_last_event(Event::KeyAccepted { key: id, model }.into());

			assert_ok!(Models::reject_key(RuntimeOrigin::root(), id));
			assert_noop!(
				Models::reject_key(RuntimeOrigin::root(), id),
				Error::<Test>::AlreadyRejected
			);
			assert_eq!(Models::inference_terms(model), None);
			assert!(Models::verifying_key(id).is_some(), "open requests still settle");

			assert_ok!(Models::remove_key(alice(), model));
			assert_eq!(held(HoldReason::KeyDeposit, &ALICE), 0);
			assert_noop!(Models::remove_key(alice(), model), Error::<Test>::UnknownKey);
		});
	}

	#[test]
	fn belongs_to_one_model_and_is_its_only_one() {
		run(|| {
			let model = model();
			let architecture = Models::model(model).unwrap().architecture;
			let bytes = key(1, KeyOrigin::Development, 4, 2);
			assert_ok!(Models::register_key(alice(), model, bytes.clone()));
			assert_noop!(
				Models::register_key(alice(), model, key(2, KeyOrigin::Development, 4, 2)),
				Error::<Test>::KeyExists
			);
			assert_ok!(Models::register_model(
				bob(),
				architecture,
				[9; 32],
				InputVisibility::Public,
				0,
				Default::default()
			));
			let other = model_id(&architecture, &[9; 32], InputVisibility::Public, &BOB);
			assert_noop!(Models::register_key(bob(), other, bytes), Error::<Test>::KeyTaken);
		});
	}

	#[test]
	fn must_fit_the_model() {
		run(|| {
			let model = model();
			// Of one word all, as the model's own.
			for (inputs, outputs) in [(5, 2), (31, 2), (4, 3)] {
				assert_noop!(
					Models::register_key(alice(), model, key(1, KeyOrigin::Development, inputs, outputs)),
					Error::<Test>::WrongKeyShape
				);
			}
			assert_ok!(Models::register_key(
				alice(),
				model,
				key(1, KeyOrigin::Development, 4, 2)
			));
		});
	}

	#[test]
	fn every_bad_key_has_its_error() {
		run(|| {
			let model = model();
			let valid = key(1, KeyOrigin::Development, 4, 2).into_inner();
			let register =
				|bytes: Vec<u8>| Models::register_key(alice(), model, BoundedVec::truncate_from(bytes));
			// Version, origin, visibility, both lengths and the segments come first, then α.
			let alpha = 12;
			let with = |at: usize, bytes: &[u8]| {
				let mut key = valid.clone();
				key[at..at + bytes.len()].copy_from_slice(bytes);
				key
			};
			assert_noop!(register(Vec::new()), Error::<Test>::WrongKeyLength);
			assert_noop!(register(with(0, &[0])), Error::<Test>::UnsupportedKeyVersion);
			assert_noop!(register(with(1, &[9])), Error::<Test>::UnknownKeyOrigin);
			for (at, bytes) in [
				(2, &[9][..]),
				(3, &[0; 4]),
				(3, &[0xff; 4]),
				(7, &[0; 4]),
				(11, &[2]),
			] {
				assert_noop!(register(with(at, bytes)), Error::<Test>::InvalidKeyShape);
			}
			assert_noop!(register(with(2, &[1])), Error::<Test>::WrongKeyShape);
			assert_noop!(register(with(11, &[1])), Error::<Test>::WrongKeyLength);
			assert_noop!(
				register(valid[..valid.len() - 1].to_vec()),
				Error::<Test>::WrongKeyLength
			);
			assert_noop!(
				register([&valid[..], &[0]].concat()),
				Error::<Test>::WrongKeyLength
			);
			assert_noop!(
				register(with(alpha, &[0xff; G1_LEN])),
				Error::<Test>::NonCanonicalPoint
			);
			let mut off_curve = valid.clone();
			off_curve[alpha + G1_LEN - 1] ^= 1;
			assert_noop!(register(off_curve), Error::<Test>::PointOffCurve);
			let mut identity = [0u8; G1_LEN];
			identity[0] = 0x40;
			assert_noop!(register(with(alpha, &identity)), Error::<Test>::IdentityPoint);
			assert_noop!(
				register(with(alpha, &off_subgroup())),
				Error::<Test>::PointOffSubgroup
			);
			let (gamma, delta) = (alpha + 3 * G1_LEN, alpha + 5 * G1_LEN);
			let gamma = valid[gamma..gamma + 2 * G1_LEN].to_vec();
			for trapdoor in [delta, delta + 2 * G1_LEN] {
				assert_noop!(register(with(trapdoor, &gamma)), Error::<Test>::EqualTrapdoors);
			}
			assert_ok!(register(valid));
		});
	}

	/// A point on the curve y² = x³ + 4 that lies outside the subgroup of prime order.
	pub fn off_subgroup() -> Vec<u8> {
		use ark_ec::AffineRepr;
		use opensand_zk_verifier::{encode_g1, Curve, G1Affine, Native};
		let point = (1u64..)
			.filter_map(|x| G1Affine::get_point_from_x_unchecked(x.into(), false))
			.find(|point| !point.is_zero() && !Native::is_in_subgroup_g1(point))
			.unwrap();
		let mut bytes = Vec::new();
		encode_g1(&mut bytes, &point);
		bytes
	}

	#[test]
	fn arbitrary_bytes_are_refused_without_panic() {
		run(|| {
			let model = model();
			let valid = key(1, KeyOrigin::Development, 4, 2).into_inner();
			for at in 0..valid.len() {
				let mut bytes = valid.clone();
				bytes[at] = bytes[at].wrapping_add(1);
				let result = Models::register_key(alice(), model, BoundedVec::truncate_from(bytes));
				assert!(result.is_err(), "byte {at}");
			}
		});
	}
}

mod try_state_detects {
	use super::*;

	fn drifts(drift: impl FnOnce(ModelId)) {
		new_test_ext(true).execute_with(|| {
			let model = model();
			assert_ok!(Models::register_key(
				alice(),
				model,
				key(1, KeyOrigin::Development, 4, 2)
			));
			assert_ok!(Models::do_try_state());
			drift(model);
			assert!(Models::do_try_state().is_err());
		});
	}

	fn mutate(model: ModelId, change: impl FnOnce(&mut opensand_primitives::models::ModelRecord)) {
		crate::Models::<Test>::mutate_extant(model, change);
	}

	#[test]
	fn a_hold_that_nobody_is_owed() {
		drifts(|_| Balances::hold(&HoldReason::ModelDeposit.into(), &BOB, 1).unwrap());
	}

	#[test]
	fn a_deposit_that_is_not_held() {
		drifts(|model| mutate(model, |record| record.deposit += 1));
	}

	#[test]
	fn a_missing_model() {
		drifts(crate::Models::<Test>::remove);
	}

	#[test]
	fn a_missing_index() {
		drifts(|model| ModelsOf::<Test>::remove(ALICE, model));
	}

	#[test]
	fn an_index_to_nothing() {
		drifts(|_| ModelsOf::<Test>::insert(BOB, ModelId::default(), ()));
	}

	#[test]
	fn a_key_without_bytes() {
		drifts(|model| VerifyingKeys::<Test>::remove(Models::model(model).unwrap().key.unwrap()));
	}

	#[test]
	fn a_key_that_its_model_forgot() {
		drifts(|model| mutate(model, |record| record.key = None));
	}

	#[test]
	fn a_use_without_key() {
		drifts(|model| {
			assert_ok!(Models::remove_key(alice(), model));
			mutate(model, |record| record.open_uses = 1);
		});
	}

	#[test]
	fn bytes_that_do_not_match_their_id() {
		drifts(|model| {
			let id = Models::model(model).unwrap().architecture;
			ArchitectureBytes::<Test>::insert(id, BoundedVec::truncate_from(vec![1]));
		});
	}

	#[test]
	fn a_miscounted_architecture() {
		drifts(|model| {
			let id = Models::model(model).unwrap().architecture;
			Architectures::<Test>::mutate_extant(id, |record| record.models += 1);
		});
	}
}
