//! Encodings of proofs and of registered commitments.

use crate::scene::Scene;
use ark_bls12_381::{Fq, Fq2, G1Affine, G2Affine};
use ark_ff::{AdditiveGroup, BigInteger, PrimeField};
use ark_serialize::CanonicalSerialize;
use opensand_zk_verifier::{
	encode_g1, encode_g2, Host, Native, PointError, Proof, ProofError, VerifyError, WeightsCommitment,
	COMPRESSED_PROOF_LEN, G1_LEN, PROOF_LEN,
};

/// Where A, B, C and D₁ start, and their lengths.
const POINTS: [(usize, usize); 4] = [(0, 96), (96, 192), (288, 96), (384, 96)];
const COMPRESSED_POINTS: [(usize, usize); 4] = [(0, 48), (48, 96), (144, 48), (192, 48)];

/// Points of the curves outside the subgroups.
pub fn off_subgroup() -> (G1Affine, G2Affine) {
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

fn bytes_g1(point: &G1Affine) -> Vec<u8> {
	let mut bytes = Vec::new();
	encode_g1(&mut bytes, point);
	bytes
}

fn bytes_g2(point: &G2Affine) -> Vec<u8> {
	let mut bytes = Vec::new();
	encode_g2(&mut bytes, point);
	bytes
}

fn compressed(point: &impl CanonicalSerialize) -> Vec<u8> {
	let mut bytes = Vec::new();
	point.serialize_compressed(&mut bytes).unwrap();
	bytes
}

fn decode(bytes: &[u8]) -> Result<Proof, ProofError> {
	let native = Proof::from_bytes_with::<Native>(bytes);
	assert_eq!(native, Proof::from_bytes(bytes));
	assert_eq!(native, Proof::from_bytes_with::<Host>(bytes));
	native
}

fn decode_compressed(bytes: &[u8]) -> Result<Proof, ProofError> {
	let native = Proof::from_compressed_bytes_with::<Native>(bytes);
	assert_eq!(native, Proof::from_compressed_bytes(bytes));
	native
}

/// Bytes with others in their place from `offset` on.
pub fn replaced(bytes: &[u8], offset: usize, part: &[u8]) -> Vec<u8> {
	let mut bytes = bytes.to_vec();
	bytes[offset..offset + part.len()].copy_from_slice(part);
	bytes
}

#[test]
fn encodings_round_trip_and_are_the_customary_ones() {
	let mut scene = Scene::constant(1);
	// Both roots occur among a few proofs.
	for _ in 0..8 {
		let proof = scene.proven().proof();
		let (a, b, c, committed) = proof.points();
		let mut customary = Vec::new();
		a.serialize_uncompressed(&mut customary).unwrap();
		b.serialize_uncompressed(&mut customary).unwrap();
		c.serialize_uncompressed(&mut customary).unwrap();
		committed.serialize_uncompressed(&mut customary).unwrap();
		assert_eq!(proof.to_bytes(), customary);
		assert_eq!(customary.len(), PROOF_LEN);
		assert_eq!(decode(&customary), Ok(proof));

		let customary = [compressed(a), compressed(b), compressed(c), compressed(committed)].concat();
		assert_eq!(proof.to_compressed_bytes(), customary);
		assert_eq!(customary.len(), COMPRESSED_PROOF_LEN);
		assert_eq!(decode_compressed(&customary), Ok(proof));
	}
}

#[test]
fn lengths_are_exact() {
	let proof = Scene::constant(2).proven().proof();
	let (bytes, short) = (proof.to_bytes(), proof.to_compressed_bytes());
	for wrong in [&[][..], &bytes[1..], &[&bytes[..], &[0]].concat(), &short] {
		assert_eq!(decode(wrong), Err(ProofError::WrongLength));
	}
	for wrong in [&[][..], &short[1..], &[&short[..], &[0]].concat(), &bytes] {
		assert_eq!(decode_compressed(wrong), Err(ProofError::WrongLength));
	}
}

#[test]
fn coordinates_are_canonical() {
	let proof = Scene::constant(3).proven().proof();
	let bytes = proof.to_bytes();
	// x + p is the same coordinate, encoded otherwise.
	for offset in (0..PROOF_LEN).step_by(48) {
		let mut aliased = Fq::from_be_bytes_mod_order(&bytes[offset..offset + 48]).into_bigint();
		assert!(!aliased.add_with_carry(&Fq::MODULUS));
		let wrong = replaced(&bytes, offset, &aliased.to_bytes_be());
		assert_eq!(
			decode(&wrong),
			Err(ProofError::NonCanonical),
			"coordinate at {offset}"
		);
		for flag in [0x80, 0x40, 0x20] {
			let mut flagged = bytes.clone();
			flagged[offset] |= flag;
			assert_eq!(
				decode(&flagged),
				Err(ProofError::NonCanonical),
				"flag {flag:#x} at {offset}"
			);
		}
	}
	let bytes = proof.to_compressed_bytes();
	for offset in (0..COMPRESSED_PROOF_LEN).step_by(48) {
		let wrong = replaced(&bytes, offset, &Fq::MODULUS.to_bytes_be());
		assert_eq!(decode_compressed(&wrong), Err(ProofError::NonCanonical));
	}
	for (offset, _) in COMPRESSED_POINTS {
		let mut uncompressed = bytes.clone();
		uncompressed[offset] &= 0x7f;
		assert_eq!(decode_compressed(&uncompressed), Err(ProofError::NonCanonical));
		let mut flagged = bytes.clone();
		flagged[offset] |= 0x40;
		assert_eq!(decode_compressed(&flagged), Err(ProofError::NonCanonical));
	}
}

#[test]
fn points_off_the_curve_are_refused_in_every_position() {
	let proof = Scene::constant(4).proven().proof();
	let bytes = proof.to_bytes();
	for (offset, len) in POINTS {
		let y = offset + len / 2;
		// The least significant byte of a coordinate of y.
		let last = y + 47;
		let mut wrong = bytes.clone();
		wrong[last] ^= 1;
		assert_eq!(decode(&wrong), Err(ProofError::OffCurve));
		// All zeros is not a point, although arkworks keeps the identity that way.
		let zeros = replaced(&bytes, offset, &vec![0; len]);
		assert_eq!(decode(&zeros), Err(ProofError::OffCurve));
	}
	// An x without y.
	let x = (1u64..)
		.find(|x| G1Affine::get_point_from_x_unchecked(Fq::from(*x), false).is_none())
		.unwrap();
	let x2 = (1u64..)
		.find(|x| G2Affine::get_point_from_x_unchecked(Fq2::from(*x), false).is_none())
		.unwrap();
	let bytes = proof.to_compressed_bytes();
	for (offset, len) in COMPRESSED_POINTS {
		let mut part = vec![0; len];
		part[0] = 0x80;
		part[len - 1] = if len == 48 { x } else { x2 } as u8;
		let wrong = replaced(&bytes, offset, &part);
		assert_eq!(decode_compressed(&wrong), Err(ProofError::OffCurve));
	}
}

#[test]
fn points_off_the_subgroup_are_refused_in_every_position() {
	let proof = Scene::constant(5).proven().proof();
	let (off1, off2) = off_subgroup();
	// (0, 2) has order 3.
	let order_three = G1Affine::new_unchecked(Fq::ZERO, Fq::from(2u64));
	let bytes = proof.to_bytes();
	let short = proof.to_compressed_bytes();
	for ((offset, len), (short_offset, _)) in POINTS.into_iter().zip(COMPRESSED_POINTS) {
		let points = if len == 96 {
			vec![
				(bytes_g1(&off1), compressed(&off1)),
				(bytes_g1(&order_three), compressed(&order_three)),
			]
		} else {
			vec![(bytes_g2(&off2), compressed(&off2))]
		};
		for (part, short_part) in points {
			let wrong = replaced(&bytes, offset, &part);
			assert_eq!(decode(&wrong), Err(ProofError::OffSubgroup));
			let wrong = replaced(&short, short_offset, &short_part);
			assert_eq!(decode_compressed(&wrong), Err(ProofError::OffSubgroup));
		}
	}
}

#[test]
fn the_identity_is_refused_in_every_position() {
	let proof = Scene::constant(6).proven().proof();
	let bytes = proof.to_bytes();
	for (offset, len) in POINTS {
		let mut identity = vec![0; len];
		identity[0] = 0x40;
		assert_eq!(
			decode(&replaced(&bytes, offset, &identity)),
			Err(ProofError::Identity)
		);
		// With anything else set it is not an identity but nonsense.
		identity[len - 1] = 1;
		assert_eq!(
			decode(&replaced(&bytes, offset, &identity)),
			Err(ProofError::NonCanonical)
		);
	}
	let bytes = proof.to_compressed_bytes();
	for (offset, len) in COMPRESSED_POINTS {
		let mut identity = vec![0; len];
		identity[0] = 0xc0;
		assert_eq!(
			decode_compressed(&replaced(&bytes, offset, &identity)),
			Err(ProofError::Identity)
		);
		for nonsense in [0xe0, 0x40, 0x00] {
			identity[0] = nonsense;
			assert_eq!(
				decode_compressed(&replaced(&bytes, offset, &identity)),
				Err(ProofError::NonCanonical)
			);
		}
	}
	let (a, b, c, committed) = proof.points();
	let zero = G1Affine::identity();
	for points in [
		(zero, *b, *c, *committed),
		(*a, G2Affine::identity(), *c, *committed),
		(*a, *b, zero, *committed),
		(*a, *b, *c, zero),
	] {
		let (a, b, c, committed) = points;
		assert_eq!(Proof::from_points(a, b, c, committed), Err(ProofError::Identity));
	}
}

#[test]
fn every_flipped_bit_is_refused() {
	let mut scene = Scene::constant(7);
	let proven = scene.proven();
	let bytes = proven.proof().to_bytes();
	for bit in 0..bytes.len() * 8 {
		let mut flipped = bytes.clone();
		flipped[bit / 8] ^= 1 << (bit % 8);
		// The other coordinate no longer fits.
		match Proof::from_bytes_with::<Native>(&flipped) {
			Err(ProofError::NonCanonical | ProofError::OffCurve) => (),
			other => panic!("bit {bit}: {other:?}"),
		}
	}
	// A compressed point has no other coordinate: many flips are points of the curve, some of the subgroup.
	let bytes = proven.proof().to_compressed_bytes();
	for bit in 0..bytes.len() * 8 {
		let mut flipped = bytes.clone();
		flipped[bit / 8] ^= 1 << (bit % 8);
		if let Ok(proof) = Proof::from_compressed_bytes_with::<Native>(&flipped) {
			assert_eq!(
				scene.verify(&proven.statement, &proof),
				Err(VerifyError::InvalidProof)
			);
		}
	}
}

#[test]
fn registered_commitments_are_checked_like_proofs() {
	let scene = Scene::committed(8);
	let weights = scene.weights().unwrap();
	let bytes: [u8; G1_LEN] = weights.to_bytes().try_into().unwrap();
	let decode = |bytes: &[u8; G1_LEN]| {
		let native = WeightsCommitment::from_bytes_with::<Native>(bytes);
		assert_eq!(native, WeightsCommitment::from_bytes(bytes));
		native
	};
	assert_eq!(decode(&bytes), Ok(*weights));
	assert_eq!(WeightsCommitment::from_trusted_bytes(&bytes), Ok(*weights));

	let (off_subgroup, _) = off_subgroup();
	let off_subgroup: [u8; G1_LEN] = bytes_g1(&off_subgroup).try_into().unwrap();
	assert_eq!(decode(&off_subgroup), Err(PointError::OffSubgroup));
	// What was stored was checked: only the subgroup test is left out.
	assert!(WeightsCommitment::from_trusted_bytes(&off_subgroup).is_ok());
	assert_eq!(decode(&[0; G1_LEN]), Err(PointError::OffCurve));
	assert_eq!(decode(&[0xff; G1_LEN]), Err(PointError::NonCanonical));
	let mut identity = [0; G1_LEN];
	identity[0] = 0x40;
	assert_eq!(decode(&identity), Err(PointError::Identity));
	assert_eq!(
		WeightsCommitment::from_point(G1Affine::identity()),
		Err(PointError::Identity)
	);
}
