//! What a block's hooks do depends on the number of providers that are judged in it, and not on the number of orders.

use std::{cell::RefCell, collections::BTreeMap, fmt};

use frame_support::traits::Hooks;
use opensand_primitives::storage::{OrderStatus, ShardStatus};
use tracing::{
	field::{Field, Visit},
	span, Event, Metadata, Subscriber,
};

use crate::{mock::*, Order, OrderKey, Orders, OrdersOf, Shard, Shards, ShardsOf, TreeEntry};

/// Counts the storage accesses that externalities trace, by kind.
struct Accesses;

thread_local! {
	static COUNTS: RefCell<BTreeMap<String, usize>> = const { RefCell::new(BTreeMap::new()) };
}

struct Method;

impl Visit for Method {
	fn record_str(&mut self, field: &Field, value: &str) {
		if field.name() == "method" {
			COUNTS.with_borrow_mut(|counts| *counts.entry(value.into()).or_default() += 1);
		}
	}

	fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl Subscriber for Accesses {
	fn enabled(&self, metadata: &Metadata<'_>) -> bool {
		metadata.target() == "state"
	}

	fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
		span::Id::from_u64(1)
	}

	fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

	fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

	fn event(&self, event: &Event<'_>) {
		event.record(&mut Method);
	}

	fn enter(&self, _: &span::Id) {}

	fn exit(&self, _: &span::Id) {}
}

/// The storage accesses of `work`.
fn accesses(work: impl FnOnce()) -> BTreeMap<String, usize> {
	COUNTS.take();
	tracing::subscriber::with_default(Accesses, work);
	COUNTS.take()
}

/// Adds `count` copies of an active order, held by the same providers.
fn add_copies(original: u64, count: u64) {
	let order: Order = order_record(original);
	let shards: Vec<Shard> = (0..4).map(|index| shard_record(original, index)).collect();
	let mut records: Vec<_> = (0..4).map(provider_record).collect();
	for copy in original + 1..=original + count {
		Orders::<Test>::insert(copy, &order);
		OrdersOf::<Test>::insert(OWNER, OrderKey::new(copy), ());
		for (index, shard) in (0u8..).zip(&shards) {
			assert!(matches!(shard.status, ShardStatus::Active { .. }));
			let who = provider(index);
			Shards::<Test>::insert(copy, index, shard);
			ShardsOf::<Test>::insert(&who, OrderKey::new(copy), index);
			let entry = TreeEntry {
				order: copy,
				shard: index,
				leaves: 40,
			};
			Dsm::append_to_tree(&who, &mut records[usize::from(index)].tree, entry);
		}
	}
	for (index, record) in (0u8..).zip(records) {
		crate::Providers::<Test>::insert(provider(index), record);
	}
	assert!(matches!(order.record.status, OrderStatus::Active { .. }));
}

/// The storage accesses of each block's hook in a window after which all providers are judged, two of them as faulty,
/// with `count` orders.
fn hooks_with(count: u64) -> Vec<BTreeMap<String, usize>> {
	let mut ext = new_test_ext();
	ext.execute_with(|| {
		let order = running();
		add_copies(order, count - 1);
		let records = (0..4).map(provider_record);
		assert!(records
			.into_iter()
			.all(|record| record.tree.shards as u64 == count));
	});
	ext.commit_all().unwrap();
	ext.execute_with(|| {
		for index in [0, 1] {
			crate::Providers::<Test>::mutate_extant(provider(index), |record| {
				record.answered = Some(window())
			});
		}
		let end = (window() + 1) * WINDOW_BLOCKS;
		(end..end + WINDOW_BLOCKS)
			.map(|block| {
				System::initialize(&block_after(block), &Default::default(), &Default::default());
				accesses(|| {
					Dsm::on_initialize(block);
				})
			})
			.collect()
	})
}

/// Skips to the block before `block`, so that it can be initialised.
fn block_after(block: u32) -> u32 {
	System::set_block_number(block - 1);
	block
}

#[test]
fn hooks_cost_the_same_with_any_number_of_orders() {
	let few = hooks_with(10);
	// Something was counted, and in the first block of the window more than in the last.
	assert!(few[0]["Get"] > few[9]["Get"]);
	assert!(few[0]["Put"] > 0);
	assert_eq!(hooks_with(1_000), few);
	assert_eq!(hooks_with(100_000), few);
}

/// A question touches as many nodes for each sample as the tree is high, whatever it holds.
#[test]
fn a_question_costs_the_same_with_any_number_of_orders() {
	let cost = |count| {
		new_test_ext().execute_with(|| {
			let order = running();
			add_copies(order, count - 1);
			let commitment = crate::Commitments::<Test>::get(order, 0).unwrap();
			for copy in order + 1..order + count {
				crate::Commitments::<Test>::insert(copy, 0, &commitment);
			}
			accesses(|| {
				assert_eq!(Dsm::challenge(provider(0)).unwrap().samples.len(), 8);
			})
		})
	};
	assert_eq!(cost(100), cost(10_000));
}
