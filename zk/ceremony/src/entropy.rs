//! The secrets of one participant.

use ark_bls12_381::Fr;
use ark_ff::AdditiveGroup;
use opensand_zk_verifier::hash::{hash_512, hash_to_field};
use rand::{rngs::OsRng, RngCore};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const SEED_TAG: &[u8] = b"OpenSand/ceremony-entropy/v1";
const SECRET_TAG: &[u8] = b"OpenSand/ceremony-secret/v1";

/// Where a participant's secrets come from: randomness of the operating system, and whatever the participant adds. Erased when
/// dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Entropy {
	seed: [u8; 64],
	drawn: u64,
}

impl Entropy {
	/// From 64 uniform bytes and any text. The secrets are unpredictable if either is.
	pub fn new(uniform: &[u8; 64], text: &[u8]) -> Self {
		Self {
			seed: hash_512(SEED_TAG, &[uniform, text]),
			drawn: 0,
		}
	}

	/// From the operating system's randomness and any text.
	///
	/// # Errors
	/// When the operating system has no randomness.
	pub fn from_os(text: &[u8]) -> Result<Self, rand::Error> {
		let mut uniform = Zeroizing::new([0; 64]);
		OsRng.try_fill_bytes(&mut *uniform)?;
		Ok(Self::new(&uniform, text))
	}

	/// A secret that is not zero.
	pub(crate) fn secret(&mut self) -> Zeroizing<Fr> {
		loop {
			let secret = hash_to_field(SECRET_TAG, &[&self.seed, &self.drawn.to_le_bytes()]);
			self.drawn += 1;
			if secret != Fr::ZERO {
				return Zeroizing::new(secret);
			}
		}
	}
}
