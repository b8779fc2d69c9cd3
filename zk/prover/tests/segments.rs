//! The arithmetic layer alone: proofs of relations with segments satisfy the protocol's equation, and proofs of plain
//! relations are those of `ark-groth16`, byte by byte, under keys from the same secrets.

mod relations;

use ark_bls12_381::{Bls12_381, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use ark_groth16::Groth16;
use opensand_zk_prover::{
	generate,
	groth16::{commit, commit_weights, prove, prove_with, Lasting, ProofPoints, ResidentKey},
	BackendError, Blinding, CpuBackend, GeneratorError, ProverBackend, ProvingPoints, ResidentRows, Rows,
	Trapdoors, VerifyingPoints,
};
use opensand_zk_r1cs::{Matrices, Segments};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use relations::{multiplications, random, Relation, Values};

fn seeded(seed: u64) -> ChaCha20Rng {
	ChaCha20Rng::seed_from_u64(seed)
}

fn rows_of(matrices: &Matrices) -> ResidentRows {
	CpuBackend.load_rows(Rows::new(matrices)).unwrap()
}

/// Public, committed, weights, rest.
fn segments([public, committed, weights, rest]: [usize; 4]) -> Segments {
	Segments {
		public,
		committed,
		weights,
		rest,
	}
}

/// e(A,B) = e(α,β)·e(IC,γ)·e(D₁,δ₁)·e(D_w,δ_w)·e(C,δ); commitments are given where their segments are not empty.
fn accepts(
	key: &VerifyingPoints,
	public: &[Fr],
	committed: Option<G1Affine>,
	weights: Option<G1Affine>,
	(a, b, c): ProofPoints,
) -> bool {
	let ic: G1Projective = key
		.ic
		.iter()
		.zip(public)
		.map(|(point, value)| *point * value)
		.sum();
	let mut g1 = vec![-a, key.alpha, ic.into_affine(), c];
	let mut g2 = vec![b, key.beta, key.gamma, key.delta];
	for (commitment, trapdoor) in [(committed, key.delta_committed), (weights, key.delta_weights)] {
		if let Some(commitment) = commitment {
			g1.push(commitment);
			g2.push(trapdoor);
		}
	}
	Bls12_381::multi_pairing(g1, g2).0 == <Bls12_381 as Pairing>::TargetField::ONE
}

const SHAPES: [[usize; 4]; 7] = [
	[3, 0, 0, 9],
	[4, 5, 0, 6],
	[2, 0, 7, 3],
	[4, 6, 5, 8],
	[1, 3, 2, 0],
	[5, 1, 1, 1],
	[4, 90, 40, 200],
];

#[test]
fn proofs_of_segmented_relations_satisfy_the_equation() {
	for (seed, shape) in (0..).zip(SHAPES) {
		let segments = segments(shape);
		let (matrices, z) = random(segments, 3 * segments.variables(), seed);
		assert_eq!(matrices.first_unsatisfied(&z), None);
		let (proving, verifying) = generate(&matrices, &Trapdoors::random(&mut seeded(seed))).unwrap();
		let key = ResidentKey::load(&CpuBackend, proving).unwrap();

		let values = &z[segments.weight_columns()];
		let weights = commit_weights(&CpuBackend, &key, values).unwrap();
		let weights = (segments.weights > 0).then_some(weights);
		let blinding = Blinding::random(&mut seeded(91));
		let committed = commit(&CpuBackend, &key, &z[segments.committed_columns()], &blinding).unwrap();
		let committed = (segments.committed > 0).then_some(committed);
		let proof = prove(&CpuBackend, &key, &rows_of(&matrices), &z, &blinding).unwrap();
		let public = &z[..segments.public];
		assert!(
			accepts(&verifying, public, committed, weights, proof),
			"{shape:?}"
		);

		// Another statement, another commitment, a commitment moved to the other segment or into C.
		if segments.public > 1 {
			let mut other = public.to_vec();
			other[1] += Fr::ONE;
			assert!(!accepts(&verifying, &other, committed, weights, proof));
		}
		let shifted = |point: G1Affine| (point + G1Affine::generator()).into_affine();
		if let Some(point) = committed {
			assert!(!accepts(
				&verifying,
				public,
				committed.map(shifted),
				weights,
				proof
			));
			let moved = (proof.0, proof.1, (proof.2 + point).into_affine());
			assert!(!accepts(
				&verifying,
				public,
				Some(G1Affine::identity()),
				weights,
				moved
			));
		}
		if weights.is_some() {
			assert!(!accepts(
				&verifying,
				public,
				committed,
				weights.map(shifted),
				proof
			));
			// What lasts, multiplied before: the same proof.
			let lasting = Lasting::new(&CpuBackend, &key, [segments.weight_columns()], values).unwrap();
			let rows = rows_of(&matrices);
			let again = prove_with(&CpuBackend, &key, &rows, &z, &blinding, Some(&lasting)).unwrap();
			assert_eq!(again, proof);
			let short = Lasting::new(&CpuBackend, &key, [segments.weight_columns()], &values[1..]);
			assert!(matches!(
				short.map(|_| ()),
				Err(BackendError::LengthMismatch { .. })
			));
		}
		if committed.is_some() && weights.is_some() {
			assert!(!accepts(&verifying, public, weights, committed, proof));
		}

		// A z that does not satisfy the relation.
		let mut wrong = z.clone();
		*wrong.last_mut().unwrap() += Fr::ONE;
		if matrices.first_unsatisfied(&wrong).is_some() {
			let committed =
				commit(&CpuBackend, &key, &wrong[segments.committed_columns()], &blinding).unwrap();
			let proof = prove(&CpuBackend, &key, &rows_of(&matrices), &wrong, &blinding).unwrap();
			let committed = (segments.committed > 0).then_some(committed);
			assert!(!accepts(&verifying, public, committed, weights, proof));
		}
	}
}

/// A relation whose weights' columns are alone in their rows, the first, and a z that satisfies it.
fn relation_with_weights(rest: usize) -> (Matrices, Vec<Fr>) {
	let segments = segments([1, 1, 3, rest]);
	let first_rest = segments.rest_columns().start;
	let mut rows = [const { Vec::new() }; 3];
	for (word, column) in segments.weight_columns().enumerate() {
		rows[0].push(vec![(Fr::ONE, column)]);
		rows[1].push(vec![(Fr::ONE, 0)]);
		rows[2].push(vec![(Fr::ONE, first_rest + word)]);
	}
	for column in first_rest + 3..segments.variables() {
		rows[0].push(vec![(Fr::ONE, column - 1)]);
		rows[1].push(vec![(Fr::ONE, first_rest), (Fr::ONE, 1)]);
		rows[2].push(vec![(Fr::ONE, column)]);
	}
	let mut z = vec![Fr::ONE, Fr::from(5u64)];
	let words = [7u64, 8, 9].map(Fr::from);
	z.extend(words);
	z.extend(words);
	while z.len() < segments.variables() {
		z.push(z[z.len() - 1] * (words[0] + z[1]));
	}
	let matrices = Matrices::new(rows, segments);
	assert_eq!(matrices.first_unsatisfied(&z), None);
	(matrices, z)
}

/// The commitment to the weights of z under a key, and whether a proof about it is accepted.
fn committed_and_proven(
	matrices: &Matrices,
	z: &[Fr],
	proving: &ProvingPoints,
	verifying: &VerifyingPoints,
	registered: Option<G1Affine>,
) -> (G1Affine, bool) {
	let segments = matrices.segments();
	let key = ResidentKey::load(&CpuBackend, proving.clone()).unwrap();
	let weights = commit_weights(&CpuBackend, &key, &z[segments.weight_columns()]).unwrap();
	let blinding = Blinding::random(&mut seeded(5));
	let committed = commit(&CpuBackend, &key, &z[segments.committed_columns()], &blinding).unwrap();
	let proof = prove(&CpuBackend, &key, &rows_of(matrices), z, &blinding).unwrap();
	let registered = registered.unwrap_or(weights);
	let accepted = accepts(verifying, &z[..1], Some(committed), Some(registered), proof);
	(weights, accepted)
}

/// Keys of one family have the domains of their relations, and one commitment is the same under all.
#[test]
fn a_family_has_one_commitment_to_weights() {
	// Domains of 4, 8, 16 and 64 points. Spread over 8 points, 4 rows leave one between the weights' empty.
	for rests in [[5, 5], [5, 12], [40, 5], [12, 40], [3, 4], [40, 3]] {
		let relations = rests.map(relation_with_weights);
		let domains = relations
			.each_ref()
			.map(|(matrices, _)| Rows::new(matrices).domain());
		let smallest = domains[0].min(domains[1]);
		let first = Trapdoors::random(&mut seeded(3));
		let trapdoors = [first.sibling(&mut seeded(4)), first];
		let keys = [0, 1].map(|i| {
			let (matrices, z) = &relations[i];
			let stride = domains[i] / smallest;
			let spread = matrices.clone().with_spread_weights(stride);
			assert_eq!(spread.first_unsatisfied(z), None);
			let trapdoors = trapdoors[i].spread(smallest, stride).unwrap();
			let (proving, verifying) = generate(&spread, &trapdoors).unwrap();
			assert_eq!(proving.domain, domains[i]);
			(spread, z, proving, verifying)
		});
		let commitments = keys.each_ref().map(|(matrices, z, proving, verifying)| {
			let (commitment, accepted) = committed_and_proven(matrices, z, proving, verifying, None);
			assert!(accepted);
			commitment
		});
		assert_eq!(commitments[0], commitments[1]);
		let [(.., first_proving, first), (.., second_proving, second)] = &keys;
		assert_eq!(first_proving.weights, second_proving.weights);
		assert_eq!((first.alpha, first.beta), (second.alpha, second.beta));
		assert_eq!(
			first.delta_weights == second.delta_weights,
			domains[0] == domains[1]
		);
		// The factor is that of the Lagrange polynomials of each weight.
		let column = first_proving.segments.weight_columns().start;
		for word in 0..3 {
			let [one, other] = [first_proving, second_proving].map(|proving| {
				let place = proving.a.indices().binary_search(&((column + word) as u32));
				proving.a.points()[place.unwrap()]
			});
			assert_eq!(
				Bls12_381::pairing(one, second.delta_weights),
				Bls12_381::pairing(other, first.delta_weights)
			);
		}
		assert_ne!(first.gamma, second.gamma);
		assert_ne!(first.delta, second.delta);
		assert_ne!(first.delta_committed, second.delta_committed);
	}
}

/// Rows that are not spread, or a trapdoor without its factor or with that of another domain: the elements are others, and so is a commitment.
#[test]
fn other_rows_or_another_factor_give_another_commitment() {
	let [(small, z), (large, large_z)] = [5, 40].map(relation_with_weights);
	let first = Trapdoors::random(&mut seeded(3));
	let second = first.sibling(&mut seeded(4));
	let (proving, verifying) = generate(&small, &first).unwrap();
	let (commitment, accepted) = committed_and_proven(&small, &z, &proving, &verifying, None);
	assert!(accepted);
	for (rows, factor, same) in [
		(8, 8, true),
		(1, 8, false),
		(8, 1, false),
		(1, 1, false),
		(4, 8, false),
		(8, 4, false),
	] {
		let matrices = large.clone().with_spread_weights(rows);
		let (proving, verifying) = generate(&matrices, &second.spread(8, factor).unwrap()).unwrap();
		let (own, accepted) = committed_and_proven(&matrices, &large_z, &proving, &verifying, None);
		assert!(accepted);
		assert_eq!(own == commitment, same, "rows {rows}, factor {factor}");
		let (_, accepted) = committed_and_proven(&matrices, &large_z, &proving, &verifying, Some(commitment));
		assert_eq!(accepted, same);
	}
	// The factor in the key of the smaller domain.
	let (proving, verifying) = generate(&small, &first.spread(8, 8).unwrap()).unwrap();
	let (own, _) = committed_and_proven(&small, &z, &proving, &verifying, None);
	assert_ne!(own, commitment);
}

/// Two commitments to the same values differ, and both prove.
#[test]
fn commitments_hide() {
	let segments = segments([2, 3, 0, 4]);
	let (matrices, z) = random(segments, 12, 5);
	let (proving, verifying) = generate(&matrices, &Trapdoors::random(&mut seeded(1))).unwrap();
	let key = ResidentKey::load(&CpuBackend, proving).unwrap();
	let commitments = [1, 2].map(|seed| {
		let blinding = Blinding::random(&mut seeded(seed));
		let committed = commit(&CpuBackend, &key, &z[segments.committed_columns()], &blinding).unwrap();
		let proof = prove(&CpuBackend, &key, &rows_of(&matrices), &z, &blinding).unwrap();
		assert!(accepts(&verifying, &z[..2], Some(committed), None, proof));
		committed
	});
	assert_ne!(commitments[0], commitments[1]);
}

/// Both provers on one relation, under keys that both generators made from the same secrets.
fn compare(matrices: &Matrices, z: &[Fr], seed: u64) {
	let mut rng = seeded(seed);
	let (proving, verifying) = generate(matrices, &Trapdoors::random(&mut rng.clone())).unwrap();
	let [alpha, beta, gamma, delta] = [0; 4].map(|_| Fr::rand(&mut rng));
	// τ is the next that is drawn.
	let key = Groth16::<Bls12_381>::generate_parameters_with_qap(
		Relation { matrices, z: None },
		alpha,
		beta,
		gamma,
		delta,
		G1Projective::generator(),
		G2Projective::generator(),
		&mut rng,
	)
	.unwrap();
	assert_eq!(key.vk.gamma_abc_g1, verifying.ic);
	assert_eq!(key.vk.alpha_g1, verifying.alpha);
	assert_eq!(
		[key.vk.beta_g2, key.vk.gamma_g2, key.vk.delta_g2],
		[verifying.beta, verifying.gamma, verifying.delta]
	);

	let resident = ResidentKey::load(&CpuBackend, proving).unwrap();
	let blinding = Blinding::random(&mut seeded(100 + seed));
	let proof = prove(&CpuBackend, &resident, &rows_of(matrices), z, &blinding).unwrap();
	let mut rng = seeded(100 + seed);
	let (r, s) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
	let relation = Relation { matrices, z: Some(z) };
	let expected = Groth16::<Bls12_381>::create_proof_with_reduction(relation, &key, r, s).unwrap();
	assert_eq!(proof, (expected.a, expected.b, expected.c));
	assert!(accepts(
		&verifying,
		&z[..matrices.segments().public],
		None,
		None,
		proof
	));
}

#[test]
fn proofs_of_plain_relations_equal_those_of_arkworks() {
	for (seed, shape, constraints) in [
		(1, [1, 0, 0, 1], 1),
		(2, [3, 0, 0, 10], 13),
		(3, [4, 0, 0, 30], 60),
		(4, [2, 0, 0, 300], 511),
	] {
		let (matrices, z) = random(segments(shape), constraints, seed);
		compare(&matrices, &z, seed);
	}
	for values in [Values::Bits, Values::FullWidth] {
		let (matrices, z) = multiplications(values, 2000);
		assert_eq!(matrices.first_unsatisfied(&z), None);
		compare(&matrices, &z, 9);
	}
}

#[test]
fn sizes_that_do_not_fit_are_errors() {
	let (matrices, z) = random(segments([2, 3, 0, 4]), 12, 5);
	let (proving, _) = generate(&matrices, &Trapdoors::random(&mut seeded(1))).unwrap();
	let key = ResidentKey::load(&CpuBackend, proving).unwrap();
	let blinding = Blinding::random(&mut seeded(2));
	let too_few = prove(&CpuBackend, &key, &rows_of(&matrices), &z[1..], &blinding);
	assert_eq!(
		too_few,
		Err(BackendError::LengthMismatch { scalars: 8, bases: 9 })
	);
	assert_eq!(
		commit(&CpuBackend, &key, &z[..4], &blinding),
		Err(BackendError::LengthMismatch { scalars: 4, bases: 3 })
	);
	let (other, other_z) = random(segments([2, 3, 0, 4]), 40, 5);
	assert!(prove(&CpuBackend, &key, &rows_of(&other), &other_z, &blinding).is_err());
	let (other, other_z) = random(segments([2, 2, 0, 5]), 12, 5);
	assert!(prove(&CpuBackend, &key, &rows_of(&other), &other_z, &blinding).is_err());
}

#[test]
fn columns_without_terms_have_no_points() {
	let rows = [
		vec![vec![(Fr::ONE, 2)]],
		vec![vec![(Fr::ONE, 3)]],
		vec![vec![(Fr::ONE, 3)]],
	];
	let matrices = Matrices::new(rows, segments([2, 0, 0, 3]));
	let (proving, verifying) = generate(&matrices, &Trapdoors::random(&mut seeded(1))).unwrap();
	assert_eq!(proving.a.indices(), [0, 1, 2]);
	assert_eq!(proving.b_g1.indices(), [3]);
	assert_eq!(proving.b_g2.indices(), [3]);
	assert_eq!(proving.l.indices(), [2, 3]);
	assert_eq!(proving.h.scalars(), 4);
	assert!(proving.committed.points().is_empty() && proving.weights.points().is_empty());
	assert_eq!(verifying.ic.len(), 2);
	assert!(verifying.gamma != G2Affine::identity() && Fr::ZERO != Fr::ONE);
	assert_eq!(
		GeneratorError::Point.to_string(),
		"the secret point is a root of unity: the random number generator is broken"
	);
}
