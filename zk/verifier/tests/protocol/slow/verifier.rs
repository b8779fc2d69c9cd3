//! The verifier, from bytes, as `PROTOCOL.md` has it: own decoding, own transcript, own packing, and the equation
//! factor by factor.

use ark_bls12_381::{Bls12_381, Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::{
	pairing::{Pairing, PairingOutput},
	AdditiveGroup, AffineRepr,
};
use ark_ff::{BigInteger, Field, PrimeField};
use blake2::{digest::consts::U32, Blake2b, Blake2b512, Digest};
use opensand_zk_verifier::{Statement, StatementInput};

/// A verifying key's points.
#[derive(Clone)]
pub struct SlowKey {
	pub alpha: G1Affine,
	pub beta: G2Affine,
	pub gamma: G2Affine,
	pub delta: G2Affine,
	pub delta_committed: G2Affine,
	pub delta_weights: Option<G2Affine>,
	pub ic: [G1Affine; 4],
}

/// A proof's points.
#[derive(Clone, Copy)]
pub struct SlowProof {
	pub a: G1Affine,
	pub b: G2Affine,
	pub c: G1Affine,
	pub committed: G1Affine,
}

/// Whether the proof proves the statement under the key, all as bytes.
pub fn accepts(key: &[u8], statement: &Statement, weights: Option<&[u8]>, proof: &[u8]) -> bool {
	decide(key, statement, weights, proof).unwrap_or(false)
}

fn decide(key: &[u8], statement: &Statement, weights: Option<&[u8]>, proof: &[u8]) -> Option<bool> {
	let mut rest = proof;
	let proof = SlowProof {
		a: take_g1(&mut rest)?,
		b: take_g2(&mut rest)?,
		c: take_g1(&mut rest)?,
		committed: take_g1(&mut rest)?,
	};
	if !rest.is_empty() || statement.binding.key != *Blake2b::<U32>::digest(key) {
		return None;
	}
	let (hashed, input_len, output_len, key) = parse_key(key)?;
	let input_fits = match &statement.input {
		StatementInput::Public(values) => !hashed && values.len() == input_len as usize,
		StatementInput::Hashed(_) => hashed,
	};
	if !input_fits || statement.output.len() != output_len as usize {
		return None;
	}
	let weights = match weights {
		Some(mut bytes) => Some(take_g1(&mut bytes).filter(|_| bytes.is_empty())?),
		None => None,
	};
	if weights.is_some() != key.delta_weights.is_some() {
		return None;
	}
	let (r, b) = challenges(statement, &proof.committed, weights.as_ref());
	let inputs = [r, b, fold(&words(statement)?, &r)];
	Some(equation(&key, &inputs, weights.as_ref(), &proof))
}

/// e(A, B) = e(α, β)·e(IC, γ)·e(D₁, δ₁)·e(D_w, δ_w)·e(C, δ), for any inputs.
pub fn equation(key: &SlowKey, inputs: &[Fr; 3], weights: Option<&G1Affine>, proof: &SlowProof) -> bool {
	let mut ic = key.ic[0].into_group();
	for (input, point) in inputs.iter().zip(&key.ic[1..]) {
		ic += *point * input;
	}
	// arkworks writes GT additively.
	let mut right = PairingOutput::ZERO;
	right += Bls12_381::pairing(key.alpha, key.beta);
	right += Bls12_381::pairing(ic, key.gamma);
	right += Bls12_381::pairing(proof.committed, key.delta_committed);
	if let (Some(weights), Some(delta_weights)) = (weights, key.delta_weights) {
		right += Bls12_381::pairing(weights, delta_weights);
	}
	right += Bls12_381::pairing(proof.c, key.delta);
	Bls12_381::pairing(proof.a, proof.b) == right
}

/// r and b.
pub fn challenges(statement: &Statement, committed: &G1Affine, weights: Option<&G1Affine>) -> (Fr, Fr) {
	let int8 = |values: &[i8]| -> Vec<u8> { values.iter().map(|value| *value as u8).collect() };
	let binding = &statement.binding;
	let mut message = Vec::new();
	message.extend(binding.genesis);
	message.extend(binding.key);
	message.extend(binding.model);
	message.extend(binding.request.to_le_bytes());
	message.extend(binding.worker);
	match &statement.input {
		StatementInput::Public(values) => {
			message.push(0);
			message.extend((values.len() as u64).to_le_bytes());
			message.extend(int8(values));
		}
		StatementInput::Hashed(hash) => {
			message.push(1);
			message.extend(hash);
		}
	}
	message.extend((statement.output.len() as u64).to_le_bytes());
	message.extend(int8(&statement.output));
	match weights {
		None => message.push(0),
		Some(point) => {
			message.push(1);
			message.extend(g1_bytes(point));
		}
	}
	message.extend(g1_bytes(committed));
	let seed = hash_512("OpenSand/inference-challenge/v2", &message);
	let challenge = |tag| Fr::from_le_bytes_mod_order(&hash_512(tag, &seed));
	(
		challenge("OpenSand/inference-challenge-r/v2"),
		challenge("OpenSand/inference-challenge-b/v2"),
	)
}

/// The statement's words; none if its hash is not canonical.
pub fn words(statement: &Statement) -> Option<Vec<Fr>> {
	let mut words = Vec::new();
	match &statement.input {
		StatementInput::Public(values) => words.extend(values.chunks(31).map(word)),
		StatementInput::Hashed(hash) => {
			let element = Fr::from_le_bytes_mod_order(hash);
			if element.into_bigint().to_bytes_le() != hash {
				return None;
			}
			words.push(element);
		}
	}
	words.extend(statement.output.chunks(31).map(word));
	Some(words)
}

/// Σ (vᵢ + 128)·256^i.
fn word(values: &[i8]) -> Fr {
	let digits = values.iter().enumerate();
	digits
		.map(|(i, value)| Fr::from(i64::from(*value) + 128) * Fr::from(256u64).pow([i as u64]))
		.sum()
}

/// Σ sₖ·r^(k+1).
pub fn fold(words: &[Fr], r: &Fr) -> Fr {
	let powers = words.iter().enumerate();
	powers.map(|(k, word)| *word * r.pow([k as u64 + 1])).sum()
}

fn hash_512(tag: &str, message: &[u8]) -> Vec<u8> {
	let mut bytes = (tag.len() as u64).to_le_bytes().to_vec();
	bytes.extend(tag.as_bytes());
	bytes.extend(message);
	Blake2b512::digest(&bytes).to_vec()
}

/// Visibility (whether hashed), input length, output length, points.
fn parse_key(bytes: &[u8]) -> Option<(bool, u32, u32, SlowKey)> {
	let mut rest = bytes;
	if take(&mut rest, 1)? != [2] {
		return None;
	}
	match take(&mut rest, 1)? {
		[0] => (),
		[1] => {
			take(&mut rest, 32)?;
		}
		_ => return None,
	}
	let flag = |byte: &[u8]| match byte {
		[0] => Some(false),
		[1] => Some(true),
		_ => None,
	};
	let hashed = flag(take(&mut rest, 1)?)?;
	let input_len = u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?);
	let output_len = u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?);
	let has_weights = flag(take(&mut rest, 1)?)?;
	let input_words = if hashed { 1 } else { input_len.div_ceil(31) };
	let registers = has_weights && !hashed && input_len == 0 && output_len == 0;
	let words = u64::from(input_words) + u64::from(output_len.div_ceil(31));
	if !registers && (input_len == 0 || output_len == 0 || words > 65536) {
		return None;
	}
	let key = SlowKey {
		alpha: take_g1(&mut rest)?,
		beta: take_g2(&mut rest)?,
		gamma: take_g2(&mut rest)?,
		delta: take_g2(&mut rest)?,
		delta_committed: take_g2(&mut rest)?,
		delta_weights: if has_weights {
			Some(take_g2(&mut rest)?)
		} else {
			None
		},
		ic: [
			take_g1(&mut rest)?,
			take_g1(&mut rest)?,
			take_g1(&mut rest)?,
			take_g1(&mut rest)?,
		],
	};
	let mut trapdoors = vec![key.gamma, key.delta, key.delta_committed];
	trapdoors.extend(key.delta_weights);
	for (i, one) in trapdoors.iter().enumerate() {
		if trapdoors[..i].iter().any(|other| other == one || *other == -*one) {
			return None;
		}
	}
	rest.is_empty().then_some((hashed, input_len, output_len, key))
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
	let (head, tail) = bytes.split_at_checked(len)?;
	*bytes = tail;
	Some(head)
}

/// 48 bytes, big-endian, below p.
fn take_coordinate(bytes: &mut &[u8]) -> Option<Fq> {
	let bytes = take(bytes, 48)?;
	let coordinate = Fq::from_be_bytes_mod_order(bytes);
	(coordinate.into_bigint().to_bytes_be() == bytes).then_some(coordinate)
}

/// x ‖ y; on the curve, of order r, not the identity.
fn take_g1(bytes: &mut &[u8]) -> Option<G1Affine> {
	let (x, y) = (take_coordinate(bytes)?, take_coordinate(bytes)?);
	let point = G1Affine::new_unchecked(x, y);
	(y.square() == x.pow([3]) + Fq::from(4u64) && has_order_r(&point)).then_some(point)
}

/// x₁ ‖ x₀ ‖ y₁ ‖ y₀; on the twist, of order r, not the identity.
fn take_g2(bytes: &mut &[u8]) -> Option<G2Affine> {
	let (x1, x0) = (take_coordinate(bytes)?, take_coordinate(bytes)?);
	let (y1, y0) = (take_coordinate(bytes)?, take_coordinate(bytes)?);
	let (x, y) = (Fq2::new(x0, x1), Fq2::new(y0, y1));
	let point = G2Affine::new_unchecked(x, y);
	let four = Fq::from(4u64);
	(y.square() == x.pow([3]) + Fq2::new(four, four) && has_order_r(&point)).then_some(point)
}

/// Whether r·P is the identity, bit by bit: arkworks' own multiplication may split scalars through an endomorphism, which
/// takes for granted what is to be found out.
fn has_order_r<A: AffineRepr<ScalarField = Fr>>(point: &A) -> bool {
	let mut sum = A::Group::ZERO;
	for bit in ark_ff::BitIteratorBE::without_leading_zeros(Fr::MODULUS) {
		sum.double_in_place();
		if bit {
			sum += *point;
		}
	}
	sum == A::Group::ZERO
}

/// x ‖ y, big-endian.
pub fn g1_bytes(point: &G1Affine) -> Vec<u8> {
	let mut bytes = point.x.into_bigint().to_bytes_be();
	bytes.extend(point.y.into_bigint().to_bytes_be());
	bytes
}
