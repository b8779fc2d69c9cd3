//! Proofs of models: valid for their statement, and for nothing else.

use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::AffineRepr;
use opensand_zk_prover::{
	fixtures::{malformed, Fixture, INPUT, SALT},
	setup_dev, BackendError, Bundle, BundleError, CpuBackend, ProveError, Prover, ProverBackend, ProvingKey,
	ProvingKeyError, Query, ResidentBases, ResidentRows, ResidentScalars, Rows, Stage, MANIFEST_FILE,
	PROVING_KEY_FILE, VERIFYING_KEY_FILE, WEIGHTS_FILE,
};
use opensand_zk_r1cs::{Matrices, Segments};
use opensand_zk_verifier::{
	verify, verify_batch, BatchItem, Binding, Host, InputVisibility, KeyOrigin, Native, Proof, ProofError,
	Statement, StatementInput, VerifyError, VerifyingKey, PROOF_LEN,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::{ops::ControlFlow, sync::Arc};

const VISIBILITIES: [InputVisibility; 2] = [InputVisibility::Public, InputVisibility::Hashed];

fn binding(fixture: &Fixture) -> Binding {
	Binding {
		genesis: [1; 32],
		key: fixture.key_id(),
		model: [3; 32],
		request: 4,
		worker: [5; 32],
	}
}

fn proceed(_: Stage) -> ControlFlow<()> {
	ControlFlow::Continue(())
}

fn check(key: &VerifyingKey, statement: &Statement, proof: &[u8]) -> Result<(), VerifyError> {
	let proof = Proof::from_bytes(proof).unwrap();
	let native = verify::<Native>(key, statement, None, &proof);
	assert_eq!(native, verify::<Host>(key, statement, None, &proof));
	native
}

#[test]
fn proofs_verify_for_their_statement_and_no_other() {
	for visibility in VISIBILITIES {
		let fixture = Fixture::get(visibility);
		let key = VerifyingKey::from_bytes(&fixture.verifying_key()).unwrap();
		let (statement, proof) = fixture.prove(binding(fixture), &INPUT);
		assert_eq!(proof.len(), PROOF_LEN);
		assert_eq!(
			statement.output,
			fixture.prover().model().evaluate(&INPUT).unwrap()
		);
		assert_eq!(check(&key, &statement, &proof), Ok(()));

		// Another request, worker, model, chain; another output; another input.
		let changes: [fn(&mut Statement); 6] = [
			|s| s.binding.request += 1,
			|s| s.binding.worker[0] ^= 1,
			|s| s.binding.model[0] ^= 1,
			|s| s.binding.genesis[0] ^= 1,
			|s| s.output[1] ^= 1,
			|s| match &mut s.input {
				StatementInput::Public(values) => values[3] ^= 1,
				StatementInput::Hashed(hash) => hash[0] ^= 1,
			},
		];
		for change in changes {
			let mut other = statement.clone();
			change(&mut other);
			assert_eq!(check(&key, &other, &proof), Err(VerifyError::InvalidProof));
		}
		// A statement of another shape.
		let mut longer = statement.clone();
		longer.output.push(-128);
		assert_eq!(check(&key, &longer, &proof), Err(VerifyError::WrongOutputLength));
		let mut elsewhere = statement.clone();
		elsewhere.binding.key[0] ^= 1;
		assert_eq!(check(&key, &elsewhere, &proof), Err(VerifyError::WrongKey));
	}
}

#[test]
fn proofs_for_another_circuit_or_request_are_invalid() {
	let fixture = Fixture::get(InputVisibility::Public);
	let other = Fixture::new(InputVisibility::Public, 2);
	let (statement, proof) = fixture.prove(binding(fixture), &INPUT);
	let (other_statement, other_proof) = other.prove(binding(&other), &INPUT);
	assert_eq!(
		check(fixture.prover().verifying_key(), &statement, &other_proof),
		Err(VerifyError::InvalidProof)
	);
	assert_eq!(
		check(other.prover().verifying_key(), &other_statement, &proof),
		Err(VerifyError::InvalidProof)
	);

	let (second, second_proof) = fixture.prove(
		Binding {
			request: 5,
			..binding(fixture)
		},
		&INPUT,
	);
	assert_eq!(
		check(fixture.prover().verifying_key(), &second, &second_proof),
		Ok(())
	);
	assert_eq!(
		check(fixture.prover().verifying_key(), &statement, &second_proof),
		Err(VerifyError::InvalidProof)
	);
	assert_eq!(
		check(fixture.prover().verifying_key(), &second, &proof),
		Err(VerifyError::InvalidProof)
	);
}

#[test]
fn altered_proofs_have_distinct_errors_or_are_invalid() {
	let fixture = Fixture::get(InputVisibility::Public);
	let key = fixture.prover().verifying_key();
	let (statement, proof) = fixture.prove(binding(fixture), &INPUT);
	for bit in (0..proof.len() * 8).step_by(7) {
		let mut flipped = proof.clone();
		flipped[bit / 8] ^= 1 << (bit % 8);
		match Proof::from_bytes(&flipped) {
			Err(ProofError::NonCanonical | ProofError::OffCurve) => (),
			Err(error) => panic!("bit {bit}: {error:?}"),
			Ok(_) => assert_eq!(check(key, &statement, &flipped), Err(VerifyError::InvalidProof)),
		}
	}
	let mut swapped = proof.clone();
	swapped[..96].copy_from_slice(&proof[288..384]);
	swapped[288..384].copy_from_slice(&proof[..96]);
	assert_eq!(check(key, &statement, &swapped), Err(VerifyError::InvalidProof));
	for (error, bytes) in malformed(&proof) {
		assert_eq!(Proof::from_bytes(&bytes), Err(error));
		assert_eq!(Proof::from_bytes_with::<Native>(&bytes), Err(error));
	}
}

#[test]
fn rerandomised_proofs_verify() {
	let fixture = Fixture::get(InputVisibility::Hashed);
	let key = fixture.prover().verifying_key();
	let (statement, bytes) = fixture.prove(binding(fixture), &INPUT);
	let fresh = fixture.rerandomise(&bytes, 3);
	assert_ne!(fresh, bytes);
	assert_eq!(check(key, &statement, &fresh), Ok(()));
}

#[test]
fn batches_of_proofs_verify() {
	let fixtures = VISIBILITIES.map(Fixture::get);
	let proofs: Vec<_> = (0..6u64)
		.map(|i| {
			let fixture = fixtures[i as usize % 2];
			let (statement, proof) = fixture.prove(
				Binding {
					request: i,
					..binding(fixture)
				},
				&[i as i8; 4],
			);
			(
				fixture.prover().verifying_key(),
				statement,
				Proof::from_bytes(&proof).unwrap(),
			)
		})
		.collect();
	let items: Vec<_> = proofs
		.iter()
		.map(|(key, statement, proof)| BatchItem {
			key,
			statement,
			weights: None,
			proof,
		})
		.collect();
	assert_eq!(verify_batch::<Native>(&items), Ok(()));
	assert_eq!(verify_batch::<Host>(&items), Ok(()));
	let mut wrong = items.clone();
	wrong[1].proof = items[3].proof;
	assert_eq!(verify_batch::<Native>(&wrong), Err(VerifyError::InvalidProof));
}

#[test]
fn two_proofs_of_one_statement_differ() {
	let fixture = Fixture::get(InputVisibility::Public);
	let prove = || {
		fixture
			.prover()
			.prove(binding(fixture), &INPUT, &SALT, &mut proceed)
			.unwrap()
	};
	let (first, second) = (prove(), prove());
	assert_eq!(first.0, second.0);
	assert_ne!(first.1, second.1);
}

#[test]
fn progress_names_every_stage_and_can_stop_the_work() {
	let fixture = Fixture::get(InputVisibility::Public);
	let mut stages = Vec::new();
	fixture
		.prover()
		.prove(binding(fixture), &INPUT, &SALT, &mut |stage| {
			stages.push(stage);
			ControlFlow::Continue(())
		})
		.unwrap();
	assert_eq!(
		stages,
		[
			Stage::Evaluating,
			Stage::Assigning,
			Stage::Proving,
			Stage::Verifying
		]
	);
	for stop_at in stages {
		let result = fixture
			.prover()
			.prove(binding(fixture), &INPUT, &SALT, &mut |stage| {
				if stage == stop_at {
					ControlFlow::Break(())
				} else {
					ControlFlow::Continue(())
				}
			});
		assert!(matches!(result, Err(ProveError::Cancelled)));
	}
}

#[test]
fn bad_requests_are_refused_before_proving() {
	let fixture = Fixture::get(InputVisibility::Public);
	let mut no_stage = |_| -> ControlFlow<()> { panic!("nothing should start") };
	let other_key = Binding {
		key: [9; 32],
		..binding(fixture)
	};
	let result = fixture.prover().prove(other_key, &INPUT, &SALT, &mut no_stage);
	assert!(matches!(result, Err(ProveError::OtherKey { .. })));
	let result = fixture
		.prover()
		.prove(binding(fixture), &INPUT[1..], &SALT, &mut proceed);
	assert!(matches!(result, Err(ProveError::Circuit(_))));
}

/// A key of another model with the same shape fits by size; its proofs are caught.
#[test]
fn a_proof_that_does_not_verify_never_leaves() {
	let rng = |seed| ChaCha20Rng::seed_from_u64(seed);
	let model = Arc::new(opensand_zk_prover::fixtures::model());
	let (right, verifying) = setup_dev(model.clone(), InputVisibility::Public, &mut rng(1)).unwrap();
	let (other, _) = setup_dev(model.clone(), InputVisibility::Public, &mut rng(2)).unwrap();
	let mut points = right.points().clone();
	points.l = other.points().l.clone();
	let mixed = ProvingKey::new(verifying.clone(), points).unwrap();
	let prover = Prover::new(model, InputVisibility::Public, mixed, Arc::new(CpuBackend)).unwrap();
	let binding = Binding {
		genesis: [1; 32],
		key: verifying.id(),
		model: [3; 32],
		request: 4,
		worker: [5; 32],
	};
	let result = prover.prove(binding, &INPUT, &SALT, &mut proceed);
	assert!(matches!(result, Err(ProveError::SelfCheck)));
}

#[test]
fn keys_of_another_size_are_refused() {
	let mut rng = ChaCha20Rng::seed_from_u64(1);
	let model = Arc::new(opensand_zk_prover::fixtures::model());
	let (key, _) = setup_dev(model.clone(), InputVisibility::Hashed, &mut rng).unwrap();
	let prover = Prover::new(model, InputVisibility::Public, key, Arc::new(CpuBackend));
	assert!(matches!(prover, Err(ProveError::KeyMismatch)));
}

/// A backend that fails, and one that computes wrongly.
struct Faulty {
	wrong: bool,
}

impl ProverBackend for Faulty {
	fn name(&self) -> &str {
		"faulty"
	}
	fn load_g1(&self, bases: Query<G1Affine>) -> Result<ResidentBases, BackendError> {
		CpuBackend.load_g1(bases)
	}
	fn load_g2(&self, bases: Query<G2Affine>) -> Result<ResidentBases, BackendError> {
		CpuBackend.load_g2(bases)
	}
	fn load_scalars(&self, scalars: &[Fr]) -> Result<ResidentScalars, BackendError> {
		CpuBackend.load_scalars(scalars)
	}
	fn load_rows(&self, rows: Rows) -> Result<ResidentRows, BackendError> {
		CpuBackend.load_rows(rows)
	}
	fn quotient(&self, rows: &ResidentRows, z: &ResidentScalars) -> Result<ResidentScalars, BackendError> {
		CpuBackend.quotient(rows, z)
	}
	fn multiply_g1(
		&self,
		bases: &[&ResidentBases],
		scalars: &ResidentScalars,
	) -> Result<Vec<G1Projective>, BackendError> {
		if self.wrong {
			let sums = CpuBackend.multiply_g1(bases, scalars)?;
			return Ok(sums.into_iter().map(|sum| sum + G1Affine::generator()).collect());
		}
		Err(BackendError::Device("gone".into()))
	}
	fn multiply_g2(
		&self,
		bases: &[&ResidentBases],
		scalars: &ResidentScalars,
	) -> Result<Vec<G2Projective>, BackendError> {
		CpuBackend.multiply_g2(bases, scalars)
	}
}

#[test]
fn faults_of_a_backend_are_errors() {
	let model = Arc::new(opensand_zk_prover::fixtures::model());
	for wrong in [false, true] {
		let (key, verifying) = setup_dev(
			model.clone(),
			InputVisibility::Public,
			&mut ChaCha20Rng::seed_from_u64(1),
		)
		.unwrap();
		let prover = Prover::new(
			model.clone(),
			InputVisibility::Public,
			key,
			Arc::new(Faulty { wrong }),
		)
		.unwrap();
		let binding = Binding {
			genesis: [1; 32],
			key: verifying.id(),
			model: [3; 32],
			request: 4,
			worker: [5; 32],
		};
		match prover.prove(binding, &INPUT, &SALT, &mut proceed) {
			Err(ProveError::SelfCheck) => assert!(wrong),
			Err(ProveError::Backend(BackendError::Device(_))) => assert!(!wrong),
			other => panic!("{:?}", other.map(|_| ())),
		}
	}
}

#[test]
fn cpu_backend_checks_what_it_is_given() {
	let bases = CpuBackend
		.load_g1(Query::dense(vec![G1Affine::generator(); 2]))
		.unwrap();
	let load = |len: usize| CpuBackend.load_scalars(&vec![Fr::from(3u64); len]).unwrap();
	assert_eq!(
		CpuBackend.multiply_g1(&[&bases], &load(3)),
		Err(BackendError::LengthMismatch { scalars: 3, bases: 2 })
	);
	assert_eq!(
		CpuBackend.multiply_g2(&[&bases], &load(2)),
		Err(BackendError::Foreign)
	);
	assert_eq!(
		CpuBackend.multiply_g1(&[&bases, &bases], &load(2)),
		Ok(vec![G1Affine::generator() * Fr::from(6u64); 2])
	);
	// x·x = x in two rows; the products on the coset are no z, whatever their number.
	let segments = Segments {
		public: 1,
		rest: 1,
		..Segments::default()
	};
	let row = || vec![(Fr::from(1u64), 1)];
	let matrices = Matrices::new([(); 3].map(|()| vec![row()]), segments);
	let rows = CpuBackend.load_rows(Rows::new(&matrices)).unwrap();
	assert_eq!((rows.domain(), rows.segments()), (2, segments));
	assert_eq!(
		CpuBackend.quotient(&rows, &load(3)).map(|_| ()),
		Err(BackendError::LengthMismatch { scalars: 3, bases: 2 })
	);
	let products = CpuBackend.quotient(&rows, &load(2)).unwrap();
	assert_eq!(products.len(), 2);
	assert!(CpuBackend.multiply_g1(&[&bases], &products).is_ok());
	assert_eq!(
		CpuBackend.quotient(&rows, &products).map(|_| ()),
		Err(BackendError::Foreign)
	);
	// No scalar has a base; indices that no query can have.
	let none = CpuBackend
		.load_g1(Query::new(2, vec![], vec![]).unwrap())
		.unwrap();
	assert_eq!(
		CpuBackend.multiply_g1(&[&none], &load(2)),
		Ok(vec![G1Projective::default()])
	);
	let point = G1Affine::generator();
	assert!(Query::new(2, vec![1, 1], vec![point; 2]).is_none());
	assert!(Query::new(2, vec![2], vec![point]).is_none());
	assert!(Query::new(2, vec![1], vec![point; 2]).is_none());
}

fn bundle(visibility: InputVisibility) -> Bundle {
	let model = Arc::new(opensand_zk_prover::fixtures::model());
	let (proving_key, _) = setup_dev(model.clone(), visibility, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
	Bundle {
		model,
		visibility,
		weights: None,
		proving_key,
	}
}

#[test]
fn bundles_round_trip_and_prove() {
	let root = tempfile::tempdir().unwrap();
	for visibility in VISIBILITIES {
		let written = bundle(visibility);
		let path = written.write(root.path()).unwrap();
		assert_eq!(path, root.path().join(written.directory_name()));
		let read = Bundle::read(&path).unwrap();
		assert_eq!(read.model, written.model);
		assert_eq!(read.visibility, visibility);
		assert_eq!(read.proving_key, written.proving_key);
		let prover = Prover::load(&path).unwrap();
		let fixture = Fixture::get(visibility);
		assert_eq!(prover.key_id(), fixture.key_id());
		let (output, _) = prover
			.prove(binding(fixture), &INPUT, &SALT, &mut proceed)
			.unwrap();
		assert_eq!(output, prover.model().evaluate(&INPUT).unwrap());
		assert!(matches!(
			written.write(root.path()),
			Err(BundleError::Exists { .. })
		));
	}
	// Nothing but the two bundles: no staging directory is left behind.
	assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 2);
}

#[test]
fn damaged_bundles_are_refused() {
	let root = tempfile::tempdir().unwrap();
	let path = bundle(InputVisibility::Public).write(root.path()).unwrap();
	let original = |name: &str| std::fs::read(path.join(name)).unwrap();
	for name in [PROVING_KEY_FILE, VERIFYING_KEY_FILE, WEIGHTS_FILE] {
		let bytes = original(name);
		let mut flipped = bytes.clone();
		*flipped.last_mut().unwrap() ^= 1;
		for damaged in [
			&flipped[..],
			&bytes[..bytes.len() - 1],
			&[&bytes[..], &[0]].concat(),
			&[],
		] {
			std::fs::write(path.join(name), damaged).unwrap();
			assert!(
				matches!(Bundle::read(&path), Err(BundleError::Checksum { .. })),
				"{name}"
			);
		}
		std::fs::remove_file(path.join(name)).unwrap();
		assert!(
			matches!(Bundle::read(&path), Err(BundleError::Io { .. })),
			"{name}"
		);
		std::fs::write(path.join(name), bytes).unwrap();
	}
	let manifest = String::from_utf8(original(MANIFEST_FILE)).unwrap();
	let with = |from: &str, to: &str| {
		assert!(manifest.contains(from));
		std::fs::write(path.join(MANIFEST_FILE), manifest.replacen(from, to, 1)).unwrap();
		Bundle::read(&path)
	};
	assert!(matches!(
		with("\"version\": 2", "\"version\": 3, \"new\": 0"),
		Err(BundleError::UnsupportedVersion { found: 3 })
	));
	assert!(matches!(
		with("opensand-bundle", "other"),
		Err(BundleError::Manifest { .. })
	));
	assert!(matches!(
		with(
			"\"development\"",
			"{ \"ceremony\": { \"transcript_hash\": \"00\" } }"
		),
		Err(BundleError::KeysDisagree)
	));
	// Version 1 had no committed weights.
	assert!(with("\"version\": 2", "\"version\": 1").is_ok());
	assert!(matches!(
		with("\"widths\": null", "\"widths\": []"),
		Err(BundleError::KeysDisagree)
	));
	assert!(matches!(with("{", "["), Err(BundleError::Manifest { .. })));
	assert!(matches!(
		with("weights.bin", "weights.txt"),
		Err(BundleError::Manifest { .. })
	));
	std::fs::write(path.join(MANIFEST_FILE), vec![b' '; 1 << 17]).unwrap();
	assert!(matches!(Bundle::read(&path), Err(BundleError::Manifest { .. })));
	std::fs::write(path.join(MANIFEST_FILE), &manifest).unwrap();
	assert!(Bundle::read(&path).is_ok());
}

#[test]
fn damaged_proving_keys_have_distinct_errors() {
	let key = bundle(InputVisibility::Public).proving_key;
	let bytes = key.to_bytes();
	assert_eq!(ProvingKey::from_bytes(&bytes), Ok(key));
	let decode = |bytes: &[u8]| ProvingKey::from_bytes(bytes).map(|_| ());
	for len in [0, 3, 5, 20] {
		assert_eq!(decode(&bytes[..len]), Err(ProvingKeyError::WrongLength));
	}
	assert_eq!(decode(&bytes[..bytes.len() - 1]), Err(ProvingKeyError::Checksum));
	let replaced = |offset: usize, part: &[u8]| {
		let mut bytes = bytes.clone();
		bytes[offset..offset + part.len()].copy_from_slice(part);
		bytes
	};
	assert_eq!(decode(&replaced(0, b"OSPX")), Err(ProvingKeyError::BadMagic));
	assert_eq!(
		decode(&replaced(4, &[7, 0])),
		Err(ProvingKeyError::UnsupportedVersion { found: 7 })
	);
	assert_eq!(decode(&replaced(100, &[0xaa])), Err(ProvingKeyError::Checksum));
	let resealed = |mut bytes: Vec<u8>| {
		use blake2::{digest::consts::U32, Blake2b, Digest};
		let body = bytes.len() - 32;
		let checksum = Blake2b::<U32>::digest(&bytes[..body]);
		bytes[body..].copy_from_slice(&checksum);
		bytes
	};
	let verifying_len = u32::from_le_bytes(bytes[6..10].try_into().unwrap()) as usize;
	assert!(matches!(
		decode(&resealed(replaced(10, &[9]))),
		Err(ProvingKeyError::VerifyingKey(_))
	));
	assert_eq!(
		decode(&resealed(replaced(6, &[0xff; 4]))),
		Err(ProvingKeyError::WrongLength)
	);
	// Domain, four segments, seven lengths, then the points: five in G1, two in G2, the first section's indices.
	let domain = 10 + verifying_len;
	let lengths = domain + 20;
	let points = lengths + 28;
	let indices = points + 5 * 96 + 2 * 192;
	assert_eq!(
		decode(&resealed(replaced(lengths, &[0xff; 4]))),
		Err(ProvingKeyError::WrongLength)
	);
	for (offset, bytes) in [
		(domain, [32, 0, 0, 0]),
		(domain + 4, [0xff; 4]),
		(indices + 4, [0; 4]),
	] {
		assert_eq!(
			decode(&resealed(replaced(offset, &bytes))),
			Err(ProvingKeyError::Structure)
		);
	}
	let mut identity = [0; 96];
	assert_eq!(
		decode(&resealed(replaced(points, &identity))),
		Err(ProvingKeyError::Point)
	);
	identity[0] = 0x40;
	assert_eq!(
		decode(&resealed(replaced(points, &identity))),
		Err(ProvingKeyError::Point)
	);
	assert_eq!(
		decode(&resealed(replaced(points, &[0xff; 96]))),
		Err(ProvingKeyError::Point)
	);
	// β in the place of α.
	let beta = bytes[points + 96..points + 192].to_vec();
	assert_eq!(
		decode(&resealed(replaced(points, &beta))),
		Err(ProvingKeyError::Disagree)
	);
}

#[test]
fn keys_are_marked_and_reproducible() {
	let [first, second] = [0, 1].map(|_| bundle(InputVisibility::Public).proving_key);
	assert_eq!(first.to_bytes(), second.to_bytes());
	assert_eq!(first.verifying_key().origin(), KeyOrigin::Development);
}
