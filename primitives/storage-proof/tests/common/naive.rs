//! A slow verifier written from `PROTOCOL.md` alone: another BLAKE2 implementation, trees by recursion, and a decoder by
//! hand. It shares no code with the crate.

use blake2::{digest::consts::U32, Blake2b, Digest};
use std::collections::{BTreeMap, BTreeSet};

pub type Hash = [u8; 32];

pub fn hash(input: &[u8]) -> Hash {
	Blake2b::<U32>::digest(input).into()
}

/// Leaves of the left part of a tree over `width` > 1 leaves: the largest power of two below it.
fn left_width(width: u32) -> u32 {
	1 << (width - 1).ilog2()
}

/// The top of the tree over whole leaves.
fn top(bytes: &[u8]) -> Hash {
	match bytes.len() / 256 {
		1 => hash(bytes),
		width => {
			let (left, right) = bytes.split_at(left_width(width as u32) as usize * 256);
			hash(&[top(left), top(right)].concat())
		}
	}
}

fn bind(leaves: u32, top: &Hash) -> Hash {
	hash(&[&b"opensand/segment"[..], &leaves.to_le_bytes(), top].concat())
}

/// The root of a segment.
pub fn root(bytes: &[u8]) -> Hash {
	bind((bytes.len() / 256) as u32, &top(bytes))
}

/// The leaf that a sample asks for.
pub fn draw(seed: &Hash, provider: &Hash, index: u32, total: u64) -> u64 {
	let digest = hash(&[&b"opensand/draw"[..], seed, provider, &index.to_le_bytes()].concat());
	(u128::from_le_bytes(digest[..16].try_into().unwrap()) % u128::from(total)) as u64
}

/// A tree's nodes by level and position.
type Nodes = BTreeMap<(u32, u32), Hash>;

/// The nodes over leaves `from..to` that a proof showing the leaves `shown` carries.
fn carried(shown: &BTreeSet<u32>, level: u32, from: u32, to: u32, nodes: &mut BTreeSet<(u32, u32)>) {
	if shown.range(from..to).next().is_none() {
		nodes.insert((level, from >> level));
	} else if to - from > 1 {
		let left = left_width(to - from);
		carried(shown, left.ilog2(), from, from + left, nodes);
		carried(shown, left.ilog2(), from + left, to, nodes);
	}
}

fn rebuilt(shown: &BTreeMap<u32, Hash>, level: u32, from: u32, to: u32, nodes: &Nodes) -> Hash {
	if let Some(node) = nodes.get(&(level, from >> level)) {
		if shown.range(from..to).next().is_none() {
			return *node;
		}
	}
	if to - from == 1 {
		return shown[&from];
	}
	let left = left_width(to - from);
	let children = [
		rebuilt(shown, left.ilog2(), from, from + left, nodes),
		rebuilt(shown, left.ilog2(), from + left, to, nodes),
	];
	hash(&children.concat())
}

/// Splits a list of `size`-byte items, whose number stands before it in compact form, off `bytes`.
fn split_list<'a>(bytes: &mut &'a [u8], size: usize, limit: usize) -> Option<Vec<&'a [u8]>> {
	let (first, rest) = bytes.split_first()?;
	let (count, rest) = match first & 3 {
		0 => (usize::from(first >> 2), rest),
		1 => {
			let (second, rest) = rest.split_first()?;
			let count = usize::from(first >> 2) + 64 * usize::from(*second);
			(Some(count).filter(|count| *count > 63)?, rest)
		}
		_ => return None,
	};
	if count > limit {
		return None;
	}
	let (list, rest) = rest.split_at_checked(count * size)?;
	*bytes = rest;
	Some(list.chunks(size).collect())
}

/// Whether an encoded proof shows what the claims (root, leaves, index) ask for.
pub fn verifies(claims: &[(Hash, u32, u32)], proof: &[u8]) -> bool {
	let mut rest = proof;
	let Some(leaves) = split_list(&mut rest, 256, 64) else {
		return false;
	};
	let Some(nodes) = split_list(&mut rest, 32, 960) else {
		return false;
	};
	if !rest.is_empty() || claims.is_empty() || claims.len() > 64 {
		return false;
	}
	let mut distinct: Vec<_> = Vec::new();
	let mut segments: Vec<_> = Vec::new();
	for claim in claims {
		if claim.1 == 0 || claim.1 > 32_768 || claim.2 >= claim.1 {
			return false;
		}
		if !distinct.contains(claim) {
			distinct.push(*claim);
		}
		if !segments.contains(&(claim.0, claim.1)) {
			segments.push((claim.0, claim.1));
		}
	}
	if leaves.len() != distinct.len() {
		return false;
	}
	let mut nodes = nodes.into_iter();
	for (root, width) in segments {
		let shown: BTreeMap<u32, Hash> = distinct
			.iter()
			.zip(&leaves)
			.filter(|(claim, _)| (claim.0, claim.1) == (root, width))
			.map(|(claim, leaf)| (claim.2, hash(leaf)))
			.collect();
		let mut places = BTreeSet::new();
		carried(&shown.keys().copied().collect(), 0, 0, width, &mut places);
		let mut carried = Nodes::new();
		for place in places {
			let Some(node) = nodes.next() else { return false };
			carried.insert(place, node.try_into().unwrap());
		}
		// The whole tree is no node of itself, so any level that no pair has will do.
		if bind(width, &rebuilt(&shown, 31, 0, width, &carried)) != root {
			return false;
		}
	}
	nodes.next().is_none()
}
