//! Changes of powers from inside, each with the error it has to give.

use super::{Powers, PowersBase, PowersError, PowersStart};
use ark_bls12_381::{G1Affine, G2Affine};
use ark_ec::CurveGroup;

fn g1(point: &mut G1Affine) {
	*point = (*point + *point).into_affine();
}

fn g2(point: &mut G2Affine) {
	*point = (*point + *point).into_affine();
}

/// `refused` changes powers with three contributions and says why they are refused.
pub fn refusals(refused: impl Fn(&dyn Fn(&mut Powers)) -> PowersError) {
	// Each section, at its start, inside and at its end.
	for index in [2, 3, 14] {
		let error = refused(&|powers| g1(&mut powers.tau_g1[index]));
		assert_eq!(error, PowersError::Ratio("the powers of tau in G1"));
	}
	for index in [1, 7] {
		let error = refused(&|powers| g1(&mut powers.alpha_g1[index]));
		assert_eq!(error, PowersError::Ratio("the powers with alpha"));
		let error = refused(&|powers| g1(&mut powers.beta_g1[index]));
		assert_eq!(error, PowersError::Ratio("the powers with beta"));
	}
	for index in [2, 7] {
		let error = refused(&|powers| g2(&mut powers.tau_g2[index]));
		assert_eq!(error, PowersError::Ratio("the powers of tau in G2"));
	}
	assert_eq!(
		refused(&|powers| g1(&mut powers.tau_g1[0])),
		PowersError::Generators
	);
	assert_eq!(
		refused(&|powers| g2(&mut powers.tau_g2[0])),
		PowersError::Generators
	);
	// What the chain ends with.
	for change in [
		(|powers| g1(&mut powers.tau_g1[1])) as fn(&mut Powers),
		|powers| g2(&mut powers.tau_g2[1]),
		|powers| g1(&mut powers.alpha_g1[0]),
		|powers| g1(&mut powers.beta_g1[0]),
		|powers| g2(&mut powers.beta_g2),
		|powers| {
			powers.contributions.pop();
		},
	] {
		assert_eq!(refused(&change), PowersError::End);
	}
	// The chain itself.
	let error = refused(&|powers| {
		powers.contributions.remove(0);
	});
	assert_eq!(error, PowersError::Knowledge(1));
	assert_eq!(
		refused(&|powers| powers.contributions.swap(0, 1)),
		PowersError::Knowledge(1)
	);
	for place in 0..3 {
		let error = refused(&|powers| {
			powers.contributions[2].proofs[place] = powers.contributions[1].proofs[place].clone();
		});
		assert_eq!(error, PowersError::Knowledge(3));
	}
	let error = refused(&|powers| powers.contributions[1].proofs.swap(0, 1));
	assert_eq!(error, PowersError::Knowledge(2));
	let error = refused(&|powers| {
		let last = powers.contributions[2].clone();
		powers.contributions.push(last);
	});
	assert_eq!(error, PowersError::Unchanged(4));
	for change in [(|base| g2(&mut base.tau_g2)) as fn(&mut PowersBase), |base| {
		g2(&mut base.beta_g2)
	}] {
		// The proofs name both groups, so they fail first.
		let error = refused(&|powers| change(&mut powers.contributions[1].after));
		assert_eq!(error, PowersError::Knowledge(2));
		let error = refused(&|powers| {
			let mut base = PowersBase::generators();
			change(&mut base);
			powers.start = PowersStart {
				imported: Some([1; 64]),
				base,
			};
		});
		assert_eq!(error, PowersError::Groups(0));
	}
	// Another start makes another transcript.
	let error = refused(&|powers| {
		powers.start = PowersStart {
			imported: Some([1; 64]),
			base: PowersBase::generators(),
		};
	});
	assert_eq!(error, PowersError::Knowledge(1));
}
