//! Files of the powersoftau tool.

use super::scene::{entropy, powers, verified};
use crate::{import, ImportError, Powers, PowersError};
use ark_bls12_381::{Fq, G1Affine};
use ark_ec::AffineRepr;
use ark_ff::AdditiveGroup;
use ark_serialize::CanonicalSerialize;
use blake2::{Blake2b512, Digest as _};
use opensand_zk_verifier::PointError;
use std::io::Cursor;

/// A challenge, or a response, with the given powers: hash ‖ τⁱ ‖ τⁱ in G2 ‖ α·τⁱ ‖ β·τⁱ ‖ β in G2 ‖ public key.
pub fn file(powers: &Powers, compressed: bool) -> Vec<u8> {
	let mut bytes = vec![0xab; 64];
	let mut put = |point: &dyn Fn(&mut Vec<u8>)| point(&mut bytes);
	let g1 = [powers.tau_g1(), powers.alpha_g1(), powers.beta_g1()];
	let write = |point: &G1Affine, bytes: &mut Vec<u8>| {
		if compressed {
			point.serialize_compressed(bytes).unwrap();
		} else {
			point.serialize_uncompressed(bytes).unwrap();
		}
	};
	let write_g2 = |point: &ark_bls12_381::G2Affine, bytes: &mut Vec<u8>| {
		if compressed {
			point.serialize_compressed(bytes).unwrap();
		} else {
			point.serialize_uncompressed(bytes).unwrap();
		}
	};
	for point in g1[0] {
		put(&|bytes| write(point, bytes));
	}
	for point in powers.tau_g2() {
		put(&|bytes| write_g2(point, bytes));
	}
	for point in g1[1].iter().chain(g1[2]) {
		put(&|bytes| write(point, bytes));
	}
	put(&|bytes| write_g2(&powers.beta_g2(), bytes));
	if compressed {
		bytes.extend_from_slice(&[0xcd; 1152]);
	}
	bytes
}

fn read(bytes: &[u8], log2: u32) -> Result<Powers, ImportError> {
	import(&mut Cursor::new(bytes), log2, &mut |_, _| ())
}

#[test]
fn challenges_and_responses_are_read() {
	let powers = powers(4);
	for compressed in [false, true] {
		let bytes = file(&powers, compressed);
		for log2 in 1..=4 {
			let imported = read(&bytes, log2).unwrap();
			let count = 1 << log2;
			assert_eq!(imported.tau_g1(), &powers.tau_g1()[..2 * count - 1]);
			assert_eq!(imported.tau_g2(), &powers.tau_g2()[..count]);
			assert_eq!(imported.alpha_g1(), &powers.alpha_g1()[..count]);
			assert_eq!(imported.beta_g1(), &powers.beta_g1()[..count]);
			assert_eq!(imported.beta_g2(), powers.beta_g2());
			let hash: [u8; 64] = Blake2b512::digest(&bytes).into();
			assert_eq!(imported.start().imported, Some(hash));
			// More contributions can follow, and the file keeps where they started.
			let continued = verified(imported).contribute(entropy(5)).unwrap();
			let (bytes, digest) = continued.to_bytes();
			assert_eq!(Powers::from_bytes(&bytes), Ok((continued.clone(), digest)));
			assert!(continued.verify(digest).is_ok());
		}
	}
}

/// The generators as the Zcash protocol's specification has them.
#[test]
fn points_are_in_the_published_encoding() {
	let bytes = file(&Powers::new(1).unwrap(), true);
	let g1 =
		"97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb";
	let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
	assert_eq!(hex(&bytes[64..112]), g1);
	let g2 =
		"93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e\
	          024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8";
	assert_eq!(hex(&bytes[64 + 3 * 48..][..96]), g2);
}

#[test]
fn files_that_are_neither_are_refused() {
	let bytes = file(&powers(3), false);
	assert!(matches!(read(&[], 1), Err(ImportError::Length(0))));
	let cut = &bytes[..bytes.len() - 1];
	assert!(matches!(read(cut, 1), Err(ImportError::Length(len)) if len == cut.len() as u64));
	assert!(matches!(
		read(&bytes, 4),
		Err(ImportError::TooFew { found: 3, wanted: 4 })
	));
	for log2 in [0, 23] {
		assert!(matches!(read(&bytes, log2), Err(ImportError::Count(count)) if count == log2));
	}
}

#[test]
fn bad_points_are_refused() {
	let mut small_order = Vec::new();
	G1Affine::new_unchecked(Fq::ZERO, Fq::from(2))
		.serialize_uncompressed(&mut small_order)
		.unwrap();
	let bytes = file(&powers(3), false);
	// The second power, and the last β·τⁱ.
	for (place, expected) in [(64 + 96, 1), (bytes.len() - 192 - 96, 7)] {
		let mut bytes = bytes.clone();
		bytes[place..place + 96].copy_from_slice(&small_order);
		let Err(ImportError::Point { fault, .. }) = read(&bytes, 3) else {
			panic!("the point is outside the subgroup");
		};
		assert_eq!((fault.index, fault.error), (expected, PointError::OffSubgroup));
	}
	let mut identity = bytes;
	identity[64..160].fill(0);
	identity[64] = 0x40;
	assert!(matches!(
		read(&identity, 3),
		Err(ImportError::Point { fault, .. }) if fault.error == PointError::Identity
	));
}

#[test]
fn powers_that_are_none_are_found_by_verification() {
	let mut bytes = file(&powers(3), false);
	let mut generator = Vec::new();
	G1Affine::generator()
		.serialize_uncompressed(&mut generator)
		.unwrap();
	bytes[64 + 3 * 96..64 + 4 * 96].copy_from_slice(&generator);
	let imported = read(&bytes, 3).unwrap();
	let (_, digest) = imported.to_bytes();
	assert_eq!(
		imported.verify(digest).unwrap_err(),
		PowersError::Ratio("the powers of tau in G1")
	);
}
