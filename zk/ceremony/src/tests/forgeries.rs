//! Spoilt ceremonies, each refused for what is wrong with it.

use super::scene::{ceremony, circuit, entropy, family, powers, small};
use crate::{
	ceremony::Elements,
	contribution::{Proofs, Trapdoor},
	knowledge::KnowledgeProof,
	verify, Beacon, Ceremony, Circuit, Part, VerifiedPowers, VerifyError,
};
use ark_bls12_381::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use std::sync::OnceLock;

/// Powers, a family and its ceremony with three participants.
fn scene() -> &'static (VerifiedPowers, [Circuit; 2], Ceremony) {
	static SCENE: OnceLock<(VerifiedPowers, [Circuit; 2], Ceremony)> = OnceLock::new();
	SCENE.get_or_init(|| {
		let (powers, circuits) = (powers(6), family());
		let ceremony = ceremony(&powers, &circuits, &[1, 2, 3]);
		(powers, circuits, ceremony)
	})
}

/// Why the scene's ceremony is refused after a change.
fn refused(change: impl FnOnce(&mut Ceremony)) -> VerifyError {
	let (powers, circuits, ceremony) = scene();
	let mut ceremony = ceremony.clone();
	change(&mut ceremony);
	// A change that does not survive the file would prove nothing.
	assert_eq!(Ceremony::from_bytes(&ceremony.to_bytes()).as_ref(), Ok(&ceremony));
	verify(&ceremony, powers, circuits).unwrap_err()
}

fn double(point: &mut G1Affine) {
	*point = (*point + *point).into_affine();
}

/// A participant's proofs, to change.
fn proofs(ceremony: &mut Ceremony, contribution: usize) -> &mut Vec<KnowledgeProof> {
	match &mut ceremony.contributions[contribution].proofs {
		Proofs::Participant(proofs) => proofs,
		Proofs::Beacon(_) => panic!("the contribution is a participant's"),
	}
}

#[test]
fn the_honest_ceremony_is_accepted() {
	let (powers, circuits, ceremony) = scene();
	assert!(verify(ceremony, powers, circuits).is_ok());
}

#[test]
fn a_changed_element_of_each_query_is_found() {
	type Query = fn(&mut Elements) -> &mut Vec<G1Affine>;
	type Named = fn(usize) -> Part;
	let queries: [(Query, Named); 3] = [
		(|elements| &mut elements.l, Part::L),
		(|elements| &mut elements.h, Part::H),
		(|elements| &mut elements.committed, Part::Committed),
	];
	for circuit in 0..2 {
		for (query, part) in queries {
			let changes: [fn(&mut Vec<G1Affine>); 4] = [
				|points| double(&mut points[0]),
				|points| double(points.last_mut().unwrap()),
				|points| points.swap(0, 1),
				|points| {
					points.pop();
				},
			];
			for change in changes {
				assert_eq!(
					refused(|ceremony| change(query(&mut ceremony.circuits[circuit]))),
					VerifyError::Elements(part(circuit))
				);
			}
		}
	}
	assert_eq!(
		refused(|ceremony| double(&mut ceremony.weights[1])),
		VerifyError::Elements(Part::Weights)
	);
}

/// δ_w of the larger circuit's key, which is circuit 1's.
fn delta_weights(ceremony: &mut Ceremony) -> &mut Option<Trapdoor> {
	&mut ceremony.circuits[1].delta_weights
}

#[test]
fn another_trapdoor_of_weights_in_the_larger_domain_is_refused() {
	let wrong = VerifyError::Elements(Part::DeltaWeights(1));
	let (_, _, honest) = scene();
	let own = *honest.current().last().unwrap();
	let found = honest.circuits[1].delta_weights.unwrap();
	assert_eq!(honest.circuits[0].delta_weights, None);
	let two = Fr::from(2u64);
	let negated = Trapdoor {
		g1: -found.g1,
		g2: -found.g2,
	};
	// A multiple that is none of this domain's, the smaller domain's own, one, the sign, and each group by itself.
	for other in [
		found.times(&two),
		own,
		own.times(&two),
		Trapdoor::one(),
		negated,
		Trapdoor {
			g2: found.times(&two).g2,
			..found
		},
		Trapdoor {
			g1: found.times(&two).g1,
			..found
		},
	] {
		let error = refused(|ceremony| *delta_weights(ceremony) = Some(other));
		assert_eq!(error, wrong);
	}
	// Without the factor of the last participant, or with another's.
	let error = refused(|ceremony| {
		let before = scene_before_the_last();
		*delta_weights(ceremony) = before.circuits[1].delta_weights;
	});
	assert_eq!(error, wrong);
}

/// The scene's ceremony with two of its three participants.
fn scene_before_the_last() -> Ceremony {
	let (powers, circuits, _) = scene();
	ceremony(powers, circuits, &[1, 2])
}

/// A participant whose factors of δ_w in the two keys differ, in everything else honest.
#[test]
fn one_factor_for_both_keys() {
	let (powers, circuits, _) = scene();
	let mut ceremony = scene_before_the_last();
	let before = ceremony.circuits[1].delta_weights.unwrap();
	ceremony.contribute(entropy(3)).unwrap();
	assert!(verify(&ceremony, powers, circuits).is_ok());
	*delta_weights(&mut ceremony) = Some(before.times(&Fr::from(7u64)));
	assert_eq!(
		verify(&ceremony, powers, circuits).unwrap_err(),
		VerifyError::Elements(Part::DeltaWeights(1))
	);
	// Later participants multiply what they found, and do not make up for it.
	ceremony.contribute(entropy(4)).unwrap();
	assert_eq!(
		verify(&ceremony, powers, circuits).unwrap_err(),
		VerifyError::Elements(Part::DeltaWeights(1))
	);
}

/// The factor in the key of the smaller domain: δ_w is the larger key's, and the smaller one has it divided.
#[test]
fn the_factor_is_the_larger_domains() {
	let (powers, circuits, honest) = scene();
	let mut swapped = honest.clone();
	let own = *honest.current().last().unwrap();
	swapped.circuits[0].delta_weights = swapped.circuits[1].delta_weights.replace(own);
	assert_eq!(
		verify(&swapped, powers, circuits).unwrap_err(),
		VerifyError::Elements(Part::DeltaWeights(0))
	);
	swapped.circuits[1].delta_weights = None;
	assert_eq!(
		verify(&swapped, powers, circuits).unwrap_err(),
		VerifyError::Elements(Part::DeltaWeights(0))
	);
	// Nor can it be left out.
	let mut without = honest.clone();
	without.circuits[1].delta_weights = None;
	assert_eq!(
		verify(&without, powers, circuits).unwrap_err(),
		VerifyError::Elements(Part::DeltaWeights(1))
	);
}

#[test]
fn two_changes_that_cancel_in_a_plain_sum_are_found() {
	let error = refused(|ceremony| {
		let l = &mut ceremony.circuits[0].l;
		let generator = G1Affine::generator();
		l[0] = (l[0] + generator).into_affine();
		l[1] = (l[1] - generator).into_affine();
	});
	assert_eq!(error, VerifyError::Elements(Part::L(0)));
}

#[test]
fn contributions_cannot_be_dropped_reordered_or_replayed() {
	// Without the last, the elements are not those that the trapdoors say.
	let error = refused(|ceremony| {
		ceremony.contributions.pop();
	});
	assert_eq!(error, VerifyError::Elements(Part::L(0)));
	for index in [0, 1] {
		let error = refused(|ceremony| {
			ceremony.contributions.remove(index);
		});
		assert_eq!(error, VerifyError::Knowledge(index + 1));
	}
	assert_eq!(
		refused(|ceremony| ceremony.contributions.swap(1, 2)),
		VerifyError::Knowledge(2)
	);
	let error = refused(|ceremony| {
		let last = ceremony.contributions[2].clone();
		ceremony.contributions.push(last);
	});
	assert_eq!(error, VerifyError::Unchanged(4));
	let error = refused(|ceremony| {
		let first = ceremony.contributions[0].clone();
		ceremony.contributions.push(first);
	});
	assert_eq!(error, VerifyError::Knowledge(4));
}

#[test]
fn a_proof_of_knowledge_is_for_its_place_only() {
	for other in [0, 1] {
		let error = refused(|ceremony| {
			let copy = proofs(ceremony, other).clone();
			*proofs(ceremony, 2) = copy;
		});
		assert_eq!(error, VerifyError::Knowledge(3));
	}
	assert_eq!(
		refused(|ceremony| proofs(ceremony, 1).swap(0, 1)),
		VerifyError::Knowledge(2)
	);
	// Each of the proofs is looked at.
	for place in 0..5 {
		let error = refused(|ceremony| {
			let copy = proofs(ceremony, 0)[place].clone();
			proofs(ceremony, 1)[place] = copy;
		});
		assert_eq!(error, VerifyError::Knowledge(2), "{place}");
	}
}

/// A participant that sets trapdoors as it likes, and puts the proofs of an honest one there.
fn set(ceremony: &mut Ceremony, change: impl FnOnce(&mut Vec<Trapdoor>)) {
	change(&mut ceremony.contributions[2].after);
}

#[test]
fn trapdoors_that_were_not_multiplied_are_refused() {
	for place in 0..5 {
		let error = refused(|ceremony| {
			let before = ceremony.contributions[1].after[place];
			set(ceremony, |after| after[place] = before);
		});
		assert_eq!(error, VerifyError::Unchanged(3));
		let error = refused(|ceremony| {
			let before = ceremony.contributions[1].after[place];
			let negated = Trapdoor {
				g1: -before.g1,
				g2: -before.g2,
			};
			set(ceremony, |after| after[place] = negated);
		});
		assert_eq!(error, VerifyError::Unchanged(3));
	}
}

#[test]
fn equal_trapdoors_are_refused() {
	for place in 1..5 {
		let error = refused(|ceremony| set(ceremony, |after| after[place] = after[0]));
		assert_eq!(error, VerifyError::EqualTrapdoors(3));
	}
	let error = refused(|ceremony| {
		set(ceremony, |after| {
			after[1] = Trapdoor {
				g1: -after[0].g1,
				g2: -after[0].g2,
			}
		})
	});
	assert_eq!(error, VerifyError::EqualTrapdoors(3));
	// γ is 1.
	let error = refused(|ceremony| set(ceremony, |after| after[3] = Trapdoor::one()));
	assert_eq!(error, VerifyError::EqualTrapdoors(3));
}

#[test]
fn a_trapdoor_must_be_the_same_in_both_groups() {
	for place in 0..5 {
		let error = refused(|ceremony| {
			set(ceremony, |after| {
				after[place].g2 = (after[place].g2 + G2Affine::generator()).into_affine()
			})
		});
		assert_eq!(error, VerifyError::Groups(3));
	}
}

#[test]
fn a_trapdoor_that_is_not_a_known_multiple_is_refused() {
	let error = refused(|ceremony| {
		set(ceremony, |after| {
			// The participant does not know the factor from the one before.
			after[0] = Trapdoor {
				g1: (G1Affine::generator() * Fr::from(5u64)).into_affine(),
				g2: (G2Affine::generator() * Fr::from(5u64)).into_affine(),
			}
		})
	});
	assert_eq!(error, VerifyError::Knowledge(3));
}

#[test]
fn beacons_are_checked_and_last() {
	let (powers, circuits, ceremony) = scene();
	let beacon = |value: &[u8]| Beacon {
		value: value.to_vec(),
		iterations_log2: 3,
	};
	let mut closed = ceremony.clone();
	closed.close(beacon(b"a value")).unwrap();
	assert!(verify(&closed, powers, circuits).is_ok());
	for other in [
		beacon(b"another value"),
		Beacon {
			iterations_log2: 2,
			..beacon(b"a value")
		},
	] {
		let mut changed = closed.clone();
		changed.contributions[3].proofs = Proofs::Beacon(other);
		assert_eq!(
			verify(&changed, powers, circuits).unwrap_err(),
			VerifyError::Beacon(4)
		);
	}
	// A participant that claims to be a beacon.
	let mut claimed = ceremony.clone();
	claimed.contributions[2].proofs = Proofs::Beacon(beacon(b"a value"));
	assert_eq!(
		verify(&claimed, powers, circuits).unwrap_err(),
		VerifyError::Beacon(3)
	);
	// A contribution after the beacon, made by a tool that does not mind.
	let honest = {
		let mut other = ceremony.clone();
		other.contribute(entropy(9)).unwrap();
		other.contributions.pop().unwrap()
	};
	closed.contributions.push(honest);
	assert_eq!(
		verify(&closed, powers, circuits).unwrap_err(),
		VerifyError::AfterBeacon(5)
	);
}

#[test]
fn ceremonies_for_other_circuits_or_powers_are_refused() {
	let (powers, circuits, ceremony) = scene();
	let [first, second] = circuits.clone();
	let reshaped = {
		let mut circuit = first.clone();
		circuit.shape.output_len += 1;
		circuit
	};
	for others in [
		vec![first.clone()],
		vec![second.clone(), first.clone()],
		vec![first.clone(), second.clone(), second.clone()],
		vec![first.clone(), circuit([4, 6, 4, 8], 26, 3)],
		vec![first.clone(), circuit([4, 6, 4, 8], 26, 4)],
		vec![reshaped, second],
	] {
		assert_eq!(
			verify(ceremony, powers, &others).unwrap_err(),
			VerifyError::OtherCircuits
		);
	}
	let others = super::scene::powers(7);
	assert_eq!(
		verify(ceremony, &others, circuits).unwrap_err(),
		VerifyError::OtherPowers
	);
	// The name of other circuits or powers in the file spoils every proof.
	assert_eq!(
		refused(|ceremony| ceremony.powers = [1; 32]),
		VerifyError::OtherPowers
	);
	let relabelled = {
		let mut ceremony = ceremony.clone();
		ceremony.powers = others.digest();
		ceremony
	};
	assert_eq!(
		verify(&relabelled, &others, circuits).unwrap_err(),
		VerifyError::Knowledge(1)
	);
}

#[test]
fn elements_of_another_circuit_are_refused() {
	let powers = powers(6);
	let circuits = [small()];
	let other = ceremony(&powers, &[circuit([4, 5, 0, 9], 20, 6)], &[1]);
	let mut mixed = ceremony(&powers, &circuits, &[1]);
	mixed.circuits[0].l.clone_from(&other.circuits[0].l);
	assert_eq!(
		verify(&mixed, &powers, &circuits).unwrap_err(),
		VerifyError::Elements(Part::L(0))
	);
}
