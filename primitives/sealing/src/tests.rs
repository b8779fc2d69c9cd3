//! Sealing, opening, and what must not open.

use hex_literal::hex;
use proptest::prelude::*;
use rand::rngs::OsRng;
use std::{format, vec, vec::Vec};

use crate::*;

const PURPOSE: Purpose = Purpose {
	domain: b"opensand/test/v1",
	context: &[[1; 32], [2; 32]],
};

const CONTEXT: Context = Context {
	genesis: [1; 32],
	manifest: [2; 32],
	grantee: [3; 32],
};

/// Every u-coordinate whose point has an order that divides 8, canonical and not (RFC 7748, section 6.1).
const LOW_ORDER: [PublicKey; 7] = [
	hex!("0000000000000000000000000000000000000000000000000000000000000000"),
	hex!("0100000000000000000000000000000000000000000000000000000000000000"),
	hex!("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
	hex!("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
	hex!("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	hex!("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	hex!("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
];

fn secret() -> SecretKey {
	SecretKey::from_bytes([9; 32])
}

fn ephemeral() -> EphemeralSecret {
	EphemeralSecret::random_from_rng(OsRng)
}

fn sealed(message: &[u8]) -> Vec<u8> {
	let mut buffer = [&[0; HEADER_BYTES][..], message, &[0; TAG_BYTES]].concat();
	seal_in_place(&PURPOSE, &secret().public_key(), ephemeral(), &mut buffer).unwrap();
	buffer
}

fn opened(purpose: &Purpose, secret: &SecretKey, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
	let mut buffer = sealed.to_vec();
	let result = open_in_place(purpose, secret, &mut buffer).map(|message| message.to_vec());
	// Nothing is decrypted that is not authentic.
	assert!(result.is_ok() || buffer == sealed);
	result
}

fn open(sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
	opened(&PURPOSE, &secret(), sealed)
}

fn key() -> [u8; FILE_KEY_BYTES] {
	core::array::from_fn(|index| index as u8)
}

fn sealed_key() -> [u8; SEALED_KEY_BYTES] {
	seal_key(&CONTEXT, &key(), &secret().public_key(), ephemeral()).unwrap()
}

fn blake2_256(message: &[u8]) -> [u8; 32] {
	let hash = blake2b_simd::Params::new().hash_length(32).hash(message);
	hash.as_bytes().try_into().unwrap()
}

#[test]
fn what_was_sealed_opens() {
	for message in [&b""[..], b"m", &[7; 300]] {
		let sealed = sealed(message);
		assert_eq!(sealed.len(), message.len() + OVERHEAD);
		assert_eq!(open(&sealed).unwrap(), message);
	}
}

#[test]
fn two_sealings_of_one_message_differ() {
	assert_ne!(sealed(b"message"), sealed(b"message"));
}

#[test]
fn every_flipped_bit_is_noticed() {
	let sealed = sealed(b"message");
	for bit in 0..sealed.len() * 8 {
		let mut changed = sealed.clone();
		changed[bit / 8] ^= 1 << (bit % 8);
		let expected = match bit {
			0..8 => OpenError::UnknownVersion(changed[0]),
			_ => OpenError::Unauthentic,
		};
		assert_eq!(open(&changed), Err(expected), "bit {bit}");
	}
}

#[test]
fn other_lengths_are_noticed() {
	let sealed = sealed(b"message");
	for length in 0..sealed.len() {
		let expected = if length < OVERHEAD {
			OpenError::WrongLength
		} else {
			OpenError::Unauthentic
		};
		assert_eq!(open(&sealed[..length]), Err(expected), "{length} bytes");
	}
	assert_eq!(open(&[&sealed[..], &[0]].concat()), Err(OpenError::Unauthentic));
	for length in 0..OVERHEAD {
		let mut buffer = vec![0; length];
		let sealed = seal_in_place(&PURPOSE, &secret().public_key(), ephemeral(), &mut buffer);
		assert_eq!(sealed, Err(SealError::WrongLength));
	}
}

#[test]
fn another_key_or_purpose_opens_nothing() {
	let sealed = sealed(b"message");
	let stranger = SecretKey::from_bytes([10; 32]);
	assert_eq!(opened(&PURPOSE, &stranger, &sealed), Err(OpenError::Unauthentic));
	let contexts: [&[[u8; 32]]; 5] = [
		&[],
		&[[1; 32]],
		&[[2; 32], [1; 32]],
		&[[1; 32], [3; 32]],
		&[[1; 32], [2; 32], [0; 32]],
	];
	let domains = contexts.map(|context| Purpose { context, ..PURPOSE });
	let other = Purpose {
		domain: b"opensand/test/v2",
		..PURPOSE
	};
	for purpose in domains.iter().chain([&other]) {
		assert_eq!(
			opened(purpose, &secret(), &sealed),
			Err(OpenError::Unauthentic),
			"{purpose:?}"
		);
	}
}

#[test]
fn low_order_points_are_refused_on_both_sides() {
	for low in LOW_ORDER {
		let mut buffer = [7; OVERHEAD + 5];
		assert_eq!(
			seal_in_place(&PURPOSE, &low, ephemeral(), &mut buffer),
			Err(SealError::LowOrderKey),
			"{low:?}"
		);
		assert_eq!(buffer, [7; OVERHEAD + 5], "a refused message stays as it is");
		assert_eq!(
			seal_key(&CONTEXT, &key(), &low, ephemeral()),
			Err(SealKeyError::LowOrderKey)
		);
		// The highest bit of a u-coordinate is not looked at.
		for high in [0, 0x80] {
			let mut envelope = sealed(b"message");
			envelope[1..HEADER_BYTES].copy_from_slice(&low);
			envelope[HEADER_BYTES - 1] |= high;
			assert_eq!(open(&envelope), Err(OpenError::LowOrderKey), "{low:?}");
			let mut envelope = sealed_key();
			envelope[1..HEADER_BYTES].copy_from_slice(&low);
			envelope[HEADER_BYTES - 1] |= high;
			assert_eq!(
				open_key(&CONTEXT, &envelope, &secret()).unwrap_err(),
				OpenKeyError::LowOrderKey
			);
		}
	}
}

#[test]
fn a_file_key_opens_in_its_context_only() {
	let sealed = sealed_key();
	assert_eq!(*open_key(&CONTEXT, &sealed, &secret()).unwrap(), key());
	let other = [0; 32];
	for context in [
		Context {
			genesis: other,
			..CONTEXT
		},
		Context {
			manifest: other,
			..CONTEXT
		},
		Context {
			grantee: other,
			..CONTEXT
		},
		Context {
			manifest: CONTEXT.grantee,
			grantee: CONTEXT.manifest,
			..CONTEXT
		},
	] {
		assert_eq!(
			open_key(&context, &sealed, &secret()).unwrap_err(),
			OpenKeyError::Unauthentic
		);
	}
	let stranger = SecretKey::from_bytes([10; 32]);
	assert_eq!(
		open_key(&CONTEXT, &sealed, &stranger).unwrap_err(),
		OpenKeyError::Unauthentic
	);
}

#[test]
fn the_format_of_a_file_key_is_checked_without_the_secret() {
	let sealed = sealed_key();
	assert_eq!(check_format(&sealed), Ok(&sealed));
	// What cannot be checked so: anything behind the version.
	assert_eq!(check_format(&[1; SEALED_KEY_BYTES]), Ok(&[1; SEALED_KEY_BYTES]));
	for version in [0, 2, 255] {
		let mut changed = sealed;
		changed[0] = version;
		let expected = OpenKeyError::UnknownVersion(version);
		assert_eq!(check_format(&changed), Err(expected));
		assert_eq!(open_key(&CONTEXT, &changed, &secret()).unwrap_err(), expected);
	}
	let long = [&sealed[..], &[0]].concat();
	for length in [0, 1, OVERHEAD, SEALED_KEY_BYTES - 1, SEALED_KEY_BYTES + 1] {
		let expected = OpenKeyError::WrongLength(length);
		assert_eq!(check_format(&long[..length]), Err(expected));
		assert_eq!(
			open_key(&CONTEXT, &long[..length], &secret()).unwrap_err(),
			expected
		);
	}
}

#[test]
fn a_commitment_is_to_every_bit_of_a_key() {
	let right = commitment(&key(), blake2_256);
	for bit in 0..FILE_KEY_BYTES * 8 {
		let mut other = key();
		other[bit / 8] ^= 1 << (bit % 8);
		assert_ne!(commitment(&other, blake2_256), right, "bit {bit}");
	}
}

/// What was sealed by an independent implementation (Python's `cryptography`) opens, in both formats.
#[test]
fn the_formats_stay() {
	let envelope = hex!(
		"0173b2d8b76aa9b53660032bc8f5d8bee3a3ae4e3b3a7fd49ade81f7347a34aa68"
		"de7065a4c6029efa995e48354a2f8d27b597fef035a1ccdbfc3338e1a5cccbeb9f443a51c48a6fe4dcbf4701f41c15721db1be6989"
	);
	let purpose = Purpose {
		domain: b"opensand/envelope/v1",
		context: &[[1; 32], [2; 32], [3; 32]],
	};
	let message = opened(&purpose, &secret(), &envelope).unwrap();
	assert_eq!(message, [&[7; 32][..], b"input"].concat());

	let sealed = hex!(
		"0173b2d8b76aa9b53660032bc8f5d8bee3a3ae4e3b3a7fd49ade81f7347a34aa68"
		"d6a8cd878833c2378756c240bade3d116ab60759f04a49642a39e30dc5c03fbd974835e7928a8ffe6e7fd0a4a9ddbf427f6d14a699"
		"dcfe73147197c5ef0d18cd1a474ba762f31cd44506503cb195b9ac"
	);
	let opened = open_key(&CONTEXT, &sealed, &secret()).unwrap();
	assert_eq!(*opened, key());
	assert_eq!(
		commitment(&opened, blake2_256),
		hex!("635727510eb391e14f0607f53f4ba74bc7d9728cc11867b318bb647a1a8f7588")
	);
}

#[test]
fn secrets_are_kept_and_not_printed() {
	assert_eq!(*secret().to_bytes(), [9; 32]);
	assert_eq!(format!("{:?}", secret()), "SecretKey(..)");
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn any_message_comes_back(message in proptest::collection::vec(any::<u8>(), 0..512)) {
		prop_assert_eq!(open(&sealed(&message)).unwrap(), message);
	}

	#[test]
	fn arbitrary_bytes_open_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
		prop_assert!(open(&bytes).is_err());
		prop_assert!(open_key(&CONTEXT, &bytes, &secret()).is_err());
	}
}
