//! `opensand-zk import`.

use super::calibration::{CalibrationData, MethodOptions};
use crate::{
	accuracy::Accuracy,
	calibrate::calibrate,
	circuit_report::CircuitReport,
	dataset::Dataset,
	error::CliError,
	float::FloatModel,
	model_folder::{Manifest, ModelFolder},
	output::Output,
};
use clap::Args;
use opensand_nn::FastModel;
use opensand_zk_circuit::WeightsMode;
use opensand_zk_verifier::InputVisibility;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::PathBuf,
	sync::Arc,
};

/// Turn an ONNX model, float or quantised (QDQ), and sample images into an integer model.
///
/// Scales are chosen on the calibration images; held-out images only serve the accuracy report. Images are float arrays of
/// NumPy (.npy) scaled as in training, one image a row; labels are integer arrays.
#[derive(Debug, Args)]
pub struct Import {
	/// The model and its data.
	#[command(flatten)]
	pub data: CalibrationData,
	/// How scales are chosen.
	#[command(flatten)]
	pub method: MethodOptions,
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
		let data = self.data.read()?;
		let method = self.method.method();
		let bar = output.bar("calibrating", method.passes() * data.calibration.len() as u64);
		let calibrated = calibrate(&data.float, &data.calibration, method, &|| bar.inc(1))?;
		bar.finish_and_clear();

		let fast = FastModel::new(&calibrated.model);
		let accuracy = |name, images: &Dataset| {
			let accuracy = measure(output, &data.float, &fast, calibrated.input_scale(), images);
			match accuracy.drop_points() {
				Some(lost) if lost > self.max_drop => Err(CliError::Accuracy {
					data: name,
					lost,
					allowed: self.max_drop,
				}),
				_ => Ok(accuracy),
			}
		};
		let on_calibration = accuracy("calibration", &data.calibration)?;
		let on_held_out = data
			.held_out
			.as_ref()
			.map(|images| accuracy("held-out", images))
			.transpose()?;
		Ok(ModelFolder::new(
			calibrated,
			data.onnx,
			on_calibration,
			on_held_out,
		))
	}
}

/// Accuracy of both models on `data`.
pub fn measure(
	output: Output,
	float: &FloatModel,
	integer: &FastModel,
	input_scale: f64,
	data: &Dataset,
) -> Accuracy {
	let bar = output.bar("measuring accuracy", data.len() as u64);
	let accuracy = Accuracy::measure(float, integer, input_scale, data, &|| bar.inc(1));
	bar.finish_and_clear();
	accuracy
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
		let (circuit, circuit_problem) =
			match CircuitReport::of(Arc::new(model), InputVisibility::Public, WeightsMode::Constant) {
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
