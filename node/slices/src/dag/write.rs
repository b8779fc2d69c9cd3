//! Builds the tree above the leaves as they come.

use cid::Cid;

use super::{node::Node, Link, MAX_LINKS};
use crate::block::{self, BlockError, BlockSink};

/// The links that have no parent yet: at most one incomplete node a level.
#[derive(Default)]
pub(crate) struct TreeWriter {
	levels: Vec<Vec<Link>>,
}

impl TreeWriter {
	/// Adds the next leaf, whose block the caller has stored.
	pub(crate) fn push_leaf(&mut self, link: Link, sink: &mut impl BlockSink) -> Result<(), BlockError> {
		self.push(0, link, sink)
	}

	/// Stores what is incomplete and returns the root's CID.
	pub(crate) fn finish(mut self, sink: &mut impl BlockSink) -> Result<Cid, BlockError> {
		let mut level = 0;
		loop {
			let links = self.levels.get_mut(level).map(std::mem::take).unwrap_or_default();
			let parent = put_node(links, sink)?;
			level += 1;
			if level >= self.levels.len() {
				return Ok(parent.cid);
			}
			self.push(level, parent, sink)?;
		}
	}

	/// Adds a link to a level; a full node there is stored first and linked from the level above.
	fn push(&mut self, level: usize, link: Link, sink: &mut impl BlockSink) -> Result<(), BlockError> {
		let (mut level, mut link) = (level, link);
		loop {
			if self.levels.len() == level {
				self.levels.push(Vec::with_capacity(MAX_LINKS));
			}
			let links = &mut self.levels[level];
			if links.len() < MAX_LINKS {
				links.push(link);
				return Ok(());
			}
			let full = std::mem::replace(links, Vec::with_capacity(MAX_LINKS));
			links.push(link);
			link = put_node(full, sink)?;
			level += 1;
		}
	}
}

/// Stores a node and returns the link to it.
fn put_node(links: Vec<Link>, sink: &mut impl BlockSink) -> Result<Link, BlockError> {
	let node = Node { links };
	let bytes = node.to_bytes();
	let cid = block::shard_cid(block::digest(&bytes));
	sink.put(&cid, &bytes)?;
	let below = |size: fn(&Link) -> u64| node.links.iter().map(size).sum::<u64>();
	Ok(Link {
		cid,
		file_bytes: below(|link| link.file_bytes),
		total_bytes: bytes.len() as u64 + below(|link| link.total_bytes),
	})
}
