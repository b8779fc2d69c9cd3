//! A lost shard made anew from any k others, without the file's key.

use thiserror::Error;

use crate::{
	block::{BlockError, BlockFetcher, BlockSink},
	manifest::Manifest,
	shard::ShardWriter,
	stripe::{FailedShard, ParityEncoder, SourcesError, StripeReader, TooFewShards},
};

/// Why a shard could not be rebuilt. What was stored of it is worth nothing.
#[derive(Debug, Error)]
pub enum RebuildError {
	/// The file has no shard with this index.
	#[error("the file has no shard {0}")]
	UnknownShard(u8),
	/// The sources do not fit the manifest.
	#[error(transparent)]
	Sources(#[from] SourcesError),
	/// Too few shards are left.
	#[error(transparent)]
	TooFewShards(#[from] TooFewShards),
	/// A block could not be stored: mend that and start over.
	#[error("a block could not be stored: {0}")]
	Sink(#[source] BlockError),
	/// The shards are those that the manifest names, but the one that follows from them is not: the owner encoded the
	/// file wrongly, and nobody can rebuild this shard from these.
	#[error("shard {0} does not follow from the others; its owner has encoded the file wrongly")]
	Inconsistent(u8),
}

/// Rebuilds shard `index` from sources of others, each with the shard's index, and puts its blocks into `sink`.
///
/// The result has the CID and the segment roots that the manifest says, or it is an error. Sources are replaced as
/// [`crate::decode`] does it; returned are those that failed. Memory stays below 96 MiB besides what fetchers and sink
/// keep.
pub fn rebuild_shard<F: BlockFetcher + Send>(
	manifest: &Manifest,
	index: u8,
	sources: Vec<(u8, F)>,
	sink: &mut impl BlockSink,
) -> Result<Vec<FailedShard>, RebuildError> {
	let commitment = manifest
		.shards()
		.get(usize::from(index))
		.ok_or(RebuildError::UnknownShard(index))?;
	let is_parity = index >= manifest.code().data();
	let mut parity = ParityEncoder::new(manifest.code());
	let mut shard = ShardWriter::new(sink);

	let failed = StripeReader::new(manifest, sources)?.for_each(|_, stripe| {
		if is_parity {
			parity.fill(stripe);
		}
		shard.write(stripe.unit(index.into())).map_err(RebuildError::Sink)
	})?;
	if shard.finish().map_err(RebuildError::Sink)? == *commitment {
		Ok(failed)
	} else {
		Err(RebuildError::Inconsistent(index))
	}
}
