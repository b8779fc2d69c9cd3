//! Groth16's prover with segments, over a backend: `zk/PROTOCOL.md` has the equations and the argument.
//!
//! Nothing here knows statements. A circuit with a challenge is proven in two steps: [`commit`] to the committed segment's
//! values, draw the challenge from the commitment, assign the rest, then [`prove`] with the same blinding.

use crate::{
	backend::{BackendError, ProverBackend, ResidentBases, ResidentRows, ResidentScalars},
	generator::ProvingPoints,
};
use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::CurveGroup;
use ark_ff::{AdditiveGroup, UniformRand};
use opensand_zk_r1cs::Segments;
use rand::{CryptoRng, RngCore};
use std::ops::Range;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The blinding factors of one proof: who knows them can recover what commitments hide. Erased when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Blinding {
	/// r, of A.
	a: Fr,
	/// s, of B.
	b: Fr,
	/// ρ₁, of D₁.
	committed: Fr,
}

impl Blinding {
	/// Fresh factors: r, s and ρ₁ are drawn in this order.
	pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
		Self {
			a: Fr::rand(rng),
			b: Fr::rand(rng),
			committed: Fr::rand(rng),
		}
	}
}

/// A proving key whose bases are where the backend wants them.
pub struct ResidentKey {
	segments: Segments,
	domain: usize,
	alpha_g1: G1Affine,
	beta_g1: G1Affine,
	beta_g2: G2Affine,
	delta_g1: G1Affine,
	delta_g2: G2Affine,
	delta_committed_g1: G1Affine,
	a: ResidentBases,
	b_g1: ResidentBases,
	b_g2: ResidentBases,
	l: ResidentBases,
	h: ResidentBases,
	committed: ResidentBases,
	weights: ResidentBases,
}

impl ResidentKey {
	/// Loads a key's bases.
	pub fn load(backend: &dyn ProverBackend, key: ProvingPoints) -> Result<Self, BackendError> {
		Ok(Self {
			segments: key.segments,
			domain: key.domain,
			alpha_g1: key.alpha_g1,
			beta_g1: key.beta_g1,
			beta_g2: key.beta_g2,
			delta_g1: key.delta_g1,
			delta_g2: key.delta_g2,
			delta_committed_g1: key.delta_committed_g1,
			a: backend.load_g1(key.a)?,
			b_g1: backend.load_g1(key.b_g1)?,
			b_g2: backend.load_g2(key.b_g2)?,
			l: backend.load_g1(key.l)?,
			h: backend.load_g1(key.h)?,
			committed: backend.load_g1(key.committed)?,
			weights: backend.load_g1(key.weights)?,
		})
	}

	/// Whether the key was made for a constraint system of this size.
	pub fn fits(&self, rows: &ResidentRows) -> bool {
		self.segments == rows.segments() && self.domain == rows.domain()
	}
}

/// D₁ = Σ zₖ·Kₖ + ρ₁·δ over the committed segment, whose values these are.
pub fn commit(
	backend: &dyn ProverBackend,
	key: &ResidentKey,
	committed: &[Fr],
	blinding: &Blinding,
) -> Result<G1Affine, BackendError> {
	let [sum] = take(backend.multiply_g1(&[&key.committed], &backend.load_scalars(committed)?)?)?;
	Ok((sum + key.delta_g1 * blinding.committed).into_affine())
}

/// D_w = Σ zₖ·Kₖ over the words of the weights. The first of them is a uniform mask: it hides the others, in place of a
/// blinding that would be another under every key.
pub fn commit_weights(
	backend: &dyn ProverBackend,
	key: &ResidentKey,
	words: &[Fr],
) -> Result<G1Affine, BackendError> {
	let [sum] = take(backend.multiply_g1(&[&key.weights], &backend.load_scalars(words)?)?)?;
	Ok(sum.into_affine())
}

/// What columns whose values last from proof to proof contribute to A, B and C, multiplied once. As secret as the values.
pub struct Lasting {
	columns: Vec<Range<usize>>,
	sums: Sums,
}

impl Lasting {
	/// Multiplies the given columns by the values, which are the same for each of the ranges.
	pub fn new(
		backend: &dyn ProverBackend,
		key: &ResidentKey,
		columns: impl IntoIterator<Item = Range<usize>>,
		values: &[Fr],
	) -> Result<Self, BackendError> {
		let columns: Vec<_> = columns.into_iter().collect();
		let mut z = Zeroizing::new(vec![Fr::ZERO; key.segments.variables()]);
		for range in &columns {
			let places = z
				.get_mut(range.clone())
				.filter(|places| places.len() == values.len());
			let places = places.ok_or(BackendError::LengthMismatch {
				scalars: values.len(),
				bases: range.len(),
			})?;
			places.copy_from_slice(values);
		}
		let sums = sums(backend, key, &backend.load_scalars(&z)?)?;
		Ok(Self { columns, sums })
	}
}

/// The points A, B and C of a proof.
pub type ProofPoints = (G1Affine, G2Affine, G1Affine);

/// Proves that z satisfies the matrices whose rows these are.
///
/// A = α + Σ zₖ·aₖ + r·δ, B = β + Σ zₖ·bₖ + s·δ,
/// C = Σ zₖ·lₖ + Σ (A·B)(xⱼ)·hⱼ + s·A + r·B₁ − rs·δ − ρ₁·δ₁, the last where there is a committed segment.
/// If z does not satisfy the matrices, the proof is not valid.
pub fn prove(
	backend: &dyn ProverBackend,
	key: &ResidentKey,
	rows: &ResidentRows,
	z: &[Fr],
	blinding: &Blinding,
) -> Result<ProofPoints, BackendError> {
	prove_with(backend, key, rows, z, blinding, None)
}

/// As [`prove`], with the sums over columns whose values have been multiplied before. The proof is the same.
pub fn prove_with(
	backend: &dyn ProverBackend,
	key: &ResidentKey,
	rows: &ResidentRows,
	z: &[Fr],
	blinding: &Blinding,
	lasting: Option<&Lasting>,
) -> Result<ProofPoints, BackendError> {
	if !key.fits(rows) || z.len() != key.segments.variables() {
		return Err(BackendError::LengthMismatch {
			scalars: z.len(),
			bases: key.segments.variables(),
		});
	}
	let (r, s) = (&blinding.a, &blinding.b);
	let quotient = |z: &ResidentScalars| {
		let values = backend.quotient(rows, z)?;
		take(backend.multiply_g1(&[&key.h], &values)?)
	};
	// Independent of each other: small circuits leave cores idle within a single multiplication.
	let (quotient, witness) = match lasting {
		None => {
			let z = backend.load_scalars(z)?;
			rayon::join(|| quotient(&z), || sums(backend, key, &z))
		}
		Some(lasting) => rayon::join(
			|| quotient(&backend.load_scalars(z)?),
			|| {
				let mut others = Zeroizing::new(z.to_vec());
				for range in &lasting.columns {
					others[range.clone()].fill(Fr::ZERO);
				}
				let Sums { a, b_g1, b_g2, l } = sums(backend, key, &backend.load_scalars(&others)?)?;
				Ok(Sums {
					a: a + lasting.sums.a,
					b_g1: b_g1 + lasting.sums.b_g1,
					b_g2: b_g2 + lasting.sums.b_g2,
					l: l + lasting.sums.l,
				})
			},
		),
	};
	let ([h_sum], sums) = (quotient?, witness?);
	let a: G1Projective = sums.a + key.alpha_g1 + key.delta_g1 * r;
	let b_g1: G1Projective = sums.b_g1 + key.beta_g1 + key.delta_g1 * s;
	let b_g2: G2Projective = sums.b_g2 + key.beta_g2 + key.delta_g2 * s;
	let mut c = sums.l + h_sum + a * s + b_g1 * r - key.delta_g1 * (*r * s);
	if key.segments.committed > 0 {
		c -= key.delta_committed_g1 * blinding.committed;
	}
	Ok((a.into_affine(), b_g2.into_affine(), c.into_affine()))
}

/// The queries that z multiplies.
struct Sums {
	a: G1Projective,
	b_g1: G1Projective,
	b_g2: G2Projective,
	l: G1Projective,
}

fn sums(
	backend: &dyn ProverBackend,
	key: &ResidentKey,
	scalars: &ResidentScalars,
) -> Result<Sums, BackendError> {
	let (in_g1, in_g2) = rayon::join(
		|| backend.multiply_g1(&[&key.a, &key.b_g1, &key.l], scalars),
		|| backend.multiply_g2(&[&key.b_g2], scalars),
	);
	let ([a, b_g1, l], [b_g2]) = (take(in_g1?)?, take(in_g2?)?);
	Ok(Sums { a, b_g1, b_g2, l })
}

/// As many sums as were asked for.
fn take<T, const N: usize>(sums: Vec<T>) -> Result<[T; N], BackendError> {
	sums.try_into()
		.map_err(|_| BackendError::Device("the backend gave another number of sums than asked for".into()))
}
