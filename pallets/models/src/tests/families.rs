//! Families, and models with committed weights.

use super::*;
use opensand_primitives::models::{CommitmentBytes, KeyBytes, ModelWeights};
use opensand_zk_verifier::{Statement, StatementInput, StatementShape, VerifyingKey, PROOF_LEN};

const SEED: u64 = 7;
const WEIGHTS: u64 = 70;

const INFERENCE: StatementShape = StatementShape {
	visibility: InputVisibility::Public,
	input_len: 4,
	output_len: 2,
};

fn register(keys: [KeyBytes; 2]) -> sp_runtime::DispatchResult {
	let [registration, inference] = keys;
	let architecture = opensand_primitives::ArchitectureId::from(sp_io::hashing::blake2_256(&linear(4, 2)));
	Models::register_family(bob(), architecture, registration, inference)
}

fn development(seed: u64) -> [KeyBytes; 2] {
	family_keys(seed, KeyOrigin::Development, InputVisibility::Public)
}

/// A family and a model of Alice under it that awaits its activation.
fn awaiting() -> (KeyId, ModelId) {
	let family = family(SEED);
	(family, committed_model(family, [9; 32], None))
}

fn activate(model: ModelId, weights: u64, statement: &Statement) -> sp_runtime::DispatchResult {
	let proof = prove(SEED, StatementShape::REGISTRATION, statement, weights);
	Models::activate_model(alice(), model, commitment(weights), Box::new(proof))
}

mod keys_of_two {
	use super::*;

	#[test]
	fn are_stored_under_the_inference_key_for_the_depositors_account() {
		run(|| {
			let family = family(SEED);
			let [registration, inference] = development(SEED);
			assert_eq!(family, key_id(&inference));
			let record = Models::family(family).unwrap();
			assert_eq!(record.depositor, BOB);
			assert_eq!(record.registration, key_id(&registration));
			assert_eq!(record.status, KeyStatus::Accepted);
			assert_eq!(record.input_visibility, InputVisibility::Public);
			let bytes = (registration.len() + inference.len()) as u128;
			assert_eq!(
				record.deposit,
				3 * ItemDeposit::get() + bytes * ByteDeposit::get()
			);
			assert_eq!(held(HoldReason::KeyDeposit, &BOB), record.deposit);
			assert_eq!(Models::registration_key(family), Some(registration.into_inner()));
			assert_eq!(Models::verifying_key(family), Some(inference.into_inner()));
			// A key of a family is no model's own.
			assert_eq!(Models::key(family), None);
			assert_noop!(register(development(SEED)), Error::<Test>::FamilyExists);
			assert_noop!(
				Models::remove_architecture(alice(), record.architecture),
				Error::<Test>::ArchitectureInUse
			);
		});
	}

	#[test]
	fn both_visibilities_may_have_one_registration_key() {
		run(|| {
			let public = family(SEED);
			let keys = family_keys(SEED, KeyOrigin::Development, InputVisibility::Hashed);
			let hashed = key_id(&keys[1]);
			assert_ok!(register(keys));
			let records = [public, hashed].map(|family| Models::family(family).unwrap());
			assert_eq!(records[0].registration, records[1].registration);
			assert_eq!(records[1].input_visibility, InputVisibility::Hashed);
			assert_ok!(Models::remove_family(bob(), public));
			assert!(Models::registration_key(hashed).is_some());
		});
	}

	#[test]
	fn must_be_a_family_for_the_architecture() {
		run(|| {
			let [registration, inference] = development(SEED);
			assert_noop!(
				register([registration.clone(), inference.clone()]),
				Error::<Test>::UnknownArchitecture
			);
			architecture();
			let [other_registration, other_inference] = development(SEED + 1);
			for keys in [
				[inference.clone(), registration.clone()],
				[inference.clone(), inference.clone()],
				[registration.clone(), registration.clone()],
				[registration.clone(), other_inference],
				[other_registration, inference.clone()],
				// Of one set-up, it would seem, but they claim different origins.
				[
					family_keys(SEED, CEREMONY, InputVisibility::Public)[0].clone(),
					inference.clone(),
				],
			] {
				assert_noop!(register(keys), Error::<Test>::NotAFamily);
			}
			let constant = key(1, KeyOrigin::Development, 4, 2);
			assert_noop!(
				register([registration.clone(), constant]),
				Error::<Test>::ConstantWeights
			);
			let shape = StatementShape {
				output_len: 3,
				..INFERENCE
			};
			let wide = opensand_primitives::trapdoor::Trapdoor::of_family(SEED, shape)
				.key(KeyOrigin::Development)
				.unwrap();
			let wide = BoundedVec::truncate_from(wide.to_bytes());
			assert_noop!(
				register([registration.clone(), wide]),
				Error::<Test>::WrongKeyShape
			);
			let mut off_curve = registration.clone().into_inner();
			off_curve[12 + G1_LEN - 1] ^= 1;
			assert_noop!(
				register([BoundedVec::truncate_from(off_curve), inference.clone()]),
				Error::<Test>::PointOffCurve
			);
			assert_noop!(
				Models::register_family(
					RuntimeOrigin::signed(PAUPER),
					key_id(&linear(4, 2)),
					registration.clone(),
					inference.clone()
				),
				TokenError::FundsUnavailable
			);
			assert_ok!(register([registration, inference]));
		});
	}

	#[test]
	fn a_familys_key_is_no_models_own() {
		run(|| {
			let model = model();
			let [registration, inference] = development(SEED);
			assert_noop!(
				Models::register_key(alice(), model, inference),
				Error::<Test>::CommittedWeights
			);
			assert_noop!(
				Models::register_key(alice(), model, registration),
				Error::<Test>::WrongKeyShape
			);
		});
	}

	#[test]
	fn development_keys_are_refused_elsewhere_and_ceremonies_wait_for_governance() {
		run_on(new_test_ext(false), || {
			architecture();
			assert_noop!(register(development(SEED)), Error::<Test>::DevelopmentKeyRefused);
			let keys = family_keys(SEED, CEREMONY, InputVisibility::Public);
			let family = key_id(&keys[1]);
			assert_ok!(register(keys));
			assert_eq!(Models::family(family).unwrap().status, KeyStatus::Pending);
			let register =
				|| Models::register_committed_model(alice(), family, [9; 32], None, SAND, Default::default());
			assert_noop!(register(), Error::<Test>::FamilyNotAccepted);

			assert_noop!(Models::accept_key(alice(), family), DispatchError::BadOrigin);
			assert_ok!(Models::accept_key(RuntimeOrigin::root(), family));
			System::assert_last_event(Event::FamilyAccepted { family }.into());
			assert_noop!(
				Models::accept_key(RuntimeOrigin::root(), family),
				Error::<Test>::AlreadyAccepted
			);
			assert_ok!(register());
			let model = Models::models_of(ALICE, 1)[0];
			assert_ok!(activate(model, WEIGHTS, &registration_statement(family, model)));
			assert!(Models::inference_terms(model).is_some());

			// A withdrawn acceptance stops new requests and new models of the family.
			assert_ok!(Models::reject_key(RuntimeOrigin::root(), family));
			System::assert_last_event(Event::FamilyRejected { family }.into());
			assert_noop!(
				Models::reject_key(RuntimeOrigin::root(), family),
				Error::<Test>::AlreadyRejected
			);
			assert_eq!(Models::inference_terms(model), None);
			assert_noop!(
				Models::register_committed_model(alice(), family, [8; 32], None, SAND, Default::default()),
				Error::<Test>::FamilyNotAccepted
			);
			assert_ok!(Models::accept_key(RuntimeOrigin::root(), family));
			assert!(Models::inference_terms(model).is_some());
		});
	}

	#[test]
	fn go_with_their_depositor_or_when_rejected() {
		run(|| {
			let (family, model) = awaiting();
			assert_noop!(Models::remove_family(bob(), family), Error::<Test>::FamilyInUse);
			assert_ok!(Models::remove_model(alice(), model));
			assert_noop!(
				Models::remove_family(alice(), family),
				Error::<Test>::NotDepositor
			);
			assert_noop!(
				Models::remove_family(bob(), KeyId::default()),
				Error::<Test>::UnknownFamily
			);
			assert_ok!(Models::remove_family(bob(), family));
			System::assert_last_event(Event::FamilyRemoved { family }.into());
			assert_eq!(Balances::free_balance(BOB), 1_000 * SAND);
			assert_eq!(Models::verifying_key(family), None);
			assert_eq!(Models::registration_key(family), None);

			assert_ok!(register(development(SEED)));
			assert_ok!(Models::reject_key(RuntimeOrigin::root(), family));
			// The deposit is the depositor's, whoever removes it.
			assert_ok!(Models::remove_family(alice(), family));
			assert_eq!(Balances::free_balance(BOB), 1_000 * SAND);
			assert_ok!(Models::remove_architecture(alice(), key_id(&linear(4, 2))));
		});
	}
}

mod activation {
	use super::*;

	#[test]
	fn opens_the_model_with_its_commitment() {
		run(|| {
			let (family, model) = awaiting();
			let record = Models::model(model).unwrap();
			assert_eq!(record.key, Some(family));
			assert_eq!(Models::family(family).unwrap().models, 1);
			assert_eq!(Models::inference_terms(model), None);
			assert_eq!(<Models as ModelView>::commitment(&model), None);

			assert_ok!(activate(model, WEIGHTS, &registration_statement(family, model)));
			let commitment = commitment(WEIGHTS);
			System::assert_last_event(Event::ModelActivated { model, commitment }.into());
			let terms = Models::inference_terms(model).unwrap();
			assert_eq!((terms.key, terms.commitment), (family, Some(commitment)));
			assert_eq!((terms.owner, terms.royalty), (ALICE, SAND));
			assert_eq!(<Models as ModelView>::commitment(&model), Some(commitment));

			// Once and for all: not with the same, not with other weights.
			for weights in [WEIGHTS, WEIGHTS + 1] {
				assert_noop!(
					activate(model, weights, &registration_statement(family, model)),
					Error::<Test>::AlreadyActivated
				);
			}
			assert_ok!(Models::set_active(alice(), model, false));
			assert_eq!(Models::inference_terms(model), None);
		});
	}

	#[test]
	fn takes_the_proof_of_this_commitment_model_owner_and_chain_only() {
		run(|| {
			let (family, model) = awaiting();
			let good = registration_statement(family, model);
			let changes: [fn(&mut Statement); 5] = [
				|statement| statement.binding.genesis[0] ^= 1,
				|statement| statement.binding.key[0] ^= 1,
				|statement| statement.binding.model[0] ^= 1,
				|statement| statement.binding.request = 1,
				|statement| statement.binding.worker = BOB.into(),
			];
			for change in changes {
				let mut statement = good.clone();
				change(&mut statement);
				assert_noop!(
					activate(model, WEIGHTS, &statement),
					Error::<Test>::InvalidRegistration
				);
			}
			let proof = prove(SEED, StatementShape::REGISTRATION, &good, WEIGHTS);
			assert_noop!(
				Models::activate_model(alice(), model, commitment(WEIGHTS + 1), Box::new(proof)),
				Error::<Test>::InvalidRegistration
			);
			let foreign = prove(SEED + 1, StatementShape::REGISTRATION, &good, WEIGHTS);
			assert_noop!(
				Models::activate_model(alice(), model, commitment(WEIGHTS), Box::new(foreign)),
				Error::<Test>::InvalidRegistration
			);
			assert_noop!(
				Models::activate_model(bob(), model, commitment(WEIGHTS), Box::new(proof)),
				Error::<Test>::NotOwner
			);
			assert_ok!(Models::activate_model(
				alice(),
				model,
				commitment(WEIGHTS),
				Box::new(proof)
			));
		});
	}

	/// The statement that Bob would need binds Bob: a proof seen in the pool is of no use to him.
	#[test]
	fn a_seen_proof_does_not_activate_anothers_model() {
		run(|| {
			let (family, model) = awaiting();
			let proof = prove(
				SEED,
				StatementShape::REGISTRATION,
				&registration_statement(family, model),
				WEIGHTS,
			);
			assert_ok!(Models::register_committed_model(
				bob(),
				family,
				[9; 32],
				None,
				0,
				Default::default()
			));
			let copy = Models::models_of(BOB, 1)[0];
			assert_noop!(
				Models::activate_model(bob(), copy, commitment(WEIGHTS), Box::new(proof)),
				Error::<Test>::InvalidRegistration
			);
			// Nor another model of the same owner.
			let other = committed_model(family, [8; 32], None);
			assert_noop!(
				Models::activate_model(alice(), other, commitment(WEIGHTS), Box::new(proof)),
				Error::<Test>::InvalidRegistration
			);
		});
	}

	#[test]
	fn an_inference_proof_registers_nothing() {
		run(|| {
			let (family, model) = awaiting();
			let registration = registration_statement(family, model);
			let mut inference = registration.clone();
			inference.binding.key = family.0;
			inference.input = StatementInput::Public(vec![1, 2, 3, 4]);
			inference.output = vec![5, 6];
			let key = VerifyingKey::from_trusted_bytes(&Models::verifying_key(family).unwrap()).unwrap();
			let proof = prove(SEED, INFERENCE, &inference, WEIGHTS);
			let weights = opensand_zk_verifier::WeightsCommitment::from_bytes(&commitment(WEIGHTS)).unwrap();
			let decoded = opensand_zk_verifier::Proof::from_bytes(&proof).unwrap();
			assert_eq!(
				opensand_zk_verifier::verify::<opensand_zk_verifier::Native>(
					&key,
					&inference,
					Some(&weights),
					&decoded
				),
				Ok(())
			);
			for statement in [&inference, &registration] {
				let proof = prove(SEED, INFERENCE, statement, WEIGHTS);
				assert_noop!(
					Models::activate_model(alice(), model, commitment(WEIGHTS), Box::new(proof)),
					Error::<Test>::InvalidRegistration
				);
			}
		});
	}

	#[test]
	fn needs_committed_weights_and_an_accepted_family() {
		run(|| {
			let (family, committed) = awaiting();
			let statement = registration_statement(family, committed);
			assert_ok!(Models::register_model(
				alice(),
				Models::family(family).unwrap().architecture,
				[1; 32],
				InputVisibility::Public,
				0,
				Default::default()
			));
			let constant = model_id(
				&Models::family(family).unwrap().architecture,
				&[1; 32],
				InputVisibility::Public,
				&ALICE,
			);
			assert_noop!(
				activate(constant, WEIGHTS, &statement),
				Error::<Test>::NothingToActivate
			);
			assert_noop!(
				activate(ModelId::default(), WEIGHTS, &statement),
				Error::<Test>::UnknownModel
			);
			assert_ok!(Models::reject_key(RuntimeOrigin::root(), family));
			assert_noop!(
				activate(committed, WEIGHTS, &statement),
				Error::<Test>::FamilyNotAccepted
			);
		});
	}

	#[test]
	fn every_bad_point_has_its_error() {
		run(|| {
			let (family, model) = awaiting();
			let proof = prove(
				SEED,
				StatementShape::REGISTRATION,
				&registration_statement(family, model),
				WEIGHTS,
			);
			let submit =
				|commitment, proof| Models::activate_model(alice(), model, commitment, Box::new(proof));
			let mut identity: CommitmentBytes = [0; G1_LEN];
			identity[0] = 0x40;
			let mut off_curve = commitment(WEIGHTS);
			off_curve[G1_LEN - 1] ^= 1;
			let off_subgroup: CommitmentBytes = super::super::keys::off_subgroup().try_into().unwrap();
			for (point, error) in [
				([0xff; G1_LEN], Error::<Test>::NonCanonicalPoint),
				(off_curve, Error::<Test>::PointOffCurve),
				(identity, Error::<Test>::IdentityPoint),
				(off_subgroup, Error::<Test>::PointOffSubgroup),
			] {
				assert_noop!(submit(point, proof), error);
				let mut bad = proof;
				bad[PROOF_LEN - G1_LEN..].copy_from_slice(&point);
				let refused = submit(commitment(WEIGHTS), bad);
				assert!(refused.is_err());
			}
			for at in 0..PROOF_LEN {
				let mut bad = proof;
				bad[at] ^= 1 << (at % 8);
				assert!(submit(commitment(WEIGHTS), bad).is_err(), "byte {at}");
			}
			assert_ok!(submit(commitment(WEIGHTS), proof));
		});
	}
}

mod versions {
	use super::*;

	#[test]
	fn a_training_update_is_a_new_model_under_the_same_family() {
		run(|| {
			let (family, first) = awaiting();
			assert_ok!(activate(first, WEIGHTS, &registration_statement(family, first)));
			let second = committed_model(family, [10; 32], Some(first));
			let ModelWeights::Committed { previous, .. } = Models::model(second).unwrap().weights else {
				panic!("it was registered with committed weights")
			};
			assert_eq!(previous, Some(first));
			assert_eq!(Models::inference_terms(second), None);
			assert_ok!(activate(
				second,
				WEIGHTS + 1,
				&registration_statement(family, second)
			));
			// Both can be asked, under one key, with their own weights.
			let terms = [first, second].map(|model| Models::inference_terms(model).unwrap());
			assert_eq!(terms[0].key, terms[1].key);
			assert_ne!(terms[0].commitment, terms[1].commitment);

			assert_ok!(Models::remove_model(alice(), first));
			assert_eq!(Models::family(family).unwrap().models, 1);
			assert!(Models::inference_terms(second).is_some());
		});
	}

	#[test]
	fn carry_on_models_of_the_same_owner_and_family_only() {
		run(|| {
			let (family, first) = awaiting();
			let register = |origin, family, previous| {
				Models::register_committed_model(origin, family, [10; 32], previous, 0, Default::default())
			};
			assert_noop!(
				register(bob(), family, Some(first)),
				Error::<Test>::UnrelatedPrevious
			);
			assert_noop!(
				register(alice(), family, Some(ModelId::default())),
				Error::<Test>::UnrelatedPrevious
			);
			assert_noop!(
				register(alice(), KeyId::default(), None),
				Error::<Test>::UnknownFamily
			);
			let keys = development(SEED + 1);
			let other = key_id(&keys[1]);
			assert_ok!(super::register(keys));
			assert_noop!(
				register(alice(), other, Some(first)),
				Error::<Test>::UnrelatedPrevious
			);
			assert_ok!(register(alice(), other, None));
			assert_noop!(register(alice(), family, Some(first)), Error::<Test>::ModelExists);
		});
	}

	#[test]
	fn their_key_is_the_familys_and_stays() {
		run(|| {
			let (family, model) = awaiting();
			assert_noop!(
				Models::register_key(alice(), model, key(1, KeyOrigin::Development, 4, 2)),
				Error::<Test>::KeyExists
			);
			assert_noop!(Models::remove_key(alice(), model), Error::<Test>::FamilyKey);
			assert_ok!(activate(model, WEIGHTS, &registration_statement(family, model)));
			assert_ok!(Models::begin_use(&model));
			assert_noop!(Models::remove_model(alice(), model), Error::<Test>::ModelInUse);
			Models::end_use(&model);
			assert_ok!(Models::remove_model(alice(), model));
			assert_eq!(Models::family(family).unwrap().models, 0);
			assert_eq!(held(HoldReason::ModelDeposit, &ALICE), 0);
		});
	}
}

mod try_state_detects {
	use super::*;

	fn drifts(drift: impl FnOnce(KeyId, ModelId)) {
		new_test_ext(true).execute_with(|| {
			let (family, model) = awaiting();
			assert_ok!(activate(model, WEIGHTS, &registration_statement(family, model)));
			assert_ok!(Models::do_try_state());
			drift(family, model);
			assert!(Models::do_try_state().is_err());
		});
	}

	fn mutate(model: ModelId, change: impl FnOnce(&mut opensand_primitives::models::ModelRecord)) {
		crate::Models::<Test>::mutate_extant(model, change);
	}

	#[test]
	fn a_missing_family() {
		drifts(|family, _| Families::<Test>::remove(family));
	}

	#[test]
	fn a_familys_missing_bytes() {
		drifts(|family, _| VerifyingKeys::<Test>::remove(family));
		drifts(|family, _| RegistrationKeys::<Test>::remove(family));
	}

	#[test]
	fn bytes_of_nothing() {
		drifts(|_, _| RegistrationKeys::<Test>::insert(KeyId::default(), KeyBytes::default()));
		drifts(|_, _| VerifyingKeys::<Test>::insert(KeyId::default(), KeyBytes::default()));
	}

	#[test]
	fn another_registration_key() {
		let other = development(SEED + 1)[0].clone();
		drifts(|family, _| RegistrationKeys::<Test>::insert(family, other));
	}

	#[test]
	fn a_miscounted_family_or_architecture() {
		drifts(|family, _| Families::<Test>::mutate_extant(family, |record| record.models += 1));
		drifts(|family, _| {
			let architecture = Models::family(family).unwrap().architecture;
			Architectures::<Test>::mutate_extant(architecture, |record| record.families -= 1);
		});
	}

	#[test]
	fn a_deposit_that_is_not_held() {
		drifts(|family, _| Families::<Test>::mutate_extant(family, |record| record.deposit += 1));
	}

	#[test]
	fn weights_that_became_constants() {
		drifts(|_, model| mutate(model, |record| record.weights = ModelWeights::Constant));
	}

	#[test]
	fn a_model_of_another_family() {
		drifts(|_, model| mutate(model, |record| record.key = Some(KeyId::default())));
		drifts(|_, model| mutate(model, |record| record.input_visibility = InputVisibility::Hashed));
	}

	#[test]
	fn a_use_without_commitment() {
		drifts(|_, model| {
			mutate(model, |record| {
				record.open_uses = 1;
				record.weights = ModelWeights::Committed {
					commitment: None,
					previous: None,
				};
			});
		});
	}
}
