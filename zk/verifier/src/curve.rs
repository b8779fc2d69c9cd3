//! The group operations that verification needs, by host call or in place.

use alloc::{vec, vec::Vec};
use ark_bls12_381::{g1, Bls12_381, Config, Fq, Fq2, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{
	bls12::Bls12Config, pairing::Pairing, AdditiveGroup, AffineRepr, CurveGroup, PrimeGroup, VariableBaseMSM,
};
use ark_ff::{Field, MontFp, PrimeField};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use sp_crypto_ec_utils::bls12_381::host_calls;

/// |x| of the curve's parameter x = −0xd201000000010000.
const ABS_X: &[u64] = Config::X;

/// x-coefficient of ψ on G2: (u + 1)^(−(p−1)/3).
const PSI_X: Fq2 = Fq2::new(
	Fq::ZERO,
	MontFp!(
		"4002409555221667392624310435006688643935503118305586438271171395842971157480381377015405980053539358417135540939437"
	),
);

/// y-coefficient of ψ on G2: (u + 1)^(−(p−1)/2).
const PSI_Y: Fq2 = Fq2::new(
	MontFp!(
		"2973677408986561043442465346520108879172042883009249989176415018091420807192182638567116318576472649347015917690530"
	),
	MontFp!(
		"1028732146235106349975324479215795277384839936929757896155643118032610843298655225875571310552543014690878354869257"
	),
);

/// The group operations of verification. Every point given is on the curve; unless said otherwise it is also in the
/// subgroup of order r. `None` stands for a failed host call and is treated as a failed verification.
pub trait Curve {
	/// Whether ∏ e(P, Q) = 1 over the given pairs. A pair with an identity counts as one.
	fn pairing_product_is_one(pairs: &[(G1Affine, G2Affine)]) -> bool;
	/// Σ s·P over bases and scalars of equal number.
	fn msm_g1(bases: &[G1Affine], scalars: &[Fr]) -> Option<G1Affine>;
	/// s·P.
	fn mul_g1(base: &G1Affine, scalar: &Fr) -> Option<G1Affine>;
	/// |x|·P by double-and-add, for P of any order on the curve.
	fn mul_g1_by_abs_x(point: &G1Affine) -> Option<G1Affine>;
	/// |x|·P by double-and-add, for P of any order on the curve.
	fn mul_g2_by_abs_x(point: &G2Affine) -> Option<G2Affine>;

	/// Whether a point on the curve lies in G1.
	///
	/// φ(P) = −x²P, with two multiplications by |x| (Scott, ePrint 2021/1130, section 6). φ² + φ + 1 = 0 on the whole
	/// curve, so the equation implies (x⁴ − x² + 1)P = rP = 0; r divides the curve's order once. A multiplication by
	/// x² in one piece would be taken through φ by a GLV implementation and test nothing.
	#[allow(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]
	fn is_in_subgroup_g1(point: &G1Affine) -> bool {
		let Some(product) = Self::mul_g1_by_abs_x(point).and_then(|p| Self::mul_g1_by_abs_x(&p)) else {
			return false;
		};
		let mut expected = -*point;
		expected.x *= g1::BETA;
		product == expected
	}

	/// Whether a point on the twist lies in G2.
	///
	/// ψ(P) = xP (ePrint 2021/1130, section 4): ψ² − tψ + p = 0 with t = x + 1 gives (p − x)P = 0, p − x is r times the
	/// cofactor of G1, and the cofactors of G1 and G2 are coprime.
	#[allow(clippy::arithmetic_side_effects, reason = "negation of a point is total")]
	fn is_in_subgroup_g2(point: &G2Affine) -> bool {
		let Some(product) = Self::mul_g2_by_abs_x(point) else {
			return false;
		};
		-product == psi(point)
	}
}

/// The endomorphism ψ of the twist: untwist, Frobenius, twist.
#[allow(clippy::arithmetic_side_effects, reason = "field arithmetic is total")]
fn psi(point: &G2Affine) -> G2Affine {
	let mut image = *point;
	image.x.frobenius_map_in_place(1);
	image.y.frobenius_map_in_place(1);
	image.x *= PSI_X;
	image.y *= PSI_Y;
	image
}

/// |x|·P, most significant bit first.
#[allow(clippy::arithmetic_side_effects, reason = "group arithmetic is total")]
fn double_and_add_abs_x<A: AffineRepr>(point: &A) -> A {
	let mut sum = A::Group::ZERO;
	for bit in ark_ff::BitIteratorBE::without_leading_zeros(ABS_X) {
		sum.double_in_place();
		if bit {
			sum += *point;
		}
	}
	sum.into_affine()
}

/// Arithmetic in place: native code, or plain WASM where it is measured against [`Host`].
pub enum Native {}

impl Curve for Native {
	fn pairing_product_is_one(pairs: &[(G1Affine, G2Affine)]) -> bool {
		let (g1, g2): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
		let product = Bls12_381::multi_miller_loop(g1, g2);
		// None: the Miller loop gave zero, which has no final exponentiation.
		Bls12_381::final_exponentiation(product).is_some_and(|output| output == AdditiveGroup::ZERO)
	}

	fn msm_g1(bases: &[G1Affine], scalars: &[Fr]) -> Option<G1Affine> {
		G1Projective::msm(bases, scalars).ok().map(Into::into)
	}

	fn mul_g1(base: &G1Affine, scalar: &Fr) -> Option<G1Affine> {
		Some(G1Projective::from(*base).mul_bigint(scalar.into_bigint()).into())
	}

	fn mul_g1_by_abs_x(point: &G1Affine) -> Option<G1Affine> {
		Some(double_and_add_abs_x(point))
	}

	fn mul_g2_by_abs_x(point: &G2Affine) -> Option<G2Affine> {
		Some(double_and_add_abs_x(point))
	}
}

/// Arithmetic by the BLS12-381 host functions of `sp-crypto-ec-utils`. Outside a runtime the same code is called
/// directly, so tests and tools need nothing set up.
pub enum Host {}

impl Host {
	/// An empty output buffer for one value of `T`.
	fn buffer<T: CanonicalSerialize + Default>() -> Vec<u8> {
		vec![0; T::default().uncompressed_size()]
	}

	fn encode<T: CanonicalSerialize + ?Sized>(value: &T) -> Option<Vec<u8>> {
		let mut bytes = Vec::with_capacity(value.uncompressed_size());
		value.serialize_uncompressed(&mut bytes).ok()?;
		Some(bytes)
	}

	/// Decodes what a host function wrote; the host is trusted to write points of the curve.
	fn decode<T: CanonicalDeserialize>(bytes: &[u8]) -> Option<T> {
		T::deserialize_uncompressed_unchecked(bytes).ok()
	}
}

impl Curve for Host {
	fn pairing_product_is_one(pairs: &[(G1Affine, G2Affine)]) -> bool {
		type Target = <Bls12_381 as Pairing>::TargetField;
		let (g1, g2): (Vec<_>, Vec<_>) = pairs
			.iter()
			.copied()
			.filter(|(p, q)| !p.is_zero() && !q.is_zero())
			.unzip();
		let product = || {
			let mut value = Self::buffer::<Target>();
			host_calls::bls12_381_multi_miller_loop(&Self::encode(&g1)?, &Self::encode(&g2)?, &mut value)
				.ok()?;
			host_calls::bls12_381_final_exponentiation(&mut value).ok()?;
			Some(value)
		};
		product().is_some_and(|value| Self::encode(&Target::ONE).is_some_and(|one| one == value))
	}

	fn msm_g1(bases: &[G1Affine], scalars: &[Fr]) -> Option<G1Affine> {
		let mut sum = Self::buffer::<G1Affine>();
		host_calls::bls12_381_msm_g1(&Self::encode(bases)?, &Self::encode(scalars)?, &mut sum).ok()?;
		Self::decode(&sum)
	}

	fn mul_g1(base: &G1Affine, scalar: &Fr) -> Option<G1Affine> {
		let mut product = Self::buffer::<G1Affine>();
		let scalar = Self::encode(&scalar.into_bigint().0[..])?;
		host_calls::bls12_381_mul_g1(&Self::encode(base)?, &scalar, &mut product).ok()?;
		Self::decode(&product)
	}

	fn mul_g1_by_abs_x(point: &G1Affine) -> Option<G1Affine> {
		let mut product = Self::buffer::<G1Affine>();
		host_calls::bls12_381_mul_g1(&Self::encode(point)?, &Self::encode(ABS_X)?, &mut product).ok()?;
		Self::decode(&product)
	}

	fn mul_g2_by_abs_x(point: &G2Affine) -> Option<G2Affine> {
		let mut product = Self::buffer::<G2Affine>();
		host_calls::bls12_381_mul_g2(&Self::encode(point)?, &Self::encode(ABS_X)?, &mut product).ok()?;
		Self::decode(&product)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use ark_bls12_381::G2Projective;
	use rand::SeedableRng;
	use rand_chacha::ChaCha20Rng;

	fn off_subgroup_points(count: usize) -> (Vec<G1Affine>, Vec<G2Affine>) {
		use ark_ff::UniformRand;
		let mut rng = ChaCha20Rng::seed_from_u64(1);
		let mut g1 = Vec::new();
		while g1.len() < count {
			if let Some(p) = G1Affine::get_point_from_x_unchecked(Fq::rand(&mut rng), false) {
				g1.push(p);
			}
		}
		let mut g2 = Vec::new();
		while g2.len() < count {
			if let Some(p) = G2Affine::get_point_from_x_unchecked(Fq2::rand(&mut rng), false) {
				g2.push(p);
			}
		}
		(g1, g2)
	}

	/// [r]P by double-and-add over the bits of r, without any endomorphism.
	fn times_order<A: AffineRepr<ScalarField = Fr>>(point: &A) -> A::Group {
		let mut sum = A::Group::ZERO;
		for bit in ark_ff::BitIteratorBE::without_leading_zeros(Fr::MODULUS) {
			sum.double_in_place();
			if bit {
				sum += *point;
			}
		}
		sum
	}

	fn subgroup_test_agrees_with_definition<C: Curve>() {
		let (g1, g2) = off_subgroup_points(20);
		for p in g1 {
			assert!(times_order(&p) != G1Projective::ZERO);
			assert!(!C::is_in_subgroup_g1(&p));
			// Points of every small order that divides the cofactor are refused too.
			for cofactor_part in [3u64, 11, 10177, 859267, 52437899] {
				let component = times_order(&p).into_affine();
				let small = component.mul_bigint(&[cofactor_part]).into_affine();
				assert!(small.is_zero() || !C::is_in_subgroup_g1(&small));
			}
			let cleared = p.clear_cofactor();
			assert!(times_order(&cleared) == G1Projective::ZERO);
			assert!(C::is_in_subgroup_g1(&cleared));
		}
		for p in g2 {
			assert!(times_order(&p) != G2Projective::ZERO);
			assert!(!C::is_in_subgroup_g2(&p));
			let component = times_order(&p).into_affine();
			for cofactor_part in [13u64, 23, 2713, 11953] {
				let small = component.mul_bigint(&[cofactor_part]).into_affine();
				assert!(small.is_zero() || !C::is_in_subgroup_g2(&small));
			}
			let cleared = p.clear_cofactor();
			assert!(times_order(&cleared) == G2Projective::ZERO);
			assert!(C::is_in_subgroup_g2(&cleared));
		}
	}

	#[test]
	fn subgroup_tests_are_sound_and_complete() {
		subgroup_test_agrees_with_definition::<Native>();
		subgroup_test_agrees_with_definition::<Host>();
	}

	#[test]
	fn a_point_of_order_three_is_refused() {
		// (0, 2) has order 3 on y² = x³ + 4: the smallest trap for a careless subgroup test.
		let p = G1Affine::new_unchecked(Fq::ZERO, Fq::from(2u64));
		assert!(p.is_on_curve());
		assert!(!Native::is_in_subgroup_g1(&p));
		assert!(!Host::is_in_subgroup_g1(&p));
	}

	#[test]
	fn backends_agree() {
		use ark_ff::UniformRand;
		let mut rng = ChaCha20Rng::seed_from_u64(2);
		let (off1, off2) = off_subgroup_points(5);
		for p in off1 {
			assert_eq!(Native::mul_g1_by_abs_x(&p), Host::mul_g1_by_abs_x(&p));
		}
		for p in off2 {
			assert_eq!(Native::mul_g2_by_abs_x(&p), Host::mul_g2_by_abs_x(&p));
		}
		for len in [0usize, 1, 2, 40] {
			let bases: Vec<_> = (0..len).map(|_| G1Affine::rand(&mut rng)).collect();
			let scalars: Vec<_> = (0..len).map(|_| Fr::rand(&mut rng)).collect();
			assert_eq!(Native::msm_g1(&bases, &scalars), Host::msm_g1(&bases, &scalars));
			for (base, scalar) in bases.iter().zip(&scalars) {
				assert_eq!(Native::mul_g1(base, scalar), Host::mul_g1(base, scalar));
			}
		}
		let (p, q) = (G1Affine::rand(&mut rng), G2Affine::rand(&mut rng));
		for (pairs, expected) in [
			(vec![(p, q), (-p, q)], true),
			(vec![(p, q)], false),
			(vec![(p, q), (G1Affine::identity(), q), (p, -q)], true),
			(vec![], true),
		] {
			assert_eq!(Native::pairing_product_is_one(&pairs), expected);
			assert_eq!(Host::pairing_product_is_one(&pairs), expected);
		}
	}

	#[test]
	fn lengths_that_disagree_are_no_sum() {
		assert_eq!(Native::msm_g1(&[G1Affine::generator()], &[]), None);
		assert_eq!(Host::msm_g1(&[G1Affine::generator()], &[]), None);
	}
}
