//! What a command can fail with, and the exit code that says so.

use crate::{
	calibrate::CalibrateError,
	dataset::DatasetError,
	files::FileError,
	model_folder::{Hash, ModelFolderError},
	npy::NpyError,
	onnx::OnnxError,
};
use opensand_nn::{EvaluateError, ModelError};
use opensand_zk_ceremony as ceremony;
use opensand_zk_circuit::{CircuitError, MockError};
use opensand_zk_prover::{BundleError, ProveError, SetupError};
use opensand_zk_verifier::{KeyError, ProofError, VerifyError};
use std::path::PathBuf;
use thiserror::Error;

/// A check did not hold: a proof or a ceremony is not valid, a circuit not satisfied, or the integer model lost too much
/// accuracy.
pub const EXIT_FAILED: u8 = 1;
/// The command line is wrong.
pub const EXIT_USAGE: u8 = 2;
/// A file is not what it should be, or files do not fit each other.
pub const EXIT_BAD_INPUT: u8 = 3;
/// The model asks for something that is not supported.
pub const EXIT_UNSUPPORTED: u8 = 4;
/// A file cannot be read or written.
pub const EXIT_FILE: u8 = 5;

/// Why a command failed. Messages name cause and remedy.
#[derive(Debug, Error)]
pub enum CliError {
	/// A file cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// A model folder cannot be used.
	#[error(transparent)]
	ModelFolder(#[from] ModelFolderError),
	/// An ONNX file cannot be imported.
	#[error("{path}: {source}")]
	Onnx {
		/// The file.
		path: PathBuf,
		/// Why.
		source: OnnxError,
	},
	/// A float model cannot be calibrated.
	#[error("cannot calibrate: {0}")]
	Calibrate(#[from] CalibrateError),
	/// The integer model is worse than allowed. Nothing was written.
	#[error(
		"the integer model loses {lost:.2} points of accuracy on the {data} images, at most {allowed:.2} are allowed (--max-drop); \
		 give more, or more typical, calibration images, or train with smaller weights. Nothing was written"
	)]
	Accuracy {
		/// "calibration" or "held-out".
		data: &'static str,
		/// Percentage points lost.
		lost: f64,
		/// Percentage points allowed.
		allowed: f64,
	},
	/// An array cannot be read.
	#[error("{path}: {source}")]
	Npy {
		/// The file.
		path: PathBuf,
		/// Why.
		source: NpyError,
	},
	/// Arrays are not a data set for the model.
	#[error("{path}: {source}")]
	Dataset {
		/// The file with the images.
		path: PathBuf,
		/// Why.
		source: DatasetError,
	},
	/// There is no such image.
	#[error("{path} has {images} images, so --index can be 0 to {last}; it is {index}")]
	NoSuchImage {
		/// The file.
		path: PathBuf,
		/// Images in it.
		images: usize,
		/// The last one.
		last: usize,
		/// The one asked for.
		index: usize,
	},
	/// A file is neither a model nor anything else that is known.
	#[error(
		"{path} is not recognised; known are model folders, architectures, weights, verifying keys, proofs, powers of tau, ceremonies, and \
		 ONNX files (as `.onnx`)"
	)]
	Unrecognised {
		/// The file.
		path: PathBuf,
	},
	/// A model file cannot be decoded.
	#[error("{path}: {source}")]
	Model {
		/// The file.
		path: PathBuf,
		/// Why.
		source: ModelError,
	},
	/// The model cannot be evaluated on the input.
	#[error("cannot evaluate: {0}")]
	Evaluate(#[from] EvaluateError),
	/// The model has no circuit, or an execution does not fit it.
	#[error("cannot compile: {0}")]
	Circuit(#[from] CircuitError),
	/// An execution does not satisfy the circuit.
	#[error("{0}; this is a fault of the compiler: report it with the model")]
	Mock(#[from] MockError),
	/// No keys could be made.
	#[error("cannot set up: {0}")]
	Setup(#[from] SetupError),
	/// A file of powers or of a ceremony cannot be decoded.
	#[error("{path}: {source}")]
	CeremonyFile {
		/// The file.
		path: PathBuf,
		/// Why.
		source: ceremony::FileError,
	},
	/// So many powers are not supported.
	#[error("2^{0} powers cannot be made; it can be 2^1 to 2^{max}", max = ceremony::MAX_POWERS_LOG2)]
	PowersCount(u32),
	/// A file cannot be imported as powers of tau.
	#[error("{path}: {source}")]
	ImportPowers {
		/// The file.
		path: PathBuf,
		/// Why.
		source: ceremony::ImportError,
	},
	/// Powers of tau are not what they claim to be.
	#[error("{path}: the powers are INVALID: {source}; do not contribute to them, ask for those before")]
	Powers {
		/// The file.
		path: PathBuf,
		/// Why.
		source: ceremony::PowersError,
	},
	/// Powers and models make no ceremony.
	#[error("cannot begin a ceremony: {0}")]
	CeremonyInit(ceremony::InitialError),
	/// A ceremony takes no contribution.
	#[error("cannot contribute: {0}")]
	Contribute(#[from] ceremony::ContributeError),
	/// A ceremony is not what it claims to be.
	#[error("{path}: the ceremony is not accepted: {source}")]
	CeremonyVerify {
		/// The file.
		path: PathBuf,
		/// Why.
		source: ceremony::VerifyError,
	},
	/// A ceremony gives no keys.
	#[error("{0}; report it with the model")]
	CeremonyFinish(#[from] ceremony::FinishError),
	/// A bundle cannot be read or written.
	#[error("{0}")]
	Bundle(#[from] BundleError),
	/// There is no proof.
	#[error("cannot prove: {0}")]
	Prove(#[from] ProveError),
	/// A verifying key is refused.
	#[error("{path} is not an acceptable verifying key: {}", key_problem(problem))]
	Key {
		/// The file.
		path: PathBuf,
		/// Why.
		problem: KeyError,
	},
	/// A proof cannot be decoded.
	#[error("{path} is not a proof: {}", proof_problem(problem))]
	Proof {
		/// The file.
		path: PathBuf,
		/// Why.
		problem: ProofError,
	},
	/// A statement is not what `prove` writes.
	#[error("{path} is not a statement: {problem}; take the file that `prove` wrote")]
	Statement {
		/// The file.
		path: PathBuf,
		/// What is wrong.
		problem: String,
	},
	/// The statement is about another key.
	#[error("the statement names the key {statement}, the key given is {key}; take the key that the proof was made under")]
	OtherKey {
		/// Key id in the statement.
		statement: Hash,
		/// Id of the key given.
		key: Hash,
	},
	/// A model is not of the architecture that a key family is for.
	#[error(
		"the model's architecture is {model}, the key family is for {family}; set up keys for the model"
	)]
	OtherArchitecture {
		/// Architecture id of the family.
		family: Hash,
		/// Architecture id of the model.
		model: Hash,
	},
	/// A commitment to weights is not what `commit` writes.
	#[error("{path} is not a commitment to weights: 96 bytes of a point; take the file that `commit` wrote")]
	Commitment {
		/// The file.
		path: PathBuf,
	},
	/// A decoded proof does not prove the statement.
	#[error("{}", verify_problem(.0))]
	Verify(VerifyError),
	/// The operating system has no randomness.
	#[error("no randomness from the operating system: {0}")]
	Randomness(rand::Error),
}

/// What is wrong with a verifying key.
fn key_problem(error: &KeyError) -> &'static str {
	match error {
		KeyError::UnsupportedVersion => "its version is unknown; export it with a tool of this release",
		KeyError::UnknownOrigin => "its origin is unknown; export it with a tool of this release",
		KeyError::WrongLength => "its length is wrong; copy it again",
		KeyError::UnknownVisibility | KeyError::UnknownSegments => {
			"what it is for is unknown; export it with a tool of this release"
		}
		KeyError::EmptyTensor => {
			"it is for an empty tensor; it is neither a model's nor one that registers weights"
		}
		KeyError::TooManyWords => "its statements are too long; compile the model with a hashed input",
		KeyError::NonCanonical => "a coordinate is not canonical; copy or export it again",
		KeyError::OffCurve => "a point is not on the curve; copy it again",
		KeyError::OffSubgroup => "a point is not in the subgroup; do not trust where it comes from",
		KeyError::Identity => "a point is the identity; do not trust where it comes from",
		KeyError::EqualTrapdoors => "two trapdoors agree up to sign; do not trust where it comes from",
	}
}

/// What is wrong with an encoded proof.
fn proof_problem(error: &ProofError) -> &'static str {
	match error {
		ProofError::WrongLength => "it does not have 480 bytes; take the file that `prove` wrote",
		ProofError::NonCanonical => "a coordinate is not canonical; copy it again",
		ProofError::OffCurve => "a point is not on the curve; copy it again",
		ProofError::OffSubgroup => "a point is not in the subgroup; do not trust where it comes from",
		ProofError::Identity => "a point is the identity; do not trust where it comes from",
	}
}

/// Why a decoded proof is not accepted.
fn verify_problem(error: &VerifyError) -> &'static str {
	match error {
		VerifyError::WrongKey
		| VerifyError::WrongVisibility
		| VerifyError::WrongInputLength
		| VerifyError::WrongOutputLength => {
			"the statement is not one that the key is for; key and statement belong to different models"
		}
		VerifyError::MissingWeights => {
			"the key is for committed weights; give the commitment that `commit` wrote (--commitment)"
		}
		VerifyError::UnexpectedWeights => {
			"the key is for constant weights; leave out --commitment, or give the key of the commitment's family"
		}
		VerifyError::Statement(_) => {
			"the hash of the input is not canonical; take the statement that `prove` wrote"
		}
		VerifyError::InvalidProof => "the proof is INVALID: it does not prove this statement under this key",
	}
}

impl CliError {
	/// The exit code that says what kind of failure this is.
	pub fn exit_code(&self) -> u8 {
		match self {
			CliError::File(FileError::TooLarge { .. })
			| CliError::ModelFolder(ModelFolderError::File(FileError::TooLarge { .. })) => EXIT_BAD_INPUT,
			CliError::File(_)
			| CliError::ModelFolder(ModelFolderError::File(_))
			| CliError::Bundle(BundleError::Io { .. } | BundleError::Exists { .. })
			| CliError::Prove(ProveError::Bundle(BundleError::Io { .. }))
			| CliError::ImportPowers {
				source: ceremony::ImportError::Io(_),
				..
			} => EXIT_FILE,
			CliError::Accuracy { .. }
			| CliError::Mock(_)
			| CliError::Verify(VerifyError::InvalidProof)
			| CliError::Prove(ProveError::SelfCheck | ProveError::Backend(_) | ProveError::Cancelled)
			| CliError::Setup(SetupError::Generator(_) | SetupError::Key(_))
			| CliError::Powers { .. }
			| CliError::CeremonyFinish(_)
			| CliError::Randomness(_) => EXIT_FAILED,
			CliError::CeremonyVerify { source, .. } => match source {
				ceremony::VerifyError::OtherPowers
				| ceremony::VerifyError::OtherCircuits
				| ceremony::VerifyError::Initial(_) => EXIT_BAD_INPUT,
				_ => EXIT_FAILED,
			},
			CliError::Circuit(error)
			| CliError::Setup(SetupError::Circuit(error))
			| CliError::Prove(ProveError::Circuit(error)) => match error {
				CircuitError::TooLarge { .. } => EXIT_UNSUPPORTED,
				_ => EXIT_BAD_INPUT,
			},
			CliError::Onnx {
				source:
					OnnxError::UnsupportedOpset { .. }
					| OnnxError::UnsupportedOperator { .. }
					| OnnxError::UnsupportedForm { .. }
					| OnnxError::Layer { .. }
					| OnnxError::Model(_),
				..
			} => EXIT_UNSUPPORTED,
			_ => EXIT_BAD_INPUT,
		}
	}
}
