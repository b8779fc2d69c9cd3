//! On which stored data models were declared to be trained.

use opensand_primitives::models::{TrainingSet, TrainingSets, MAX_TRAINING_SETS};
use sp_runtime::DispatchResult;

use super::*;

fn sets(dataset: u64) -> TrainingSets {
	let set = TrainingSet {
		dataset,
		manifest: manifest(dataset),
	};
	vec![set].try_into().unwrap()
}

fn declare(model: ModelId, dataset: u64) -> DispatchResult {
	Models::declare_training(alice(), model, dataset)
}

#[test]
fn a_declaration_stands_with_the_model_and_with_the_dataset() {
	run(|| {
		let model = model();
		let before = Models::model(model).unwrap().deposit;
		assert_ok!(declare(model, 2));
		System::assert_last_event(
			Event::TrainingDeclared {
				model,
				dataset: 2,
				manifest: manifest(2),
			}
			.into(),
		);
		assert_ok!(declare(model, 6));
		let set = |dataset| TrainingSet {
			dataset,
			manifest: manifest(dataset),
		};
		assert_eq!(Models::training_sets(model), [set(2), set(6)]);
		assert_eq!(Uses::get(), [(2, ALICE, model.0), (6, ALICE, model.0)]);

		let grown = Models::model(model).unwrap().deposit - before;
		assert_eq!(grown, ItemDeposit::get() + 80 * ByteDeposit::get());
		assert_eq!(held(HoldReason::ModelDeposit, &ALICE), before + grown);
	});
}

#[test]
fn it_goes_with_the_model_and_so_does_its_deposit() {
	run(|| {
		let model = model();
		assert_ok!(declare(model, 2));
		assert_ok!(Models::remove_model(alice(), model));
		assert_eq!(held(HoldReason::ModelDeposit, &ALICE), 0);
		assert_eq!(Models::training_sets(model), []);
		assert!(!TrainedOn::<Test>::contains_key(model));
		// The dataset's record stays.
		assert_eq!(Uses::get().len(), 1);
	});
}

#[test]
fn it_is_refused_for_a_reason() {
	run(|| {
		let model = model();
		let unknown = ModelId::from([7; 32]);
		assert_noop!(declare(unknown, 2), Error::<Test>::UnknownModel);
		assert_noop!(Models::declare_training(bob(), model, 2), Error::<Test>::NotOwner);
		assert_noop!(declare(model, LOST), Error::<Test>::UnknownDataset);
		assert_noop!(declare(model, LOST + 1), Error::<Test>::UnknownDataset);
		assert_noop!(declare(model, 3), Error::<Test>::TrainingNotPermitted);
		assert_ok!(declare(model, 2));
		assert_noop!(declare(model, 2), Error::<Test>::TrainingDeclaredBefore);
		for index in 2..=u64::from(MAX_TRAINING_SETS) {
			assert_ok!(declare(model, 2 * index));
		}
		assert_noop!(declare(model, 200), Error::<Test>::TooManyTrainingSets);
	});
}

#[test]
fn who_cannot_pay_the_deposit_declares_nothing() {
	run(|| {
		let model = model();
		let all_but_the_least = Balances::free_balance(ALICE) - SAND / 100;
		assert_ok!(Balances::transfer_allow_death(alice(), BOB, all_but_the_least));
		assert_noop!(declare(model, 8), TokenError::FundsUnavailable);
	});
}

#[test]
fn drift_is_found() {
	let injected: [fn(ModelId); 3] = [
		|_| TrainedOn::<Test>::insert(ModelId::from([7; 32]), sets(2)),
		|model| TrainedOn::<Test>::mutate(model, |sets| sets.try_push(sets[0]).unwrap()),
		|model| TrainedOn::<Test>::insert(model, TrainingSets::default()),
	];
	for inject in injected {
		new_test_ext(true).execute_with(|| {
			let model = model();
			assert_ok!(declare(model, 2));
			Models::do_try_state().unwrap();
			inject(model);
			assert!(Models::do_try_state().is_err());
		});
	}
}
