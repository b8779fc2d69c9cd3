//! What windows ask, and what answers do.

use frame_support::{assert_noop, assert_ok, pallet_prelude::Pays, BoundedVec};
use opensand_primitives::storage::{OrderTerms, ProviderStatus, WindowIndex};
use opensand_storage_proof::PossessionError;
use proptest::prelude::*;
use sp_runtime::DispatchError;

use crate::{mock::*, CurrentSeed, Error, Event, Fault, History, ProofBytes, MAX_WAITING};

fn submit(index: u8, window: WindowIndex, proof: ProofBytes) -> Result<Pays, DispatchError> {
	Dsm::submit_possession(signed(&agent(index)), window, proof)
		.map(|info| info.pays_fee)
		.map_err(|error| error.error)
}

#[test]
fn a_window_has_one_seed_and_asks_from_the_next_one_on() {
	run(|| {
		assert_eq!(CurrentSeed::<Test>::get().unwrap().window, 0);
		activated();
		// The shards came in this window or, without anything owed, before it.
		let seed = CurrentSeed::<Test>::get().unwrap();
		next_block();
		assert_eq!(CurrentSeed::<Test>::get(), Some(seed));
		next_window();
		let next = CurrentSeed::<Test>::get().unwrap();
		assert_eq!(next.window, seed.window + 1);
		assert_ne!(next.seed, seed.seed);
		let challenge = Dsm::challenge(provider(0)).unwrap();
		assert_eq!(challenge.window, window());
		assert_eq!(challenge.deadline, (window() + 1) * WINDOW_BLOCKS - 1);
		assert_eq!(challenge.samples.len(), 8);
		assert_ne!(challenge.samples, Dsm::challenge(provider(1)).unwrap().samples);
		assert_eq!(Dsm::challenge(provider(7)), None);
		assert_eq!(Dsm::challenge(READER), None);
	});
}

#[test]
fn a_block_without_randomness_draws_from_its_hash() {
	run(|| {
		Random::set(&false);
		running();
		let first = CurrentSeed::<Test>::get().unwrap();
		answer_all();
		next_window();
		assert_ne!(CurrentSeed::<Test>::get().unwrap().seed, first.seed);
		answer_all();
		assert_eq!(provider_record(0).record.proven, window());
	});
}

#[test]
fn a_good_answer_counts_and_is_free() {
	run(|| {
		running();
		let challenge = Dsm::challenge(provider(0)).unwrap();
		let proof = proof_of(&challenge);
		assert_eq!(submit(0, window(), proof.clone()), Ok(Pays::No));
		System::assert_last_event(
			Event::PossessionProven {
				provider: provider(0),
				window: window(),
			}
			.into(),
		);
		assert_eq!(provider_record(0).record.proven, window());
		assert_eq!(provider_record(0).proofs, 1);
		assert_eq!(Dsm::challenge(provider(0)), None);
		assert_noop!(submit(0, window(), proof), Error::<Test>::NothingOwed);
	});
}

#[test]
fn answers_are_refused_for_a_reason() {
	run(|| {
		type E = Error<Test>;
		running();
		let proof = proof_of(&Dsm::challenge(provider(0)).unwrap());
		for other in [0, window() - 1, window() + 1, u32::MAX] {
			assert_noop!(submit(0, other, proof.clone()), E::WrongWindow);
		}
		assert_noop!(submit(7, window(), proof.clone()), E::NothingOwed);
		assert_noop!(submit(9, window(), proof), E::UnknownProvider);
		// In the last block of the window it is still taken.
		run_to((window() + 1) * WINDOW_BLOCKS - 1);
		assert!(answer(0));
	});
}

#[test]
fn a_wrong_answer_is_a_fault_at_once_and_the_last_one() {
	run(|| {
		running();
		let challenge = Dsm::challenge(provider(0)).unwrap();
		let good = proof_of(&challenge);
		assert_eq!(submit(0, window(), wrong(good.clone())), Ok(Pays::Yes));
		let record = provider_record(0).record;
		let slashed = sp_runtime::Perbill::from_percent(1).mul_ceil(reserve());
		assert_eq!((record.faults, record.collateral), (1, COLLATERAL - slashed));
		assert_eq!(total(&TREASURY), ENDOWMENT + slashed);
		System::assert_last_event(
			Event::ProviderFaulted {
				provider: provider(0),
				window: window(),
				fault: Fault::WrongProof(PossessionError::WrongRoot { claim: 0 }),
				slashed,
				faults: 1,
			}
			.into(),
		);
		assert_noop!(submit(0, window(), good), Error::<Test>::NothingOwed);
		assert_eq!(Dsm::challenge(provider(0)), None);
		// The window is not counted as missed too.
		answer_all();
		next_window();
		run_for(5);
		assert_eq!(provider_record(0).record.faults, 1);
		// A good answer ends the row.
		answer_all();
		assert_eq!(provider_record(0).record.faults, 0);
	});
}

#[test]
fn hostile_proofs_are_wrong_proofs() {
	run(|| {
		running();
		let others = proof_of(&Dsm::challenge(provider(3)).unwrap());
		let mut truncated = proof_of(&Dsm::challenge(provider(1)).unwrap()).into_inner();
		truncated.pop();
		let mut longer = proof_of(&Dsm::challenge(provider(2)).unwrap()).into_inner();
		longer.push(0);
		let hostile = [
			(0, others.into_inner(), None),
			(1, truncated, Some(PossessionError::Undecodable)),
			(2, longer, Some(PossessionError::Undecodable)),
			(3, vec![0xff; 32_768], Some(PossessionError::Undecodable)),
		];
		for (index, bytes, expected) in hostile {
			assert_eq!(
				submit(index, window(), BoundedVec::truncate_from(bytes)),
				Ok(Pays::Yes)
			);
			assert_eq!(provider_record(index).record.faults, 1);
			let fault = System::events()
				.into_iter()
				.rev()
				.find_map(|record| match record.event {
					RuntimeEvent::Dsm(Event::ProviderFaulted {
						fault: Fault::WrongProof(error),
						..
					}) => Some(error),
					_ => None,
				});
			assert!(expected.is_none() || fault == expected, "{fault:?}");
		}
	});
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

	/// Whatever bytes are sent, and however a good proof is changed: a fault, and nothing else.
	#[test]
	fn no_other_bytes_are_a_proof(
		bytes in proptest::collection::vec(any::<u8>(), 0..600),
		at in any::<proptest::sample::Index>(),
		flip in 1..=255u8,
	) {
		new_test_ext().execute_with(|| {
			running();
			assert_eq!(submit(0, window(), BoundedVec::truncate_from(bytes)), Ok(Pays::Yes));
			let mut changed = proof_of(&Dsm::challenge(provider(1)).unwrap()).into_inner();
			let at = at.index(changed.len());
			changed[at] ^= flip;
			assert_eq!(submit(1, window(), BoundedVec::truncate_from(changed)), Ok(Pays::Yes));
			for index in [0, 1] {
				assert_eq!(provider_record(index).record.faults, 1);
				assert_eq!(provider_record(index).proofs, 0);
			}
			Dsm::do_try_state().unwrap();
		});
	}
}

#[test]
fn several_shards_are_shown_by_one_proof() {
	run(|| {
		register_all(4);
		let sizes = [256, 10_240, 1 << 20, (8 << 20) + 512];
		for shard_bytes in sizes {
			let order = place_with(
				&OWNER,
				OrderTerms {
					shard_bytes,
					..order_terms()
				},
			)
			.unwrap();
			fill(order, 0);
			answer_all();
		}
		next_window();
		answer_all();
		let leaves: u64 = sizes.iter().map(|bytes| bytes / 256).sum();
		for index in 0..4 {
			assert_eq!(provider_record(index).tree.leaves, leaves);
			assert_eq!(provider_record(index).tree.shards, 4);
			assert_eq!(provider_record(index).record.proven, window());
		}
		// By size: most leaves are of the largest.
		next_window();
		let samples = Dsm::challenge(provider(0)).unwrap().samples;
		assert!(samples.iter().filter(|sample| sample.order == 3).count() >= 4);
	});
}

#[test]
fn the_question_stays_while_it_is_open() {
	run(|| {
		running();
		let before = Dsm::challenge(provider(0)).unwrap();
		// A new shard is proven while the answer is owed: it waits.
		let order = place();
		fill(order, 0);
		assert_eq!(Dsm::challenge(provider(0)).unwrap(), before);
		assert_eq!(provider_record(0).waiting.len(), 1);
		assert_eq!(provider_record(0).tree.shards, 1);
		let leaves = provider_record(0).tree.leaves;
		assert!(answer(0));
		assert_eq!(provider_record(0).waiting.len(), 0);
		assert_eq!(provider_record(0).tree.leaves, 2 * leaves);
		// Asked for from the next window on.
		assert_eq!(Dsm::challenge(provider(0)), None);
		answer_all();
		next_window();
		assert!(Dsm::challenge(provider(0)).is_some());
		answer_all();
	});
}

#[test]
fn an_answer_under_way_is_not_a_fault_when_another_took_a_shard_away() {
	run(|| {
		register_all(4);
		let order = place();
		assert_ok!(accept(0, order, 0));
		prove_first(0, order, 0);
		next_window();
		let under_way = proof_of(&Dsm::challenge(provider(0)).unwrap());
		assert_ok!(Dsm::cancel(signed(&OWNER), order));
		let second = place();
		assert_ok!(accept(0, second, 0));
		// All that was asked for has gone: any answer is good.
		assert_eq!(Dsm::challenge(provider(0)).unwrap().samples, []);
		assert_eq!(submit(0, window(), under_way), Ok(Pays::No));
		assert_eq!(provider_record(0).tree.shards, 0);
		prove_first(0, second, 0);

		// With another shard left, the answer has to be given again.
		let third = place();
		assert_ok!(accept(0, third, 0));
		prove_first(0, third, 0);
		answer_all();
		next_window();
		let under_way = proof_of(&Dsm::challenge(provider(0)).unwrap());
		assert_ok!(Dsm::cancel(signed(&OWNER), third));
		assert_noop!(submit(0, window(), under_way), Error::<Test>::QuestionChanged);
		assert!(answer(0));
		assert_eq!(provider_record(0).record.faults, 0);
	});
}

#[test]
fn a_provider_with_many_changes_waiting_answers_first() {
	run(|| {
		register_all(1);
		assert_ok!(Dsm::add_collateral(signed(&provider(0)), COLLATERAL));
		let first = place();
		assert_ok!(accept(0, first, 0));
		prove_first(0, first, 0);
		next_window();
		let orders: Vec<_> = (0..MAX_WAITING + 2)
			.map(|_| {
				let order = place();
				assert_ok!(accept(0, order, 0));
				order
			})
			.collect();
		next_block();
		next_block();
		let prove = |order| {
			let proof = proof_of(&Dsm::first_challenge(order, 0).unwrap());
			Dsm::first_proof(signed(&agent(0)), order, 0, proof)
				.map(drop)
				.map_err(|error| error.error)
		};
		let (filling, over) = orders.split_at(MAX_WAITING as usize);
		for order in filling {
			assert_ok!(prove(*order));
		}
		assert_noop!(prove(over[0]), Error::<Test>::ChangesWaiting);
		let next = place();
		assert_noop!(accept(0, next, 0), Error::<Test>::ChangesWaiting);
		assert!(answer(0));
		assert_eq!(provider_record(0).tree.shards, MAX_WAITING as u32 + 1);
		assert_ok!(prove(over[0]));
		assert_ok!(accept(0, next, 0));
	});
}

#[test]
fn removals_wait_without_limit_and_are_made_up_for() {
	run(|| {
		register_all(1);
		assert_ok!(Dsm::add_collateral(signed(&provider(0)), COLLATERAL));
		let orders: Vec<_> = (0..100)
			.map(|_| {
				let order = place();
				assert_ok!(accept(0, order, 0));
				order
			})
			.collect();
		for order in &orders {
			prove_first(0, *order, 0);
		}
		assert_eq!(provider_record(0).tree.shards, 100);
		next_window();
		for order in &orders[..70] {
			assert_ok!(Dsm::cancel(signed(&OWNER), *order));
		}
		assert_eq!(provider_record(0).waiting.len(), 70);
		Dsm::do_try_state().unwrap();
		assert!(answer(0));
		assert_eq!(provider_record(0).waiting.len(), 70 - MAX_WAITING);
		Dsm::do_try_state().unwrap();
		// With nothing owed each further change applies two.
		for order in &orders[70..90] {
			assert_ok!(Dsm::cancel(signed(&OWNER), *order));
		}
		assert_eq!(provider_record(0).waiting.len(), 70 - MAX_WAITING - 20);
		Dsm::do_try_state().unwrap();
		next_window();
		assert!(answer(0));
		assert_eq!(provider_record(0).waiting.len(), 0);
		assert_eq!(provider_record(0).tree.shards, 10);
	});
}

#[test]
fn the_provider_itself_may_answer() {
	run(|| {
		running();
		let challenge = Dsm::challenge(provider(0)).unwrap();
		let proof = proof_of(&challenge);
		assert_ok!(Dsm::submit_possession(
			signed(&provider(0)),
			challenge.window,
			proof
		));
	});
}

#[test]
fn a_change_of_samples_waits_for_the_next_window() {
	run(|| {
		running();
		set_parameters(|parameters| parameters.samples = 3);
		assert_eq!(Dsm::challenge(provider(0)).unwrap().samples.len(), 8);
		answer_all();
		next_window();
		assert_eq!(Dsm::challenge(provider(0)).unwrap().samples.len(), 3);
		answer_all();
	});
}

#[test]
fn history_is_kept_for_so_long() {
	run(|| {
		let order = running();
		let who = provider(0);
		let mut record = provider_record(0);
		for window in (0..70).map(|entry| entry * crate::HISTORY_WINDOWS + 9) {
			Dsm::enter_proof(&who, &mut record, window);
		}
		assert_eq!(
			History::<Test>::iter_prefix(&who).count(),
			crate::HISTORY_LENGTH as usize
		);
		crate::Providers::<Test>::insert(&who, &record);
		let between = |from, to| Dsm::proofs_between(&who, from, to);
		// What is forgotten does not count.
		assert_eq!(between(0, u32::MAX), crate::HISTORY_LENGTH);
		assert_eq!(between(69 * crate::HISTORY_WINDOWS, u32::MAX), 1);
		assert_eq!(between(69 * crate::HISTORY_WINDOWS + 9, u32::MAX), 1);
		assert_eq!(between(69 * crate::HISTORY_WINDOWS + 10, u32::MAX), 0);
		assert_eq!(
			between(69 * crate::HISTORY_WINDOWS, 69 * crate::HISTORY_WINDOWS + 9),
			0
		);
		assert_eq!(between(5, 5), 0);
		assert_eq!(between(9, 5), 0);
		assert_eq!(Dsm::proofs_between(&READER, 0, 100), 0);
		// Back to what the chain recorded.
		History::<Test>::remove(&who, 0);
		let _ = History::<Test>::clear_prefix(&who, 100, None);
		crate::Providers::<Test>::mutate_extant(&who, |record| {
			record.record.proven = 0;
			record.proofs = 0;
		});
		let _ = order;
	});
}

#[test]
fn trees_of_every_size_find_every_leaf() {
	run(|| {
		use crate::{TreeEntry, TreeState};
		let who = READER;
		let mut tree = TreeState::default();
		let leaves = |order: u64| (order as u32 % 7) + 1;
		let add = |tree: &mut TreeState, order| {
			let entry = TreeEntry {
				order,
				shard: (order % 80) as u8,
				leaves: leaves(order),
			};
			Dsm::append_to_tree(&who, tree, entry);
		};
		let mut expected = std::collections::BTreeMap::new();
		for order in 0..4_200u64 {
			add(&mut tree, order);
			expected.insert(order, u64::from(leaves(order)));
		}
		for order in (0..4_200u64).filter(|order| order % 3 != 0) {
			Dsm::remove_from_tree(&who, &mut tree, order);
			expected.remove(&order);
		}
		assert_eq!(tree.shards as usize, expected.len());
		assert_eq!(tree.leaves, expected.values().sum::<u64>());
		let mut found = std::collections::BTreeMap::<u64, u64>::new();
		for leaf in 0..tree.leaves {
			let (entry, offset) = Dsm::find_leaf(&who, leaf).unwrap();
			assert!(offset < entry.leaves.into());
			*found.entry(entry.order).or_default() += 1;
		}
		assert_eq!(found, expected);
		assert_eq!(Dsm::find_leaf(&who, tree.leaves), None);
		assert_eq!(Dsm::find_leaf(&who, u64::MAX), None);
		for order in expected.keys() {
			Dsm::remove_from_tree(&who, &mut tree, *order);
		}
		assert_eq!((tree.shards, tree.leaves), (0, 0));
		assert_eq!(crate::TreeEntries::<Test>::iter_keys().count(), 0);
		assert_eq!(crate::TreeSums::<Test>::iter_keys().count(), 0);
		assert_eq!(crate::TreePositions::<Test>::iter_keys().count(), 0);
	});
}

#[test]
fn a_jailed_provider_is_asked_nothing() {
	run(|| {
		running();
		jail(0);
		assert!(matches!(
			Dsm::storage_provider(provider(0)).unwrap().status,
			ProviderStatus::Jailed { .. }
		));
		assert_eq!(Dsm::challenge(provider(0)), None);
		assert_noop!(submit(0, window(), Default::default()), Error::<Test>::Jailed);
	});
}
