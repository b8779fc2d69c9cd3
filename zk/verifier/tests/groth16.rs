//! The verifier against proofs of `ark-groth16`, and against everything that is not such a proof.

use ark_bls12_381::{Bls12_381, Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, Field, PrimeField, UniformRand};
use ark_groth16::Groth16;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError};
use ark_snark::SNARK;
use opensand_zk_verifier::{
	encode_g1, encode_g2, verify, verify_batch, BatchItem, Curve, Host, KeyError, KeyOrigin, Native, Proof,
	ProofError, VerifyError, VerifyingKey, MAX_PUBLIC_INPUTS, PROOF_LEN,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

type Groth = Groth16<Bls12_381>;

/// Knows the square roots of its public inputs.
struct Roots(Vec<Fr>);

impl ConstraintSynthesizer<Fr> for Roots {
	fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
		for root in self.0 {
			let square = cs.new_input_variable(|| Ok(root.square()))?;
			let root = cs.new_witness_variable(|| Ok(root))?;
			cs.enforce_r1cs_constraint(|| root.into(), || root.into(), || square.into())?;
		}
		Ok(())
	}
}

struct Setup {
	proving: ark_groth16::ProvingKey<Bls12_381>,
	key: VerifyingKey,
	rng: ChaCha20Rng,
	inputs: usize,
}

impl Setup {
	fn new(seed: u64, inputs: usize) -> Self {
		let mut rng = ChaCha20Rng::seed_from_u64(seed);
		let (proving, vk) =
			Groth::circuit_specific_setup(Roots(vec![Fr::from(1u64); inputs]), &mut rng).unwrap();
		let key = VerifyingKey::from_points(
			KeyOrigin::Development,
			vk.alpha_g1,
			[vk.beta_g2, vk.gamma_g2, vk.delta_g2],
			vk.gamma_abc_g1,
		)
		.unwrap();
		Self {
			proving,
			key,
			rng,
			inputs,
		}
	}

	fn prove(&mut self) -> (Vec<Fr>, Proof) {
		let roots: Vec<Fr> = (0..self.inputs).map(|_| Fr::rand(&mut self.rng)).collect();
		let inputs = roots.iter().map(|root| root.square()).collect();
		let proof = Groth::prove(&self.proving, Roots(roots), &mut self.rng).unwrap();
		(inputs, Proof::from_points(proof.a, proof.b, proof.c).unwrap())
	}
}

fn encoded_points(a: &G1Affine, b: &G2Affine, c: &G1Affine) -> Vec<u8> {
	let mut bytes = Vec::new();
	encode_g1(&mut bytes, a);
	encode_g2(&mut bytes, b);
	encode_g1(&mut bytes, c);
	bytes
}

fn off_subgroup() -> (G1Affine, G2Affine) {
	let g1 = (1u64..)
		.find_map(|x| G1Affine::get_point_from_x_unchecked(Fq::from(x), false))
		.unwrap();
	let g2 = (1u64..)
		.find_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::from(x), false))
		.unwrap();
	assert!(!g1.is_in_correct_subgroup_assuming_on_curve());
	assert!(!g2.is_in_correct_subgroup_assuming_on_curve());
	(g1, g2)
}

fn accepts_valid_and_refuses_wrong<C: Curve>() {
	let mut setup = Setup::new(1, 3);
	let (inputs, proof) = setup.prove();
	assert_eq!(verify::<C>(&setup.key, &inputs, &proof), Ok(()));

	for i in 0..inputs.len() {
		let mut wrong = inputs.clone();
		wrong[i] += Fr::from(1u64);
		assert_eq!(
			verify::<C>(&setup.key, &wrong, &proof),
			Err(VerifyError::InvalidProof)
		);
	}
	let (other_inputs, other_proof) = setup.prove();
	assert_eq!(
		verify::<C>(&setup.key, &other_inputs, &proof),
		Err(VerifyError::InvalidProof)
	);
	assert_eq!(
		verify::<C>(&setup.key, &inputs, &other_proof),
		Err(VerifyError::InvalidProof)
	);
	let other_circuit = Setup::new(2, 3);
	assert_eq!(
		verify::<C>(&other_circuit.key, &inputs, &proof),
		Err(VerifyError::InvalidProof)
	);
	for wrong_count in [
		&inputs[..0],
		&inputs[..2],
		&[inputs.clone(), inputs.clone()].concat()[..],
	] {
		assert_eq!(
			verify::<C>(&setup.key, wrong_count, &proof),
			Err(VerifyError::WrongInputCount)
		);
	}
	let (a, b, c) = proof.points();
	let swapped = Proof::from_points(*c, *b, *a).unwrap();
	assert_eq!(
		verify::<C>(&setup.key, &inputs, &swapped),
		Err(VerifyError::InvalidProof)
	);
	let negated = Proof::from_points(-*a, *b, *c).unwrap();
	assert_eq!(
		verify::<C>(&setup.key, &inputs, &negated),
		Err(VerifyError::InvalidProof)
	);
}

#[test]
fn native_accepts_valid_and_refuses_wrong() {
	accepts_valid_and_refuses_wrong::<Native>();
}

#[test]
fn host_accepts_valid_and_refuses_wrong() {
	accepts_valid_and_refuses_wrong::<Host>();
}

#[test]
fn rerandomised_proof_verifies_with_other_bytes() {
	let mut setup = Setup::new(3, 2);
	let (inputs, proof) = setup.prove();
	let (a, b, c) = proof.points();
	let original = ark_groth16::Proof::<Bls12_381> { a: *a, b: *b, c: *c };
	let fresh = Groth::rerandomize_proof(&setup.proving.vk, &original, &mut setup.rng);
	let fresh = Proof::from_points(fresh.a, fresh.b, fresh.c).unwrap();
	assert_ne!(fresh.to_bytes(), proof.to_bytes());
	assert_eq!(verify::<Native>(&setup.key, &inputs, &fresh), Ok(()));
	assert_eq!(verify::<Host>(&setup.key, &inputs, &fresh), Ok(()));
}

#[test]
fn proof_encoding_round_trips_and_is_the_customary_one() {
	use ark_serialize::CanonicalSerialize;
	let mut setup = Setup::new(4, 1);
	let (_, proof) = setup.prove();
	let bytes = proof.to_bytes();
	assert_eq!(bytes.len(), PROOF_LEN);
	assert_eq!(Proof::from_bytes(&bytes), Ok(proof));
	assert_eq!(Proof::from_bytes_with::<Native>(&bytes), Ok(proof));
	let (a, b, c) = proof.points();
	let mut arkworks = Vec::new();
	ark_groth16::Proof::<Bls12_381> { a: *a, b: *b, c: *c }
		.serialize_uncompressed(&mut arkworks)
		.unwrap();
	assert_eq!(bytes, arkworks);
}

#[test]
fn every_flipped_bit_is_refused() {
	let mut setup = Setup::new(5, 1);
	let (inputs, proof) = setup.prove();
	let bytes = proof.to_bytes();
	for bit in 0..bytes.len() * 8 {
		let mut flipped = bytes.clone();
		flipped[bit / 8] ^= 1 << (bit % 8);
		match Proof::from_bytes_with::<Native>(&flipped) {
			Err(ProofError::NonCanonical | ProofError::OffCurve) => (),
			Err(error) => panic!("bit {bit}: {error:?}"),
			Ok(proof) => assert_eq!(
				verify::<Native>(&setup.key, &inputs, &proof),
				Err(VerifyError::InvalidProof)
			),
		}
	}
}

#[test]
fn malformed_proofs_have_distinct_errors() {
	let mut setup = Setup::new(6, 1);
	let (_, proof) = setup.prove();
	let (a, b, c) = proof.points();
	let bytes = proof.to_bytes();
	let decode = |bytes: &[u8]| {
		let native = Proof::from_bytes_with::<Native>(bytes);
		assert_eq!(native, Proof::from_bytes_with::<Host>(bytes));
		native.map(|_| ())
	};

	assert_eq!(decode(&[]), Err(ProofError::WrongLength));
	assert_eq!(decode(&bytes[1..]), Err(ProofError::WrongLength));
	assert_eq!(decode(&[&bytes[..], &[0]].concat()), Err(ProofError::WrongLength));

	// x + p is the same coordinate, encoded otherwise.
	let mut aliased = a.x.into_bigint();
	assert!(!aliased.add_with_carry(&Fq::MODULUS));
	let mut non_canonical = bytes.clone();
	non_canonical[..48].copy_from_slice(&aliased.to_bytes_be());
	assert_eq!(decode(&non_canonical), Err(ProofError::NonCanonical));
	for flag in [0x80, 0x40, 0x20] {
		for offset in [0, 48, 96, 144, 192, 240, 288, 336] {
			let mut flagged = bytes.clone();
			flagged[offset] |= flag;
			assert_eq!(
				decode(&flagged),
				Err(ProofError::NonCanonical),
				"flag {flag:#x} at {offset}"
			);
		}
	}

	let mut off_curve = *a;
	off_curve.y += Fq::ONE;
	assert_eq!(
		decode(&encoded_points(&off_curve, b, c)),
		Err(ProofError::OffCurve)
	);
	assert_eq!(
		decode(&encoded_points(a, b, &off_curve)),
		Err(ProofError::OffCurve)
	);
	let mut off_twist = *b;
	off_twist.y += Fq2::ONE;
	assert_eq!(
		decode(&encoded_points(a, &off_twist, c)),
		Err(ProofError::OffCurve)
	);
	// All zeros is not a point, although arkworks keeps the identity that way.
	assert_eq!(decode(&[0; PROOF_LEN]), Err(ProofError::OffCurve));

	let (off1, off2) = off_subgroup();
	assert_eq!(decode(&encoded_points(&off1, b, c)), Err(ProofError::OffSubgroup));
	assert_eq!(decode(&encoded_points(a, &off2, c)), Err(ProofError::OffSubgroup));
	assert_eq!(decode(&encoded_points(a, b, &off1)), Err(ProofError::OffSubgroup));

	for (start, len) in [(0, 96), (96, 192), (288, 96)] {
		let mut identity = bytes.clone();
		identity[start..start + len].fill(0);
		identity[start] = 0x40;
		assert_eq!(decode(&identity), Err(ProofError::Identity));
		// An identity flag with anything else set is not an identity but nonsense.
		identity[start + len - 1] = 1;
		assert_eq!(decode(&identity), Err(ProofError::NonCanonical));
	}
	assert_eq!(
		Proof::from_points(G1Affine::identity(), *b, *c),
		Err(ProofError::Identity)
	);
}

#[test]
fn keys_round_trip_and_have_stable_ids() {
	let setup = Setup::new(7, 3);
	let bytes = setup.key.to_bytes();
	assert_eq!(bytes.len(), VerifyingKey::encoded_len(3));
	assert_eq!(VerifyingKey::from_bytes(&bytes), Ok(setup.key.clone()));
	assert_eq!(
		VerifyingKey::from_bytes_with::<Native>(&bytes),
		Ok(setup.key.clone())
	);
	assert_eq!(VerifyingKey::from_trusted_bytes(&bytes), Ok(setup.key.clone()));
	assert_eq!(setup.key.public_input_count(), 3);

	let vk = &setup.proving.vk;
	let ceremony = VerifyingKey::from_points(
		KeyOrigin::Ceremony {
			transcript_hash: [9; 32],
		},
		vk.alpha_g1,
		[vk.beta_g2, vk.gamma_g2, vk.delta_g2],
		vk.gamma_abc_g1.clone(),
	)
	.unwrap();
	assert_ne!(ceremony.id(), setup.key.id());
	assert_eq!(VerifyingKey::from_bytes(&ceremony.to_bytes()), Ok(ceremony));
}

#[test]
fn malformed_keys_have_distinct_errors() {
	let setup = Setup::new(8, 2);
	let bytes = setup.key.to_bytes();
	let decode = |bytes: &[u8]| {
		let native = VerifyingKey::from_bytes_with::<Native>(bytes);
		assert_eq!(native, VerifyingKey::from_bytes(bytes));
		native.map(|_| ())
	};
	let replaced = |offset: usize, part: &[u8]| {
		let mut bytes = bytes.clone();
		bytes[offset..offset + part.len()].copy_from_slice(part);
		bytes
	};

	for len in 0..bytes.len() {
		assert_eq!(decode(&bytes[..len]), Err(KeyError::WrongLength), "{len} bytes");
	}
	assert_eq!(decode(&[&bytes[..], &[0]].concat()), Err(KeyError::WrongLength));
	assert_eq!(decode(&replaced(0, &[2])), Err(KeyError::UnsupportedVersion));
	assert_eq!(decode(&replaced(1, &[2])), Err(KeyError::UnknownOrigin));
	assert_eq!(decode(&replaced(2, &[0, 0])), Err(KeyError::InputCount));
	assert_eq!(decode(&replaced(2, &[0xff, 0xff])), Err(KeyError::InputCount));
	assert_eq!(decode(&replaced(2, &[3, 0])), Err(KeyError::WrongLength));

	let g1_offsets = [4, 4 + 96 + 3 * 192, 4 + 2 * 96 + 3 * 192, 4 + 3 * 96 + 3 * 192];
	let g2_offsets = [100, 292, 484];
	let (off1, off2) = off_subgroup();
	let (mut off1_bytes, mut off2_bytes) = (Vec::new(), Vec::new());
	encode_g1(&mut off1_bytes, &off1);
	encode_g2(&mut off2_bytes, &off2);
	for offset in g1_offsets {
		assert_eq!(decode(&replaced(offset, &off1_bytes)), Err(KeyError::OffSubgroup));
		assert_eq!(decode(&replaced(offset, &[0; 96])), Err(KeyError::OffCurve));
		assert_eq!(
			decode(&replaced(offset, &[0xff; 96])),
			Err(KeyError::NonCanonical)
		);
		let mut identity = [0; 96];
		identity[0] = 0x40;
		assert_eq!(decode(&replaced(offset, &identity)), Err(KeyError::Identity));
	}
	for offset in g2_offsets {
		assert_eq!(decode(&replaced(offset, &off2_bytes)), Err(KeyError::OffSubgroup));
		assert_eq!(decode(&replaced(offset, &[0; 192])), Err(KeyError::OffCurve));
		assert_eq!(
			decode(&replaced(offset, &[0xff; 192])),
			Err(KeyError::NonCanonical)
		);
		let mut identity = [0; 192];
		identity[0] = 0x40;
		assert_eq!(decode(&replaced(offset, &identity)), Err(KeyError::Identity));
	}
	// What was stored was checked: only the subgroup test is left out.
	assert!(VerifyingKey::from_trusted_bytes(&replaced(4, &off1_bytes)).is_ok());
	assert_eq!(
		VerifyingKey::from_trusted_bytes(&replaced(4, &[0; 96])).map(|_| ()),
		Err(KeyError::OffCurve)
	);

	let gamma = bytes[292..484].to_vec();
	assert_eq!(decode(&replaced(484, &gamma)), Err(KeyError::GammaDelta));
	let mut negated = Vec::new();
	encode_g2(&mut negated, &-setup.proving.vk.gamma_g2);
	assert_eq!(decode(&replaced(484, &negated)), Err(KeyError::GammaDelta));
}

#[test]
fn key_bounds() {
	let g1 = G1Affine::generator();
	let g2 = G2Affine::generator();
	let twice = (g2 + g2).into_affine();
	let key =
		|ic: usize| VerifyingKey::from_points(KeyOrigin::Development, g1, [g2, g2, twice], vec![g1; ic]);
	assert_eq!(key(0).map(|_| ()), Err(KeyError::InputCount));
	assert_eq!(key(1).map(|_| ()), Err(KeyError::InputCount));
	assert!(key(2).is_ok());
	let largest = key(MAX_PUBLIC_INPUTS + 1).unwrap();
	assert_eq!(VerifyingKey::from_bytes(&largest.to_bytes()), Ok(largest));
	assert_eq!(key(MAX_PUBLIC_INPUTS + 2).map(|_| ()), Err(KeyError::InputCount));
	let identity = VerifyingKey::from_points(
		KeyOrigin::Development,
		g1,
		[g2, g2, twice],
		vec![g1, G1Affine::identity()],
	);
	assert_eq!(identity.map(|_| ()), Err(KeyError::Identity));
}

fn batches<C: Curve>() {
	let mut setups = [Setup::new(9, 2), Setup::new(10, 3)];
	let mut proofs = Vec::new();
	for i in 0..7 {
		let which = i % 2;
		let (inputs, proof) = setups[which].prove();
		proofs.push((which, inputs, proof));
	}
	fn items<'a>(setups: &'a [Setup; 2], proofs: &'a [(usize, Vec<Fr>, Proof)]) -> Vec<BatchItem<'a>> {
		proofs
			.iter()
			.map(|(which, inputs, proof)| BatchItem {
				key: &setups[*which].key,
				inputs,
				proof,
			})
			.collect()
	}
	assert_eq!(verify_batch::<C>(&[]), Ok(()));
	for len in 1..=proofs.len() {
		assert_eq!(verify_batch::<C>(&items(&setups, &proofs[..len])), Ok(()));
	}

	// One bad statement anywhere fails the batch.
	for bad in 0..proofs.len() {
		let mut proofs = proofs.clone();
		proofs[bad].1[0] += Fr::from(1u64);
		assert_eq!(
			verify_batch::<C>(&items(&setups, &proofs)),
			Err(VerifyError::InvalidProof)
		);
	}
	// Errors that cancel without multipliers: C₁ + P and C₂ − P under one key.
	let mut cancelling = proofs.clone();
	for (index, sign) in [(0usize, Fr::from(1u64)), (2, -Fr::from(1u64))] {
		let (a, b, c) = cancelling[index].2.points();
		let shifted = (*c + G1Affine::generator() * sign).into_affine();
		cancelling[index].2 = Proof::from_points(*a, *b, shifted).unwrap();
	}
	assert_eq!(
		verify_batch::<C>(&items(&setups, &cancelling)),
		Err(VerifyError::InvalidProof)
	);
	// Two proofs of one key exchanged.
	let mut exchanged = proofs.clone();
	let (first, third) = (exchanged[0].2, exchanged[2].2);
	exchanged[0].2 = third;
	exchanged[2].2 = first;
	assert_eq!(
		verify_batch::<C>(&items(&setups, &exchanged)),
		Err(VerifyError::InvalidProof)
	);

	let mut miscounted = proofs.clone();
	miscounted[3].1.pop();
	assert_eq!(
		verify_batch::<C>(&items(&setups, &miscounted)),
		Err(VerifyError::WrongInputCount)
	);
}

#[test]
fn native_batches() {
	batches::<Native>();
}

#[test]
fn host_batches() {
	batches::<Host>();
}
