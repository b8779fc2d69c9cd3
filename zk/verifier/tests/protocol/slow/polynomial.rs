//! Polynomials over the scalar field by their definitions.

use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, FftField, Field};

/// The powers of a primitive root of unity: the domain of the given size, a power of two.
pub fn domain(size: usize) -> Vec<Fr> {
	let root = Fr::get_root_of_unity(size as u64).unwrap();
	(0..size as u64).map(|power| root.pow([power])).collect()
}

/// The Lagrange polynomial of each point of the domain, at τ.
pub fn lagrange_at(domain: &[Fr], tau: &Fr) -> Vec<Fr> {
	domain
		.iter()
		.map(|point| {
			domain
				.iter()
				.filter(|other| *other != point)
				.map(|other| (*tau - other) / (*point - other))
				.product()
		})
		.collect()
}

/// Coefficients of the polynomial with the given values over the domain.
pub fn interpolate(domain: &[Fr], values: &[Fr]) -> Vec<Fr> {
	let size = Fr::from(domain.len() as u64);
	(0..domain.len() as u64)
		.map(|power| {
			let sum: Fr = domain
				.iter()
				.zip(values)
				.map(|(point, value)| *value * point.inverse().unwrap().pow([power]))
				.sum();
			sum / size
		})
		.collect()
}

/// The quotient of a·b − c by Xⁿ − 1, where all three have n coefficients. A remainder is dropped, as a prover does that
/// was given a witness that is none.
pub fn quotient(a: &[Fr], b: &[Fr], c: &[Fr]) -> Vec<Fr> {
	let mut product = vec![Fr::ZERO; 2 * a.len()];
	for (i, a) in a.iter().enumerate() {
		for (j, b) in b.iter().enumerate() {
			product[i + j] += *a * b;
		}
	}
	// c has degree below n and is in the remainder: Xⁿ ≡ 1.
	assert_eq!(c.len(), a.len());
	product.split_off(a.len())
}

/// The polynomial's value at x.
pub fn evaluate(coefficients: &[Fr], x: &Fr) -> Fr {
	coefficients
		.iter()
		.enumerate()
		.map(|(power, coefficient)| *coefficient * x.pow([power as u64]))
		.sum()
}
