//! Statements, their words and their challenges.

use ark_bls12_381::{Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInteger, PrimeField};
use blake2::Digest;
use codec::{Decode, Encode};
use opensand_zk_verifier::{
	encode_g1, fold, pack_words, poseidon::salted_input_hash, word_count, Binding, Challenges,
	InputVisibility, Statement, StatementError, StatementInput, StatementShape, WeightsCommitment,
	BYTES_PER_WORD,
};

fn statement() -> Statement {
	Statement {
		binding: Binding {
			genesis: [1; 32],
			key: [2; 32],
			model: [3; 32],
			request: 4,
			worker: [5; 32],
		},
		input: StatementInput::Public((0..64).collect()),
		output: (-5..5).collect(),
	}
}

fn point(scalar: u64) -> G1Affine {
	(G1Affine::generator() * Fr::from(scalar)).into_affine()
}

fn weights(scalar: u64) -> WeightsCommitment {
	WeightsCommitment::from_point(point(scalar)).unwrap()
}

#[test]
fn every_part_of_the_transcript_counts() {
	let reference = statement();
	let changes: [fn(&mut Statement); 13] = [
		|s| s.binding.genesis[0] ^= 1,
		|s| s.binding.key[31] ^= 1,
		|s| s.binding.model[7] ^= 1,
		|s| s.binding.request += 1,
		|s| s.binding.worker[16] ^= 0x80,
		|s| s.input = StatementInput::Public((1..65).collect()),
		|s| s.input = StatementInput::Public((0..63).collect()),
		|s| s.input = StatementInput::Public(vec![]),
		|s| s.input = StatementInput::Hashed([0; 32]),
		|s| s.input = StatementInput::Hashed([1; 32]),
		|s| s.output[9] ^= 1,
		|s| s.output.push(-128),
		// A value moved from the input's end to the output's front.
		|s| {
			s.input = StatementInput::Public((0..63).collect());
			s.output.insert(0, 63);
		},
	];
	let changed = changes.iter().map(|change| {
		let mut statement = reference.clone();
		change(&mut statement);
		statement.challenges(&point(1), None)
	});
	let mut seen: Vec<Challenges> = changed.collect();
	seen.push(reference.challenges(&point(1), None));
	seen.push(reference.challenges(&point(2), None));
	seen.push(reference.challenges(&-point(1), None));
	for (commitment, registered) in [(1, 1), (1, 2), (2, 1)] {
		seen.push(reference.challenges(&point(commitment), Some(&weights(registered))));
	}
	let elements: Vec<Fr> = seen
		.iter()
		.flat_map(|challenges| [challenges.r, challenges.b])
		.collect();
	for (i, element) in elements.iter().enumerate() {
		assert!(!elements[..i].contains(element));
	}
}

/// Fixed for ever: keys and provers in the field depend on it.
#[test]
fn the_transcript_is_stable() {
	let hash = |tag: &str, message: &[u8]| {
		let mut bytes = (tag.len() as u64).to_le_bytes().to_vec();
		bytes.extend(tag.as_bytes());
		bytes.extend(message);
		blake2::Blake2b512::digest(&bytes)
	};
	let mut bytes = Vec::new();
	bytes.extend([1u8; 32]);
	bytes.extend([2u8; 32]);
	bytes.extend([3u8; 32]);
	bytes.extend([4u8, 0, 0, 0, 0, 0, 0, 0]);
	bytes.extend([5u8; 32]);
	let (mut public, mut hashed) = (bytes.clone(), bytes);
	public.push(0);
	public.extend([64u8, 0, 0, 0, 0, 0, 0, 0]);
	public.extend(0..64u8);
	hashed.push(1);
	hashed.extend([6; 32]);
	for bytes in [&mut public, &mut hashed] {
		bytes.extend([10u8, 0, 0, 0, 0, 0, 0, 0]);
		bytes.extend([251, 252, 253, 254, 255, 0, 1, 2, 3, 4u8]);
	}
	public.push(0);
	hashed.push(1);
	encode_g1(&mut hashed, &point(8));
	encode_g1(&mut public, &point(7));
	encode_g1(&mut hashed, &point(7));

	let mut statement = statement();
	let found = statement.challenges(&point(7), None);
	statement.input = StatementInput::Hashed([6; 32]);
	let found = [found, statement.challenges(&point(7), Some(&weights(8)))];
	for (bytes, found) in [public, hashed].iter().zip(found) {
		let seed = hash("OpenSand/inference-challenge/v2", bytes);
		let expected = Challenges {
			r: Fr::from_le_bytes_mod_order(&hash("OpenSand/inference-challenge-r/v2", &seed)),
			b: Fr::from_le_bytes_mod_order(&hash("OpenSand/inference-challenge-b/v2", &seed)),
		};
		assert_eq!(found, expected);
	}
}

#[test]
fn words_are_offset_bytes() {
	let values: Vec<i8> = (-128..=127).collect();
	let words: Vec<Fr> = pack_words(&values).collect();
	assert_eq!(words.len(), word_count(values.len()));
	for (word, chunk) in words.iter().zip(values.chunks(BYTES_PER_WORD)) {
		let bytes = word.into_bigint().to_bytes_le();
		for (i, byte) in bytes.iter().enumerate() {
			let expected = chunk.get(i).map_or(0, |v| (i16::from(*v) + 128) as u8);
			assert_eq!(*byte, expected);
		}
	}
	assert_eq!(pack_words(&[]).count(), 0);
}

#[test]
fn words_have_the_declared_order_and_number() {
	let shape = |visibility| StatementShape {
		visibility,
		input_len: 64,
		output_len: 10,
	};
	let public = statement();
	let StatementInput::Public(input) = &public.input else {
		unreachable!("the statement shows its input");
	};
	let words = public.words().unwrap();
	assert_eq!(words.len(), shape(InputVisibility::Public).words());
	let expected: Vec<Fr> = pack_words(input).chain(pack_words(&public.output)).collect();
	assert_eq!(words, expected);

	let hash = salted_input_hash(&[6; 32], input);
	let hashed = Statement {
		input: StatementInput::Hashed(hash),
		..public.clone()
	};
	let words = hashed.words().unwrap();
	assert_eq!(words.len(), shape(InputVisibility::Hashed).words());
	assert_eq!(words[0], Fr::from_le_bytes_mod_order(&hash));
	assert_eq!(words[1..], expected[3..]);
	assert_eq!(Statement::decode(&mut &hashed.encode()[..]).unwrap(), hashed);
}

#[test]
fn public_inputs_are_the_challenges_and_the_fold() {
	let statement = statement();
	let challenges = statement.challenges(&point(1), None);
	let folded = fold(&statement.words().unwrap(), &challenges.r);
	assert_eq!(
		statement.public_inputs(&challenges),
		Ok([challenges.r, challenges.b, folded])
	);
	let zero = Challenges {
		r: Fr::ZERO,
		b: Fr::ZERO,
	};
	assert_eq!(statement.public_inputs(&zero), Ok([Fr::ZERO; 3]));
}

#[test]
fn a_hash_has_one_encoding() {
	let mut aliased = Fr::from(3u64).into_bigint();
	assert!(!aliased.add_with_carry(&Fr::MODULUS));
	let bytes: [u8; 32] = aliased.to_bytes_le().try_into().unwrap();
	for bytes in [bytes, [0xff; 32]] {
		let statement = Statement {
			input: StatementInput::Hashed(bytes),
			..statement()
		};
		let challenges = statement.challenges(&point(1), None);
		assert_eq!(statement.words(), Err(StatementError::NonCanonicalHash));
		assert_eq!(
			statement.public_inputs(&challenges),
			Err(StatementError::NonCanonicalHash)
		);
	}
}
