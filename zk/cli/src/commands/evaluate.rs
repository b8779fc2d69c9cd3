//! `opensand-zk evaluate`.

use super::input::dataset;
use crate::{
	accuracy::class, calibrate::quantise_all, error::CliError, model_folder::ModelFolder, output::Output,
};
use clap::Args;
use opensand_nn::FastModel;
use rayon::prelude::*;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::PathBuf,
};

/// Run an integer model on one image, or over all images of a file.
#[derive(Debug, Args)]
pub struct Evaluate {
	/// Model folder, as `import` writes it.
	#[arg(long, value_name = "FOLDER")]
	pub model: PathBuf,
	/// Images as a float array of NumPy (.npy), one a row, scaled as the model was trained.
	#[arg(long, value_name = "NPY")]
	pub images: PathBuf,
	/// Classes of the images.
	#[arg(long, value_name = "NPY")]
	pub labels: Option<PathBuf>,
	/// Only this image, counted from 0.
	#[arg(long)]
	pub index: Option<usize>,
}

impl Evaluate {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let folder = ModelFolder::read(&self.model)?;
		let input_len = folder.model.architecture().input_len() as usize;
		let data = dataset(&self.images, self.labels.as_deref(), input_len)?;
		let wanted = |index: &usize| self.index.is_none_or(|only| only == *index);
		let fast = FastModel::new(&folder.model);
		let bar = output.bar("evaluating", data.len() as u64);
		let images = data
			.images()
			.into_par_iter()
			.enumerate()
			.filter(|(index, _)| wanted(index));
		let answers = images.map(|(index, image)| {
			let logits = fast.evaluate(&quantise_all(image, folder.manifest.input_scale))?;
			bar.inc(1);
			let label = data.labels().and_then(|labels| labels.get(index)).copied();
			Ok(Answer {
				index,
				class: class(&logits),
				label,
				logits,
			})
		});
		let answers = answers.collect::<Result<Vec<Answer>, CliError>>()?;
		bar.finish_and_clear();
		if let (Some(index), true) = (self.index, answers.is_empty()) {
			let (path, images) = (self.images, data.len());
			return Err(CliError::NoSuchImage {
				path,
				images,
				last: images.saturating_sub(1),
				index,
			});
		}
		let right = |answer: &&Answer| {
			answer
				.label
				.is_some_and(|label| usize::from(label) == answer.class)
		};
		let correct = data.labels().map(|_| answers.iter().filter(right).count());
		output.report(&EvaluateReport { correct, answers });
		Ok(())
	}
}

#[derive(Serialize)]
struct Answer {
	index: usize,
	class: usize,
	label: Option<u16>,
	logits: Vec<i8>,
}

#[derive(Serialize)]
struct EvaluateReport {
	correct: Option<usize>,
	answers: Vec<Answer>,
}

impl Display for EvaluateReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		for Answer {
			index,
			class,
			label,
			logits,
		} in &self.answers
		{
			write!(formatter, "image {index}: class {class}")?;
			if let Some(label) = label {
				write!(formatter, " (label {label})")?;
			}
			writeln!(formatter, ", logits {logits:?}")?;
		}
		match self.correct {
			Some(correct) => writeln!(formatter, "{correct} of {} right", self.answers.len()),
			None => Ok(()),
		}
	}
}
