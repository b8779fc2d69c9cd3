//! Points of a proving key, each with the index of its scalar.

/// The points of a key, of type A, that scalars multiply. Scalars whose point is the identity are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Query<A> {
	scalars: usize,
	indices: Vec<u32>,
	points: Vec<A>,
}

impl<A> Query<A> {
	/// Points for the scalars with the given indices, out of `scalars` scalars; none if the indices are not as many as the
	/// points, do not ascend strictly, or exceed the scalars.
	pub fn new(scalars: usize, indices: Vec<u32>, points: Vec<A>) -> Option<Self> {
		let ascending = indices.windows(2).all(|pair| pair[0] < pair[1]);
		let within = indices.last().is_none_or(|last| (*last as usize) < scalars);
		(indices.len() == points.len() && ascending && within).then(|| Self::sparse(scalars, indices, points))
	}

	/// As [`new`](Self::new), where indices and points are known to fit.
	pub(crate) fn sparse(scalars: usize, indices: Vec<u32>, points: Vec<A>) -> Self {
		Self {
			scalars,
			indices,
			points,
		}
	}

	/// A point for every scalar.
	pub fn dense(points: Vec<A>) -> Self {
		Self {
			scalars: points.len(),
			indices: (0..points.len() as u32).collect(),
			points,
		}
	}

	/// The number of scalars.
	pub fn scalars(&self) -> usize {
		self.scalars
	}

	/// The indices of scalars that have a point, ascending.
	pub fn indices(&self) -> &[u32] {
		&self.indices
	}

	/// The points, in the order of the indices.
	pub fn points(&self) -> &[A] {
		&self.points
	}

	/// Indices and points.
	pub fn into_parts(self) -> (Vec<u32>, Vec<A>) {
		(self.indices, self.points)
	}
}
