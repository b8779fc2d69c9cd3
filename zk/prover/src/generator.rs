//! Key generation for any constraint system, from trapdoors.
//!
//! With the rows' Lagrange polynomials over the n-th roots of unity, every column k of the matrices is a polynomial: aₖ, bₖ,
//! cₖ. A satisfying z makes A·B − C = H·Z with A = Σ zₖaₖ and so on, Z = xⁿ − 1. Key elements are values at the secret τ:
//!
//! - K\_k = (β·aₖ + α·bₖ + cₖ) / (the trapdoor of k's segment): γ for public columns, δ₁ for committed ones, δ_w for weights;
//! - instead of H, the prover knows the values of A·B: on the n-th roots of unity they are those of C, on the other 2n-th
//!   roots of unity it multiplies them. With the 2n Lagrange polynomials ℓ, even ones and odd ones,
//!   H·Z = A·B − C = Σ_odd (A·B)(xⱼ)·ℓⱼ + Σ zₖ·(c̃ₖ − cₖ), where c̃ₖ is cₖ with ℓ in place of the n Lagrange polynomials, which is
//!   cₖ·(xⁿ + 1) / 2. So h\_j = ℓⱼ / δ for the odd points, and l\_k carries c̃ₖ − cₖ = cₖ·Z / 2 over δ, for every column
//!   whatever its segment. For the rest, (β·aₖ + α·bₖ + c̃ₖ) / δ is all of it.
//!
//! Every ℓⱼ of an odd point, and every c̃ₖ − cₖ, vanishes on the n-th roots of unity: these elements are in the span of
//! xⁱ·Z / δ for i < n. That is one power more than in Groth16, and gives a prover nothing that is not divisible by Z.

use crate::{odd_coset::OddCoset, query::Query, rows::Rows};
use ark_bls12_381::{Fr, G1Affine, G2Affine};
use ark_ec::{short_weierstrass::Affine, AffineRepr};
use ark_ff::{batch_inversion, AdditiveGroup, Field, UniformRand};
use opensand_zk_msm::{Curve, FixedBase};
use opensand_zk_r1cs::{Matrices, Segments};
use opensand_zk_verifier::{KeyError, KeyG2, KeyOrigin, StatementShape, VerifyingKey};
use rand::{CryptoRng, RngCore};
use rayon::prelude::*;
use std::ops::Range;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The secrets of a set-up. Whoever knows them can prove anything. Erased when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Trapdoors {
	alpha: Fr,
	beta: Fr,
	gamma: Fr,
	delta: Fr,
	tau: Fr,
	delta_committed: Fr,
	delta_weights: Fr,
}

/// A secret that is not zero.
fn draw(rng: &mut (impl RngCore + CryptoRng)) -> Fr {
	loop {
		let value = Fr::rand(rng);
		if value != Fr::ZERO {
			return value;
		}
	}
}

impl Trapdoors {
	/// Fresh secrets: α, β, γ, δ, τ, δ₁ and δ_w are drawn in this order.
	pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
		let mut draw = || draw(rng);
		Self {
			alpha: draw(),
			beta: draw(),
			gamma: draw(),
			delta: draw(),
			tau: draw(),
			delta_committed: draw(),
			delta_weights: draw(),
		}
	}

	/// The secrets of another key of the family: the same α, β, τ and δ_w, so that both keys have the same elements for
	/// weights if their domains are equal, and fresh γ, δ and δ₁, drawn in this order. See [`spread`](Self::spread) for other domains.
	pub fn sibling(&self, rng: &mut (impl RngCore + CryptoRng)) -> Self {
		Self {
			alpha: self.alpha,
			beta: self.beta,
			gamma: draw(rng),
			delta: draw(rng),
			tau: self.tau,
			delta_committed: draw(rng),
			delta_weights: self.delta_weights,
		}
	}

	/// The secrets of a key of the family over `stride` times as many points as its smallest domain has, `smallest`: δ_w·q(τ) in place of δ_w, for
	/// q = (X^(stride·smallest) − 1) / (stride·(X^smallest − 1)). With the Lagrange polynomials of the two domains, q·L\_j is that of point
	/// stride·j, so that a weight whose row is there has the same element as in the smallest key. Both numbers are powers of two.
	///
	/// # Errors
	/// When q(τ) is zero, and so τ a root of unity.
	pub fn spread(&self, smallest: usize, stride: usize) -> Result<Self, GeneratorError> {
		debug_assert!(smallest.is_power_of_two() && stride.is_power_of_two());
		let half = Fr::from(2u64).inverse().ok_or(GeneratorError::Point)?;
		// q is the product of (X^(smallest·2^i) + 1) / 2 for 2^i < stride.
		let mut delta_weights = Zeroizing::new(self.delta_weights);
		let mut power = Zeroizing::new(self.tau.pow([smallest as u64]));
		for _ in 0..stride.trailing_zeros() {
			*delta_weights *= (*power + Fr::ONE) * half;
			power.square_in_place();
		}
		if *delta_weights == Fr::ZERO {
			return Err(GeneratorError::Point);
		}
		Ok(Self {
			alpha: self.alpha,
			beta: self.beta,
			gamma: self.gamma,
			delta: self.delta,
			tau: self.tau,
			delta_committed: self.delta_committed,
			delta_weights: *delta_weights,
		})
	}
}

/// What a prover needs of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvingPoints {
	/// How the columns are divided.
	pub segments: Segments,
	/// The number of rows, with those of public inputs, rounded up to a power of two.
	pub domain: usize,
	/// α in G1.
	pub alpha_g1: G1Affine,
	/// β in G1.
	pub beta_g1: G1Affine,
	/// β in G2.
	pub beta_g2: G2Affine,
	/// δ in G1.
	pub delta_g1: G1Affine,
	/// δ in G2.
	pub delta_g2: G2Affine,
	/// δ₁ in G1.
	pub delta_committed_g1: G1Affine,
	/// δ_w in G1.
	pub delta_weights_g1: G1Affine,
	/// aₖ in G1, by z.
	pub a: Query<G1Affine>,
	/// bₖ in G1, by z.
	pub b_g1: Query<G1Affine>,
	/// bₖ in G2, by z.
	pub b_g2: Query<G2Affine>,
	/// What C takes of each column, by z.
	pub l: Query<G1Affine>,
	/// The quotient's elements, by the values on the odd coset.
	pub h: Query<G1Affine>,
	/// Kₖ of the committed segment, by its values.
	pub committed: Query<G1Affine>,
	/// Kₖ of the weights, by their values.
	pub weights: Query<G1Affine>,
}

impl ProvingPoints {
	/// Whether the key was made for a constraint system of this size.
	pub fn fit(&self, rows: &Rows) -> bool {
		self.segments == rows.segments() && self.domain == rows.domain()
	}
}

/// What a verifier needs of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifyingPoints {
	/// α in G1.
	pub alpha: G1Affine,
	/// β in G2.
	pub beta: G2Affine,
	/// γ in G2.
	pub gamma: G2Affine,
	/// δ in G2.
	pub delta: G2Affine,
	/// δ₁ in G2.
	pub delta_committed: G2Affine,
	/// δ_w in G2.
	pub delta_weights: G2Affine,
	/// Kₖ of the constant one and of the public inputs.
	pub ic: Vec<G1Affine>,
	/// Whether there are weights.
	pub has_weights: bool,
}

impl VerifyingPoints {
	/// The key for statements of this shape.
	///
	/// # Errors
	/// When the constraint system has other public inputs than (r, b, f), or its key does not pass the verifier's checks.
	pub fn into_key(self, origin: KeyOrigin, shape: StatementShape) -> Result<VerifyingKey, KeyError> {
		let points = KeyG2 {
			beta: self.beta,
			gamma: self.gamma,
			delta: self.delta,
			delta_committed: self.delta_committed,
			delta_weights: self.has_weights.then_some(self.delta_weights),
		};
		let ic = self.ic.try_into().map_err(|_| KeyError::WrongLength)?;
		VerifyingKey::from_points(origin, shape, self.alpha, points, ic)
	}
}

/// Why trapdoors and a constraint system give no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GeneratorError {
	/// There are not enough roots of unity, or more columns than indices can name. Divide the model.
	#[error("the constraint system has {rows} rows and {columns} columns, too many for one proof")]
	TooLarge {
		/// Rows, with those of public inputs.
		rows: usize,
		/// Variables.
		columns: usize,
	},
	/// τ is a root of unity, which happens with a broken random number generator only.
	#[error("the secret point is a root of unity: the random number generator is broken")]
	Point,
}

/// The values at τ of a segment's or matrix' columns.
type Values = Zeroizing<Vec<Fr>>;

/// Generates the key of a constraint system.
pub fn generate(
	matrices: &Matrices,
	trapdoors: &Trapdoors,
) -> Result<(ProvingPoints, VerifyingPoints), GeneratorError> {
	let segments = matrices.segments();
	let rows = matrices.constraints() + segments.public;
	let n = rows.next_power_of_two();
	let too_large = GeneratorError::TooLarge {
		rows: n,
		columns: segments.variables(),
	};
	if segments.variables().max(n) > opensand_zk_msm::Scalars::MAX_LEN {
		return Err(too_large);
	}
	let coset = OddCoset::new(n).ok_or(too_large)?;
	let tau = trapdoors.tau;
	let tau_n = tau.pow([n as u64]);
	let vanishing = tau_n - Fr::ONE;
	let half = Fr::from(2u64).inverse().ok_or(GeneratorError::Point)?;
	if vanishing * (tau_n + Fr::ONE) == Fr::ZERO {
		return Err(GeneratorError::Point);
	}
	let even = lagrange(tau, Fr::ONE, coset.root(), n, vanishing * coset.size_inverse());
	let scale = vanishing * (tau_n + Fr::ONE) * coset.size_inverse() * half;
	let mut odd = lagrange(tau, coset.offset(), coset.root(), n, scale);
	let [a, b, c] = columns(matrices, &even);

	let inverse = |trapdoor: &Fr| trapdoor.inverse().unwrap_or(Fr::ZERO);
	let delta_inverse = Zeroizing::new(inverse(&trapdoors.delta));
	odd.par_iter_mut().for_each(|value| *value *= *delta_inverse);
	// (β·aₖ + α·bₖ + cₖ·factor) · divisor.
	let combine = |columns: Range<usize>, factor: Fr, divisor: Fr| -> Values {
		let value = |k: usize| (trapdoors.beta * a[k] + trapdoors.alpha * b[k] + factor * c[k]) * divisor;
		Zeroizing::new(columns.into_par_iter().with_min_len(1024).map(value).collect())
	};
	let ic = combine(0..segments.public, Fr::ONE, inverse(&trapdoors.gamma));
	let committed = combine(
		segments.committed_columns(),
		Fr::ONE,
		inverse(&trapdoors.delta_committed),
	);
	let weights = combine(
		segments.weight_columns(),
		Fr::ONE,
		inverse(&trapdoors.delta_weights),
	);
	let rest = combine(segments.rest_columns(), (tau_n + Fr::ONE) * half, *delta_inverse);
	let correction = vanishing * half * *delta_inverse;
	let mut l: Values = Zeroizing::new(Vec::with_capacity(segments.variables()));
	l.extend(c[..segments.rest_columns().start].iter().map(|c| *c * correction));
	l.extend_from_slice(&rest);

	let in_g1 = Zeroizing::new([
		trapdoors.alpha,
		trapdoors.beta,
		trapdoors.delta,
		trapdoors.delta_committed,
		trapdoors.delta_weights,
	]);
	let in_g2 = Zeroizing::new([
		trapdoors.beta,
		trapdoors.gamma,
		trapdoors.delta,
		trapdoors.delta_committed,
		trapdoors.delta_weights,
	]);
	let g1 = FixedBase::new(G1Affine::generator(), 4 * segments.variables() + n);
	let g2 = FixedBase::new(G2Affine::generator(), segments.variables());
	let ends_g1 = g1.multiply(&*in_g1);
	let ends_g2 = g2.multiply(&*in_g2);
	let verifying = VerifyingPoints {
		alpha: ends_g1[0],
		beta: ends_g2[0],
		gamma: ends_g2[1],
		delta: ends_g2[2],
		delta_committed: ends_g2[3],
		delta_weights: ends_g2[4],
		ic: g1.multiply(&ic),
		has_weights: segments.weights > 0,
	};
	let proving = ProvingPoints {
		segments,
		domain: n,
		alpha_g1: ends_g1[0],
		beta_g1: ends_g1[1],
		beta_g2: ends_g2[0],
		delta_g1: ends_g1[2],
		delta_g2: ends_g2[2],
		delta_committed_g1: ends_g1[3],
		delta_weights_g1: ends_g1[4],
		a: query(&g1, &a),
		b_g1: query(&g1, &b),
		b_g2: query(&g2, &b),
		l: query(&g1, &l),
		h: query(&g1, &odd),
		committed: query(&g1, &committed),
		weights: query(&g1, &weights),
	};
	Ok((proving, verifying))
}

/// The multiples of a base, without identities.
fn query<P: Curve>(base: &FixedBase<P>, scalars: &[Fr]) -> Query<Affine<P>> {
	let indices: Vec<u32> = (0..)
		.zip(scalars)
		.filter(|(_, scalar)| **scalar != Fr::ZERO)
		.map(|(index, _)| index)
		.collect();
	let kept: Values = Zeroizing::new(indices.iter().map(|index| scalars[*index as usize]).collect());
	let points = base.multiply(&kept);
	Query::sparse(scalars.len(), indices, points)
}

/// scale·xᵢ / (τ − xᵢ) for the points xᵢ = offset·rootⁱ.
fn lagrange(tau: Fr, offset: Fr, root: Fr, n: usize, scale: Fr) -> Values {
	const CHUNK: usize = 1 << 10;
	let mut values: Values = Zeroizing::new(vec![Fr::ZERO; n]);
	values
		.par_chunks_mut(CHUNK)
		.enumerate()
		.for_each(|(chunk, values)| {
			let first = offset * root.pow([(chunk * CHUNK) as u64]);
			let mut point = first;
			for value in values.iter_mut() {
				*value = tau - point;
				point *= root;
			}
			batch_inversion(values);
			let mut scaled = first * scale;
			for value in values.iter_mut() {
				*value *= scaled;
				scaled *= root;
			}
		});
	values
}

/// aₖ(τ), bₖ(τ) and cₖ(τ) of every column. After the constraints, each public column has a row of its own in A.
fn columns(matrices: &Matrices, lagrange: &[Fr]) -> [Values; 3] {
	let segments = matrices.segments();
	let column_values = |matrix: usize| {
		let mut values: Values = Zeroizing::new(vec![Fr::ZERO; segments.variables()]);
		for (row, weight) in lagrange.iter().take(matrices.constraints()).enumerate() {
			for (column, coefficient) in matrices.row(matrix, row) {
				values[column] += if *coefficient == Fr::ONE {
					*weight
				} else {
					*weight * coefficient
				};
			}
		}
		if matrix == 0 {
			let rows = &lagrange[matrices.constraints()..][..segments.public];
			for (value, weight) in values.iter_mut().zip(rows) {
				*value += weight;
			}
		}
		values
	};
	let (a, (b, c)) = rayon::join(
		|| column_values(0),
		|| rayon::join(|| column_values(1), || column_values(2)),
	);
	[a, b, c]
}
