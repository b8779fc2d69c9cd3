use proptest::prelude::*;

use super::*;

const CONTEXT: Context = Context {
	genesis: [1; 32],
	model: [2; 32],
	worker: [3; 32],
};

/// Every u-coordinate whose point has an order that divides 8, canonical and not (RFC 7748, section 6.1).
const LOW_ORDER: [&str; 7] = [
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

fn bytes(hex: &str) -> Vec<u8> {
	let digits = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
	hex.as_bytes().chunks(2).map(digits).collect()
}

fn secret() -> SecretKey {
	SecretKey::from_bytes([9; 32])
}

fn sealed(input: &[u8]) -> Vec<u8> {
	seal(&CONTEXT, &[7; 32], input, &secret().public_key()).unwrap()
}

#[test]
fn what_was_sealed_opens() {
	let input: Vec<u8> = (0..=255).collect();
	let envelope = sealed(&input);
	assert_eq!(envelope.len(), input.len() + OVERHEAD);
	let opened = open(&CONTEXT, &envelope, &secret()).unwrap();
	assert_eq!(
		(*opened.salt, opened.input.as_slice()),
		([7; 32], input.as_slice())
	);
}

#[test]
fn two_envelopes_of_one_input_differ() {
	assert_ne!(sealed(b"input"), sealed(b"input"));
}

#[test]
fn every_flipped_bit_is_noticed() {
	let envelope = sealed(b"input");
	for bit in 0..envelope.len() * 8 {
		let mut changed = envelope.clone();
		changed[bit / 8] ^= 1 << (bit % 8);
		let error = open(&CONTEXT, &changed, &secret()).unwrap_err();
		if bit < 8 {
			assert_eq!(error, OpenError::UnknownVersion(changed[0]));
		} else {
			assert_eq!(error, OpenError::Unauthentic, "bit {bit}");
		}
	}
}

#[test]
fn every_truncation_is_noticed() {
	let envelope = sealed(b"input");
	for length in 0..envelope.len() {
		let expected = if length < OVERHEAD {
			OpenError::WrongLength(length)
		} else {
			OpenError::Unauthentic
		};
		assert_eq!(open(&CONTEXT, &envelope[..length], &secret()), Err(expected));
	}
	let longer = [&envelope[..], &[0]].concat();
	assert_eq!(open(&CONTEXT, &longer, &secret()), Err(OpenError::Unauthentic));
}

#[test]
fn another_key_does_not_open_it() {
	let other = SecretKey::from_bytes([10; 32]);
	assert_eq!(
		open(&CONTEXT, &sealed(b"input"), &other),
		Err(OpenError::Unauthentic)
	);
}

#[test]
fn another_chain_model_or_worker_does_not_open_it() {
	let envelope = sealed(b"input");
	for context in [
		Context {
			genesis: [0; 32],
			..CONTEXT
		},
		Context {
			model: [0; 32],
			..CONTEXT
		},
		Context {
			worker: [0; 32],
			..CONTEXT
		},
	] {
		assert_eq!(open(&context, &envelope, &secret()), Err(OpenError::Unauthentic));
	}
}

#[test]
fn low_order_points_are_refused_on_both_sides() {
	for hex in LOW_ORDER {
		let low: PublicKey = bytes(hex).try_into().unwrap();
		assert_eq!(
			seal(&CONTEXT, &[7; 32], b"input", &low),
			Err(SealError::LowOrderKey),
			"{hex}"
		);
		let mut envelope = sealed(b"input");
		envelope[1..HEADER_BYTES].copy_from_slice(&low);
		assert_eq!(
			open(&CONTEXT, &envelope, &secret()),
			Err(OpenError::LowOrderKey),
			"{hex}"
		);
		// X25519 ignores the top bit, so the same points with it set are low-order points too.
		envelope[HEADER_BYTES - 1] |= 0x80;
		assert_eq!(
			open(&CONTEXT, &envelope, &secret()),
			Err(OpenError::LowOrderKey),
			"{hex}"
		);
	}
}

#[test]
fn lengths_are_bounded() {
	let too_long = MAX_INPUT_BYTES + 1;
	assert_eq!(
		seal(&CONTEXT, &[7; 32], &vec![0; too_long], &secret().public_key()),
		Err(SealError::TooLong(too_long)),
	);
	let length = OVERHEAD + too_long;
	assert_eq!(
		open(&CONTEXT, &vec![1; length], &secret()),
		Err(OpenError::WrongLength(length))
	);
	assert_eq!(open(&CONTEXT, &sealed(b""), &secret()).unwrap().input.len(), 0);
}

#[test]
fn secrets_are_not_printed() {
	let opened = open(&CONTEXT, &sealed(b"input"), &secret()).unwrap();
	assert_eq!(format!("{opened:?} {:?}", secret()), "Opened(..) SecretKey(..)");
}

/// An envelope of format version 1 with the ephemeral secret `[11; 32]`: later releases must open it.
#[test]
fn the_format_stays() {
	let envelope = bytes(concat!(
		"01",
		"73b2d8b76aa9b53660032bc8f5d8bee3a3ae4e3b3a7fd49ade81f7347a34aa68",
		"de7065a4c6029efa995e48354a2f8d27b597fef035a1ccdbfc3338e1a5cccbeb9f443a51c48a6fe4dcbf4701f41c15721db1be6989",
	));
	let opened = open(&CONTEXT, &envelope, &secret()).unwrap();
	assert_eq!((*opened.salt, opened.input.as_slice()), ([7; 32], &b"input"[..]));
}

proptest! {
	#[test]
	fn any_input_comes_back(salt in any::<[u8; 32]>(), input in proptest::collection::vec(any::<u8>(), 0..512)) {
		let envelope = seal(&CONTEXT, &salt, &input, &secret().public_key()).unwrap();
		let opened = open(&CONTEXT, &envelope, &secret()).unwrap();
		prop_assert_eq!((*opened.salt, opened.input.to_vec()), (salt, input));
	}

	#[test]
	fn arbitrary_bytes_never_open(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
		prop_assert!(open(&CONTEXT, &bytes, &secret()).is_err());
	}
}
