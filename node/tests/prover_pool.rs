//! The prover service with real worker processes: crashes, timeouts, cancellation, back-pressure.

mod bundle;
mod service;

use std::{fs, path::Path, process::Command, thread, time::Duration};

use bundle::Bundle;
use opensand_node::prover::Config;
use opensand_primitives::proving::{BridgeError, JobFailure, JobInput, JobStatus, ProvingJob};
use opensand_zk_bridge::Prover;
use opensand_zk_envelope::{seal, Context};
use opensand_zk_verifier::poseidon::salted_input_hash;
use service::*;
use tempfile::TempDir;

#[test]
fn a_killed_worker_is_replaced_and_its_job_done() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::public(&directory.path().join("bundles"));
	let (_service, handle) = start(config(directory.path()));
	let job = job(&bundle, 1);
	let id = handle.submit(job.clone()).unwrap();
	wait_for_status(&handle, &id, is_proving);
	let killed = process_of(&handle);
	kill_9(killed);

	wait_for_status(&handle, &id, |status| *status == JobStatus::Done);
	assert_ne!(process_of(&handle), killed);
	assert_eq!(handle.jobs()[0].attempts, 1);
	bundle.verify(&job, &handle.result(&id).unwrap());
}

#[test]
fn a_worker_killed_while_idle_costs_no_attempt() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::public(&directory.path().join("bundles"));
	let (_service, handle) = start(config(directory.path()));
	let idle = process_of(&handle);
	kill_9(idle);
	wait_for("the end of the process", || (!is_alive(idle)).then_some(()));
	let id = handle.submit(job(&bundle, 1)).unwrap();
	wait_for_status(&handle, &id, |status| *status == JobStatus::Done);
	assert_eq!(handle.jobs()[0].attempts, 0);
}

#[test]
fn a_worker_that_is_asked_to_end_costs_no_attempt() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::public(&directory.path().join("bundles"));
	let (_service, handle) = start(config(directory.path()));
	let id = handle.submit(job(&bundle, 1)).unwrap();
	wait_for_status(&handle, &id, is_proving);
	kill("-TERM", process_of(&handle));
	wait_for_status(&handle, &id, |status| *status == JobStatus::Done);
	assert_eq!(handle.jobs()[0].attempts, 0);
}

#[test]
fn too_slow_attempts_exhaust_a_job() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::public(&directory.path().join("bundles"));
	let (_service, handle) = start(Config {
		job_timeout: Duration::from_millis(30),
		..config(directory.path())
	});
	let id = handle.submit(job(&bundle, 1)).unwrap();
	wait_for_status(&handle, &id, |status| {
		*status == JobStatus::Failed(JobFailure::Exhausted)
	});
	assert_eq!(handle.jobs()[0].attempts, 3);
	assert_eq!(handle.result(&id), Err(BridgeError::NotReady));
}

#[test]
fn workers_that_do_not_start_leave_jobs_waiting() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::public(&directory.path().join("bundles"));
	let mut config = config(directory.path());
	config.command.program = "/bin/false".into();
	let (_service, handle) = start(config);
	let id = handle.submit(job(&bundle, 1)).unwrap();
	thread::sleep(Duration::from_millis(300));
	assert_eq!(handle.status(&id), Ok(JobStatus::Queued { position: 0 }));
	assert_eq!(handle.jobs()[0].attempts, 0);
}

#[test]
fn a_cancelled_or_expired_job_stops_its_process() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::public(&directory.path().join("bundles"));
	let (_service, handle) = start(config(directory.path()));

	let id = handle.submit(job(&bundle, 1)).unwrap();
	wait_for_status(&handle, &id, is_proving);
	let busy = process_of(&handle);
	handle.cancel(&id).unwrap();
	assert_eq!(handle.status(&id), Ok(JobStatus::Failed(JobFailure::Cancelled)));
	wait_for("the end of the process", || (!is_alive(busy)).then_some(()));

	let id = handle.submit(job(&bundle, 2)).unwrap();
	wait_for_status(&handle, &id, is_proving);
	let busy = process_of(&handle);
	handle.note_best_block(101);
	assert_eq!(handle.status(&id), Ok(JobStatus::Failed(JobFailure::Expired)));
	wait_for("the end of the process", || (!is_alive(busy)).then_some(()));
}

#[test]
fn a_full_queue_pushes_back() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::public(&directory.path().join("bundles"));
	let (_service, handle) = start(Config {
		queue_capacity: 2,
		..config(directory.path())
	});
	let first = handle.submit(job(&bundle, 1)).unwrap();
	handle.submit(job(&bundle, 2)).unwrap();
	assert_eq!(handle.submit(job(&bundle, 3)), Err(BridgeError::QueueFull));
	wait_for_status(&handle, &first, |status| *status == JobStatus::Done);
	handle.submit(job(&bundle, 3)).unwrap();
}

#[test]
fn jobs_survive_the_service_and_its_processes_do_not() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::public(&directory.path().join("bundles"));
	let (service, handle) = start(config(directory.path()));
	let id = handle.submit(job(&bundle, 1)).unwrap();
	wait_for_status(&handle, &id, is_proving);
	let process = process_of(&handle);
	drop(service);
	assert!(!is_alive(process));
	assert_eq!(handle.submit(job(&bundle, 2)), Err(BridgeError::Unavailable));
	drop(handle);

	let (_service, handle) = start(config(directory.path()));
	wait_for_status(&handle, &id, |status| *status == JobStatus::Done);
	assert_eq!(
		handle.jobs()[0].attempts,
		0,
		"the service's end is not the job's fault"
	);
}

#[test]
fn a_missing_bundle_can_be_installed_later() {
	let directory = TempDir::new().unwrap();
	let store = directory.path().join("bundles");
	let bundle = Bundle::public(&store);
	let (hidden, installed) = (
		directory.path().join("hidden"),
		store.join(hex::encode(bundle.key)),
	);
	fs::rename(&installed, &hidden).unwrap();

	let (_service, handle) = start(config(directory.path()));
	let id = handle.submit(job(&bundle, 1)).unwrap();
	wait_for_status(&handle, &id, |status| {
		*status == JobStatus::Failed(JobFailure::MissingBundle)
	});
	fs::rename(&hidden, &installed).unwrap();
	assert_eq!(handle.submit(job(&bundle, 1)), Ok(id));
	wait_for_status(&handle, &id, |status| *status == JobStatus::Done);
}

#[test]
fn models_of_one_family_are_told_apart_by_their_commitments() {
	let directory = TempDir::new().unwrap();
	let bundles = Bundle::committed(&directory.path().join("bundles"));
	let (_service, handle) = start(config(directory.path()));
	let jobs: Vec<_> = (1..)
		.zip(&bundles)
		.map(|(request, bundle)| job(bundle, request))
		.collect();
	let ids: Vec<_> = jobs
		.iter()
		.map(|job| handle.submit(job.clone()).unwrap())
		.collect();
	for ((bundle, job), id) in bundles.iter().zip(&jobs).zip(&ids) {
		wait_for_status(&handle, id, |status| *status == JobStatus::Done);
		bundle.verify(job, &handle.result(id).unwrap());
	}
	let unknown = ProvingJob {
		commitment: None,
		..job(&bundles[0], 3)
	};
	let id = handle.submit(unknown).unwrap();
	wait_for_status(&handle, &id, |status| {
		*status == JobStatus::Failed(JobFailure::MissingBundle)
	});
}

/// The weights of an installed bundle are constants: it is not one for a job that names a commitment.
#[test]
fn a_bundle_without_the_commitments_weights_is_a_missing_one() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::public(&directory.path().join("bundles"));
	let (_service, handle) = start(config(directory.path()));
	let committed = ProvingJob {
		commitment: Some([1; 96]),
		..job(&bundle, 1)
	};
	let id = handle.submit(committed).unwrap();
	wait_for_status(&handle, &id, |status| {
		*status == JobStatus::Failed(JobFailure::MissingBundle)
	});
	let id = handle.submit(job(&bundle, 1)).unwrap();
	wait_for_status(&handle, &id, |status| *status == JobStatus::Done);
}

#[test]
fn inputs_that_do_not_fit_fail_at_once() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::public(&directory.path().join("bundles"));
	let (_service, handle) = start(config(directory.path()));
	let short = ProvingJob {
		input: JobInput::Public(Vec::new()),
		..job(&bundle, 1)
	};
	let id = handle.submit(short).unwrap();
	wait_for_status(&handle, &id, |status| {
		*status == JobStatus::Failed(JobFailure::BadInput)
	});

	let context = Context {
		genesis: GENESIS,
		model: MODEL,
		worker: WORKER,
	};
	let envelope = seal(&context, &[7; 32], &bundle.input, &handle.public_key()).unwrap();
	let wrong_hash = JobInput::Sealed {
		hash: [0; 32],
		envelope,
	};
	let id = handle
		.submit(ProvingJob {
			input: wrong_hash,
			..job(&bundle, 2)
		})
		.unwrap();
	wait_for_status(&handle, &id, |status| {
		*status == JobStatus::Failed(JobFailure::BadEnvelope)
	});
	assert_eq!(handle.jobs().iter().map(|job| job.attempts).max(), Some(0));
}

#[test]
fn a_sealed_input_is_opened_proven_and_not_shown() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::hashed(&directory.path().join("bundles"));
	let (_service, handle) = start(config(directory.path()));
	let context = Context {
		genesis: GENESIS,
		model: MODEL,
		worker: WORKER,
	};
	let salt = [7; 32];
	let values: Vec<i8> = bundle.input.iter().map(|value| value.cast_signed()).collect();
	let sealed = ProvingJob {
		input: JobInput::Sealed {
			hash: salted_input_hash(&salt, &values),
			envelope: seal(&context, &salt, &bundle.input, &handle.public_key()).unwrap(),
		},
		..job(&bundle, 1)
	};
	let id = handle.submit(sealed.clone()).unwrap();
	wait_for_status(&handle, &id, |status| *status == JobStatus::Done);
	bundle.verify(&sealed, &handle.result(&id).unwrap());

	let in_the_clear = handle.submit(job(&bundle, 2)).unwrap();
	wait_for_status(&handle, &in_the_clear, |status| {
		*status == JobStatus::Failed(JobFailure::BadInput)
	});
}

#[test]
fn damaged_bundles_are_refused_by_the_prover() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::hashed(&directory.path().join("bundles"));
	let proving_key = bundle.path.join("proving.key");
	let mut bytes = fs::read(&proving_key).unwrap();
	let middle = bytes.len() / 2;
	bytes[middle] ^= 1;
	fs::write(&proving_key, bytes).unwrap();
	let (_service, handle) = start(config(directory.path()));
	let id = handle.submit(job(&bundle, 1)).unwrap();
	wait_for_status(&handle, &id, |status| {
		*status == JobStatus::Failed(JobFailure::BadBundle)
	});
}

#[test]
fn bundles_are_installed_whole_or_not_at_all() {
	let directory = TempDir::new().unwrap();
	let bundle = Bundle::hashed(&directory.path().join("made"));
	let key = format!("0x{}", hex::encode(bundle.key));
	let base = directory.path().join("base");
	let prover = |arguments: &[&str], path: Option<&Path>| {
		let mut command = Command::new(env!("CARGO_BIN_EXE_opensand-node"));
		command.arg("prover").args(arguments).args(path);
		let output = command.arg("--base-path").arg(&base).output().unwrap();
		(
			output.status.success(),
			String::from_utf8_lossy(&output.stdout).into_owned(),
		)
	};

	// Again, it changes nothing.
	for _ in 0..2 {
		let (installed, text) = prover(&["install"], Some(&bundle.path));
		assert!(installed && text.contains(&key), "{text}");
	}
	let list = || serde_json::from_str::<Vec<String>>(&prover(&["bundles", "--json"], None).1).unwrap();
	assert_eq!(list(), std::slice::from_ref(&key));

	fs::remove_dir_all(&base).unwrap();
	fs::remove_file(bundle.path.join("weights.bin")).unwrap();
	assert!(!prover(&["install"], Some(&bundle.path)).0);
	assert!(list().is_empty());
}

#[test]
fn devices_are_those_of_the_worker_processes() {
	let directory = TempDir::new().unwrap();
	let (_service, handle) = start(Config {
		workers: 2,
		..config(directory.path())
	});
	wait_for("both processes", || (handle.workers().len() == 2).then_some(()));
	assert_eq!(
		handle.devices().unwrap().len(),
		1,
		"both prove on the one processor"
	);
}

#[test]
fn a_worker_does_not_outlive_the_node() {
	use std::process::Stdio;
	let directory = TempDir::new().unwrap();
	let mut worker = Command::new(env!("CARGO_BIN_EXE_opensand-node"))
		.args(["prover", "worker", "--prover-bundles"])
		.arg(directory.path())
		.stdin(Stdio::piped())
		.stdout(Stdio::null())
		.spawn()
		.unwrap();
	drop(worker.stdin.take());
	let status = wait_for("the end of the process", || worker.try_wait().unwrap());
	assert!(status.success());
}

#[test]
fn unknown_jobs_are_unknown() {
	let directory = TempDir::new().unwrap();
	let (_service, handle) = start(config(directory.path()));
	let id = [0; 32];
	assert_eq!(handle.status(&id), Err(BridgeError::UnknownJob));
	assert_eq!(handle.result(&id), Err(BridgeError::UnknownJob));
	assert_eq!(handle.cancel(&id), Err(BridgeError::UnknownJob));
}
