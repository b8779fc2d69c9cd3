//! A set-up that keeps its trapdoors.

use super::{
	circuit::{Circuit, PUBLIC},
	polynomial::{domain, lagrange_at},
	verifier::SlowKey,
};
use ark_bls12_381::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use opensand_zk_verifier::{KeyG2, KeyOrigin, StatementShape, VerifyingKey};
use rand::{CryptoRng, RngCore};

/// The secrets of a set-up.
#[derive(Clone)]
pub struct Trapdoors {
	pub alpha: Fr,
	pub beta: Fr,
	pub gamma: Fr,
	pub delta: Fr,
	pub delta_committed: Fr,
	pub delta_weights: Fr,
	pub tau: Fr,
}

impl Trapdoors {
	/// The secrets of the other key of a family over the same domain: τ, α, β and δ_w are shared, γ, δ and δ₁ are not.
	pub fn sibling(&self, rng: &mut (impl RngCore + CryptoRng)) -> Self {
		let other = Self::random(rng);
		Self {
			gamma: other.gamma,
			delta: other.delta,
			delta_committed: other.delta_committed,
			..self.clone()
		}
	}

	/// The secrets of a key over a domain larger than the smallest of its family: δ_w is multiplied by
	/// q(τ) = Z_N(τ) / (N/m · Z_m(τ)).
	pub fn spread(&self, smallest: usize, domain: usize) -> Self {
		let vanishing = |size: usize| self.tau.pow([size as u64]) - Fr::ONE;
		let factor = vanishing(domain) / (Fr::from((domain / smallest) as u64) * vanishing(smallest));
		Self {
			delta_weights: self.delta_weights * factor,
			..self.clone()
		}
	}

	pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
		Self {
			alpha: Fr::rand(rng),
			beta: Fr::rand(rng),
			gamma: Fr::rand(rng),
			delta: Fr::rand(rng),
			delta_committed: Fr::rand(rng),
			delta_weights: Fr::rand(rng),
			tau: Fr::rand(rng),
		}
	}
}

/// The polynomials of a column at τ.
#[derive(Clone, Copy)]
pub struct Column {
	pub a: Fr,
	pub b: Fr,
	pub c: Fr,
}

/// A circuit, its trapdoors and its polynomials.
pub struct Setup {
	pub circuit: Circuit,
	pub shape: StatementShape,
	pub trapdoors: Trapdoors,
	/// Size of the domain.
	pub domain: usize,
	/// The point of the domain at which each row of the circuit stands, and then that of each public column's row.
	pub points: Vec<usize>,
	pub columns: Vec<Column>,
}

impl Setup {
	pub fn new(circuit: Circuit, shape: StatementShape, trapdoors: Trapdoors) -> Self {
		Self::with_stride(1, circuit, shape, trapdoors)
	}

	/// The key of a family whose smallest domain has `smallest` points, from the secrets of the key over that one.
	pub fn in_family(
		smallest: usize,
		circuit: Circuit,
		shape: StatementShape,
		trapdoors: &Trapdoors,
	) -> Self {
		let size = circuit.domain();
		let trapdoors = trapdoors.spread(smallest, size);
		Self::with_stride(size / smallest, circuit, shape, trapdoors)
	}

	/// A key with the row of weight j at point `stride`·j.
	pub fn with_stride(stride: usize, circuit: Circuit, shape: StatementShape, trapdoors: Trapdoors) -> Self {
		let size = circuit.domain();
		let points = points(&circuit, stride);
		assert!(points.iter().all(|point| *point < size));
		let lagrange = lagrange_at(&domain(size), &trapdoors.tau);
		let zero = Column {
			a: Fr::ZERO,
			b: Fr::ZERO,
			c: Fr::ZERO,
		};
		let mut columns = vec![zero; circuit.variables()];
		for ([a, b, c], point) in circuit.rows.iter().zip(&points) {
			let value = &lagrange[*point];
			a.iter()
				.for_each(|(coefficient, i)| columns[*i].a += *coefficient * value);
			b.iter()
				.for_each(|(coefficient, i)| columns[*i].b += *coefficient * value);
			c.iter()
				.for_each(|(coefficient, i)| columns[*i].c += *coefficient * value);
		}
		for (j, point) in points[circuit.rows.len()..].iter().enumerate() {
			columns[j].a += lagrange[*point];
		}
		Self {
			circuit,
			shape,
			trapdoors,
			domain: size,
			points,
			columns,
		}
	}

	/// β·aᵢ + α·bᵢ + cᵢ at τ.
	pub fn mixed(&self, column: usize) -> Fr {
		let Column { a, b, c } = self.columns[column];
		self.trapdoors.beta * a + self.trapdoors.alpha * b + c
	}

	/// The trapdoor of the segment that the column is in.
	pub fn trapdoor(&self, column: usize) -> Fr {
		let Trapdoors {
			gamma,
			delta,
			delta_committed,
			delta_weights,
			..
		} = self.trapdoors;
		if column < PUBLIC {
			gamma
		} else if self.circuit.committed.contains(&column) {
			delta_committed
		} else if self.circuit.weight_columns.contains(&column) {
			delta_weights
		} else {
			delta
		}
	}

	/// Kᵢ: the column's element of the key, as a discrete logarithm.
	pub fn key_element(&self, column: usize) -> Fr {
		self.mixed(column) / self.trapdoor(column)
	}

	/// The verifying key's points, unchecked.
	pub fn slow_key(&self) -> SlowKey {
		let t = &self.trapdoors;
		SlowKey {
			alpha: g1(&t.alpha),
			beta: g2(&t.beta),
			gamma: g2(&t.gamma),
			delta: g2(&t.delta),
			delta_committed: g2(&t.delta_committed),
			delta_weights: (!self.circuit.weight_columns.is_empty()).then(|| g2(&t.delta_weights)),
			ic: std::array::from_fn(|j| g1(&self.key_element(j))),
		}
	}

	/// The verifying key.
	pub fn key(&self) -> VerifyingKey {
		self.key_of_origin(KeyOrigin::Development)
	}

	/// The verifying key under another claim of its origin.
	pub fn key_of_origin(&self, origin: KeyOrigin) -> VerifyingKey {
		let key = self.slow_key();
		let points = KeyG2 {
			beta: key.beta,
			gamma: key.gamma,
			delta: key.delta,
			delta_committed: key.delta_committed,
			delta_weights: key.delta_weights,
		};
		VerifyingKey::from_points(origin, self.shape, key.alpha, points, key.ic).unwrap()
	}
}

/// Row j of the weights at point `stride`·j, the others at the least points that are free, those of public columns after all.
fn points(circuit: &Circuit, stride: usize) -> Vec<usize> {
	let weights = circuit.weight_columns.len();
	let mut points: Vec<usize> = (0..weights).map(|j| stride * j).collect();
	for _ in weights..circuit.rows.len() {
		let free = (0..).find(|point| !points.contains(point));
		points.push(free.unwrap());
	}
	let end = points.iter().max().map_or(0, |last| last + 1);
	points.extend(end..end + PUBLIC);
	points
}

/// The point of G1 with the given discrete logarithm.
pub fn g1(logarithm: &Fr) -> G1Affine {
	(G1Affine::generator() * logarithm).into_affine()
}

/// The point of G2 with the given discrete logarithm.
pub fn g2(logarithm: &Fr) -> G2Affine {
	(G2Affine::generator() * logarithm).into_affine()
}
