//! How a shard divides into segments and leaves.

/// Bytes of a leaf, the least that can be asked for.
pub const LEAF_BYTES: u32 = 256;
/// Leaves of a full segment.
pub const SEGMENT_LEAVES: u32 = 32_768;
/// Bytes of a full segment. Every segment of a shard but the last is full.
pub const SEGMENT_BYTES: u32 = LEAF_BYTES * SEGMENT_LEAVES;
/// The most claims that one proof answers.
pub const MAX_SAMPLES: u32 = 64;

// Wide, because shards are counted in 64 bits; constants, because dividing by them cannot fail.
const LEAF_SIZE: u64 = LEAF_BYTES as u64;
const SEGMENT_SIZE: u64 = SEGMENT_BYTES as u64;
const LEAVES: u64 = SEGMENT_LEAVES as u64;

/// Levels of the tree over a full segment: the most hashes that lead from a leaf to the top.
pub(crate) const SEGMENT_LEVELS: u32 = SEGMENT_LEAVES.ilog2();

/// The segments and leaves of a shard of a certain size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShardLayout {
	leaves: u64,
	segments: u32,
}

impl ShardLayout {
	/// The layout of a shard of `shard_bytes` bytes. `None` unless that is a positive multiple of [`LEAF_BYTES`], and the
	/// segments' number fits 32 bits.
	pub fn of(shard_bytes: u64) -> Option<Self> {
		if shard_bytes == 0 || !shard_bytes.is_multiple_of(LEAF_SIZE) {
			return None;
		}
		let segments = shard_bytes.div_ceil(SEGMENT_SIZE).try_into().ok()?;
		Some(Self {
			leaves: shard_bytes / LEAF_SIZE,
			segments,
		})
	}

	/// Leaves of the shard.
	pub fn leaves(&self) -> u64 {
		self.leaves
	}

	/// Segments of the shard, at least one.
	pub fn segments(&self) -> u32 {
		self.segments
	}

	/// Leaves of a segment; `None` if the shard has no such segment.
	pub fn segment_leaves(&self, segment: u32) -> Option<u32> {
		let before = u64::from(segment).checked_mul(LEAVES)?;
		let from_here = self.leaves.checked_sub(before).filter(|leaves| *leaves > 0)?;
		from_here.min(LEAVES).try_into().ok()
	}

	/// Where a leaf of the shard lies: its segment, and its index in that segment. `None` if there is no such leaf.
	pub fn locate(&self, leaf: u64) -> Option<(u32, u32)> {
		if leaf >= self.leaves {
			return None;
		}
		let segment = (leaf / LEAVES).try_into().ok()?;
		let index = (leaf % LEAVES).try_into().ok()?;
		Some((segment, index))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn segments_cover_a_shard() {
		for leaves in [1, 2, 32_767, 32_768, 32_769, 4_194_304] {
			let layout = ShardLayout::of(leaves * 256).unwrap();
			assert_eq!(layout.leaves(), leaves);
			let sum: u64 = (0..layout.segments())
				.map(|segment| u64::from(layout.segment_leaves(segment).unwrap()))
				.sum();
			assert_eq!(sum, leaves);
			assert_eq!(layout.segment_leaves(layout.segments()), None);
			assert_eq!(layout.segment_leaves(u32::MAX), None);
		}
	}

	#[test]
	fn leaves_are_found_in_their_segments() {
		let layout = ShardLayout::of(3 * 8_388_608 + 512).unwrap();
		assert_eq!(layout.locate(0), Some((0, 0)));
		assert_eq!(layout.locate(32_767), Some((0, 32_767)));
		assert_eq!(layout.locate(32_768), Some((1, 0)));
		assert_eq!(layout.locate(3 * 32_768 + 1), Some((3, 1)));
		assert_eq!(layout.locate(3 * 32_768 + 2), None);
		assert_eq!(layout.locate(u64::MAX), None);
	}

	#[test]
	fn sizes_that_no_shard_has() {
		for bytes in [0, 1, 255, 257, u64::MAX, u64::MAX - 255] {
			assert_eq!(ShardLayout::of(bytes), None, "{bytes}");
		}
	}
}
