//! Money is conserved and held exactly as owed, whatever happens in whatever order.

use frame_support::traits::fungible::Inspect;
use opensand_primitives::{currency::SAND, AccountId, BlockNumber, ModelId};
use opensand_zk_verifier::InputVisibility::{self, Hashed, Public};
use proptest::prelude::*;

use crate::{mock::*, Requests};

/// Something that somebody does. Workers, requesters and open requests are named by a number, modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
	Register {
		worker: u8,
		bond: u8,
		capacity: u8,
	},
	AddBond {
		worker: u8,
		amount: u8,
	},
	SetCapacity {
		worker: u8,
		capacity: u8,
	},
	Offer {
		worker: u8,
		visibility: InputVisibility,
		price: u16,
		turnaround: u8,
	},
	WithdrawOffer {
		worker: u8,
		visibility: InputVisibility,
	},
	Deregister {
		worker: u8,
	},
	WithdrawBond {
		worker: u8,
	},
	Ask {
		requester: u8,
		visibility: InputVisibility,
		worker: Option<u8>,
		timeout: u8,
	},
	Cancel {
		request: u8,
	},
	Answer {
		request: u8,
	},
	AnswerBadly {
		request: u8,
	},
	Decline {
		request: u8,
	},
	SetAuthor {
		author: Option<u8>,
	},
	SetRoyalty {
		visibility: InputVisibility,
		royalty: u16,
	},
	Wait {
		blocks: u8,
	},
}

fn steps() -> impl Strategy<Value = Step> {
	let visibility = || prop_oneof![Just(Public), Just(Hashed)];
	prop_oneof![
		1 => (any::<u8>(), 0..60u8, 0..6u8)
			.prop_map(|(worker, bond, capacity)| Step::Register { worker, bond, capacity }),
		1 => (any::<u8>(), any::<u8>()).prop_map(|(worker, amount)| Step::AddBond { worker, amount }),
		1 => (any::<u8>(), 0..6u8).prop_map(|(worker, capacity)| Step::SetCapacity { worker, capacity }),
		2 => (any::<u8>(), visibility(), any::<u16>(), 0..20u8).prop_map(
			|(worker, visibility, price, turnaround)| Step::Offer { worker, visibility, price, turnaround }
		),
		1 => (any::<u8>(), visibility())
			.prop_map(|(worker, visibility)| Step::WithdrawOffer { worker, visibility }),
		1 => any::<u8>().prop_map(|worker| Step::Deregister { worker }),
		1 => any::<u8>().prop_map(|worker| Step::WithdrawBond { worker }),
		12 => (any::<u8>(), visibility(), any::<Option<u8>>(), 8..40u8).prop_map(
			|(requester, visibility, worker, timeout)| Step::Ask { requester, visibility, worker, timeout }
		),
		3 => any::<u8>().prop_map(|request| Step::Cancel { request }),
		4 => any::<u8>().prop_map(|request| Step::Answer { request }),
		1 => any::<u8>().prop_map(|request| Step::AnswerBadly { request }),
		2 => any::<u8>().prop_map(|request| Step::Decline { request }),
		1 => any::<Option<u8>>().prop_map(|author| Step::SetAuthor { author }),
		1 => (visibility(), any::<u16>())
			.prop_map(|(visibility, royalty)| Step::SetRoyalty { visibility, royalty }),
		4 => (1..12u8).prop_map(|blocks| Step::Wait { blocks }),
	]
}

fn account(index: u8) -> AccountId {
	[REQUESTER, OWNER, AUTHOR, WORKER, OTHER, PAUPER][index as usize % 6].clone()
}

fn open_request(index: u8) -> Option<u64> {
	let mut open: Vec<_> = Requests::<Test>::iter_keys().collect();
	open.sort();
	open.get((index as usize).checked_rem(open.len())?).copied()
}

/// Does a step; whether it is refused does not matter.
fn take(step: Step) {
	let signed = |index| RuntimeOrigin::signed(account(index));
	match step {
		Step::Register {
			worker,
			bond,
			capacity,
		} => {
			let _ = register(account(worker), u128::from(bond) * SAND, capacity.into());
		}
		Step::AddBond { worker, amount } => {
			let _ = Inference::add_bond(signed(worker), u128::from(amount) * SAND);
		}
		Step::SetCapacity { worker, capacity } => {
			let _ = Inference::update_worker(signed(worker), None, None, Some(capacity.into()));
		}
		Step::Offer {
			worker,
			visibility,
			price,
			turnaround,
		} => {
			// Odd amounts, so that every share is rounded.
			let price = u128::from(price) * 123_456_789;
			let _ = Inference::offer_model(signed(worker), model(visibility), price, turnaround.into());
		}
		Step::WithdrawOffer { worker, visibility } => {
			let _ = Inference::withdraw_offer(signed(worker), model(visibility));
		}
		Step::Deregister { worker } => {
			let _ = Inference::deregister_worker(signed(worker));
		}
		Step::WithdrawBond { worker } => {
			let _ = Inference::withdraw_bond(signed(worker));
		}
		Step::Ask {
			requester,
			visibility,
			worker,
			timeout,
		} => {
			let (model, input) = (model(visibility), input(visibility));
			let worker = worker.map(account);
			let timeout = BlockNumber::from(timeout);
			let _ = Inference::request_inference(signed(requester), model, input, worker, u128::MAX, timeout);
		}
		Step::Cancel { request } => {
			if let Some(request) = open_request(request) {
				let _ = Inference::cancel_request(RuntimeOrigin::signed(record(request).requester), request);
			}
		}
		Step::Answer { request } => {
			if let Some(request) = open_request(request) {
				answer(request);
			}
		}
		Step::AnswerBadly { request } => {
			if let Some(request) = open_request(request) {
				apply(result_call(&record(request).worker, request, &OUTPUT, &[1; 480]))
					.unwrap()
					.unwrap();
			}
		}
		Step::Decline { request } => {
			if let Some(request) = open_request(request) {
				apply(decline_call(&record(request).worker, request))
					.unwrap()
					.unwrap();
			}
		}
		Step::SetAuthor { author } => Author::set(&author.map(account)),
		Step::SetRoyalty { visibility, royalty } => set_royalty(model(visibility), royalty),
		Step::Wait { blocks } => run_for(blocks.into()),
	}
}

fn set_royalty(model: ModelId, royalty: u16) {
	let (mut terms, uses) = RegisteredModels::get(model).unwrap();
	terms.royalty = u128::from(royalty) * 98_765_433;
	RegisteredModels::insert(model, (terms, uses));
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

	/// Begins with three workers that serve both models. After every step what is held is what is owed, all indices agree, and no token was made or lost; at the end,
	/// when all requests have closed, nothing is held but bonds.
	#[test]
	fn no_sequence_of_steps_breaks_the_books(steps in prop::collection::vec(steps(), 1..80)) {
		new_test_ext().execute_with(|| {
			let issuance = Balances::total_issuance();
			for worker in [WORKER, OTHER, OWNER] {
				serve(worker);
			}
			for step in steps {
				take(step);
				check(issuance);
			}
			run_for(MAX_TIMEOUT + DEADLINE_SLACK + 1);
			check(issuance);
			assert_eq!(Requests::<Test>::iter_keys().count(), 0);
			assert_eq!(CreditedWork::iter_keys().filter(|worker| Balances::total_balance(worker) == 0).count(), 0);
		});
	}
}
