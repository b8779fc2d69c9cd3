//! What a window asks of a provider, its answer, and how its tree changes without changing the question.

use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::DispatchError,
	traits::{Get, Randomness},
};
use opensand_primitives::{
	storage::{Challenge, OrderStatus, Sample, ShardIndex, ShardStatus, WindowIndex},
	AccountId, OrderId,
};
use opensand_storage_proof::{Claim, PossessionScheme, ShardLayout};

use crate::{
	Commitments, Config, CurrentSeed, Error, Event, Fault, Orders, Pallet, Parameters, Provider, ProviderAt,
	ProviderCount, Shard, Shards, TreeChange, WaitingChanges, WindowSeed, MAX_WAITING,
};

/// Changes that each change applies when nothing is owed: itself and one that waits, so that a queue shrinks as fast as
/// it grew.
const APPLIED_WITH_EACH: u64 = 2;

/// What answering a window took.
pub(crate) struct Answer {
	/// Whether it was good.
	pub good: bool,
	/// Leaves that were asked for.
	pub samples: u32,
	/// Changes of the tree that were applied.
	pub changes: u32,
}

impl<T: Config> Pallet<T> {
	/// Draws the window's seed and adjusts the price, in the window's first block. Returns whether this is that block.
	pub(crate) fn begin_window() -> bool {
		let window = Self::window();
		if CurrentSeed::<T>::get().is_some_and(|present| present.window >= window) {
			return false;
		}
		let (random, _) = T::Randomness::random(b"opensand/window");
		// The parent's hash is drawn in only where its author had no verifiable randomness: an author can grind it.
		let seed = match random {
			Some(random) => hash_of(&(b"opensand/window/vrf", window, random)),
			None => {
				let parent = frame_system::Pallet::<T>::parent_hash();
				hash_of(&(b"opensand/window/hash", window, parent))
			}
		};
		CurrentSeed::<T>::put(WindowSeed {
			window,
			seed,
			samples: Parameters::<T>::get().samples,
		});
		Self::adjust_price();
		true
	}

	/// Judges the providers whose turn it is in this block; returns how many. Every provider has its turn in every
	/// window.
	pub(crate) fn judge_next() -> u32 {
		let count = ProviderCount::<T>::get();
		let each = T::JudgedPerBlock::get();
		let turn = Self::now().checked_rem(T::WindowBlocks::get()).unwrap_or(0);
		let first = turn.saturating_mul(each);
		let last = first.saturating_add(each).min(count);
		for place in first..last {
			if let Some(who) = ProviderAt::<T>::get(place) {
				Self::mutate_provider(&who, |_| ());
			}
		}
		last.saturating_sub(first)
	}

	/// Records a fault if the provider owed an answer in the window before and gave none.
	///
	/// Whatever changes a provider judges it first, so nothing can change what a window asked before it is judged. A gap of
	/// more than one window comes only from a change of the runtime's constants, and nobody is to blame for it.
	pub(crate) fn judge(who: &AccountId, provider: &mut Provider) {
		let Some(last) = Self::window()
			.checked_sub(1)
			.filter(|last| provider.judged < *last)
		else {
			return;
		};
		let next = provider.judged.saturating_add(1);
		provider.judged = last;
		if next == last && provider.owes(last) {
			Self::record_fault(who, provider, last, Fault::Missed);
		}
	}

	/// Changes a provider's tree: at once if the window asks nothing of it any more, else when it has answered.
	pub(crate) fn change_tree(who: &AccountId, provider: &mut Provider, change: TreeChange) {
		let window = Self::window();
		let owes = provider.owes(window);
		if provider.waiting.is_empty() && !owes {
			provider.tree.changed = window;
			return Self::apply_change(who, provider, change);
		}
		if owes && matches!(change, TreeChange::Remove(_)) {
			provider.disturbed = Some(window);
		}
		WaitingChanges::<T>::insert(who, provider.waiting.next, change);
		provider.waiting.next = provider.waiting.next.saturating_add(1);
		if !owes {
			Self::apply_waiting(who, provider, APPLIED_WITH_EACH);
		}
	}

	/// Applies up to `limit` waiting changes, the oldest first; returns how many.
	pub(crate) fn apply_waiting(who: &AccountId, provider: &mut Provider, limit: u64) -> u32 {
		let mut applied = 0u32;
		while !provider.waiting.is_empty() && u64::from(applied) < limit {
			if let Some(change) = WaitingChanges::<T>::take(who, provider.waiting.first) {
				Self::apply_change(who, provider, change);
			}
			provider.waiting.first = provider.waiting.first.saturating_add(1);
			applied = applied.saturating_add(1);
		}
		if applied > 0 {
			provider.tree.changed = Self::window();
		}
		applied
	}

	fn apply_change(who: &AccountId, provider: &mut Provider, change: TreeChange) {
		match change {
			TreeChange::Add(entry) => Self::append_to_tree(who, &mut provider.tree, entry),
			TreeChange::Remove(order) => Self::remove_from_tree(who, &mut provider.tree, order),
		}
	}

	/// Takes a provider's answer to the current window.
	pub(crate) fn answer_window(
		signer: AccountId,
		window: WindowIndex,
		proof: &[u8],
	) -> Result<Answer, DispatchError> {
		let who = Self::provider_of(&signer)?;
		let seed = CurrentSeed::<T>::get()
			.filter(|seed| seed.window == window && window == Self::window())
			.ok_or(Error::<T>::WrongWindow)?;
		Self::try_mutate_provider(&who, |provider| {
			ensure!(!provider.is_jailed(), Error::<T>::Jailed);
			ensure!(provider.owes(window), Error::<T>::NothingOwed);
			let drawn = Self::draw_window(&who, provider, &seed);
			let claims: Vec<Claim> = drawn.iter().map(|(_, claim)| *claim).collect();
			// With nothing to show, for all that was drawn has expired, any answer is good.
			let verdict = if claims.is_empty() {
				Ok(())
			} else {
				T::Possession::verify(&claims, proof)
			};
			let good = verdict.is_ok();
			// Another's call may have taken a shard off the question while the answer was on its way.
			ensure!(
				good || provider.disturbed != Some(window),
				Error::<T>::QuestionChanged
			);
			provider.answered = Some(window);
			match verdict {
				Ok(()) => {
					provider.record.faults = 0;
					Self::enter_proof(&who, provider, window);
					Self::deposit_event(Event::PossessionProven {
						provider: who.clone(),
						window,
					});
				}
				Err(error) => Self::record_fault(&who, provider, window, Fault::WrongProof(error)),
			}
			let changes = Self::apply_waiting(&who, provider, MAX_WAITING);
			Ok(Answer {
				good,
				samples: seed.samples,
				changes,
			})
		})
	}

	/// The leaves that a window asks a provider for. Those of shards that it need not have any more are left out: they
	/// count as shown.
	pub(crate) fn draw_window(
		who: &AccountId,
		provider: &Provider,
		seed: &WindowSeed,
	) -> Vec<(Sample, Claim)> {
		let bytes: &[u8; 32] = who.as_ref();
		(0..seed.samples)
			.filter_map(|index| {
				let leaf = T::Possession::draw(&seed.seed, bytes, index, provider.tree.leaves);
				let (entry, leaf) = Self::find_leaf(who, leaf)?;
				Self::is_due(who, entry.order, entry.shard, seed.window)
					.then(|| Self::locate_leaf(entry.order, entry.shard, leaf))?
			})
			.collect()
	}

	/// Whether a provider has to show a shard in a window: it holds it, and its order has neither ended nor been lost.
	fn is_due(who: &AccountId, order: OrderId, shard: ShardIndex, window: WindowIndex) -> bool {
		let ended = Orders::<T>::get(order).is_none_or(|order| match order.record.status {
			OrderStatus::Placing { .. } => false,
			OrderStatus::Active { end, .. } => end <= window,
			OrderStatus::Lost => true,
		});
		let holds =
			|shard: Shard| matches!(&shard.status, ShardStatus::Active { provider, .. } if provider == who);
		!ended && Shards::<T>::get(order, shard).is_some_and(holds)
	}

	/// The `leaf`-th leaf of a shard, and what shows it.
	fn locate_leaf(order: OrderId, shard: ShardIndex, leaf: u64) -> Option<(Sample, Claim)> {
		let layout = ShardLayout::of(Orders::<T>::get(order)?.record.terms.shard_bytes)?;
		let (segment, index) = layout.locate(leaf)?;
		let root = *Commitments::<T>::get(order, shard)?
			.segments
			.get(segment as usize)?;
		let sample = Sample {
			order,
			shard,
			segment,
			leaf: index,
		};
		let claim = Claim {
			root,
			leaves: layout.segment_leaves(segment)?,
			index,
		};
		Some((sample, claim))
	}

	/// The leaves that a first proof has to show: `seed` is the hash of the block that draws them.
	pub(crate) fn draw_first(
		who: &AccountId,
		order: OrderId,
		shard: ShardIndex,
		seed: &[u8; 32],
		samples: u32,
	) -> Vec<(Sample, Claim)> {
		let Some(layout) =
			Orders::<T>::get(order).and_then(|order| ShardLayout::of(order.record.terms.shard_bytes))
		else {
			return Vec::new();
		};
		let seed = hash_of(&(b"opensand/first-proof", seed, order, shard));
		let bytes: &[u8; 32] = who.as_ref();
		(0..samples)
			.filter_map(|index| {
				let leaf = T::Possession::draw(&seed, bytes, index, layout.leaves());
				Self::locate_leaf(order, shard, leaf)
			})
			.collect()
	}

	/// What a provider has to prove in the current window.
	pub(crate) fn window_challenge(who: &AccountId) -> Option<Challenge> {
		let window = Self::window();
		let seed = CurrentSeed::<T>::get().filter(|seed| seed.window == window)?;
		let mut provider = crate::Providers::<T>::get(who)?;
		// A provider that the last window's judgement will jail owes nothing.
		let limit = Parameters::<T>::get().fault_limit;
		if provider.judged.saturating_add(2) == window
			&& provider.owes(window.saturating_sub(1))
			&& provider.record.faults.saturating_add(1) >= limit
		{
			return None;
		}
		provider.judged = window;
		provider.owes(window).then(|| Challenge {
			window,
			deadline: Self::last_block_of(window),
			samples: Self::draw_window(who, &provider, &seed)
				.into_iter()
				.map(|(sample, _)| sample)
				.collect(),
		})
	}

	/// What the first proof of a shard has to show.
	pub(crate) fn shard_challenge(order: OrderId, index: ShardIndex) -> Option<Challenge> {
		let shard = Shards::<T>::get(order, index)?;
		let (drawn_at, deadline) = shard.first_proof_blocks()?;
		let who = shard.status.provider()?;
		let seed = Self::drawn_hash(drawn_at).filter(|_| Self::now() <= deadline)?;
		Some(Challenge {
			window: Self::window(),
			deadline,
			samples: Self::draw_first(who, order, index, &seed, shard.samples)
				.into_iter()
				.map(|(sample, _)| sample)
				.collect(),
		})
	}

	/// The hash of block `number`, if that block is over and not too long ago.
	pub(crate) fn drawn_hash(number: opensand_primitives::BlockNumber) -> Option<[u8; 32]> {
		let hash = frame_system::Pallet::<T>::block_hash(
			frame_system::pallet_prelude::BlockNumberFor::<T>::from(number),
		);
		Some(hash.0).filter(|hash| Self::now() > number && *hash != [0; 32])
	}
}

/// BLAKE2-256 of an encoded value.
fn hash_of(value: &impl Encode) -> [u8; 32] {
	value.using_encoded(sp_io::hashing::blake2_256)
}
