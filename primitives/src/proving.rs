//! Jobs that the runtime's off-chain worker hands to the native prover through the bridge.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

use crate::{models::CommitmentBytes, AccountId, BlockNumber, KeyId, ModelId, RequestId};

/// Identifies a job: BLAKE2-256 of the encoded [`ProvingJob`]. The same job submitted again is the same job,
/// and one request that differs between two forks makes two jobs.
pub type JobId = [u8; 32];

/// Everything that the prover must know to answer one request.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ProvingJob {
	/// Hash of the chain's first block.
	pub genesis: [u8; 32],
	/// The model that is asked.
	pub model: ModelId,
	/// The verifying key that the proof must satisfy; it names the artifact bundle to prove with.
	pub key: KeyId,
	/// The commitment to the model's weights, where they are no constants of the key's circuit; it names the weights to
	/// prove with.
	pub commitment: Option<CommitmentBytes>,
	/// The request that the proof settles.
	pub request: RequestId,
	/// The worker to whom the proof is bound.
	pub worker: AccountId,
	/// The model's input.
	pub input: JobInput,
	/// The last block in which the result is of use.
	pub deadline: BlockNumber,
}

impl ProvingJob {
	/// The job's identity.
	pub fn id(&self) -> JobId {
		sp_crypto_hashing::blake2_256(&self.encode())
	}
}

/// A model's input as it reaches the prover.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum JobInput {
	/// The int8 values themselves, two's complement, one byte a value.
	Public(Vec<u8>),
	/// Input and salt sealed to the worker's X25519 key.
	Sealed {
		/// The salted Poseidon hash that the statement carries.
		hash: [u8; 32],
		/// The sealed envelope.
		envelope: Vec<u8>,
	},
}

/// Where a job stands.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum JobStatus {
	/// Waiting; this many jobs come first.
	Queued {
		/// Jobs ahead of this one.
		position: u32,
	},
	/// A prover process works on it.
	Running {
		/// What it is doing.
		stage: ProvingStage,
		/// Progress within the whole job, 0 to 100.
		percent: u8,
	},
	/// The result can be fetched.
	Done,
	/// It will not be tried again.
	Failed(JobFailure),
}

/// The steps of a proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum ProvingStage {
	/// Loading the proving key.
	Loading,
	/// Running the model and filling in the witness.
	Witness,
	/// Fourier transforms and multi-scalar multiplications.
	Proving,
	/// Checking the finished proof before it leaves the prover.
	Verifying,
}

/// Why a job ended without a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum JobFailure {
	/// No artifact bundle for the key, or with the weights of the commitment, is installed: install it and submit the job
	/// again.
	MissingBundle,
	/// The bundle is damaged or belongs to another key: install it anew.
	BadBundle,
	/// The input does not fit the model: nothing can answer this request.
	BadInput,
	/// The envelope does not open with this node's key, or its content does not match the hash.
	BadEnvelope,
	/// The prover process crashed or ran out of time on every attempt.
	Exhausted,
	/// Cancelled by its submitter.
	Cancelled,
	/// Its deadline passed before it was done.
	Expired,
}

/// What a finished job yields.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct JobResult {
	/// The model's int8 output, two's complement, one byte a value.
	pub output: Vec<u8>,
	/// The encoded proof.
	pub proof: Vec<u8>,
	/// Milliseconds from the start of the last attempt to the verified proof.
	pub elapsed_ms: u64,
}

/// A device that can prove.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ProverDevice {
	/// UTF-8 name as the driver reports it.
	pub name: Vec<u8>,
	/// Which backend drives it.
	pub kind: DeviceKind,
	/// Bytes of memory that proofs may use.
	pub memory_bytes: u64,
}

/// The backends that exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum DeviceKind {
	/// The processor.
	Cpu,
	/// An NVIDIA GPU through the CUDA plug-in.
	Cuda,
}

/// What a device that proves does and holds. All times and counts are since its worker process started.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct DeviceReport {
	/// The device. Its memory is what proofs may use of it.
	pub device: ProverDevice,
	/// UTF-8 version of its driver; empty for the processor.
	pub driver: Vec<u8>,
	/// UTF-8 name and version of the plug-in that drives it; empty for the processor.
	pub plugin: Vec<u8>,
	/// Bytes of its memory that keys and proofs take now; 0 for the processor, where nothing is measured.
	pub used_bytes: u64,
	/// The most bytes that they took so far.
	pub peak_bytes: u64,
	/// Nanoseconds in which it computed.
	pub busy_nanoseconds: u64,
	/// What it spent its time on; empty for the processor.
	pub stages: Vec<StageTime>,
	/// Jobs that it works on.
	pub running: u32,
	/// Jobs that wait for it or another device.
	pub waiting: u32,
}

/// What a stage took on a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct StageTime {
	/// The stage.
	pub stage: DeviceStage,
	/// Nanoseconds in all.
	pub nanoseconds: u64,
	/// Times that it was passed.
	pub calls: u64,
}

/// What a device spends its time on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum DeviceStage {
	/// Copies of keys and witnesses to the device.
	Upload,
	/// Sparse products of the constraint system's matrices by the witness.
	Rows,
	/// Fourier transforms.
	Transform,
	/// Multi-scalar multiplications in G1.
	MultiplyG1,
	/// Multi-scalar multiplications in G2.
	MultiplyG2,
	/// Waiting while other calls used the device.
	Queue,
}

/// Why the bridge refused a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum BridgeError {
	/// This context has no prover: block import, a node without `--worker`, or a stopped service.
	Unavailable,
	/// The queue is full; submit again after some blocks.
	QueueFull,
	/// The bytes are not a job.
	Malformed,
	/// No such job: it was never submitted here, or was collected after its deadline.
	UnknownJob,
	/// The job has no result yet.
	NotReady,
	/// The queue's database failed; the node's log says how.
	Storage,
}
