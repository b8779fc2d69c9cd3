//! Sums of the points in each bucket of a window, and Σ j·Bⱼ over the buckets.

use crate::{
	batch_affine::{Additions, Batch},
	curve::Curve,
	digits::{SignedIndex, Terms},
	prefetch::prefetch,
	window::Windows,
};
use ark_ec::{
	short_weierstrass::{Affine, Projective},
	AffineRepr, CurveGroup,
};
use ark_ff::AdditiveGroup;
use rayon::prelude::*;
use zeroize::{Zeroize, Zeroizing};

/// Points that one tree sums: 1.5 MiB of G1.
const PIECE: usize = 16384;
/// Additions that are done one by one: an inversion takes as long as about four of them.
const FEW: usize = 8;
/// Buckets that are weighted one by one.
const FEW_BUCKETS: usize = 128;
/// Segments whose buckets are weighted together: two additions of each share an inversion.
const CHAINS: usize = 1024;

/// The points of one window in the order of their buckets.
struct Sorted {
	/// Points with the signs of their digits.
	points: Zeroizing<Vec<SignedIndex>>,
	/// Where the bucket of each digit ends in `points`, from that of zero, which is empty, on.
	ends: Zeroizing<Vec<u32>>,
}

/// Sorts the terms of a window by the absolute values of their digits; digits of zero are dropped.
fn sort<M>(terms: &Terms<M>, window: usize, windows: Windows) -> Sorted
where
	M: Zeroize + Copy + Into<u128> + Sync,
{
	let digit = |term| terms.digit(term, window, windows.width);
	let mut starts = Zeroizing::new(vec![0u32; windows.buckets() + 2]);
	for term in 0..terms.len() {
		starts[digit(term).unsigned_abs() as usize + 1] += 1;
	}
	// Digit zero has no bucket.
	starts[1] = 0;
	for bucket in 1..starts.len() {
		starts[bucket] += starts[bucket - 1];
	}
	// While points are placed, `starts[d]` is where the next of digit d goes; it ends where digit d + 1 starts.
	let mut points = Zeroizing::new(vec![0; starts[windows.buckets() + 1] as usize]);
	for term in 0..terms.len() {
		let digit = digit(term);
		if digit != 0 {
			let place = &mut starts[digit.unsigned_abs() as usize];
			points[*place as usize] = terms.points[term] ^ u32::from(digit < 0);
			*place += 1;
		}
	}
	Sorted { points, ends: starts }
}

/// The points of a list, with their signs. They lie anywhere in memory: each is asked for well before it is copied.
fn gather<P: Curve>(points: &[Affine<P>], indices: &[SignedIndex]) -> Vec<Affine<P>> {
	const AHEAD: usize = 16;
	let point = |index: SignedIndex| &points[(index >> 1) as usize];
	let mut gathered = Vec::with_capacity(indices.len());
	for (place, index) in indices.iter().enumerate() {
		if let Some(later) = indices.get(place + AHEAD) {
			prefetch(point(*later));
		}
		let point = *point(*index);
		gathered.push(if index & 1 == 1 { -point } else { point });
	}
	gathered
}

/// One level of a tree: neighbours in the same bucket are added, a last one without neighbour is kept.
struct Level<'a, P: Curve> {
	points: &'a mut [Affine<P>],
	/// Where each sum's operands are: twice the index of the first, plus one if it has a neighbour.
	pairs: &'a [u32],
	identity: Affine<P>,
}

impl<P: Curve> Additions<P> for Level<'_, P> {
	fn operands(&self, index: usize) -> (&Affine<P>, &Affine<P>) {
		let first = (self.pairs[index] >> 1) as usize;
		let second = if self.pairs[index] & 1 == 1 {
			&self.points[first + 1]
		} else {
			&self.identity
		};
		(&self.points[first], second)
	}

	fn store(&mut self, index: usize, sum: Affine<P>) {
		self.points[index] = sum;
	}
}

/// The sums of the runs of points, in place: afterwards `points` holds one for each run. `runs` are lengths, not zero.
fn sum_runs<P: Curve>(points: &mut Vec<Affine<P>>, mut runs: Vec<u32>) {
	let (mut pairs, mut batch) = (Vec::with_capacity(points.len() / 2 + runs.len()), Batch::new());
	while points.len() > runs.len() + FEW {
		pairs.clear();
		let mut start = 0;
		for run in &mut runs {
			let end = start + *run;
			pairs.extend(
				(start..end)
					.step_by(2)
					.map(|first| first << 1 | u32::from(first + 1 < end)),
			);
			*run = run.div_ceil(2);
			start = end;
		}
		let mut level = Level {
			points: &mut points[..],
			pairs: &pairs,
			identity: Affine::identity(),
		};
		batch.add_all(&mut level, pairs.len());
		points.truncate(pairs.len());
	}
	if points.len() > runs.len() {
		sum_few(points, &runs);
	}
}

/// As [`sum_runs`], where too few additions are left to share inversions.
fn sum_few<P: Curve>(points: &mut Vec<Affine<P>>, runs: &[u32]) {
	let (mut sums, mut places) = (Vec::new(), Vec::new());
	let mut start = 0;
	for (place, run) in runs.iter().enumerate() {
		let run = &points[start..start + *run as usize];
		start += run.len();
		let first = run[0];
		if run.len() > 1 {
			sums.push(run.iter().sum::<Projective<P>>());
			places.push(place);
		}
		points[place] = first;
	}
	points.truncate(runs.len());
	for (place, sum) in places.into_iter().zip(Projective::normalize_batch(&sums)) {
		points[place] = sum;
	}
}

/// The sums of one window's buckets, into identities: that of digit d at d − 1.
pub(crate) fn fill<P: Curve, M>(
	buckets: &mut [Affine<P>],
	points: &[Affine<P>],
	terms: &Terms<M>,
	window: usize,
	windows: Windows,
) where
	M: Zeroize + Copy + Into<u128> + Sync,
{
	let sorted = sort(terms, window, windows);
	let pieces: Vec<(usize, Vec<Affine<P>>)> = sorted
		.points
		.par_chunks(PIECE)
		.enumerate()
		.map(|(piece, indices)| {
			let mut gathered = gather(points, indices);
			let range = piece * PIECE..piece * PIECE + indices.len();
			let first = sorted.ends.partition_point(|end| *end as usize <= range.start);
			let mut runs = Vec::new();
			let mut start = range.start;
			for end in &sorted.ends[first..] {
				let end = (*end as usize).min(range.end);
				// An empty bucket has a sum, too: so that sums and buckets stay in step, it is filled in below.
				runs.push((end - start) as u32);
				start = end;
				if start == range.end {
					break;
				}
			}
			let full: Vec<u32> = runs.iter().copied().filter(|run| *run > 0).collect();
			sum_runs(&mut gathered, full);
			let mut sums = gathered.into_iter();
			let filled = runs
				.iter()
				.map(|run| if *run > 0 { sums.next() } else { None }.unwrap_or_else(Affine::identity))
				.collect();
			(first, filled)
		})
		.collect();
	for (first, sums) in pieces {
		for (bucket, sum) in buckets[first - 1..].iter_mut().zip(sums) {
			// Pieces meet in at most one bucket.
			*bucket = if bucket.is_zero() {
				sum
			} else {
				(*bucket + sum).into()
			};
		}
	}
}

/// Running sums over segments of buckets, all segments at once. In each step every segment adds the sum so far to its
/// total, and the next bucket from above to its sum.
struct Chains<'a, P: Curve> {
	buckets: &'a [Affine<P>],
	/// Buckets in a segment.
	segment: usize,
	step: usize,
	/// Of each segment: the sum so far, and its total.
	sums: Vec<[Affine<P>; 2]>,
	identity: Affine<P>,
}

impl<P: Curve> Additions<P> for Chains<'_, P> {
	fn operands(&self, index: usize) -> (&Affine<P>, &Affine<P>) {
		let chain = index / 2;
		let [sum, total] = &self.sums[chain];
		// The total takes the sum before this step's bucket: it is stored first.
		if index.is_multiple_of(2) {
			(total, sum)
		} else if self.step < self.segment {
			(sum, &self.buckets[(chain + 1) * self.segment - 1 - self.step])
		} else {
			(sum, &self.identity)
		}
	}

	fn store(&mut self, index: usize, sum: Affine<P>) {
		self.sums[index / 2][(index + 1) % 2] = sum;
	}
}

/// For each segment Σ Bⱼ and Σ j·Bⱼ, where j counts its buckets from 1.
fn weigh_segments<P: Curve>(buckets: &[Affine<P>], segment: usize) -> Vec<[Affine<P>; 2]> {
	let count = buckets.len() / segment;
	let mut chains = Chains {
		buckets,
		segment,
		step: 0,
		sums: vec![[Affine::identity(); 2]; count],
		identity: Affine::identity(),
	};
	let mut batch = Batch::new();
	for step in 0..=segment {
		chains.step = step;
		batch.add_all(&mut chains, 2 * count);
	}
	chains.sums
}

/// Σ j·Bⱼ (j from 1) of one window.
fn weigh_few<P: Curve>(buckets: &[Affine<P>]) -> Projective<P> {
	let (mut sum, mut total) = (Projective::ZERO, Projective::ZERO);
	for bucket in buckets.iter().rev() {
		sum += bucket;
		total += sum;
	}
	total
}

/// Σ j·Bⱼ (j from 1) for each window, given the buckets of all windows.
pub(crate) fn weigh<P: Curve>(buckets: &[Affine<P>], windows: Windows) -> Vec<Projective<P>> {
	if buckets.len() <= FEW_BUCKETS {
		return buckets.chunks(windows.buckets()).map(weigh_few).collect();
	}
	// A power of two, as the number of buckets is; of at least eight buckets each.
	let segments = (CHAINS / windows.count / 2).next_power_of_two();
	let segments = segments.min(windows.buckets().div_ceil(8));
	let segment = windows.buckets() / segments;
	let sums: Vec<_> = buckets
		.par_chunks(CHAINS * segment)
		.flat_map_iter(|buckets| weigh_segments(buckets, segment))
		.collect();
	sums.par_chunks(segments)
		.map(|sums| {
			// Segment s starts at bucket s·segment + 1.
			let (mut offset, mut above, mut total) = (
				Projective::<P>::ZERO,
				Projective::<P>::ZERO,
				Projective::<P>::ZERO,
			);
			for [sum, weighted] in sums.iter().rev() {
				offset += above;
				above += sum;
				total += weighted;
			}
			for _ in 0..segment.trailing_zeros() {
				offset.double_in_place();
			}
			total + offset
		})
		.collect()
}
