//! The bridge called natively, as an off-chain worker's externalities would carry it.

use std::sync::{Arc, Mutex};

use codec::{DecodeAll, Encode};
use opensand_primitives::{AccountId, KeyId, ModelId};
use proptest::prelude::*;
use sp_io::TestExternalities;
use sp_runtime_interface::sp_wasm_interface::HostFunctions as _;

use crate::{interface::prover_bridge, *};

/// A prover that keeps jobs in memory and answers `output` for each.
#[derive(Clone, Default)]
struct InMemory {
	jobs: Arc<Mutex<Vec<ProvingJob>>>,
	output: Vec<u8>,
	device_name: Vec<u8>,
	devices: usize,
}

impl Prover for InMemory {
	fn submit(&self, job: ProvingJob) -> Result<JobId, BridgeError> {
		let id = job.id();
		self.jobs.lock().unwrap().push(job);
		Ok(id)
	}

	fn status(&self, id: &JobId) -> Result<JobStatus, BridgeError> {
		let jobs = self.jobs.lock().unwrap();
		let position = jobs
			.iter()
			.position(|job| job.id() == *id)
			.ok_or(BridgeError::UnknownJob)?;
		Ok(JobStatus::Queued {
			position: position as u32,
		})
	}

	fn result(&self, id: &JobId) -> Result<JobResult, BridgeError> {
		self.status(id)?;
		Ok(JobResult {
			output: self.output.clone(),
			proof: vec![7; 480],
			elapsed_ms: 5,
		})
	}

	fn devices(&self) -> Result<Vec<DeviceReport>, BridgeError> {
		let stage = StageTime {
			stage: DeviceStage::Upload,
			nanoseconds: 1,
			calls: 2,
		};
		let report = DeviceReport {
			device: ProverDevice {
				name: self.device_name.clone(),
				kind: DeviceKind::Cuda,
				memory_bytes: 1 << 30,
			},
			driver: self.device_name.clone(),
			plugin: self.device_name.clone(),
			used_bytes: 3,
			peak_bytes: 4,
			busy_nanoseconds: 5,
			stages: vec![stage; self.devices],
			running: 1,
			waiting: 6,
		};
		Ok(vec![report; self.devices])
	}

	fn cancel(&self, id: &JobId) -> Result<(), BridgeError> {
		self.status(id)?;
		self.jobs.lock().unwrap().retain(|job| job.id() != *id);
		Ok(())
	}
}

fn job(request: u64) -> ProvingJob {
	ProvingJob {
		genesis: [1; 32],
		model: ModelId::repeat_byte(2),
		key: KeyId::repeat_byte(3),
		commitment: None,
		request,
		worker: AccountId::from([4; 32]),
		input: JobInput::Public(vec![5; 64]),
		deadline: 100,
	}
}

fn with_prover<R>(prover: InMemory, call: impl FnOnce() -> R) -> R {
	let mut externalities = TestExternalities::default();
	externalities.register_extension(ProverExt::new(prover));
	externalities.execute_with(call)
}

#[test]
fn without_a_prover_every_call_is_unavailable() {
	TestExternalities::default().execute_with(|| {
		assert_eq!(submit(&job(1)), Err(BridgeError::Unavailable));
		assert_eq!(status([0; 32]), Err(BridgeError::Unavailable));
		assert_eq!(result([0; 32]), Err(BridgeError::Unavailable));
		assert_eq!(devices(), Err(BridgeError::Unavailable));
		assert_eq!(cancel([0; 32]), Err(BridgeError::Unavailable));
	});
}

#[test]
fn calls_reach_the_registered_prover() {
	let prover = InMemory {
		output: vec![9; 10],
		device_name: b"CPU".to_vec(),
		devices: 1,
		..Default::default()
	};
	with_prover(prover.clone(), || {
		let (first, second) = (job(1), job(2));
		assert_eq!(submit(&first), Ok(first.id()));
		assert_eq!(submit(&second), Ok(second.id()));
		assert_eq!(status(second.id()), Ok(JobStatus::Queued { position: 1 }));
		assert_eq!(result(first.id()).unwrap().output, vec![9; 10]);
		let reports = devices().unwrap();
		assert_eq!(reports[0].device.name, b"CPU");
		assert_eq!((reports[0].waiting, reports[0].peak_bytes), (6, 4));
		assert_eq!(cancel(first.id()), Ok(()));
		assert_eq!(status(first.id()), Err(BridgeError::UnknownJob));
	});
	assert_eq!(prover.jobs.lock().unwrap().as_slice(), [job(2)]);
}

#[test]
fn answers_longer_than_the_first_buffer_arrive_whole() {
	let output: Vec<u8> = (0..100_000u32).map(|i| i as u8).collect();
	with_prover(
		InMemory {
			output: output.clone(),
			..Default::default()
		},
		|| {
			submit(&job(1)).unwrap();
			assert_eq!(result(job(1).id()).unwrap().output, output);
		},
	);
}

#[test]
fn answers_over_the_bound_are_refused() {
	with_prover(
		InMemory {
			output: vec![0; MAX_ANSWER_BYTES],
			..Default::default()
		},
		|| {
			submit(&job(1)).unwrap();
			assert_eq!(result(job(1).id()), Err(BridgeError::Storage));
		},
	);
}

#[test]
fn jobs_over_the_bound_are_refused() {
	let long = ProvingJob {
		input: JobInput::Public(vec![0; MAX_JOB_BYTES]),
		..job(1)
	};
	with_prover(InMemory::default(), || {
		assert_eq!(submit(&long), Err(BridgeError::Malformed))
	});
}

#[test]
fn device_lists_are_cut_to_their_bounds() {
	let prover = InMemory {
		device_name: vec![b'x'; 1000],
		devices: 1000,
		..Default::default()
	};
	with_prover(prover, || {
		let devices = devices().unwrap();
		assert_eq!(devices.len(), MAX_DEVICES);
		assert!(devices.iter().all(|report| {
			[&report.device.name, &report.driver, &report.plugin].map(Vec::len) == [MAX_DEVICE_NAME_BYTES; 3]
				&& report.stages.len() == MAX_DEVICE_STAGES
		}));
	});
}

#[test]
fn a_short_buffer_is_left_alone_and_the_needed_length_returned() {
	with_prover(
		InMemory {
			output: vec![9; 100],
			..Default::default()
		},
		|| {
			submit(&job(1)).unwrap();
			let mut buffer = [0xaa; 16];
			let needed = prover_bridge::result(job(1).id(), &mut buffer) as usize;
			assert!(needed > 100);
			assert_eq!(buffer, [0xaa; 16]);
		},
	);
}

#[test]
fn every_function_is_exported_once_to_the_executor() {
	let mut names: Vec<_> = HostFunctions::host_functions()
		.iter()
		.map(|function| function.name())
		.collect();
	names.sort_unstable();
	let mut expected = ["cancel", "devices", "result", "status", "submit"]
		.map(|function| format!("ext_prover_bridge_{function}_version_1"))
		.to_vec();
	expected.insert(2, "ext_prover_bridge_devices_version_2".into());
	assert_eq!(names, expected);
}

proptest! {
	#[test]
	fn arbitrary_job_bytes_are_malformed_or_a_job(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
		with_prover(InMemory::default(), || {
			let answer: Result<JobId, BridgeError> = answer::read(|buffer| prover_bridge::submit(&bytes, buffer));
			match ProvingJob::decode_all(&mut &bytes[..]) {
				Ok(job) => assert_eq!(answer, Ok(job.id())),
				Err(_) => assert_eq!(answer, Err(BridgeError::Malformed)),
			}
		});
	}

	#[test]
	fn arbitrary_answer_bytes_never_panic(
		bytes in proptest::collection::vec(any::<u8>(), 0..512),
		length in any::<u32>(),
	) {
		let write = |buffer: &mut [u8]| {
			let front = bytes.len().min(buffer.len());
			buffer[..front].copy_from_slice(&bytes[..front]);
			length
		};
		let _ = answer::read::<JobStatus>(write);
		let _ = answer::read::<JobResult>(write);
		let _ = answer::read::<Vec<ProverDevice>>(write);
		let _ = answer::read::<Vec<DeviceReport>>(write);
		let _ = answer::read::<()>(write);
	}

	#[test]
	fn jobs_survive_the_crossing(request in any::<u64>(), input in proptest::collection::vec(any::<u8>(), 0..256)) {
		let prover = InMemory::default();
		let job = ProvingJob { input: JobInput::Sealed { hash: [6; 32], envelope: input }, ..job(request) };
		with_prover(prover.clone(), || assert_eq!(submit(&job), Ok(sp_io::hashing::blake2_256(&job.encode()))));
		assert_eq!(prover.jobs.lock().unwrap().as_slice(), [job]);
	}
}
