//! Phase 1: contributions, and every way to spoil powers.

use super::scene::{entropy, powers, verified};
use crate::{powers::tests::refusals, Powers, PowersError};
use std::sync::OnceLock;

#[test]
fn contributions_chain() {
	let mut powers = Powers::new(4).unwrap();
	for participant in 1..=3 {
		powers = verified(powers).contribute(entropy(participant)).unwrap();
		let (bytes, digest) = powers.to_bytes();
		let (read, found) = Powers::from_bytes(&bytes).unwrap();
		assert_eq!((&read, found), (&powers, digest));
		assert_eq!(read.transcript().len(), 1 + participant as usize);
		let transcript = *read.transcript().last().unwrap();
		assert_eq!(read.verify(digest).unwrap().transcript_hash(), transcript);
	}
	assert!(Powers::new(0).is_none() && Powers::new(23).is_none());
}

/// Why powers with three contributions are refused after a change.
fn refused(change: &dyn Fn(&mut Powers)) -> PowersError {
	static POWERS: OnceLock<Powers> = OnceLock::new();
	let powers = POWERS.get_or_init(|| powers(3).contribute(entropy(3)).unwrap());
	let mut powers = powers.clone();
	change(&mut powers);
	let (bytes, digest) = powers.to_bytes();
	assert_eq!(Powers::from_bytes(&bytes), Ok((powers.clone(), digest)));
	powers.verify(digest).unwrap_err()
}

#[test]
fn spoilt_powers_are_refused() {
	refusals(refused);
}
