//! Money is conserved and held exactly as owed, whatever is registered, decided, used and removed in whatever order.

use std::sync::LazyLock;

use frame_support::traits::fungible::Inspect;
use opensand_primitives::{
	models::{KeyBytes, ModelRecord},
	trapdoor::{Trapdoor, TrapdoorWeights},
	AccountId, ArchitectureId,
};
use opensand_zk_verifier::{
	Binding,
	InputVisibility::{Hashed, Public},
	Statement, StatementShape,
};
use proptest::{option::weighted, prelude::*};
use sp_runtime::DispatchResult;

use super::*;

/// Something that somebody does. Accounts, and what is registered, are named by a number, modulo how many there are.
/// Where `by` is absent, whoever may do it does.
#[derive(Clone, Debug)]
enum Step {
	RegisterArchitecture {
		by: u8,
		architecture: u8,
	},
	RemoveArchitecture {
		by: Option<u8>,
		architecture: u8,
	},
	RegisterModel {
		by: u8,
		architecture: u8,
		weights: u8,
		hashed: bool,
	},
	RegisterKey {
		by: Option<u8>,
		model: u8,
		key: u8,
	},
	RemoveKey {
		by: Option<u8>,
		model: u8,
	},
	RegisterFamily {
		by: u8,
		architecture: u8,
		family: u8,
	},
	RemoveFamily {
		by: Option<u8>,
		family: u8,
	},
	RegisterCommittedModel {
		by: u8,
		family: u8,
		weights: u8,
		previous: Option<u8>,
	},
	Activate {
		by: Option<u8>,
		model: u8,
		right: bool,
	},
	/// Governance accepts or rejects a model's key or a family.
	Decide {
		key: u8,
		accept: bool,
	},
	SetRoyalty {
		by: Option<u8>,
		model: u8,
		royalty: u16,
	},
	SetArtifacts {
		by: Option<u8>,
		model: u8,
		length: u8,
	},
	SetActive {
		by: Option<u8>,
		model: u8,
		active: bool,
	},
	DeclareTraining {
		by: Option<u8>,
		model: u8,
		dataset: u8,
	},
	RemoveModel {
		by: Option<u8>,
		model: u8,
	},
	/// A request for a model that can be asked is made.
	BeginUse {
		model: u8,
	},
	/// A request for a model is closed.
	EndUse {
		model: u8,
	},
	/// All but a little is given away, so that deposits cannot always be paid.
	GiveAway {
		from: u8,
		to: u8,
		left: u8,
	},
}

fn steps() -> impl Strategy<Value = Step> {
	let any8 = any::<u8>;
	let by = || weighted(0.1, any8());
	prop_oneof![
		3 => (any8(), any8()).prop_map(|(by, architecture)| Step::RegisterArchitecture { by, architecture }),
		2 => (by(), any8()).prop_map(|(by, architecture)| Step::RemoveArchitecture { by, architecture }),
		4 => (any8(), any8(), any8(), any::<bool>()).prop_map(
			|(by, architecture, weights, hashed)| Step::RegisterModel { by, architecture, weights, hashed }
		),
		4 => (by(), any8(), any8()).prop_map(|(by, model, key)| Step::RegisterKey { by, model, key }),
		1 => (by(), any8()).prop_map(|(by, model)| Step::RemoveKey { by, model }),
		3 => (any8(), any8(), any8())
			.prop_map(|(by, architecture, family)| Step::RegisterFamily { by, architecture, family }),
		1 => (by(), any8()).prop_map(|(by, family)| Step::RemoveFamily { by, family }),
		4 => (any8(), any8(), any8(), weighted(0.3, any8())).prop_map(
			|(by, family, weights, previous)| Step::RegisterCommittedModel { by, family, weights, previous }
		),
		4 => (by(), any8(), prop::bool::weighted(0.8))
			.prop_map(|(by, model, right)| Step::Activate { by, model, right }),
		3 => (any8(), prop::bool::weighted(0.7)).prop_map(|(key, accept)| Step::Decide { key, accept }),
		1 => (by(), any8(), any::<u16>())
			.prop_map(|(by, model, royalty)| Step::SetRoyalty { by, model, royalty }),
		1 => (by(), any8(), any8()).prop_map(|(by, model, length)| Step::SetArtifacts { by, model, length }),
		1 => (by(), any8(), any::<bool>())
			.prop_map(|(by, model, active)| Step::SetActive { by, model, active }),
		2 => (by(), any8(), any8())
			.prop_map(|(by, model, dataset)| Step::DeclareTraining { by, model, dataset }),
		3 => (by(), any8()).prop_map(|(by, model)| Step::RemoveModel { by, model }),
		4 => any8().prop_map(|model| Step::BeginUse { model }),
		3 => any8().prop_map(|model| Step::EndUse { model }),
		1 => (any8(), any8(), any8()).prop_map(|(from, to, left)| Step::GiveAway { from, to, left }),
	]
}

/// Keys of models, one of them for another architecture; those of ceremonies wait for governance.
static KEYS: LazyLock<[KeyBytes; 4]> = LazyLock::new(|| {
	[
		key(1, KeyOrigin::Development, 4, 2),
		key(2, KeyOrigin::Development, 4, 2),
		key(3, CEREMONY, 4, 2),
		key(4, KeyOrigin::Development, 5, 3),
	]
});

const FAMILY_SEEDS: [u64; 2] = [7, 8];

/// Keys of families for 4-to-2 models, those of two visibilities with one registration key, each with its seed.
static FAMILIES: LazyLock<Vec<(u64, [KeyBytes; 2])>> = LazyLock::new(|| {
	let [development, ceremony] = FAMILY_SEEDS;
	[(development, KeyOrigin::Development), (ceremony, CEREMONY)]
		.into_iter()
		.flat_map(|(seed, origin)| {
			[Public, Hashed].map(|visibility| (seed, family_keys(seed, origin, visibility)))
		})
		.collect()
});

fn account(index: u8) -> AccountId {
	[ALICE, BOB, PAUPER][usize::from(index) % 3].clone()
}

fn architecture_bytes(index: u8) -> Vec<u8> {
	[linear(4, 2), linear(5, 3)][usize::from(index) % 2].clone()
}

/// One of several ids; an unknown one where there is none.
fn some<Id: Default + Ord + Clone>(ids: impl Iterator<Item = Id>, index: u8) -> Id {
	let mut ids: Vec<_> = ids.collect();
	ids.sort();
	usize::from(index)
		.checked_rem(ids.len())
		.map(|place| ids[place].clone())
		.unwrap_or_default()
}

fn some_architecture(index: u8) -> ArchitectureId {
	some(Architectures::<Test>::iter_keys(), index)
}

fn some_model(index: u8) -> ModelId {
	some(crate::Models::<Test>::iter_keys(), index)
}

fn some_family(index: u8) -> KeyId {
	some(Families::<Test>::iter_keys(), index)
}

fn some_key(index: u8) -> KeyId {
	some(
		Keys::<Test>::iter_keys().chain(Families::<Test>::iter_keys()),
		index,
	)
}

fn signed(by: Option<u8>, entitled: Option<AccountId>) -> RuntimeOrigin {
	RuntimeOrigin::signed(by.map(account).or(entitled).unwrap_or(ALICE))
}

fn owner_of(model: ModelId) -> Option<AccountId> {
	Models::model(model).map(|record| record.owner)
}

/// Proves the commitment of a model's weights, or another one, to its owner.
fn activate(by: Option<u8>, model: ModelId, right: bool) -> DispatchResult {
	let record = Models::model(model).ok_or(Error::<Test>::UnknownModel)?;
	let family = record.key.unwrap_or_default();
	let registration = Models::family(family).map(|family| family.registration);
	let seed = FAMILIES
		.iter()
		.find(|(_, [_, inference])| key_id(inference) == family)
		.map_or(FAMILY_SEEDS[0], |(seed, _)| *seed);
	let statement = Statement::registration(Binding {
		genesis: System::block_hash(0).0,
		key: registration.unwrap_or_default().0,
		model: model.0,
		request: 0,
		worker: record.owner.clone().into(),
	});
	let weights = TrapdoorWeights::new(u64::from(record.weights_hash[0]) + u64::from(!right));
	let proof = Trapdoor::of_family(seed, StatementShape::REGISTRATION)
		.prove_with(&statement, Some(&weights), 1)
		.unwrap()
		.to_bytes()
		.try_into()
		.unwrap();
	let commitment = commitment(record.weights_hash[0].into());
	Models::activate_model(signed(by, Some(record.owner)), model, commitment, Box::new(proof))
}

/// Does a step, and answers whether it was refused.
fn take(step: Step) -> DispatchResult {
	match step {
		Step::RegisterArchitecture { by, architecture } => Models::register_architecture(
			signed(Some(by), None),
			BoundedVec::truncate_from(architecture_bytes(architecture)),
		),
		Step::RemoveArchitecture { by, architecture } => {
			let architecture = some_architecture(architecture);
			let depositor = Models::architecture(architecture).map(|record| record.depositor);
			Models::remove_architecture(signed(by, depositor), architecture)
		}
		Step::RegisterModel {
			by,
			architecture,
			weights,
			hashed,
		} => Models::register_model(
			signed(Some(by), None),
			some_architecture(architecture),
			[weights % 4; 32],
			if hashed { Hashed } else { Public },
			SAND,
			Default::default(),
		),
		Step::RegisterKey { by, model, key } => {
			let model = some_model(model);
			let key = KEYS[usize::from(key) % KEYS.len()].clone();
			Models::register_key(signed(by, owner_of(model)), model, key)
		}
		Step::RemoveKey { by, model } => {
			let model = some_model(model);
			Models::remove_key(signed(by, owner_of(model)), model)
		}
		Step::RegisterFamily {
			by,
			architecture,
			family,
		} => {
			let (_, [registration, inference]) = FAMILIES[usize::from(family) % FAMILIES.len()].clone();
			let architecture = some_architecture(architecture);
			Models::register_family(signed(Some(by), None), architecture, registration, inference)
		}
		Step::RemoveFamily { by, family } => {
			let family = some_family(family);
			let depositor = Models::family(family).map(|record| record.depositor);
			Models::remove_family(signed(by, depositor), family)
		}
		Step::RegisterCommittedModel {
			by,
			family,
			weights,
			previous,
		} => Models::register_committed_model(
			signed(Some(by), None),
			some_family(family),
			[weights % 4; 32],
			previous.map(some_model),
			SAND,
			Default::default(),
		),
		Step::Activate { by, model, right } => activate(by, some_model(model), right),
		Step::Decide { key, accept } => {
			let key = some_key(key);
			if accept {
				Models::accept_key(RuntimeOrigin::root(), key)
			} else {
				Models::reject_key(RuntimeOrigin::root(), key)
			}
		}
		Step::SetRoyalty { by, model, royalty } => {
			let model = some_model(model);
			Models::set_royalty(signed(by, owner_of(model)), model, royalty.into())
		}
		Step::SetArtifacts { by, model, length } => {
			let model = some_model(model);
			let artifacts = BoundedVec::truncate_from(vec![b'a'; length.into()]);
			Models::set_artifacts(signed(by, owner_of(model)), model, artifacts)
		}
		Step::SetActive { by, model, active } => {
			let model = some_model(model);
			Models::set_active(signed(by, owner_of(model)), model, active)
		}
		Step::DeclareTraining { by, model, dataset } => {
			let model = some_model(model);
			Models::declare_training(signed(by, owner_of(model)), model, dataset.into())
		}
		Step::RemoveModel { by, model } => {
			let model = some_model(model);
			Models::remove_model(signed(by, owner_of(model)), model)
		}
		Step::BeginUse { model } => {
			let model = some_model(model);
			Models::inference_terms(model).ok_or(DispatchError::CannotLookup)?;
			Models::begin_use(&model)
		}
		Step::EndUse { model } => {
			let model = some_model(model);
			let open = Models::model(model).map_or(0, |record| record.open_uses);
			frame_support::ensure!(open > 0, DispatchError::CannotLookup);
			Models::end_use(&model);
			Ok(())
		}
		Step::GiveAway { from, to, left } => {
			let (from, to) = (account(from), account(to));
			let amount = Balances::free_balance(&from).saturating_sub(u128::from(left) * SAND / 100);
			Balances::transfer_keep_alive(RuntimeOrigin::signed(from), to, amount)
		}
	}
}

/// Checks everything that must hold between two calls.
fn check(issuance: u128) {
	Models::do_try_state().unwrap();
	assert_eq!(Balances::total_issuance(), issuance);
}

/// Closes every request and removes everything; nobody can be refused that.
fn wind_up() {
	for (model, ModelRecord { owner, open_uses, .. }) in crate::Models::<Test>::iter().collect::<Vec<_>>() {
		(0..open_uses).for_each(|_| Models::end_use(&model));
		assert_ok!(Models::remove_model(RuntimeOrigin::signed(owner), model));
	}
	for (family, record) in Families::<Test>::iter().collect::<Vec<_>>() {
		assert_ok!(Models::remove_family(
			RuntimeOrigin::signed(record.depositor),
			family
		));
	}
	for (architecture, record) in Architectures::<Test>::iter().collect::<Vec<_>>() {
		assert_ok!(Models::remove_architecture(
			RuntimeOrigin::signed(record.depositor),
			architecture
		));
	}
}

fn nothing_is_kept() {
	for account in [ALICE, BOB, PAUPER] {
		assert_eq!(
			Balances::free_balance(&account),
			<Balances as Inspect<AccountId>>::total_balance(&account)
		);
	}
	assert_eq!(ModelsOf::<Test>::iter_keys().count(), 0);
	assert_eq!(VerifyingKeys::<Test>::iter_keys().count(), 0);
	assert_eq!(RegistrationKeys::<Test>::iter_keys().count(), 0);
	assert_eq!(ArchitectureBytes::<Test>::iter_keys().count(), 0);
}

/// Were a kind of step refused always, the property would say nothing of it.
#[test]
fn every_kind_of_step_succeeds_in_some_order() {
	new_test_ext(true).execute_with(|| {
		let issuance = Balances::total_issuance();
		let family = FAMILIES.iter().position(|(seed, _)| *seed == FAMILY_SEEDS[1]);
		let family = family.unwrap() as u8;
		for step in [
			Step::RegisterArchitecture {
				by: 0,
				architecture: 0,
			},
			Step::RegisterModel {
				by: 0,
				architecture: 0,
				weights: 0,
				hashed: false,
			},
			Step::RegisterKey {
				by: None,
				model: 0,
				key: 2,
			},
			Step::Decide { key: 0, accept: true },
			Step::BeginUse { model: 0 },
			Step::EndUse { model: 0 },
			Step::SetRoyalty {
				by: None,
				model: 0,
				royalty: 1,
			},
			Step::SetArtifacts {
				by: None,
				model: 0,
				length: 1,
			},
			Step::SetActive {
				by: None,
				model: 0,
				active: false,
			},
			Step::RemoveKey { by: None, model: 0 },
			Step::RemoveModel { by: None, model: 0 },
			Step::RegisterFamily {
				by: 1,
				architecture: 0,
				family,
			},
			Step::Decide { key: 0, accept: true },
			Step::GiveAway {
				from: 0,
				to: 2,
				left: 255,
			},
			Step::RegisterCommittedModel {
				by: 2,
				family: 0,
				weights: 1,
				previous: None,
			},
			Step::Activate {
				by: None,
				model: 0,
				right: true,
			},
			Step::BeginUse { model: 0 },
			Step::EndUse { model: 0 },
			Step::RemoveModel { by: None, model: 0 },
			Step::Decide {
				key: 0,
				accept: false,
			},
			// Anyone may, once it is rejected.
			Step::RemoveFamily {
				by: Some(0),
				family: 0,
			},
			Step::RemoveArchitecture {
				by: None,
				architecture: 0,
			},
		] {
			assert_eq!(take(step.clone()), Ok(()), "{step:?}");
			check(issuance);
		}
		nothing_is_kept();
	});
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

	/// After every step what is held is what is owed, all indices agree, and no token was made or lost; at the end, when
	/// all is removed, nothing is held.
	#[test]
	fn no_sequence_of_steps_breaks_the_books(steps in prop::collection::vec(steps(), 1..80)) {
		new_test_ext(true).execute_with(|| {
			let issuance = Balances::total_issuance();
			for step in steps {
				let _ = take(step);
				check(issuance);
			}
			wind_up();
			check(issuance);
			nothing_is_kept();
		});
	}
}
