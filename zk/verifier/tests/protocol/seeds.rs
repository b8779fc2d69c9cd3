//! The seeds of the fuzz corpora. They are made here, so that a change of an encoding changes them too: the test fails
//! while the committed ones are others, and writes them with [`WRITE`] in the environment.

use crate::{
	proofs::{off_subgroup, replaced},
	scene::Scene,
};
use ark_bls12_381::{Fq, Fr, G1Affine};
use ark_ff::{AdditiveGroup, BigInteger, PrimeField};
use codec::Encode;
use opensand_zk_verifier::{encode_g1, encode_g2, KeyOrigin, StatementInput, WeightsCommitment};
use std::{env, fs, path::PathBuf};

/// Target, name and bytes of a seed.
type Seed = (&'static str, String, Vec<u8>);

fn seeds() -> Vec<Seed> {
	let (off1, off2) = off_subgroup();
	let (mut off1_bytes, mut off2_bytes, mut order_three) = (Vec::new(), Vec::new(), Vec::new());
	encode_g1(&mut off1_bytes, &off1);
	encode_g2(&mut off2_bytes, &off2);
	encode_g1(
		&mut order_three,
		&G1Affine::new_unchecked(Fq::ZERO, Fq::from(2u64)),
	);
	let mut identity = vec![0; 96];
	identity[0] = 0x40;

	let mut seeds: Vec<Seed> = Vec::new();
	let mut add = |target, name: &str, bytes: Vec<u8>| seeds.push((target, name.to_string(), bytes));
	for target in ["proof", "verifying_key", "statement"] {
		add(target, "empty", Vec::new());
	}
	for (name, mut scene) in [
		("public", Scene::constant(1)),
		("weights", Scene::committed(2)),
		("hashed", Scene::hashed(3)),
		("registration", Scene::registration(4)),
	] {
		let proven = scene.proven();
		let (proof, statement) = (proven.proof(), &proven.statement);
		let compressed = proof.to_compressed_bytes();
		let proof = proof.to_bytes();
		let key = scene.key.to_bytes();
		let weights = scene
			.weights()
			.map(WeightsCommitment::to_bytes)
			.unwrap_or_default();

		add("proof", &format!("valid_{name}"), proof.clone());
		add("proof", &format!("compressed_{name}"), compressed.clone());
		add("verifying_key", &format!("valid_{name}"), key.clone());
		add("statement", name, statement.encode());
		let whole = |key: &[u8], proof: &[u8], weights: &[u8], statement: &[u8]| {
			let len = (key.len() as u16).to_le_bytes();
			[&len, key, proof, weights, statement].concat()
		};
		let mut wrong = statement.clone();
		wrong.binding.worker[0] ^= 1;
		let mut misshapen = statement.clone();
		misshapen.output.push(0);
		let statement = statement.encode();
		add(
			"verification",
			&format!("valid_{name}"),
			whole(&key, &proof, &weights, &statement),
		);
		add(
			"verification",
			&format!("wrong_{name}"),
			whole(&key, &proof, &weights, &wrong.encode()),
		);
		add(
			"verification",
			&format!("shape_{name}"),
			whole(&key, &proof, &weights, &misshapen.encode()),
		);
		// α of another subgroup: the key is trusted to have been checked.
		for (kind, part) in [("off_subgroup", &off1_bytes), ("order_three", &order_three)] {
			add(
				"verification",
				&format!("{kind}_{name}"),
				whole(&replaced(&key, 12, part), &proof, &weights, &statement),
			);
			if !weights.is_empty() {
				add(
					"verification",
					&format!("{kind}_registered_{name}"),
					whole(&key, &proof, part, &statement),
				);
			}
		}
		if name != "weights" {
			continue;
		}
		for (point, offset) in [("a", 0), ("b", 96), ("c", 288), ("committed", 384)] {
			let part = if point == "b" { &off2_bytes } else { &off1_bytes };
			add(
				"proof",
				&format!("off_subgroup_{point}"),
				replaced(&proof, offset, part),
			);
		}
		add("proof", "order_three", replaced(&proof, 384, &order_three));
		add("proof", "identity", replaced(&proof, 384, &identity));
		add("proof", "flagged", replaced(&proof, 48, &[proof[48] | 0x80]));
		add("proof", "off_curve", replaced(&proof, 95, &[proof[95] ^ 1]));
		add("proof", "short", proof[1..].to_vec());
		add("proof", "zeros", vec![0; proof.len()]);
		add("proof", "ones", vec![0xff; proof.len()]);
		let mut compressed_identity = vec![0; 48];
		compressed_identity[0] = 0xc0;
		add(
			"proof",
			"compressed_identity",
			replaced(&compressed, 192, &compressed_identity),
		);
		add(
			"proof",
			"compressed_other_root",
			replaced(&compressed, 0, &[compressed[0] ^ 0x20]),
		);

		let ceremony = KeyOrigin::Ceremony {
			transcript_hash: [7; 32],
		};
		add(
			"verifying_key",
			"ceremony",
			scene.setup.key_of_origin(ceremony).to_bytes(),
		);
		let gamma = key[12 + 96 + 192..12 + 96 + 2 * 192].to_vec();
		for (name, position) in [
			("gamma_is_delta", 2),
			("gamma_is_delta_committed", 3),
			("gamma_is_delta_weights", 4),
		] {
			add(
				"verifying_key",
				name,
				replaced(&key, 12 + 96 + position * 192, &gamma),
			);
		}
		add("verifying_key", "off_subgroup", replaced(&key, 12, &off1_bytes));
		add("verifying_key", "identity", replaced(&key, 12, &identity));
		add("verifying_key", "truncated", key[..key.len() / 2].to_vec());
		add("verifying_key", "version", replaced(&key, 0, &[1]));
		add("verifying_key", "visibility", replaced(&key, 2, &[2]));
		add("verifying_key", "many_words", replaced(&key, 3, &[0xff; 4]));
		add("verifying_key", "empty_tensor", replaced(&key, 7, &[0; 4]));
		add("verifying_key", "segments", replaced(&key, 11, &[0]));
		add("verifying_key", "registration", replaced(&key, 3, &[0; 8]));
	}

	let mut hashed = Scene::hashed(3).statement();
	let encoded = hashed.encode();
	add("statement", "truncated", encoded[..encoded.len() - 1].to_vec());
	// A compact length of four bytes, and none of the values.
	let input = 32 * 4 + 8;
	let mut long = encoded[..input].to_vec();
	long.extend([0, 0xfe, 0xff, 0xff, 0xff]);
	add("statement", "long_length", long);
	let modulus = Fr::MODULUS.to_bytes_le().try_into().unwrap();
	hashed.input = StatementInput::Hashed(modulus);
	add("statement", "non_canonical_hash", hashed.encode());
	seeds
}

fn corpus() -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// With this variable in the environment the seeds are written before they are compared.
const WRITE: &str = "OPENSAND_WRITE_SEEDS";

#[test]
fn the_committed_seeds_are_of_this_version() {
	for (target, name, bytes) in seeds() {
		let path = corpus().join(target).join(name);
		if env::var_os(WRITE).is_some() {
			fs::write(&path, &bytes).unwrap();
		}
		let found = fs::read(&path).unwrap_or_default();
		assert!(path.exists() && found == bytes, "{} is old", path.display());
	}
}
