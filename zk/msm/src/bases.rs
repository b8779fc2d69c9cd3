//! Points to be multiplied.

use crate::{curve::Curve, scalars::Scalars};
use ark_ec::{short_weierstrass::Affine, AffineRepr};
use std::fmt;

/// No base for this scalar.
const ABSENT: u32 = u32::MAX;

/// Why points and indices are not bases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BasesError {
	/// There are not as many indices as points.
	LengthMismatch,
	/// Indices do not ascend strictly, or the last is not below the number of scalars.
	Indices,
	/// There are more scalars than [`Scalars::MAX_LEN`].
	TooMany,
}

impl fmt::Display for BasesError {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		formatter.write_str(match self {
			Self::LengthMismatch => "there are not as many indices as points",
			Self::Indices => "indices do not ascend, or exceed the number of scalars",
			Self::TooMany => "there are too many bases",
		})
	}
}

impl std::error::Error for BasesError {}

/// Points, each with the index of its scalar. Identities are dropped: scalars without a base cost nothing.
#[derive(Clone, Debug)]
pub struct Bases<P: Curve> {
	points: Vec<Affine<P>>,
	/// For each scalar where its base is in `points`; empty if there is a base for every scalar.
	positions: Vec<u32>,
	scalars: usize,
}

impl<P: Curve> Bases<P> {
	/// One point for each scalar; the identity may be among them.
	pub fn new(mut points: Vec<Affine<P>>) -> Result<Self, BasesError> {
		let scalars = points.len();
		if scalars > Scalars::MAX_LEN {
			return Err(BasesError::TooMany);
		}
		if points.iter().all(|point| !point.is_zero()) {
			return Ok(Self {
				points,
				positions: Vec::new(),
				scalars,
			});
		}
		let mut next = 0;
		let positions = points
			.iter()
			.map(|point| {
				if point.is_zero() {
					return ABSENT;
				}
				next += 1;
				next - 1
			})
			.collect();
		points.retain(|point| !point.is_zero());
		points.shrink_to_fit();
		Ok(Self {
			points,
			positions,
			scalars,
		})
	}

	/// Points for the scalars with the given ascending indices, out of `scalars` scalars. The identity is allowed.
	pub fn sparse(points: Vec<Affine<P>>, indices: &[u32], scalars: usize) -> Result<Self, BasesError> {
		if points.len() != indices.len() {
			return Err(BasesError::LengthMismatch);
		}
		if scalars > Scalars::MAX_LEN {
			return Err(BasesError::TooMany);
		}
		let ascending = indices.windows(2).all(|pair| pair[0] < pair[1]);
		if !ascending || indices.last().is_some_and(|last| *last as usize >= scalars) {
			return Err(BasesError::Indices);
		}
		let mut positions = vec![ABSENT; scalars];
		for (position, index) in indices.iter().enumerate() {
			positions[*index as usize] = position as u32;
		}
		Ok(Self {
			points,
			positions,
			scalars,
		})
	}

	/// The number of points that are kept.
	pub fn len(&self) -> usize {
		self.points.len()
	}

	/// Whether no point is kept.
	pub fn is_empty(&self) -> bool {
		self.points.is_empty()
	}

	/// The number of scalars that these bases are for.
	pub fn scalars(&self) -> usize {
		self.scalars
	}

	/// The points that are kept, in ascending order of their scalars.
	pub fn points(&self) -> &[Affine<P>] {
		&self.points
	}

	/// Where the base of a scalar is.
	pub(crate) fn position(&self, scalar: u32) -> Option<u32> {
		if self.positions.is_empty() {
			return ((scalar as usize) < self.points.len()).then_some(scalar);
		}
		self.positions
			.get(scalar as usize)
			.copied()
			.filter(|position| *position != ABSENT)
	}
}
