//! Proofs of random claims: what is proven verifies, with the naive verifier too, and nothing else does.

#[allow(dead_code, reason = "each test uses some of it")]
mod common;

use codec::Encode;
use common::{naive, Memory, Segment, Trees};
use opensand_storage_proof::{
	proof_bound, prove, verify, Claim, Native, PossessionError, PossessionProof, PossessionScheme,
	ProveError, SegmentMerkle, SegmentSource, SegmentTree, GROUP_BYTES, SEGMENT_LEAVES,
};
use proptest::{collection::vec, prelude::*, sample::Index};
use std::io;

fn accepts(claims: &[Claim], proof: &[u8]) -> bool {
	let verified = SegmentMerkle::<Native>::verify(claims, proof).is_ok();
	let naive_claims: Vec<_> = claims
		.iter()
		.map(|claim| (claim.root, claim.leaves, claim.index))
		.collect();
	assert_eq!(
		verified,
		naive::verifies(&naive_claims, proof),
		"the verifiers disagree on {claims:?}"
	);
	verified
}

/// Some segments, with claims about them: their positions, and the leaves.
#[derive(Clone, Debug)]
struct Case {
	segments: Vec<u32>,
	claims: Vec<(Index, Index)>,
}

impl Case {
	fn segments(&self) -> Vec<Segment> {
		(0..)
			.zip(&self.segments)
			.map(|(seed, leaves)| Segment::random(seed, *leaves))
			.collect()
	}

	/// The claims, and the segment of each.
	fn claims<'a>(&self, segments: &'a [Segment]) -> (Vec<Claim>, Vec<&'a Segment>) {
		self.claims
			.iter()
			.map(|(segment, leaf)| {
				let segment = segment.get(segments);
				(
					segment.claim(leaf.index(segment.tree.leaves() as usize) as u32),
					segment,
				)
			})
			.unzip()
	}
}

fn case() -> impl Strategy<Value = Case> {
	let leaves = prop_oneof![1..10u32, 60..70u32, 1..1000u32];
	(vec(leaves, 1..5), vec(any::<(Index, Index)>(), 1..=64))
		.prop_map(|(segments, claims)| Case { segments, claims })
}

/// The claims without repetitions, which is all that a proof depends on.
fn distinct(claims: &[Claim]) -> Vec<Claim> {
	let mut distinct = Vec::new();
	for claim in claims {
		if !distinct.contains(claim) {
			distinct.push(*claim);
		}
	}
	distinct
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn a_proof_verifies(case in case()) {
		let segments = case.segments();
		for segment in &segments {
			prop_assert_eq!(naive::root(&segment.bytes), *segment.tree.root());
		}
		let (claims, sources) = case.claims(&segments);
		let proof = prove(&claims, &mut Memory::new(sources.clone(), Trees::Stored)).unwrap();
		let mut without_trees = Memory::new(sources, Trees::Missing);
		prop_assert_eq!(&prove(&claims, &mut without_trees).unwrap(), &proof);
		let asked: std::collections::BTreeSet<_> = claims.iter().map(|claim| claim.root).collect();
		prop_assert_eq!(without_trees.kept.len(), asked.len());
		let bytes = proof.encode();
		prop_assert!(accepts(&claims, &bytes));
		prop_assert!(bytes.len() <= proof_bound(claims.len() as u32) as usize);
	}

	#[test]
	fn a_changed_proof_does_not_verify(
		case in case(),
		at: Index,
		removed in 0..40usize,
		inserted in prop_oneof![vec(any::<u8>(), 0..3), Just(vec![0; 32]), Just(vec![0; 256])],
	) {
		let segments = case.segments();
		let (claims, sources) = case.claims(&segments);
		let proof = prove(&claims, &mut Memory::new(sources, Trees::Stored)).unwrap().encode();
		let at = at.index(proof.len() + 1);
		let mut changed = proof.clone();
		changed.splice(at..(at + removed).min(proof.len()), inserted);
		prop_assert_eq!(accepts(&claims, &changed), changed == proof);
	}

	#[test]
	fn a_proof_answers_its_claims_only(case in case(), at: Index, what in 0..7, other: Index, leaf: Index) {
		let segments = case.segments();
		let (claims, sources) = case.claims(&segments);
		let proof = prove(&claims, &mut Memory::new(sources, Trees::Stored)).unwrap().encode();
		let at = at.index(claims.len());
		let mut others = claims.clone();
		match what {
			0 => others[at].index = leaf.index(others[at].leaves as usize) as u32,
			1 => others[at].root = *other.get(&segments).tree.root(),
			2 => others[at].root[leaf.index(32)] ^= 1 << other.index(8),
			3 => others[at].leaves = others[at].index + 1 + leaf.index(999) as u32,
			4 => others.swap(at, other.index(claims.len())),
			5 => _ = others.remove(at),
			_ => {
				let segment = other.get(&segments);
				others.insert(at, segment.claim(leaf.index(segment.tree.leaves() as usize) as u32));
			}
		}
		let same = distinct(&others) == distinct(&claims) && others.len() <= 64;
		prop_assert_eq!(accepts(&others, &proof), same);
	}
}

/// Three segments and nine claims, two of them alike.
fn example() -> (Vec<Segment>, Vec<Claim>, PossessionProof) {
	let segments: Vec<_> = [(1, 100), (2, 1), (3, 71)]
		.map(|(seed, leaves)| Segment::random(seed, leaves))
		.into();
	let asked = [
		(2, 70),
		(0, 5),
		(1, 0),
		(0, 6),
		(0, 99),
		(2, 0),
		(0, 5),
		(2, 64),
		(2, 63),
	];
	let claims: Vec<_> = asked
		.iter()
		.map(|(segment, leaf)| segments[*segment].claim(*leaf))
		.collect();
	let sources = asked.iter().map(|(segment, _)| &segments[*segment]).collect();
	let proof = prove(&claims, &mut Memory::new(sources, Trees::Stored)).unwrap();
	(segments, claims, proof)
}

#[test]
fn every_flipped_bit_of_a_proof_is_noticed() {
	let (_, claims, proof) = example();
	let mut bytes = proof.encode();
	assert!(accepts(&claims, &bytes));
	for bit in 0..bytes.len() * 8 {
		bytes[bit / 8] ^= 1 << (bit % 8);
		assert!(
			SegmentMerkle::<Native>::verify(&claims, &bytes).is_err(),
			"bit {bit}"
		);
		bytes[bit / 8] ^= 1 << (bit % 8);
	}
}

#[test]
fn every_flipped_bit_of_a_claim_is_noticed() {
	let (_, claims, proof) = example();
	for at in 0..claims.len() {
		for bit in 0..32 * 8 {
			let mut changed = claims.clone();
			changed[at].root[bit / 8] ^= 1 << (bit % 8);
			assert!(
				verify::<Native>(&changed, &proof).is_err(),
				"claim {at}, bit {bit} of its root"
			);
		}
		for bit in 0..32 {
			let mut changed = claims.clone();
			changed[at].leaves ^= 1 << bit;
			assert!(
				verify::<Native>(&changed, &proof).is_err(),
				"claim {at}, bit {bit} of its leaves"
			);
			let mut changed = claims.clone();
			changed[at].index ^= 1 << bit;
			assert!(
				verify::<Native>(&changed, &proof).is_err(),
				"claim {at}, bit {bit} of its index"
			);
		}
	}
}

#[test]
fn errors_name_their_cause() {
	let (segments, claims, proof) = example();
	let verified = |change: fn(&mut PossessionProof)| {
		let mut changed = proof.clone();
		change(&mut changed);
		verify::<Native>(&claims, &changed)
	};
	assert_eq!(verified(|_| ()), Ok(()));
	assert_eq!(
		verified(|proof| proof.leaves.truncate(7)),
		Err(PossessionError::WrongLeafCount)
	);
	assert_eq!(
		verified(|proof| proof.leaves.push([0; 256])),
		Err(PossessionError::WrongLeafCount)
	);
	assert_eq!(
		verified(|proof| proof.nodes.truncate(1)),
		Err(PossessionError::MissingNodes)
	);
	assert_eq!(
		verified(|proof| proof.nodes.push([0; 32])),
		Err(PossessionError::SurplusNodes)
	);
	// Segments stand in the order of their first claims: the third, the first, the second.
	assert_eq!(
		verified(|proof| proof.leaves[0][0] ^= 1),
		Err(PossessionError::WrongRoot { claim: 0 })
	);
	assert_eq!(
		verified(|proof| proof.leaves[1][255] ^= 1),
		Err(PossessionError::WrongRoot { claim: 1 })
	);
	assert_eq!(
		verified(|proof| proof.leaves[2][9] ^= 1),
		Err(PossessionError::WrongRoot { claim: 2 })
	);
	assert_eq!(
		verified(|proof| proof.nodes[0][0] ^= 1),
		Err(PossessionError::WrongRoot { claim: 0 })
	);
	assert_eq!(
		verify::<Native>(&[], &PossessionProof::default()),
		Err(PossessionError::NoClaims)
	);
	let empty = Claim {
		leaves: 0,
		..segments[0].claim(0)
	};
	assert_eq!(
		verify::<Native>(&[empty], &proof),
		Err(PossessionError::SegmentSize)
	);
	assert_eq!(
		verify::<Native>(&[segments[0].claim(100)], &proof),
		Err(PossessionError::IndexOutOfRange)
	);
	assert_eq!(
		SegmentMerkle::<Native>::verify(&claims, &[]),
		Err(PossessionError::Undecodable)
	);
}

#[test]
fn thirty_two_full_segments_make_the_longest_proof() {
	let mut bytes = Segment::random(0, SEGMENT_LEAVES).bytes;
	let segments: Vec<_> = (0..32)
		.map(|number| {
			bytes[0] = number;
			Segment::of(bytes.clone())
		})
		.collect();
	let claims: Vec<_> = (0..)
		.zip(&segments)
		.map(|(at, segment)| segment.claim(at * 1023))
		.collect();
	let proof = prove(
		&claims,
		&mut Memory::new(segments.iter().collect(), Trees::Stored),
	)
	.unwrap()
	.encode();
	assert_eq!(proof.len(), proof_bound(32) as usize);
	assert!(proof.len() <= 24 * 1024);
	assert!(accepts(&claims, &proof));
}

#[test]
fn identical_segments_are_shown_once() {
	let segment = Segment::random(5, 80);
	let claims = [segment.claim(3), segment.claim(79), segment.claim(3)];
	let twin = segment.clone();
	let proof = prove(
		&claims,
		&mut Memory::new(vec![&segment, &twin, &twin], Trees::Stored),
	)
	.unwrap();
	assert_eq!(proof.leaves.len(), 2);
	assert_eq!(verify::<Native>(&claims, &proof), Ok(()));
}

#[test]
fn damaged_data_are_not_proven() {
	let other = Segment::random(1, 200);
	let mut damaged = Segment::random(2, 200);
	damaged.bytes[130 * 256] ^= 1;
	for trees in [Trees::Stored, Trees::Missing] {
		let claims = [other.claim(0), damaged.claim(130)];
		let result = prove(&claims, &mut Memory::new(vec![&other, &damaged], trees));
		assert!(
			matches!(result, Err(ProveError::Damaged { claim: 1 })),
			"{trees:?}: {result:?}"
		);
	}
	// With a stored tree, what lies outside the leaf's group of 64 is not looked at.
	let claims = [damaged.claim(0)];
	assert!(prove(&claims, &mut Memory::new(vec![&damaged], Trees::Stored)).is_ok());
	assert!(prove(&claims, &mut Memory::new(vec![&damaged], Trees::Missing)).is_err());
}

#[test]
fn short_data_are_an_error() {
	let segment = Segment::random(1, 200);
	let mut short = segment.clone();
	short.bytes.truncate(150 * 256);
	let claims = [segment.claim(199)];
	for trees in [Trees::Stored, Trees::Missing] {
		let result = prove(&claims, &mut Memory::new(vec![&short], trees));
		assert!(
			matches!(result, Err(ProveError::Read { claim: 0, .. })),
			"{trees:?}: {result:?}"
		);
	}
	let result = prove(&[], &mut Memory::new(Vec::new(), Trees::Stored));
	assert!(matches!(
		result,
		Err(ProveError::Claims(PossessionError::NoClaims))
	));
}

/// A source whose stored tree is any bytes, and which counts what is read.
struct OtherTree<'a> {
	segment: &'a Segment,
	tree: Vec<u8>,
	read: usize,
	kept: bool,
}

impl SegmentSource for OtherTree<'_> {
	fn read(&mut self, _: usize, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
		buffer.copy_from_slice(&self.segment.bytes[offset as usize..][..buffer.len()]);
		self.read += buffer.len();
		Ok(())
	}

	fn tree(&mut self, _: usize) -> Option<Vec<u8>> {
		Some(self.tree.clone())
	}

	fn keep(&mut self, _: usize, tree: &SegmentTree) {
		assert_eq!(*tree, self.segment.tree);
		self.kept = true;
	}
}

#[test]
fn a_useless_tree_is_rebuilt() {
	let segment = Segment::random(1, 1000);
	let stored = segment.tree.to_bytes();
	let foreign = Segment::random(2, 1000).tree.to_bytes();
	let claims = [segment.claim(1), segment.claim(40), segment.claim(990)];
	let group = GROUP_BYTES as usize;
	for (tree, read, rebuilt) in [
		(stored.clone(), group + 1000 * 256 % group, false),
		(foreign, group + 1000 * 256 % group + 1000 * 256, true),
		(
			stored[1..].to_vec(),
			group + 1000 * 256 % group + 1000 * 256,
			true,
		),
	] {
		let mut source = OtherTree {
			segment: &segment,
			tree,
			read: 0,
			kept: false,
		};
		let proof = prove(&claims, &mut source).unwrap();
		assert_eq!(verify::<Native>(&claims, &proof), Ok(()));
		assert_eq!((source.read, source.kept), (read, rebuilt));
	}
}
