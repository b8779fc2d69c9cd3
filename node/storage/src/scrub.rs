//! Reads everything that is stored, slowly, to find damage before a challenge does.
//!
//! The place is kept in the file `scrub`, so that a node that restarts often comes to the end, too.

use std::{path::Path, sync::Arc, time::Duration};

use cid::Cid;
use codec::{Decode, DecodeAll, Encode};
use log::{debug, warn};
use tokio::time::{sleep, Instant};

use crate::{
	chain::ShardId,
	commitments::read_block,
	context::Context,
	record::{Blocks, Phase},
	sealed::{self, Damage},
	TARGET,
};

/// What the scrubber's file begins with.
pub const CURSOR_KIND: [u8; 4] = *b"osSC";
const VERSION: u8 = 1;
const MAX_FILE_BYTES: u64 = 256;
/// Blocks that are read at a time.
const STEP_BLOCKS: usize = 8;
/// How long a round over everything takes at least: a small store is not read again and again.
const SHORTEST_ROUND: Duration = Duration::from_secs(24 * 3600);
/// Pause when there is nothing to read.
const IDLE: Duration = Duration::from_secs(60);

/// Where the scrubber is: what comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Cursor {
	order: u64,
	shard: u8,
	/// Blocks of the shard that were read.
	block: u32,
}

impl Cursor {
	/// The file's bytes.
	pub fn to_file(&self) -> Vec<u8> {
		sealed::seal(CURSOR_KIND, VERSION, &self.encode())
	}

	/// Reads a file's bytes.
	pub fn from_file(bytes: &[u8]) -> Result<Self, Damage> {
		let mut body = sealed::unseal(CURSOR_KIND, VERSION, bytes)?;
		Self::decode_all(&mut body).map_err(|_| Damage::Bytes)
	}

	fn id(&self) -> ShardId {
		ShardId {
			order: self.order,
			shard: self.shard,
		}
	}

	/// The place before the first block of the shard after this one's.
	fn after(id: ShardId) -> Self {
		let ShardId { order, shard } = id.next();
		Self {
			order,
			shard,
			block: 0,
		}
	}
}

/// What a step of the scrubber found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
	/// Bytes that were read.
	pub bytes: u64,
	/// Where it goes on; `None` at the end of the round.
	pub next: Option<Cursor>,
}

/// Runs until the service stops.
pub(crate) async fn run(context: Arc<Context>) {
	let rate = context.config.scrub_bytes_per_second;
	if rate == 0 {
		return;
	}
	let path = context.config.directory.join("scrub");
	let mut cursor = {
		let path = path.clone();
		context.blocking(move |_| load(&path)).await
	};
	let mut round_began = Instant::now();
	let mut round_bytes = 0u64;
	loop {
		let (path, at) = (path.clone(), cursor);
		let step = context
			.blocking(move |context| {
				let step = step(context, at);
				save(&path, step.next.unwrap_or_default());
				step
			})
			.await;
		round_bytes += step.bytes;
		match step.next {
			Some(next) => {
				cursor = next;
				sleep(Duration::from_millis(
					(step.bytes.saturating_mul(1000) / rate).min(60_000),
				))
				.await;
			}
			None => {
				debug!(target: TARGET, "the scrubber has read everything: {round_bytes} bytes");
				let rest = SHORTEST_ROUND.saturating_sub(round_began.elapsed());
				sleep(if round_bytes == 0 { IDLE } else { rest }).await;
				cursor = Cursor::default();
				round_began = Instant::now();
				round_bytes = 0;
			}
		}
	}
}

fn load(path: &Path) -> Cursor {
	match sealed::read(path, MAX_FILE_BYTES) {
		Ok(Some(bytes)) => Cursor::from_file(&bytes).unwrap_or_default(),
		_ => Cursor::default(),
	}
}

fn save(path: &Path, cursor: Cursor) {
	if let Err(error) = sealed::replace(path, &cursor.to_file()) {
		warn!(target: TARGET, "{}: {error}; after a restart the scrubber begins anew", path.display());
	}
}

/// Reads the next blocks. Damage is noted where it is found.
pub(crate) fn step(context: &Context, cursor: Cursor) -> Step {
	let next = context
		.records
		.all()
		.into_iter()
		.find(|(id, record)| *id >= cursor.id() && record.phase == Phase::Stored);
	let Some((id, _)) = next else {
		return Step { bytes: 0, next: None };
	};
	let from = if id == cursor.id() {
		cursor.block as usize
	} else {
		0
	};
	let blocks = match context.records.blocks(id) {
		Ok(Blocks::Known(blocks)) => blocks,
		Ok(Blocks::None | Blocks::Damaged) => {
			context.note_damage(id, "its list of blocks cannot be read");
			Vec::new()
		}
		Err(error) => {
			warn!(target: TARGET, "shard {id}: {error}");
			Vec::new()
		}
	};
	let end = blocks.len().min(from + STEP_BLOCKS);
	let mut bytes = 0;
	for block in blocks.get(from..end).unwrap_or_default() {
		bytes += read(context, id, block);
	}
	context.metrics.scrubbed(bytes);
	let next = if end < blocks.len() {
		Cursor {
			order: id.order,
			shard: id.shard,
			block: end as u32,
		}
	} else {
		Cursor::after(id)
	};
	Step {
		bytes,
		next: Some(next),
	}
}

/// Reads one block and answers its length.
fn read(context: &Context, id: ShardId, block: &Cid) -> u64 {
	match read_block(&context.store, block) {
		Ok(Some(bytes)) => bytes.len() as u64,
		Ok(None) => {
			context.metrics.block_corrupt();
			context.note_damage(id, &format!("block {block} is missing or corrupt"));
			0
		}
		Err(error) => {
			warn!(target: TARGET, "shard {id}: {error}; the scrubber goes on");
			0
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_place_survives_a_restart() {
		let directory = tempfile::tempdir().unwrap();
		let path = directory.path().join("scrub");
		assert_eq!(load(&path), Cursor::default());
		let cursor = Cursor {
			order: 5,
			shard: 6,
			block: 7,
		};
		save(&path, cursor);
		assert_eq!(load(&path), cursor);
		std::fs::write(&path, b"damaged").unwrap();
		assert_eq!(load(&path), Cursor::default());
	}
}
