//! Keys and their sealing.

use proptest::prelude::*;

use crate::{
	open_key, seal_key, AccessSecret, Context, FileKey, OpenKeyError, SealKeyError, ShortSecret,
	SEALED_KEY_BYTES,
};

const CONTEXT: Context = Context {
	genesis: [1; 32],
	manifest: [2; 32],
	grantee: [3; 32],
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

fn secret() -> AccessSecret {
	AccessSecret::derive(&[9; 32]).unwrap()
}

fn key() -> FileKey {
	let bytes: Vec<u8> = (0..64).collect();
	FileKey::from_bytes(bytes.as_slice().try_into().unwrap())
}

fn sealed() -> [u8; SEALED_KEY_BYTES] {
	seal_key(&CONTEXT, &key(), &secret().public_key()).unwrap()
}

#[test]
fn what_was_sealed_opens() {
	let opened = open_key(&CONTEXT, &sealed(), &secret()).unwrap();
	assert_eq!(opened.to_bytes(), key().to_bytes());
	assert_eq!(opened.commitment(), key().commitment());
}

#[test]
fn a_sealed_key_fits_the_chains_bound_and_differs_each_time() {
	const { assert!(SEALED_KEY_BYTES <= 128) };
	assert_ne!(sealed(), sealed());
}

#[test]
fn every_flipped_bit_is_noticed() {
	let sealed = sealed();
	for bit in 0..sealed.len() * 8 {
		let mut changed = sealed;
		changed[bit / 8] ^= 1 << (bit % 8);
		let error = open_key(&CONTEXT, &changed, &secret()).unwrap_err();
		if bit < 8 {
			assert_eq!(error, OpenKeyError::UnknownVersion(changed[0]));
		} else {
			assert_eq!(error, OpenKeyError::Unauthentic, "bit {bit}");
		}
	}
}

#[test]
fn other_lengths_are_refused() {
	let long = [&sealed()[..], &[0]].concat();
	for length in [0, 1, 33, SEALED_KEY_BYTES - 1, SEALED_KEY_BYTES + 1] {
		assert_eq!(
			open_key(&CONTEXT, &long[..length], &secret()).unwrap_err(),
			OpenKeyError::WrongLength(length)
		);
	}
}

#[test]
fn another_context_or_secret_opens_nothing() {
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
	] {
		assert_eq!(
			open_key(&context, &sealed(), &secret()).unwrap_err(),
			OpenKeyError::Unauthentic
		);
	}
	let stranger = AccessSecret::derive(&[8; 32]).unwrap();
	assert_eq!(
		open_key(&CONTEXT, &sealed(), &stranger).unwrap_err(),
		OpenKeyError::Unauthentic
	);
}

#[test]
fn low_order_points_are_refused() {
	for point in LOW_ORDER {
		let mut bytes = [0; 32];
		hex::decode_to_slice(point, &mut bytes).unwrap();
		assert_eq!(
			seal_key(&CONTEXT, &key(), &bytes),
			Err(SealKeyError::LowOrderKey),
			"{point}"
		);
		// The highest bit of a u-coordinate is not looked at.
		for high in [0, 0x80] {
			let mut envelope = sealed();
			envelope[1..33].copy_from_slice(&bytes);
			envelope[32] |= high;
			assert_eq!(
				open_key(&CONTEXT, &envelope, &secret()).unwrap_err(),
				OpenKeyError::LowOrderKey,
				"{point}"
			);
		}
	}
}

#[test]
fn short_account_secrets_are_refused() {
	assert_eq!(AccessSecret::derive(&[1; 31]).unwrap_err(), ShortSecret(31));
	assert_ne!(
		AccessSecret::derive(&[1; 32]).unwrap().public_key(),
		AccessSecret::derive(&[1; 64]).unwrap().public_key()
	);
}

#[test]
fn a_purchases_secret_is_its_own() {
	let of = |account: &[u8], genesis: u8, salt: u8| {
		AccessSecret::for_purchase(account, &[genesis; 32], &[salt; 16])
			.unwrap()
			.public_key()
	};
	let present = of(&[9; 32], 1, 5);
	assert_eq!(present, of(&[9; 32], 1, 5));
	let others = [of(&[8; 32], 1, 5), of(&[9; 32], 2, 5), of(&[9; 32], 1, 6)];
	assert!(!others.contains(&present));
	assert_ne!(present, secret().public_key());
	assert_eq!(
		AccessSecret::for_purchase(&[1; 31], &[1; 32], &[5; 16]).unwrap_err(),
		ShortSecret(31)
	);
}

#[test]
fn a_disclosed_secret_opens_what_was_sealed_to_it_and_nothing_else() {
	let purchase = AccessSecret::for_purchase(&[9; 32], &CONTEXT.genesis, &[5; 16]).unwrap();
	let delivered = seal_key(&CONTEXT, &key(), &purchase.public_key()).unwrap();
	let disclosed = opensand_sealing::SecretKey::from_bytes(*purchase.disclose());
	assert_eq!(disclosed.public_key(), purchase.public_key());
	let opened = opensand_sealing::open_key(&CONTEXT, &delivered, &disclosed).unwrap();
	assert_eq!(opened, key().to_bytes());
	// What the same account is granted stays closed.
	assert_eq!(
		opensand_sealing::open_key(&CONTEXT, &sealed(), &disclosed).unwrap_err(),
		OpenKeyError::Unauthentic
	);
}

#[test]
fn debug_output_keeps_secrets() {
	assert_eq!(
		format!("{:?} {:?}", key(), secret()),
		"FileKey(..) AccessSecret(..)"
	);
}

#[test]
fn generated_keys_differ() {
	assert_ne!(FileKey::generate().to_bytes(), FileKey::generate().to_bytes());
}

/// Computed independently from the specification in the README.
#[test]
fn commitment_and_access_key_have_known_answers() {
	assert_eq!(
		hex::encode(key().commitment()),
		"635727510eb391e14f0607f53f4ba74bc7d9728cc11867b318bb647a1a8f7588"
	);
	assert_eq!(
		hex::encode(secret().public_key()),
		"cccd3479dd4b168a8fa699b7fde3536741b033a1dd7acc264690ccf161738531"
	);
	let purchase = AccessSecret::for_purchase(&[9; 32], &[1; 32], &[5; 16]).unwrap();
	assert_eq!(
		hex::encode(&purchase.disclose()[..]),
		"13b941b27e8ef07726d3bab71af43f2b4fd7d90f8f339de394fce07944e2bea0"
	);
	assert_eq!(
		hex::encode(purchase.public_key()),
		"9d89512753b7c131dd51359f939e0ea8cadde90b506092d72f31156196c2136d"
	);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn arbitrary_bytes_open_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..=2 * SEALED_KEY_BYTES)) {
		prop_assert!(open_key(&CONTEXT, &bytes, &secret()).is_err());
	}

	#[test]
	fn every_key_survives_sealing(bytes: [u8; 32], salt: [u8; 32], seed: [u8; 32]) {
		let key = FileKey::from_bytes([bytes, salt].concat().as_slice().try_into().unwrap());
		let secret = AccessSecret::derive(&seed).unwrap();
		let sealed = seal_key(&CONTEXT, &key, &secret.public_key()).unwrap();
		prop_assert_eq!(open_key(&CONTEXT, &sealed, &secret).unwrap().to_bytes(), key.to_bytes());
	}
}
