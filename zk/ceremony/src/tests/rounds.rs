//! Ceremonies that go well, and those that are refused from the start.

use super::scene::{ceremony, circuit, entropy, family, powers, small, spread, verified};
use crate::{verify, Beacon, Ceremony, Circuit, ContributeError, Entropy, InitialError, Powers, VerifyError};
use ark_bls12_381::Fr;
use ark_ff::Field;
use opensand_zk_r1cs::Matrices;
use opensand_zk_verifier::KeyOrigin;

fn beacon(value: &[u8], iterations_log2: u32) -> Beacon {
	Beacon {
		value: value.to_vec(),
		iterations_log2,
	}
}

#[test]
fn contributions_chain_and_end_in_keys_of_the_ceremony() {
	let powers = powers(6);
	for circuits in [
		vec![small()],
		family().to_vec(),
		vec![small(), circuit([4, 2, 0, 3], 4, 2)],
	] {
		let mut ceremony = Ceremony::new(&powers, &circuits).unwrap();
		let mut hashes = vec![ceremony.transcript_hash()];
		for participant in 1..=3 {
			// Handed on as a file.
			ceremony = Ceremony::from_bytes(&ceremony.to_bytes()).unwrap();
			hashes.push(ceremony.contribute(entropy(participant)).unwrap());
			assert_eq!(
				verify(&ceremony, &powers, &circuits).unwrap().transcript(),
				hashes
			);
		}
		hashes.push(ceremony.close(beacon(b"block 1234567", 4)).unwrap());
		let verified = verify(
			&Ceremony::from_bytes(&ceremony.to_bytes()).unwrap(),
			&powers,
			&circuits,
		)
		.unwrap();
		assert_eq!((verified.transcript(), verified.participants()), (&hashes[..], 3));
		let transcript_hash = verified.transcript_hash();
		let keys = verified.into_keys().unwrap();
		assert_eq!(keys.len(), circuits.len());
		for key in keys {
			assert_eq!(
				key.verifying_key().origin(),
				KeyOrigin::Ceremony { transcript_hash }
			);
		}
	}
}

#[test]
fn every_source_of_entropy_matters() {
	let powers = powers(6);
	let hash = |entropy| {
		let mut ceremony = Ceremony::new(&powers, &[small()]).unwrap();
		ceremony.contribute(entropy).unwrap()
	};
	let first = hash(Entropy::new(&[1; 64], b"dice: 1 2 3"));
	assert_eq!(first, hash(Entropy::new(&[1; 64], b"dice: 1 2 3")));
	assert_ne!(first, hash(Entropy::new(&[1; 64], b"dice: 1 2 4")));
	assert_ne!(first, hash(Entropy::new(&[2; 64], b"dice: 1 2 3")));
	assert_ne!(
		hash(Entropy::from_os(b"").unwrap()),
		hash(Entropy::from_os(b"").unwrap())
	);
}

#[test]
fn a_closed_ceremony_takes_nothing_more() {
	let powers = powers(6);
	let mut ceremony = ceremony(&powers, &[small()], &[1]);
	for refused in [beacon(b"", 0), beacon(&[1; 257], 0), beacon(b"value", 33)] {
		assert_eq!(ceremony.close(refused), Err(ContributeError::Beacon));
	}
	ceremony.close(beacon(b"value", 0)).unwrap();
	assert_eq!(ceremony.contribute(entropy(2)), Err(ContributeError::Closed));
	assert_eq!(ceremony.close(beacon(b"value", 0)), Err(ContributeError::Closed));
}

#[test]
fn a_beacon_is_no_participant() {
	let (powers, circuits) = (powers(6), [small()]);
	let mut ceremony = ceremony(&powers, &circuits, &[]);
	assert_eq!(
		verify(&ceremony, &powers, &circuits).unwrap_err(),
		VerifyError::NoParticipant
	);
	ceremony.close(beacon(b"value", 3)).unwrap();
	assert_eq!(
		verify(&ceremony, &powers, &circuits).unwrap_err(),
		VerifyError::NoParticipant
	);
}

#[test]
fn circuits_that_make_no_ceremony_are_refused() {
	let powers = powers(6);
	let error = |circuits: &[_]| Ceremony::new(&powers, circuits).unwrap_err();
	assert_eq!(error(&[]), InitialError::Circuits(0));
	assert_eq!(error(&vec![small(); 17]), InitialError::Circuits(17));
	// 64 rows need τ^127; 2^6 powers end with τ^126.
	assert_eq!(
		error(&[circuit([4, 1, 0, 1], 60, 1)]),
		InitialError::TooFewPowers {
			rows_log2: 6,
			powers: 64
		}
	);
	let [first, second] = family();
	assert_eq!(error(&[first.clone(), small()]), InitialError::Weights);
	assert_eq!(
		error(&[first.clone(), circuit([4, 3, 5, 5], 10, 2)]),
		InitialError::Weights
	);
	// Rows of weights that are not spread as the domains ask for.
	for other in [
		circuit([4, 6, 4, 8], 26, 3),
		spread(circuit([4, 6, 4, 8], 26, 3), 4),
		spread(circuit([4, 2, 4, 3], 60, 3), 2),
	] {
		let powers = super::scene::powers(7);
		let error = |circuits: &[_]| Ceremony::new(&powers, circuits).unwrap_err();
		assert_eq!(error(&[first.clone(), other.clone()]), InitialError::Weights);
		assert_eq!(error(&[other, first.clone()]), InitialError::Weights);
	}
	assert_eq!(
		error(&[spread(first.clone(), 2), second.clone()]),
		InitialError::Weights
	);
	assert_eq!(error(&[second]), InitialError::Weights);
	// A weight that is multiplied, in another row, or not alone in its column.
	for matrix in 0..3 {
		for place in [0, 4] {
			let segments = first.matrices.segments();
			let mut rows = [const { Vec::new() }; 3];
			for row in 0..first.matrices.constraints() {
				for (index, rows) in rows.iter_mut().enumerate() {
					let entries = first.matrices.row(index, row);
					rows.push(
						entries
							.map(|(column, value)| (*value, column))
							.collect::<Vec<_>>(),
					);
				}
			}
			rows[matrix][place].push((Fr::ONE, segments.weight_columns().start));
			let other = Circuit {
				matrices: Matrices::new(rows, segments),
				shape: first.shape,
			};
			assert_eq!(error(&[other]), InitialError::Weights, "{matrix}, {place}");
		}
	}
	// Nobody contributed to the powers.
	let unused = verified(Powers::new(6).unwrap());
	assert_eq!(
		Ceremony::new(&unused, &[small()]).unwrap_err(),
		InitialError::Point
	);
}
