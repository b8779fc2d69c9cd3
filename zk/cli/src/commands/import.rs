//! `opensand-zk import`.

use super::input::dataset;
use crate::{
	accuracy::Accuracy,
	calibrate::{calibrate, passes},
	circuit_report::CircuitReport,
	dataset::Dataset,
	error::CliError,
	files,
	float::FloatModel,
	model_folder::{Hash, Manifest, ModelFolder},
	onnx,
	output::Output,
};
use clap::Args;
use opensand_nn::FastModel;
use opensand_zk_verifier::InputVisibility;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::PathBuf,
	sync::Arc,
};

/// Turn a float ONNX model and sample images into an integer model.
///
/// Scales are chosen on the calibration images; held-out images only serve the accuracy report. Images are float arrays of
/// NumPy (.npy) scaled as in training, one image a row; labels are integer arrays.
#[derive(Debug, Args)]
pub struct Import {
	/// The model: ONNX with float weights and a batch of 1.
	#[arg(value_name = "ONNX")]
	pub onnx: PathBuf,
	/// Images to calibrate on; a few hundred typical ones.
	#[arg(long, value_name = "NPY")]
	pub calibration: PathBuf,
	/// Classes of the calibration images.
	#[arg(long, value_name = "NPY")]
	pub calibration_labels: Option<PathBuf>,
	/// Images that were neither trained nor calibrated on.
	#[arg(long, value_name = "NPY")]
	pub held_out: Option<PathBuf>,
	/// Classes of the held-out images.
	#[arg(long, value_name = "NPY", requires = "held_out")]
	pub held_out_labels: Option<PathBuf>,
	/// Percentage points of accuracy that the integer model may lose; more is an error and nothing is written.
	#[arg(long, default_value_t = 1.0)]
	pub max_drop: f64,
	/// Folder to write the model to.
	#[arg(long, value_name = "FOLDER")]
	pub out: PathBuf,
}

impl Import {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let folder = self.import(output)?;
		folder.write(&self.out)?;
		let spinner = output.spinner("compiling");
		let report = ImportReport::new(folder, self.out);
		spinner.finish_and_clear();
		output.report(&report);
		Ok(())
	}

	/// Everything but the writing.
	pub fn import(&self, output: Output) -> Result<ModelFolder, CliError> {
		let bytes = files::read(&self.onnx, onnx::MAX_ONNX_BYTES)?;
		let float = onnx::read(&bytes).map_err(|source| CliError::Onnx {
			path: self.onnx.clone(),
			source,
		})?;
		let input_len = float.input().elements() as usize;
		let calibration = dataset(&self.calibration, self.calibration_labels.as_deref(), input_len)?;
		let held_out = self
			.held_out
			.as_deref()
			.map(|images| dataset(images, self.held_out_labels.as_deref(), input_len));
		let held_out = held_out.transpose()?;

		let bar = output.bar("calibrating", passes() * calibration.len() as u64);
		let calibrated = calibrate(&float, &calibration, &|| bar.inc(1))?;
		bar.finish_and_clear();

		let fast = FastModel::new(&calibrated.model);
		let measure =
			|name, data: &Dataset| self.measure(output, name, &float, &fast, calibrated.input_scale(), data);
		let on_calibration = measure("calibration", &calibration)?;
		let on_held_out = held_out
			.as_ref()
			.map(|data| measure("held-out", data))
			.transpose()?;
		Ok(ModelFolder::new(
			calibrated,
			Hash::of(&bytes),
			on_calibration,
			on_held_out,
		))
	}

	/// Accuracy on `data`; an error where the integer model loses too much.
	fn measure(
		&self,
		output: Output,
		name: &'static str,
		float: &FloatModel,
		integer: &FastModel,
		input_scale: f64,
		data: &Dataset,
	) -> Result<Accuracy, CliError> {
		let bar = output.bar("measuring accuracy", data.len() as u64);
		let accuracy = Accuracy::measure(float, integer, input_scale, data, &|| bar.inc(1));
		bar.finish_and_clear();
		match accuracy.drop_points() {
			Some(lost) if lost > self.max_drop => Err(CliError::Accuracy {
				data: name,
				lost,
				allowed: self.max_drop,
			}),
			_ => Ok(accuracy),
		}
	}
}

/// What was imported.
#[derive(Serialize)]
struct ImportReport {
	folder: PathBuf,
	manifest: Manifest,
	layers: usize,
	multiply_adds: u64,
	weight_bytes: u64,
	/// The circuit with a public input, if there is one.
	circuit: Option<CircuitReport>,
	/// Why there is none: the model can be run, not proven.
	circuit_problem: Option<String>,
}

impl ImportReport {
	fn new(folder: ModelFolder, path: PathBuf) -> Self {
		let ModelFolder { model, manifest } = folder;
		let architecture = model.architecture();
		let (layers, multiply_adds, weight_bytes) = (
			architecture.layers().len(),
			architecture.multiply_adds(),
			architecture.weight_bytes(),
		);
		let (circuit, circuit_problem) = match CircuitReport::of(Arc::new(model), InputVisibility::Public) {
			Ok(circuit) => (Some(circuit), None),
			Err(error) => (None, Some(error.to_string())),
		};
		Self {
			folder: path,
			manifest,
			layers,
			multiply_adds,
			weight_bytes,
			circuit,
			circuit_problem,
		}
	}
}

impl Display for ImportReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		writeln!(formatter, "wrote              {}", self.folder.display())?;
		writeln!(formatter, "architecture       {}", self.manifest.architecture)?;
		writeln!(
			formatter,
			"weights            {} ({} bytes)",
			self.manifest.weights, self.weight_bytes
		)?;
		writeln!(
			formatter,
			"layers             {} ({} multiply-additions)",
			self.layers, self.multiply_adds
		)?;
		writeln!(formatter, "input scale        {}", self.manifest.input_scale)?;
		writeln!(formatter, "calibration        {}", self.manifest.calibration)?;
		if let Some(accuracy) = &self.manifest.held_out {
			writeln!(formatter, "held out           {accuracy}")?;
		}
		match (&self.circuit, &self.circuit_problem) {
			(Some(circuit), _) => write!(formatter, "{circuit}"),
			(None, problem) => writeln!(
				formatter,
				"cannot be proven   {}",
				problem.as_deref().unwrap_or_default()
			),
		}
	}
}
