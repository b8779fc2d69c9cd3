//! Multiplications equal naive sums: for every size of scalar, and where points meet, cancel or are missing.

use ark_bls12_381::{g1, g2, Fr, G1Affine, G2Affine};
use ark_ec::{
	short_weierstrass::{Affine, Projective},
	AffineRepr, CurveGroup, VariableBaseMSM,
};
use ark_ff::{AdditiveGroup, Field, PrimeField, UniformRand};
use opensand_zk_msm::{multiply, Bases, BasesError, Curve, FixedBase, Scalars};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

fn naive<P: Curve>(points: &[Affine<P>], scalars: &[Fr]) -> Projective<P> {
	points
		.iter()
		.zip(scalars)
		.map(|(point, scalar)| point.mul_bigint(scalar.into_bigint()))
		.sum()
}

/// A scalar of a kind: the sizes that are told apart, their edges, and full width.
fn scalar(kind: u8, rng: &mut ChaCha20Rng) -> Fr {
	let magnitude = match kind % 10 {
		0 => Fr::ZERO,
		1 => Fr::ONE,
		2 => Fr::from(rng.gen::<u8>()),
		3 => Fr::from(rng.gen::<u16>()),
		4 => Fr::from(rng.gen::<u32>()),
		5 => Fr::from(rng.gen::<u64>()),
		6 => Fr::from(u64::MAX),
		7 => Fr::from(u64::MAX) + Fr::ONE,
		8 => Fr::from(rng.gen::<u128>()),
		_ => Fr::rand(rng),
	};
	if kind >= 128 {
		-magnitude
	} else {
		magnitude
	}
}

/// Points of a kind: few different ones, so that buckets see doublings and cancellations; or the identity.
fn point<P: Curve>(kind: u8) -> Affine<P> {
	let generator = Affine::<P>::generator();
	let point = match kind % 8 {
		0 => return Affine::identity(),
		multiple => (generator * Fr::from(u64::from(multiple) * 0x1_0000_0001)).into_affine(),
	};
	if kind >= 128 {
		-point
	} else {
		point
	}
}

fn check<P: Curve>(points: Vec<Affine<P>>, scalars: &[Fr]) {
	let expected = naive(&points, scalars);
	let classified = Scalars::new(scalars);
	assert_eq!(classified.len(), scalars.len());
	let bases = Bases::new(points.clone()).unwrap();
	assert_eq!(multiply(&bases, &classified), expected);
	let (indices, kept): (Vec<u32>, Vec<_>) = (0..).zip(points).filter(|(_, point)| !point.is_zero()).unzip();
	assert_eq!(bases.points(), kept);
	let sparse = Bases::sparse(kept, &indices, scalars.len().max(bases.scalars())).unwrap();
	assert_eq!(multiply(&sparse, &classified), expected);
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(200))]

	#[test]
	fn sums_are_exact(terms in prop::collection::vec((any::<u8>(), any::<u8>()), 0..300), seed: u64, missing in 0usize..3) {
		let mut rng = ChaCha20Rng::seed_from_u64(seed);
		let scalars: Vec<Fr> = terms.iter().map(|(kind, _)| scalar(*kind, &mut rng)).collect();
		let keep = terms.len().saturating_sub(missing);
		let kinds: Vec<u8> = terms.iter().map(|(_, kind)| *kind).take(keep).collect();
		check::<g1::Config>(kinds.iter().map(|kind| point(*kind)).collect(), &scalars);
		// More bases than scalars.
		check::<g2::Config>(kinds.iter().map(|kind| point(*kind)).collect(), &scalars[..keep.saturating_sub(missing)]);
	}

	#[test]
	fn repeated_terms_are_exact(kind: u8, base: u8, count in 0usize..300, seed: u64) {
		let scalars = vec![scalar(kind, &mut ChaCha20Rng::seed_from_u64(seed)); count];
		check::<g1::Config>(vec![point(base); count], &scalars);
		check::<g2::Config>(vec![point(base); count], &scalars);
	}
}

/// Random points and scalars of one kind, against arkworks'.
fn large<P: Curve>(len: usize, kind: u8)
where
	Projective<P>: VariableBaseMSM<MulBase = Affine<P>, ScalarField = Fr>,
{
	let mut rng = ChaCha20Rng::seed_from_u64(len as u64);
	let multiples: Vec<Fr> = (0..len).map(|_| Fr::rand(&mut rng)).collect();
	let points = FixedBase::new(Affine::<P>::generator(), len).multiply(&multiples);
	let scalars: Vec<Fr> = (0..len).map(|_| scalar(kind, &mut rng)).collect();
	let expected = Projective::<P>::msm(&points, &scalars).unwrap();
	assert_eq!(
		multiply(&Bases::new(points).unwrap(), &Scalars::new(&scalars)),
		expected
	);
}

#[test]
fn large_sums_equal_those_of_arkworks() {
	for (len, kind) in [(20_000, 1), (20_001, 2), (9_999, 131), (5_000, 5), (10_000, 9)] {
		large::<g1::Config>(len, kind);
	}
	for (len, kind) in [(9_000, 1), (3_000, 130), (2_000, 9)] {
		large::<g2::Config>(len, kind);
	}
}

#[test]
fn multiples_of_a_fixed_base_are_exact() {
	let mut rng = ChaCha20Rng::seed_from_u64(5);
	for count in [0, 1, 40, 3000] {
		let scalars: Vec<Fr> = (0..count).map(|i| scalar(i as u8, &mut rng)).collect();
		let g1 = G1Affine::generator();
		let g2 = G2Affine::generator();
		let expected = scalars.iter().map(|scalar| (g1 * scalar).into_affine());
		assert!(FixedBase::new(g1, count)
			.multiply(&scalars)
			.into_iter()
			.eq(expected));
		let few = &scalars[..count.min(300)];
		let expected = few.iter().map(|scalar| (g2 * scalar).into_affine());
		assert!(FixedBase::new(g2, count).multiply(few).into_iter().eq(expected));
	}
	let identity = FixedBase::new(G1Affine::identity(), 3).multiply(&[Fr::ONE, Fr::ZERO, -Fr::ONE]);
	assert_eq!(identity, [G1Affine::identity(); 3]);
}

#[test]
fn bases_check_their_indices() {
	let points = vec![G1Affine::generator(); 2];
	let sparse =
		|indices: &[u32], scalars| Bases::sparse(points.clone(), indices, scalars).map(|bases| bases.len());
	assert_eq!(sparse(&[1, 4], 5), Ok(2));
	assert_eq!(sparse(&[1], 5), Err(BasesError::LengthMismatch));
	assert_eq!(sparse(&[1, 1], 5), Err(BasesError::Indices));
	assert_eq!(sparse(&[4, 1], 5), Err(BasesError::Indices));
	assert_eq!(sparse(&[1, 5], 5), Err(BasesError::Indices));
	assert_eq!(sparse(&[1, 5], usize::MAX), Err(BasesError::TooMany));
}
