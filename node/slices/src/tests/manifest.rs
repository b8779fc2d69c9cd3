//! Manifests that were changed, by strangers or by mistake.

use proptest::prelude::*;

use super::{code, metadata, Encoded};
use crate::{
	encode, CodeError, FileKey, Manifest, ManifestError, Metadata, OpenMetadataError, MAX_MANIFEST_BYTES,
	MAX_SEGMENTS,
};

fn encoded() -> Encoded {
	Encoded::new(100, code(2, 3))
}

#[test]
fn manifests_survive_encoding() {
	for (length, code) in [
		(0, code(2, 3)),
		(100, code(10, 16)),
		(17 << 20, code(2, 3)),
		(70_000, code(29, 80)),
	] {
		let encoded = Encoded::new(length, code);
		let manifest = &encoded.manifest;
		assert_eq!(Manifest::from_bytes(&manifest.to_bytes()).as_ref(), Ok(manifest));
		assert_eq!(manifest.open_metadata(&encoded.key), Ok(metadata()));
		assert_eq!((manifest.file_bytes(), manifest.code()), (length as u64, code));
		assert_eq!(manifest.key_commitment(), &encoded.key.commitment());
		assert_eq!(manifest.cid(), crate::raw_cid(manifest.digest()));
	}
}

#[test]
fn the_longest_manifest_fits_a_block() {
	// Everything before the shards, then 80 shards of 128 segments, then metadata.
	let longest = 64 + 80 * 32 * (1 + MAX_SEGMENTS) + 2048;
	assert!(longest <= MAX_MANIFEST_BYTES);
}

/// No bit is without meaning: whoever has the key notices each.
#[test]
fn every_flipped_bit_is_noticed() {
	let encoded = encoded();
	let bytes = encoded.manifest.to_bytes();
	for bit in 0..bytes.len() * 8 {
		let mut changed = bytes.clone();
		changed[bit / 8] ^= 1 << (bit % 8);
		if let Ok(manifest) = Manifest::from_bytes(&changed) {
			assert_eq!(manifest.to_bytes(), changed, "bit {bit}");
			assert!(
				matches!(
					manifest.open_metadata(&encoded.key),
					Err(OpenMetadataError::Changed | OpenMetadataError::WrongKey)
				),
				"bit {bit}"
			);
		}
	}
}

#[test]
fn what_is_cut_or_continued_is_refused() {
	let bytes = encoded().manifest.to_bytes();
	for length in 0..bytes.len() {
		assert_eq!(
			Manifest::from_bytes(&bytes[..length]),
			Err(ManifestError::Malformed),
			"{length}"
		);
	}
	let longer = [bytes.as_slice(), &[0]].concat();
	assert_eq!(Manifest::from_bytes(&longer), Err(ManifestError::Malformed));
	let too_long = vec![1; MAX_MANIFEST_BYTES + 1];
	assert_eq!(
		Manifest::from_bytes(&too_long),
		Err(ManifestError::TooLong(MAX_MANIFEST_BYTES + 1))
	);
}

#[test]
fn headers_out_of_range_are_refused() {
	let bytes = encoded().manifest.to_bytes();
	let with = |offset: usize, value: &[u8]| {
		let mut changed = bytes.clone();
		changed[offset..offset + value.len()].copy_from_slice(value);
		Manifest::from_bytes(&changed)
	};
	assert_eq!(with(0, &[2]), Err(ManifestError::UnknownVersion(2)));
	for (data, total) in [(0, 2), (1, 2), (2, 2), (3, 2), (1, 81), (255, 255)] {
		let error = ManifestError::Code(CodeError::Invalid { data, total });
		assert_eq!(with(1, &[data, total]), Err(error));
	}
	for unit in [0u32, 1, 65_535, 65_537, 3 << 16, 1 << 19, u32::MAX] {
		assert_eq!(with(3, &unit.to_le_bytes()), Err(ManifestError::Unit(unit)));
	}
	for length in [u64::MAX, 2 << 30] {
		assert!(
			matches!(
				with(7, &length.to_le_bytes()),
				Err(ManifestError::Code(CodeError::TooLarge { .. }))
			),
			"{length}"
		);
	}
	// More segments than there are roots.
	assert_eq!(
		with(7, &(17u64 << 20).to_le_bytes()),
		Err(ManifestError::Malformed)
	);
}

#[test]
fn another_key_opens_nothing() {
	let encoded = encoded();
	let bytes = encoded.key.to_bytes();
	for bit in 0..512 {
		let mut changed = *bytes;
		changed[bit / 8] ^= 1 << (bit % 8);
		let key = FileKey::from_bytes(&changed);
		assert_eq!(
			encoded.manifest.open_metadata(&key),
			Err(OpenMetadataError::WrongKey)
		);
	}
}

/// Metadata under one key never share a nonce unless they and all the rest are equal.
#[test]
fn other_metadata_have_another_nonce() {
	let manifest = |metadata: &Metadata| {
		let mut sinks = vec![super::Blocks::new(); 3];
		let key = FileKey::from_bytes(&[7; 64]);
		encode(&b"content"[..], None, &key, code(2, 3), metadata, &mut sinks).unwrap()
	};
	let other = Metadata {
		name: "other.bin".into(),
		..metadata()
	};
	let (first, again, second) = (manifest(&metadata()), manifest(&metadata()), manifest(&other));
	assert_eq!(first, again);
	assert_eq!(first.shards(), second.shards());
	let nonce = |manifest: &Manifest| {
		let bytes = manifest.to_bytes();
		bytes[bytes.len() - 16 - 256 - 24..][..24].to_vec()
	};
	assert_ne!(nonce(&first), nonce(&second));
}

/// The format may not change unnoticed: what is stored must stay readable.
#[test]
fn a_manifest_has_a_known_answer() {
	let encoded = Encoded::new(3_000_000, code(2, 3));
	assert_eq!(encoded.manifest.shard_bytes(), 1_500_416);
	assert_eq!(
		encoded.manifest.cid().to_string(),
		"bafkreigq2rqoxmx4x65wbqyjj7vssf3voowmxw5czfqbn3tz6kt3nrkrfe"
	);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn arbitrary_bytes_are_no_manifest(
		header in proptest::collection::vec(any::<u8>(), 0..64),
		bytes in proptest::collection::vec(any::<u8>(), 0..2048),
	) {
		let bytes = [&[1], header.as_slice(), &bytes].concat();
		if let Ok(manifest) = Manifest::from_bytes(&bytes) {
			prop_assert_eq!(manifest.to_bytes(), bytes);
		}
	}
}
