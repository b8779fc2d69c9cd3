//! The mock device's arithmetic through the whole interface, against arkworks'.

mod device;
#[path = "../../prover/tests/relations/mod.rs"]
mod relations;

use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{AdditiveGroup, FftField, Field, UniformRand};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use device::Device;
use opensand_zk_prover::{BackendError, DeviceStage, ProverBackend, Query, Rows};
use opensand_zk_r1cs::Segments;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Scalars of every kind, at the borders of kinds too, `len` of them.
fn scalars(len: usize, rng: &mut ChaCha20Rng) -> Vec<Fr> {
	let power = |exponent: u64| Fr::from(2u64).pow([exponent]);
	let mut borders = vec![Fr::ZERO, Fr::ONE, -Fr::ONE];
	for exponent in [7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 253, 254] {
		for border in [
			power(exponent) - Fr::ONE,
			power(exponent),
			power(exponent) + Fr::ONE,
		] {
			borders.extend([border, -border]);
		}
	}
	let mut values: Vec<Fr> = borders.iter().copied().cycle().take(len / 2).collect();
	values.resize_with(len, || match rng.gen_range(0..5) {
		0 => Fr::ZERO,
		1 => Fr::ONE,
		2 => Fr::from(rng.gen::<i8>()),
		3 => Fr::from(rng.gen::<i64>()),
		_ => Fr::rand(rng),
	});
	values
}

/// Points of which some are equal or opposite.
fn points<G: CurveGroup + UniformRand>(len: usize, rng: &mut ChaCha20Rng) -> Vec<G::Affine> {
	let mut points: Vec<G> = (0..len).map(|_| G::rand(rng)).collect();
	for place in (3..len).step_by(7) {
		points[place] = match place % 2 {
			0 => points[place - 1],
			_ => -points[place - 2],
		};
	}
	G::normalize_batch(&points)
}

fn sum<A: AffineRepr<ScalarField = Fr>>(points: &[A], indices: &[u32], scalars: &[Fr]) -> A::Group {
	let terms = points.iter().zip(indices);
	terms
		.map(|(point, index)| *point * scalars[*index as usize])
		.sum()
}

#[test]
fn sums_are_those_of_arkworks() {
	let mut rng = ChaCha20Rng::seed_from_u64(1);
	let device = Device::new();
	let backend = device.open();
	for len in [1, 2, 31, 300] {
		let scalars = scalars(len, &mut rng);
		let loaded = backend.load_scalars(&scalars).unwrap();
		assert_eq!(*backend.read_scalars(&loaded).unwrap(), scalars);

		let all: Vec<u32> = (0..len as u32).collect();
		let some: Vec<u32> = all.iter().copied().filter(|index| index % 3 != 1).collect();
		let dense = points::<G1Projective>(len, &mut rng);
		let sparse = points::<G1Projective>(some.len(), &mut rng);
		let in_g2 = points::<G2Projective>(some.len(), &mut rng);
		let bases = [
			backend.load_g1(Query::dense(dense.clone())).unwrap(),
			backend
				.load_g1(Query::new(len, some.clone(), sparse.clone()).unwrap())
				.unwrap(),
			// No scalar has a base.
			backend.load_g1(Query::new(len, vec![], vec![]).unwrap()).unwrap(),
		];
		assert_eq!(
			backend.multiply_g1(&bases.each_ref(), &loaded).unwrap(),
			[
				sum(&dense, &all, &scalars),
				sum(&sparse, &some, &scalars),
				G1Projective::ZERO
			]
		);
		let bases = backend
			.load_g2(Query::new(len, some.clone(), in_g2.clone()).unwrap())
			.unwrap();
		assert_eq!(
			backend.multiply_g2(&[&bases], &loaded).unwrap(),
			[sum(&in_g2, &some, &scalars)]
		);
	}
}

#[test]
fn scalars_of_one_kind_and_identities_among_points_are_handled() {
	let mut rng = ChaCha20Rng::seed_from_u64(2);
	let device = Device::new();
	let backend = device.open();
	let mut bases = points::<G1Projective>(100, &mut rng);
	bases[0] = G1Affine::identity();
	bases[50] = G1Affine::identity();
	let loaded = backend.load_g1(Query::dense(bases.clone())).unwrap();
	let total: G1Projective = bases.iter().sum();
	for value in [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(200u64), Fr::rand(&mut rng)] {
		let scalars = backend.load_scalars(&vec![value; 100]).unwrap();
		assert_eq!(
			backend.multiply_g1(&[&loaded], &scalars).unwrap(),
			[total * value]
		);
	}
	// The same point everywhere: sums of equal points, and of opposite ones.
	let same = vec![G2Affine::generator(); 64];
	let loaded = backend.load_g2(Query::dense(same)).unwrap();
	let scalars: Vec<Fr> = (0..64)
		.map(|index| if index % 2 == 0 { Fr::ONE } else { -Fr::ONE })
		.collect();
	let scalars = backend.load_scalars(&scalars).unwrap();
	assert_eq!(
		backend.multiply_g2(&[&loaded], &scalars).unwrap(),
		[G2Projective::ZERO]
	);
	let scalars = backend.load_scalars(&[Fr::from(3u64); 64]).unwrap();
	assert_eq!(
		backend.multiply_g2(&[&loaded], &scalars).unwrap(),
		[G2Projective::generator() * Fr::from(192u64)]
	);
}

#[test]
fn quotients_are_products_on_the_coset() {
	let device = Device::new();
	let backend = device.open();
	for (seed, constraints) in [(0, 1), (1, 5), (2, 60), (3, 1000)] {
		let segments = Segments {
			public: 3,
			committed: 4,
			weights: 5,
			rest: 200,
		};
		let (matrices, z) = relations::random(segments, constraints, seed);
		let n = (constraints + segments.public).next_power_of_two();
		let roots = Radix2EvaluationDomain::<Fr>::new(n).unwrap();
		let coset = roots
			.get_coset(Fr::get_root_of_unity(2 * n as u64).unwrap())
			.unwrap();
		let on_coset = |matrix: usize| {
			let mut values: Vec<Fr> = (0..constraints)
				.map(|row| matrices.product(matrix, row, &z))
				.collect();
			if matrix == 0 {
				values.extend(&z[..segments.public]);
			}
			values.resize(n, Fr::ZERO);
			roots.ifft_in_place(&mut values);
			coset.fft(&values)
		};
		let expected: Vec<Fr> = on_coset(0).iter().zip(on_coset(1)).map(|(a, b)| *a * b).collect();

		let rows = backend.load_rows(Rows::new(&matrices)).unwrap();
		assert_eq!(rows.domain(), n);
		let z = backend.load_scalars(&z).unwrap();
		let products = backend.quotient(&rows, &z).unwrap();
		assert_eq!(products.len(), n);
		assert_eq!(*backend.read_scalars(&products).unwrap(), expected);
	}
}

#[test]
fn what_does_not_fit_is_refused() {
	let device = Device::new();
	let (backend, other) = (device.open(), device.open());
	let generator = |len| Query::dense(vec![G1Affine::generator(); len]);
	let bases = backend.load_g1(generator(2)).unwrap();
	let ones = |len| vec![Fr::ONE; len];
	let (two, three) = (
		backend.load_scalars(&ones(2)).unwrap(),
		backend.load_scalars(&ones(3)).unwrap(),
	);
	assert_eq!(
		backend.multiply_g1(&[&bases], &three),
		Err(BackendError::LengthMismatch { scalars: 3, bases: 2 })
	);
	assert_eq!(
		backend.multiply_g2(&[&bases], &two),
		Err(BackendError::Foreign),
		"bases of the other group"
	);
	assert_eq!(
		other.multiply_g1(&[&bases], &two),
		Err(BackendError::Foreign),
		"another prover's"
	);
	let foreign = other.load_scalars(&ones(2)).unwrap();
	assert_eq!(
		backend.multiply_g1(&[&bases], &foreign),
		Err(BackendError::Foreign)
	);
	let cpu = opensand_zk_prover::CpuBackend.load_scalars(&ones(2)).unwrap();
	assert_eq!(backend.multiply_g1(&[&bases], &cpu), Err(BackendError::Foreign));
	assert_eq!(backend.multiply_g1(&[], &two), Ok(vec![]));
	assert_eq!(
		backend.multiply_g1(&[&bases, &bases], &two),
		Ok(vec![G1Projective::generator() * Fr::from(2u64); 2])
	);
}

#[test]
fn time_and_memory_are_counted_and_memory_is_used_again() {
	let mut rng = ChaCha20Rng::seed_from_u64(3);
	let device = Device::new();
	let backend = device.open();
	let statistics = || backend.statistics().unwrap().unwrap();
	let before = statistics();
	let (points, values) = (points::<G1Projective>(100, &mut rng), scalars(100, &mut rng));
	let multiply = || {
		let bases = backend.load_g1(Query::dense(points.clone())).unwrap();
		let scalars = backend.load_scalars(&values).unwrap();
		backend.multiply_g1(&[&bases], &scalars).unwrap();
	};
	multiply();
	let during = statistics();
	assert!(during.device_bytes >= before.device_bytes + 100 * (96 + 32));
	assert!(during.peak_device_bytes >= during.device_bytes);
	assert!(during.limit_bytes >= during.peak_device_bytes);
	assert!(during.busy > before.busy);
	for stage in [DeviceStage::Upload, DeviceStage::MultiplyG1] {
		let place = DeviceStage::ALL.iter().position(|other| *other == stage).unwrap();
		assert!(
			during.stages[place].calls > before.stages[place].calls,
			"{stage:?}"
		);
		assert!(during.stages[place].time > before.stages[place].time, "{stage:?}");
	}
	// What was freed is kept, and serves again.
	for _ in 0..5 {
		multiply();
	}
	assert_eq!(statistics().peak_device_bytes, during.peak_device_bytes);
	let description = backend.device().unwrap();
	assert!(description.name.contains("Mock") && !description.driver.is_empty());
	assert!(description.plugin.contains("mock") && description.memory_bytes > 0);
}
