//! `opensand-zk calibrate`.

use super::{
	calibration::{CalibrationData, MethodOptions},
	import::measure,
};
use crate::{
	accuracy::Accuracy,
	calibrate::{calibrate, LayerLoss, Method},
	error::CliError,
	output::Output,
};
use clap::Args;
use opensand_nn::FastModel;
use serde::Serialize;
use std::fmt::{self, Display, Formatter};

/// Compare what an ONNX model answers before and after it is brought to integers. Writes nothing.
///
/// States the accuracy for every method of choosing scales, then, for the method that --method names, what each layer loses:
/// its scale and shifts, how much of it is at an end of int8, and its signal-to-noise ratio. A layer that loses far more than
/// the one before it is where accuracy goes.
#[derive(Debug, Args)]
pub struct Calibrate {
	/// The model and its data.
	#[command(flatten)]
	pub data: CalibrationData,
	/// How scales are chosen.
	#[command(flatten)]
	pub method: MethodOptions,
}

impl Calibrate {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let data = self.data.read()?;
		let chosen = self.method.method();
		let methods = [
			Method::LeastSquares,
			Method::MinMax,
			Method::Percentile(self.method.percentile),
		];
		let mut results = Vec::with_capacity(methods.len());
		let mut layers = Vec::new();
		for method in methods {
			let bar = output.bar("calibrating", method.passes() * data.calibration.len() as u64);
			let calibrated = calibrate(&data.float, &data.calibration, method, &|| bar.inc(1))?;
			bar.finish_and_clear();
			let fast = FastModel::new(&calibrated.model);
			let accuracy = |data_set| measure(output, &data.float, &fast, calibrated.input_scale(), data_set);
			results.push(MethodResult {
				method: method.to_string(),
				chosen: method == chosen,
				calibration: accuracy(&data.calibration),
				held_out: data.held_out.as_ref().map(accuracy),
			});
			if method == chosen {
				let bar = output.bar("comparing layers", data.calibration.len() as u64);
				layers = calibrated.losses(&data.float, &data.calibration, &|| bar.inc(1))?;
				bar.finish_and_clear();
			}
		}
		output.report(&CalibrateReport {
			methods: results,
			layers,
		});
		Ok(())
	}
}

/// The accuracy with one method.
#[derive(Serialize)]
struct MethodResult {
	method: String,
	/// Whether the table of layers is this method's.
	chosen: bool,
	calibration: Accuracy,
	held_out: Option<Accuracy>,
}

#[derive(Serialize)]
struct CalibrateReport {
	methods: Vec<MethodResult>,
	layers: Vec<LayerLoss>,
}

impl Display for CalibrateReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		for result in &self.methods {
			let mark = if result.chosen { "*" } else { " " };
			writeln!(
				formatter,
				"{mark} {:<16} calibration: {}",
				result.method, result.calibration
			)?;
			if let Some(held_out) = &result.held_out {
				writeln!(formatter, "  {:<16} held out:    {held_out}", "")?;
			}
		}
		writeln!(
			formatter,
			"\n{:<24} {:<13} {:>12} {:>7} {:>12} {:>10} {:>8}",
			"node", "operator", "scale", "shifts", "maximum", "saturated", "SNR"
		)?;
		for layer in &self.layers {
			let shifts = match layer.shifts {
				Some([least, greatest]) if least == greatest => least.to_string(),
				Some([least, greatest]) => format!("{least}-{greatest}"),
				None => String::new(),
			};
			let noise = match layer.signal_to_noise {
				Some(decibels) => format!("{decibels:.1} dB"),
				None => "exact".into(),
			};
			writeln!(
				formatter,
				"{:<24} {:<13} {:>12} {shifts:>7} {:>12.5} {:>8.2} % {noise:>8}",
				layer.node,
				layer.operator,
				scale(layer.scale),
				layer.maximum,
				layer.saturated,
			)?;
		}
		Ok(())
	}
}

/// A scale, as a power of two where it is one.
fn scale(scale: f64) -> String {
	let exponent = scale.log2();
	if exponent.fract() == 0.0 {
		format!("2^{exponent}")
	} else {
		format!("{scale:.6}")
	}
}
