//! The Poseidon hash that hides an input, cheap inside the circuit.
//!
//! Poseidon (ePrint 2019/458) over the scalar field of BLS12-381: S-box x⁵, width 9 (rate 8, capacity 1), 8 full and
//! 57 partial rounds, which is 128-bit security with the authors' margin. Round constants and the MDS matrix are the
//! output of the authors' Grain LFSR for these parameters (field tag 1, S-box tag 0, n = 255, t = 9, R_F = 8, R_P = 57);
//! a test regenerates them, and the generator reproduces the authors' published vectors.

mod constants;

use crate::{hash::hash_to_field, statement::pack_words};
use alloc::vec::Vec;
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field, PrimeField};

/// Field elements absorbed by one permutation.
pub const RATE: usize = 8;
/// Width of the permutation: the rate and one element of capacity, which is the first.
pub const WIDTH: usize = RATE + 1;
/// Number of full rounds, half before and half after the partial ones.
pub const FULL_ROUNDS: usize = 8;
/// Number of partial rounds, in which only the first element passes the S-box.
pub const PARTIAL_ROUNDS: usize = 57;
/// Number of all rounds.
pub const ROUNDS: usize = FULL_ROUNDS + PARTIAL_ROUNDS;

const INPUT_TAG: &[u8] = b"OpenSand/poseidon-input/v1";

/// The constants added before each round's S-boxes.
pub fn round_constants() -> &'static [[Fr; WIDTH]; ROUNDS] {
	&constants::ROUND_CONSTANTS
}

/// The matrix by which each round mixes the state, row by row.
pub fn mds_matrix() -> &'static [[Fr; WIDTH]; WIDTH] {
	&constants::MDS_MATRIX
}

/// Whether a round is a full one.
pub const fn is_full_round(round: usize) -> bool {
	round < FULL_ROUNDS / 2 || round >= FULL_ROUNDS / 2 + PARTIAL_ROUNDS
}

/// The Poseidon permutation.
#[allow(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]
pub fn permute(state: &mut [Fr; WIDTH]) {
	for (round, constants) in round_constants().iter().enumerate() {
		for (element, constant) in state.iter_mut().zip(constants) {
			*element += constant;
		}
		let boxes = if is_full_round(round) { WIDTH } else { 1 };
		for element in state.iter_mut().take(boxes) {
			let fourth = element.square().square();
			*element *= fourth;
		}
		let mixed = mds_matrix().map(|row| row.iter().zip(state.iter()).map(|(m, s)| *m * s).sum());
		*state = mixed;
	}
}

/// The capacity's first value: a hash of a domain tag and the number of values, so that inputs of different lengths
/// are hashed by different functions.
pub fn input_tag(input_len: usize) -> Fr {
	hash_to_field(INPUT_TAG, &[&(input_len as u64).to_le_bytes()])
}

/// The salt as a field element: its little-endian integer reduced modulo r.
pub fn salt_to_field(salt: &[u8; 32]) -> Fr {
	Fr::from_le_bytes_mod_order(salt)
}

/// The salted hash of an input tensor, as a canonical little-endian field element.
///
/// A sponge of fixed length: the capacity starts as [`input_tag`], the salt and the packed words
/// ([`pack_words`]) are added to the rate eight at a time with a permutation after each eight (the last block with
/// zeros), and the first element of the rate is the hash. With a uniformly random salt it hides the input.
pub fn salted_input_hash(salt: &[u8; 32], input: &[i8]) -> [u8; 32] {
	let elements: Vec<Fr> = core::iter::once(salt_to_field(salt))
		.chain(pack_words(input))
		.collect();
	let digest = hash_elements(input_tag(input.len()), &elements);
	let mut bytes = [0u8; 32];
	for (word, limb) in bytes
		.as_chunks_mut::<8>()
		.0
		.iter_mut()
		.zip(digest.into_bigint().0)
	{
		*word = limb.to_le_bytes();
	}
	bytes
}

#[allow(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]
fn hash_elements(tag: Fr, elements: &[Fr]) -> Fr {
	let mut state = [Fr::ZERO; WIDTH];
	state[0] = tag;
	for block in elements.chunks(RATE) {
		for (slot, element) in state.iter_mut().skip(1).zip(block) {
			*slot += element;
		}
		permute(&mut state);
	}
	state[1]
}

#[cfg(test)]
mod tests {
	use super::*;
	use ark_crypto_primitives::sponge::{
		poseidon::{traits::find_poseidon_ark_and_mds, PoseidonConfig, PoseidonSponge},
		CryptographicSponge, FieldBasedCryptographicSponge,
	};
	use ark_ff::{BigInteger, MontFp};

	#[test]
	fn constants_are_the_grain_lfsr_output() {
		let (constants, matrix) =
			find_poseidon_ark_and_mds::<Fr>(255, RATE, FULL_ROUNDS as u64, PARTIAL_ROUNDS as u64, 0);
		assert_eq!(constants.len(), ROUNDS);
		for (expected, row) in constants.iter().zip(round_constants()) {
			assert_eq!(expected[..], row[..]);
		}
		for (expected, row) in matrix.iter().zip(mds_matrix()) {
			assert_eq!(expected[..], row[..]);
		}
	}

	/// The vector `poseidonperm_x5_255_3` that Poseidon's authors published with their reference implementation: it
	/// fixes the generator, the order of operations and the field for the parameters of width 3.
	#[test]
	fn generator_and_permutation_reproduce_the_published_vector() {
		let (constants, matrix) = find_poseidon_ark_and_mds::<Fr>(255, 2, 8, 57, 0);
		let mut state = [Fr::from(0u64), Fr::from(1u64), Fr::from(2u64)];
		for (round, constants) in constants.iter().enumerate() {
			for (element, constant) in state.iter_mut().zip(constants) {
				*element += constant;
			}
			for element in state.iter_mut().take(if is_full_round(round) { 3 } else { 1 }) {
				*element = element.pow([5]);
			}
			state = core::array::from_fn(|i| matrix[i].iter().zip(&state).map(|(m, s)| *m * s).sum());
		}
		assert_eq!(
			state,
			[
				MontFp!("0x28ce19420fc246a05553ad1e8c98f5c9d67166be2c18e9e4cb4b4e317dd2a78a"),
				MontFp!("0x51f3e312c95343a896cfd8945ea82ba956c1118ce9b9859b6ea56637b4b1ddc4"),
				MontFp!("0x3b2b69139b235626a0bfb56c9527ae66a7bf486ad8c11c14d1da0c69bbe0f79a"),
			]
		);
	}

	/// Rank of a square matrix, by elimination.
	fn rank(mut rows: [[Fr; WIDTH]; WIDTH]) -> usize {
		let mut rank = 0;
		for column in 0..WIDTH {
			let Some(pivot) = (rank..WIDTH).find(|row| rows[*row][column] != Fr::ZERO) else {
				continue;
			};
			rows.swap(rank, pivot);
			let inverse = rows[rank][column].inverse().unwrap();
			for row in rank + 1..WIDTH {
				let factor = rows[row][column] * inverse;
				let pivot_row = rows[rank];
				for (value, pivot) in rows[row].iter_mut().zip(pivot_row) {
					*value -= factor * pivot;
				}
			}
			rank += 1;
		}
		rank
	}

	/// No subspace is mapped to itself by the matrix or one of its powers while it avoids the S-box of the partial rounds
	/// or contains its direction: the rows e₀ᵀMⁱ and the columns Mⁱe₀ of each power span everything. Such subspaces let
	/// differentials pass any number of partial rounds (ePrint 2020/500); like its authors we look at powers up to 4t.
	#[test]
	fn partial_rounds_have_no_invariant_subspaces() {
		let matrix = *mds_matrix();
		let mut power = matrix;
		for exponent in 1..=4 * WIDTH {
			let mut row = [Fr::ZERO; WIDTH];
			row[0] = Fr::ONE;
			let mut column = row;
			let (mut rows, mut columns) = ([row; WIDTH], [column; WIDTH]);
			for step in 0..WIDTH {
				(rows[step], columns[step]) = (row, column);
				row = core::array::from_fn(|j| (0..WIDTH).map(|i| row[i] * power[i][j]).sum());
				column = core::array::from_fn(|i| (0..WIDTH).map(|j| power[i][j] * column[j]).sum());
			}
			assert_eq!((rank(rows), rank(columns)), (WIDTH, WIDTH), "power {exponent}");
			power = core::array::from_fn(|i| {
				core::array::from_fn(|j| (0..WIDTH).map(|k| power[i][k] * matrix[k][j]).sum())
			});
		}
	}

	/// Computed by a separate implementation in Python that shares no code with this one or with arkworks.
	#[test]
	fn permutation_agrees_with_an_independent_implementation() {
		let mut state = core::array::from_fn(|i| Fr::from(i as u64));
		permute(&mut state);
		let expected: [Fr; WIDTH] = [
			MontFp!("0x21f9e7663e8fd410b78d7512235dca84c6623a2a7464a3a1ef2ed3d6b97266b7"),
			MontFp!("0x042b76d2fdc15798b35a2ff2109cd550ebee739ab712a576f3d9b8a1b6d9057d"),
			MontFp!("0x68241319a8cef017b0174f43d904167f535fee9943aeaba4b02f13f1e8adc933"),
			MontFp!("0x0d667a66dd1fbcaf180d8558481afb88f6a2d1ff410e5c79c67b482c4a435355"),
			MontFp!("0x70a741a9f491887cef4652d4b20d28fb2b135979352569f410fe5fae481b8e22"),
			MontFp!("0x50ac785b1d3e1a544b827ae1477af2f5609dbac7a298efa0c511747907f2c26f"),
			MontFp!("0x28ca7b9ed3d35d2b5b7b950d86821cae4c3300138d3e7275d3dedffb95bbc51e"),
			MontFp!("0x06b9c3499bbd60a0488685597dbf6b651e6efb8eb0aafae23549c53ad26dc8ab"),
			MontFp!("0x6730f01a598c0b9da36c7956de7b43c2106fa2cc5e3a16730cfa4bc0743d2b1f"),
		];
		assert_eq!(state, expected);
	}

	#[test]
	fn sponge_agrees_with_arkworks() {
		let config = PoseidonConfig::new(
			FULL_ROUNDS,
			PARTIAL_ROUNDS,
			5,
			mds_matrix().iter().map(|row| row.to_vec()).collect(),
			round_constants().iter().map(|row| row.to_vec()).collect(),
			RATE,
			1,
		);
		for len in [0usize, 1, 31, 64, 217, 218, 249, 1000] {
			let input: Vec<i8> = (0..len).map(|i| (i * 37 % 256) as u8 as i8).collect();
			let salt = [len as u8; 32];
			let mut sponge = PoseidonSponge::new(&config);
			sponge.state[0] = input_tag(len);
			let elements: Vec<Fr> = core::iter::once(salt_to_field(&salt))
				.chain(pack_words(&input))
				.collect();
			sponge.absorb(&elements);
			let expected: Fr = sponge.squeeze_native_field_elements(1)[0];
			assert_eq!(
				expected.into_bigint().to_bytes_le(),
				salted_input_hash(&salt, &input)
			);
		}
	}

	#[test]
	fn hash_depends_on_salt_every_value_and_length() {
		let input = [7i8; 64];
		let salt = [1u8; 32];
		let hash = salted_input_hash(&salt, &input);
		assert_ne!(hash, salted_input_hash(&[2; 32], &input));
		assert_ne!(hash, salted_input_hash(&salt, &input[..63]));
		for i in 0..input.len() {
			let mut other = input;
			other[i] += 1;
			assert_ne!(hash, salted_input_hash(&salt, &other));
		}
		// −128 packs to zero bytes: only the tag tells the lengths apart.
		assert_ne!(
			salted_input_hash(&salt, &[-128; 3]),
			salted_input_hash(&salt, &[-128; 4])
		);
	}
}
