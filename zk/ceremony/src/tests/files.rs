//! Files: one encoding each, and every decoding error.

use super::scene::{self, ceremony, family, small};
use crate::{hash::hash, Beacon, Ceremony, FileError, Powers};
use ark_bls12_381::{Fq, Fq2, G1Affine, G2Affine};
use ark_ff::AdditiveGroup;
use ark_serialize::CanonicalSerialize;
use opensand_zk_verifier::PointError;

const POWERS_TAG: &[u8] = b"OpenSand/ceremony-powers-file/v1";
const CEREMONY_TAG: &[u8] = b"OpenSand/ceremony-file/v1";

/// What decoding makes of a file that is changed and sealed again.
fn changed<T>(
	bytes: &[u8],
	tag: &[u8],
	decode: impl Fn(&[u8]) -> Result<T, FileError>,
	change: impl FnOnce(&mut Vec<u8>),
) -> FileError {
	let mut bytes = bytes[..bytes.len() - 32].to_vec();
	change(&mut bytes);
	let checksum = hash(tag, &[bytes.as_slice()]);
	bytes.extend_from_slice(&checksum);
	decode(&bytes).err().expect("the file is spoilt")
}

fn uncompressed(point: &impl CanonicalSerialize) -> Vec<u8> {
	let mut bytes = Vec::new();
	point.serialize_uncompressed(&mut bytes).unwrap();
	bytes
}

/// Points of G1 that are none, with what is wrong.
fn bad_g1() -> [(Vec<u8>, PointError); 4] {
	// (0, 2) has order 3.
	let small_order = uncompressed(&G1Affine::new_unchecked(Fq::ZERO, Fq::from(2)));
	let off_curve = uncompressed(&G1Affine::new_unchecked(Fq::ZERO, Fq::from(3)));
	let mut flagged = small_order.clone();
	flagged[0] |= 0x80;
	[
		(small_order, PointError::OffSubgroup),
		(off_curve, PointError::OffCurve),
		(flagged, PointError::NonCanonical),
		(uncompressed(&G1Affine::identity()), PointError::Identity),
	]
}

fn bad_g2() -> [(Vec<u8>, PointError); 3] {
	let outside = (1u64..)
		.find_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(x.into(), Fq::ZERO), false))
		.unwrap();
	let mut off_curve = outside;
	off_curve.y += Fq2::new(1u64.into(), Fq::ZERO);
	[
		(uncompressed(&outside), PointError::OffSubgroup),
		(uncompressed(&off_curve), PointError::OffCurve),
		(uncompressed(&G2Affine::identity()), PointError::Identity),
	]
}

/// What is wrong with the point that a decoding error names.
fn point_error(error: &FileError) -> PointError {
	match error {
		FileError::Point { fault, .. } => fault.error,
		other => panic!("{other:?} is about no point"),
	}
}

/// What any file is refused for.
fn spoilt_files_are_refused<T: std::fmt::Debug + PartialEq>(
	bytes: &[u8],
	tag: &[u8],
	decode: impl Fn(&[u8]) -> Result<T, FileError>,
) {
	assert!(decode(bytes).is_ok());
	for len in 0..6 {
		assert_eq!(decode(&bytes[..len]).unwrap_err(), FileError::WrongLength);
	}
	for len in [6, 30, 37, 38, 100, bytes.len() - 1] {
		let error = decode(&bytes[..len]).unwrap_err();
		assert!(
			matches!(error, FileError::WrongLength | FileError::Checksum),
			"{len}: {error}"
		);
	}
	let mut other = bytes.to_vec();
	other[0] ^= 1;
	assert!(matches!(decode(&other), Err(FileError::BadMagic(_))));
	let mut other = bytes.to_vec();
	other[4] = 9;
	let unsupported = FileError::UnsupportedVersion {
		found: 9,
		supported: 1,
	};
	assert_eq!(decode(&other).unwrap_err(), unsupported);
	for place in [6, bytes.len() / 2, bytes.len() - 1] {
		let mut other = bytes.to_vec();
		other[place] ^= 1;
		assert_eq!(decode(&other).unwrap_err(), FileError::Checksum);
	}
	// Sealed again, but too short or too long at the end.
	for change in [
		(|bytes| bytes.push(0)) as fn(&mut Vec<u8>),
		|bytes| bytes.truncate(bytes.len() - 1),
		|bytes| bytes.truncate(bytes.len() - 96),
		|bytes| bytes.truncate(6),
	] {
		assert_eq!(changed(bytes, tag, &decode, change), FileError::WrongLength);
	}
}

#[test]
fn powers() {
	let (bytes, _) = scene::powers(2).to_bytes();
	let decode = |bytes: &[u8]| Powers::from_bytes(bytes);
	spoilt_files_are_refused(&bytes, POWERS_TAG, decode);
	let change = |change: &dyn Fn(&mut Vec<u8>)| changed(&bytes, POWERS_TAG, decode, change);
	for log2 in [0, 23, 200] {
		let error = change(&|bytes| bytes[6] = log2);
		assert_eq!(error, FileError::Limit("the number of powers"));
	}
	assert_eq!(change(&|bytes| bytes[6] = 22), FileError::WrongLength);
	assert_eq!(change(&|bytes| bytes[10] = 2), FileError::Limit("the start"));
	assert_eq!(
		change(&|bytes| bytes[13] = 0xff),
		FileError::Limit("the number of contributions")
	);
	assert_eq!(change(&|bytes| bytes[11] = 1), FileError::WrongLength);
	// τ in G1 of the first contribution, and the last β·τⁱ, before β in G2.
	for (bad, expected) in bad_g1() {
		for place in [15, bytes.len() - 32 - 192 - 96] {
			let error = change(&|bytes| bytes[place..place + 96].copy_from_slice(&bad));
			assert_eq!(point_error(&error), expected);
		}
	}
	// τ in G2 of the first contribution, and β in G2.
	for (bad, expected) in bad_g2() {
		for place in [15 + 96, bytes.len() - 32 - 192] {
			let error = change(&|bytes| bytes[place..place + 192].copy_from_slice(&bad));
			assert_eq!(point_error(&error), expected);
		}
	}
	// The response of the first proof, after a base and a commitment.
	let place = 15 + 3 * 96 + 2 * 192 + 96;
	assert_eq!(
		change(&|bytes| bytes[place..place + 32].fill(0xff)),
		FileError::Scalar
	);
}

#[test]
fn ceremonies() {
	let mut closed = ceremony(&scene::powers(6), &[small()], &[1, 2]);
	closed
		.close(Beacon {
			value: vec![5; 40],
			iterations_log2: 1,
		})
		.unwrap();
	let bytes = closed.to_bytes();
	assert_eq!(Ceremony::from_bytes(&bytes), Ok(closed));
	spoilt_files_are_refused(&bytes, CEREMONY_TAG, Ceremony::from_bytes);
	let change = |change: &dyn Fn(&mut Vec<u8>)| changed(&bytes, CEREMONY_TAG, Ceremony::from_bytes, change);
	// After magic, version and the powers' digest: weights, circuits, a digest and three lengths, contributions.
	let (weights, circuits, lens) = (38, 42, 78);
	let contributions = lens + 12;
	for count in [0, 17] {
		assert_eq!(
			change(&|bytes| bytes[circuits] = count),
			FileError::Limit("the number of circuits")
		);
	}
	for place in [weights, lens, lens + 4, lens + 8] {
		assert_eq!(
			change(&|bytes| bytes[place + 3] = 2),
			FileError::Limit("the number of elements")
		);
		assert_eq!(change(&|bytes| bytes[place + 2] = 1), FileError::WrongLength);
	}
	assert_eq!(
		change(&|bytes| bytes[contributions + 1] = 9),
		FileError::Limit("the number of contributions")
	);
	let first = contributions + 4;
	for (bad, expected) in bad_g1() {
		for place in [first, bytes.len() - 32 - 96] {
			let error = change(&|bytes| bytes[place..place + 96].copy_from_slice(&bad));
			assert_eq!(point_error(&error), expected);
		}
	}
	for (bad, expected) in bad_g2() {
		let place = first + 96;
		let error = change(&|bytes| bytes[place..place + 192].copy_from_slice(&bad));
		assert_eq!(point_error(&error), expected);
	}
	let kind = first + 2 * 288;
	assert_eq!(
		change(&|bytes| bytes[kind] = 2),
		FileError::Limit("the kind of a contribution")
	);
	let beacon = first + 2 * (2 * 288 + 1 + 2 * 128) + 2 * 288 + 1;
	assert_eq!(
		change(&|bytes| bytes[beacon] = 33),
		FileError::Limit("a beacon's iterations")
	);
	for change_length in [(|bytes| bytes[5] = 2) as fn(&mut [u8]), |bytes| bytes[4] = 0] {
		assert_eq!(
			change(&|bytes| change_length(&mut bytes[beacon..])),
			FileError::Limit("a beacon's length")
		);
	}
	assert_eq!(
		change(&|bytes| bytes[kind + 1 + 96..kind + 1 + 128].fill(0xff)),
		FileError::Scalar
	);
}

/// A family's file has δ_w of the larger circuit, which is checked as every point.
#[test]
fn ceremonies_of_families() {
	let honest = ceremony(&scene::powers(6), &family(), &[1]);
	let bytes = honest.to_bytes();
	assert_eq!(Ceremony::from_bytes(&bytes).as_ref(), Ok(&honest));
	spoilt_files_are_refused(&bytes, CEREMONY_TAG, Ceremony::from_bytes);
	// Before the weights' elements and the checksum.
	let place = bytes.len() - 32 - 96 * honest.weights.len() - 288;
	let change = |change: &dyn Fn(&mut Vec<u8>)| changed(&bytes, CEREMONY_TAG, Ceremony::from_bytes, change);
	for (bad, expected) in bad_g1() {
		let error = change(&|bytes| bytes[place..place + 96].copy_from_slice(&bad));
		assert_eq!(point_error(&error), expected);
	}
	for (bad, expected) in bad_g2() {
		let error = change(&|bytes| bytes[place + 96..place + 288].copy_from_slice(&bad));
		assert_eq!(point_error(&error), expected);
	}
	assert_eq!(
		change(&|bytes| {
			bytes.drain(place..place + 288);
		}),
		FileError::WrongLength
	);
}
