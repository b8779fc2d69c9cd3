//! From any k shards back to the file.

use std::io::{self, Write};

use thiserror::Error;

use crate::{
	block::BlockFetcher,
	cipher::CHUNK_BYTES,
	key::FileKey,
	manifest::{Manifest, OpenMetadataError},
	metadata::Metadata,
	stripe::{FailedShard, SourcesError, StripeReader, TooFewShards},
};

/// A file that was restored.
#[derive(Debug)]
pub struct Decoded {
	/// Its private metadata.
	pub metadata: Metadata,
	/// Shards that were given up on the way, and why: they want repair.
	pub failed: Vec<FailedShard>,
}

/// Why a file could not be restored. What was written so far is the file's beginning.
#[derive(Debug, Error)]
pub enum DecodeError {
	/// The key is wrong, or the manifest is not its holder's.
	#[error(transparent)]
	Metadata(#[from] OpenMetadataError),
	/// The sources do not fit the manifest.
	#[error(transparent)]
	Sources(#[from] SourcesError),
	/// Too few shards are left.
	#[error(transparent)]
	TooFewShards(#[from] TooFewShards),
	/// The shards are those that the manifest names, but they do not hold the file: its owner encoded it wrongly, and
	/// other shards may hold it.
	#[error("the shards do not hold the file from byte {0} on; its owner has encoded it wrongly")]
	Unauthentic(u64),
	/// The file could not be written.
	#[error("the file could not be written: {0}")]
	Write(#[source] io::Error),
}

/// Restores a file from sources of its shards, each with the shard's index, and writes it to `writer`.
///
/// Shards beyond the k that are needed are held in reserve: one takes the place of a shard whose block turns out missing
/// or corrupt, in mid-stream. Nothing is written that was not authenticated. Memory stays below 96 MiB besides what the
/// fetchers keep.
pub fn decode<F: BlockFetcher + Send>(
	manifest: &Manifest,
	key: &FileKey,
	sources: Vec<(u8, F)>,
	mut writer: impl Write,
) -> Result<Decoded, DecodeError> {
	let metadata = manifest.open_metadata(key)?;
	let cipher = key.content_cipher();
	let layout = *manifest.layout();
	let mut written = 0u64;
	let mut chunk_index = 0u32;

	let failed = StripeReader::new(manifest, sources)?.for_each(|stripe_index, stripe| {
		let cipher_bytes = layout.cipher_bytes_of(stripe_index);
		let is_last = stripe_index + 1 == layout.stripes();
		let mut rest = &mut stripe.data()[..cipher_bytes];
		while !rest.is_empty() {
			let (chunk, later) = rest.split_at_mut(rest.len().min(CHUNK_BYTES));
			rest = later;
			let content = cipher
				.open(chunk_index, is_last && rest.is_empty(), chunk)
				.map_err(|_| DecodeError::Unauthentic(written))?;
			writer.write_all(content).map_err(DecodeError::Write)?;
			written += content.len() as u64;
			chunk_index += 1;
		}
		Ok::<(), DecodeError>(())
	})?;
	writer.flush().map_err(DecodeError::Write)?;
	Ok(Decoded { metadata, failed })
}
