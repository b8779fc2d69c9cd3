//! Statements and their public inputs.

use ark_bls12_381::Fr;
use ark_ff::{BigInteger, PrimeField};
use codec::{Decode, Encode};
use opensand_zk_verifier::{
	pack_words, poseidon::salted_input_hash, public_input_count, word_count, Binding, InputVisibility,
	Statement, StatementError, StatementInput, BYTES_PER_WORD,
};

fn binding() -> Binding {
	Binding {
		genesis: [1; 32],
		key: [2; 32],
		model: [3; 32],
		request: 4,
		worker: [5; 32],
	}
}

#[test]
fn every_part_of_the_binding_counts() {
	let reference = binding().to_field();
	let mut others = vec![reference];
	for change in [
		|b: &mut Binding| b.genesis[0] ^= 1,
		|b: &mut Binding| b.key[31] ^= 1,
		|b: &mut Binding| b.model[7] ^= 1,
		|b: &mut Binding| b.request += 1,
		|b: &mut Binding| b.worker[16] ^= 0x80,
	] {
		let mut other = binding();
		change(&mut other);
		others.push(other.to_field());
	}
	for (i, field) in others.iter().enumerate() {
		assert!(!others[..i].contains(field));
	}
}

/// Fixed for ever: keys and provers in the field depend on it.
#[test]
fn binding_is_stable() {
	let expected = {
		use blake2::Digest;
		let mut bytes = 29u64.to_le_bytes().to_vec();
		bytes.extend(b"OpenSand/inference-binding/v1");
		bytes.extend([1u8; 32]);
		bytes.extend([2u8; 32]);
		bytes.extend([3u8; 32]);
		bytes.extend([4u8, 0, 0, 0, 0, 0, 0, 0]);
		bytes.extend([5u8; 32]);
		Fr::from_le_bytes_mod_order(&blake2::Blake2b512::digest(&bytes))
	};
	assert_eq!(binding().to_field(), expected);
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
fn public_inputs_have_the_declared_order_and_number() {
	let input: Vec<i8> = (0..64).collect();
	let output: Vec<i8> = (-5..5).collect();
	let public = Statement {
		binding: binding(),
		input: StatementInput::Public(input.clone()),
		output: output.clone(),
	};
	let inputs = public.public_inputs().unwrap();
	assert_eq!(inputs.len(), public_input_count(InputVisibility::Public, 64, 10));
	let expected: Vec<Fr> = std::iter::once(binding().to_field())
		.chain(pack_words(&input))
		.chain(pack_words(&output))
		.collect();
	assert_eq!(inputs, expected);

	let hash = salted_input_hash(&[6; 32], &input);
	let hashed = Statement {
		binding: binding(),
		input: StatementInput::Hashed(hash),
		output,
	};
	let inputs = hashed.public_inputs().unwrap();
	assert_eq!(inputs.len(), public_input_count(InputVisibility::Hashed, 64, 10));
	assert_eq!(inputs[1], Fr::from_le_bytes_mod_order(&hash));
	assert_eq!(Statement::decode(&mut &hashed.encode()[..]).unwrap(), hashed);
}

#[test]
fn a_hash_has_one_encoding() {
	let mut aliased = Fr::from(3u64).into_bigint();
	assert!(!aliased.add_with_carry(&Fr::MODULUS));
	let bytes: [u8; 32] = aliased.to_bytes_le().try_into().unwrap();
	for bytes in [bytes, [0xff; 32]] {
		let statement = Statement {
			binding: binding(),
			input: StatementInput::Hashed(bytes),
			output: vec![],
		};
		assert_eq!(statement.public_inputs(), Err(StatementError::NonCanonicalHash));
	}
}
