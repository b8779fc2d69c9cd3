//! Looks for shards in the network of which too few others are left to rebuild them.
//!
//! Whoever handed a shard over, or was jailed, may still have it. To bid for such a repair without having found somebody
//! would cost the bidder a part of its collateral; not to look would let an order be lost that could be saved.

use std::{
	collections::HashMap,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
};

use opensand_primitives::BlockNumber;
use opensand_slices::shard_cid;
use tokio::task::JoinHandle;

use crate::{
	chain::ShardId,
	context::Context,
	obtain::{announced, having},
};

/// Blocks for which what a search has found counts.
const SEARCH_BLOCKS: BlockNumber = 20;
/// Shards that are looked for at once.
const MAX_SEARCHES: usize = 8;

struct Search {
	began: BlockNumber,
	has_found: Arc<AtomicBool>,
	task: JoinHandle<()>,
}

impl Drop for Search {
	fn drop(&mut self) {
		self.task.abort();
	}
}

/// See the module's description.
#[derive(Default)]
pub(crate) struct Searches {
	searches: HashMap<ShardId, Search>,
}

impl Searches {
	/// Whether somebody was found that has the shard with this root. The first question begins the search, whose answer
	/// comes with a later one.
	pub fn has_found(
		&mut self,
		context: &Arc<Context>,
		id: ShardId,
		root: [u8; 32],
		now: BlockNumber,
	) -> bool {
		self.searches
			.retain(|_, search| now.abs_diff(search.began) < SEARCH_BLOCKS);
		if self.searches.len() >= MAX_SEARCHES && !self.searches.contains_key(&id) {
			return false;
		}
		let search = self.searches.entry(id).or_insert_with(|| {
			let has_found = Arc::new(AtomicBool::new(false));
			let (context, answer) = (context.clone(), has_found.clone());
			let task = tokio::spawn(async move {
				let root = &shard_cid(root);
				let found = !having(&context, root, context.exchange.connected_peers())
					.await
					.is_empty() || !announced(&context, root).await.is_empty();
				answer.store(found, Ordering::Relaxed);
			});
			Search {
				began: now,
				has_found,
				task,
			}
		});
		search.has_found.load(Ordering::Relaxed)
	}
}
