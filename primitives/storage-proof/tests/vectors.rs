//! Known answers, computed by `vectors.py` with another implementation in another language.

#[allow(dead_code, reason = "each test uses some of it")]
mod common;

use codec::Encode;
use common::{naive, Memory, Segment, Trees};
use hex_literal::hex;
use opensand_storage_proof::{draw, prove, verify, Hasher, Native};

/// Leaves that count 32-bit words, little endian.
fn segment(leaves: u32) -> Segment {
	Segment::of((0..leaves * 64).flat_map(u32::to_le_bytes).collect())
}

#[test]
fn roots() {
	for (leaves, root) in [
		(
			1,
			hex!("208a3c187c64c734e2dd946f7ec19070a42fb4a02f6328bf31025eb2c4423883"),
		),
		(
			2,
			hex!("11de8c48bc50a89deeac3695a28eb11c021332a537aa3df7c428f69466693bbb"),
		),
		(
			3,
			hex!("bf8a88fe306e046d8f067023babfb34cd169653b968ff64bc0beb52a1bcda4ae"),
		),
		(
			5,
			hex!("cec5b58f8c5ee104f148dc25a6151c73c13d2c801bb443d0dcb15da56dc9f4e6"),
		),
		(
			64,
			hex!("479abb261a48d7e56b48f22ae848c064d41a9d9751a1c5d0ec461a6b89e044de"),
		),
		(
			65,
			hex!("b5121ac07dff011f1f66b1e6c6da4ad98b3fc4c4445ab03ef50fb04e0e516002"),
		),
		(
			1000,
			hex!("79ac44d2584efbdbe416bbfc3a612d7ec1966c97c2dbb94ec230ec24a1ea3372"),
		),
		(
			32_767,
			hex!("af4287ee1ae790039349615c48e5949827e7c66b79cd12015a33f90086d9dd3f"),
		),
		(
			32_768,
			hex!("d7887f42b721d540b60d57af60801a44ad2372e006456a0e24409ded872981ce"),
		),
	] {
		let segment = segment(leaves);
		assert_eq!(*segment.tree.root(), root, "{leaves} leaves");
		assert_eq!(naive::root(&segment.bytes), root, "{leaves} leaves, naively");
	}
}

#[test]
fn draws() {
	for (index, total, leaf) in [
		(0, 1, 0),
		(0, 1000, 557),
		(1, 1000, 293),
		(31, 1 << 42, 2_343_339_403),
		(u32::MAX, u64::MAX, 12_167_447_847_454_811_717),
	] {
		assert_eq!(draw::<Native>(&[1; 32], &[2; 32], index, total), leaf);
		assert_eq!(naive::draw(&[1; 32], &[2; 32], index, total), leaf);
	}
}

#[test]
fn proof() {
	let segment = segment(5);
	let claims = [4, 0, 4].map(|index| segment.claim(index));
	let proof = prove(&claims, &mut Memory::new(vec![&segment; 3], Trees::Stored)).unwrap();
	assert_eq!(verify::<Native>(&claims, &proof), Ok(()));
	let digest = hex!("ea6dd0dfb99eef8a3e73b01ea87452611cffa93ae601f0c3f49b77afdd11a079");
	assert_eq!(Native::hash(&proof.encode()), digest);
}
