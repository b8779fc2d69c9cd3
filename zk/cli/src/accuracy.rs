//! How often the float and the integer model are right, and how often they agree.

use crate::{calibrate::quantise_all, dataset::Dataset, float::FloatModel};
use opensand_nn::FastModel;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display, Formatter};

/// Answers counted over a data set. The answer is the class of the greatest logit, the first of equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accuracy {
	/// Images evaluated.
	pub images: usize,
	/// Images that the float model gets right; absent without labels.
	pub float_correct: Option<usize>,
	/// Images that the integer model gets right; absent without labels.
	pub integer_correct: Option<usize>,
	/// Images on which both give the same answer.
	pub agree: usize,
}

impl Accuracy {
	/// Evaluates both models on every image; calls `tick` after each.
	pub fn measure(
		float: &FloatModel,
		integer: &FastModel,
		input_scale: f64,
		data: &Dataset,
		tick: &(dyn Fn() + Sync),
	) -> Self {
		let answers = data.images().into_par_iter().map(|image| {
			let float = class(&float.evaluate(image));
			// The data set has the input's length, so this evaluation cannot fail.
			let integer = integer
				.evaluate(&quantise_all(image, input_scale))
				.map(|logits| class(&logits));
			tick();
			(float, integer.unwrap_or(usize::MAX))
		});
		let answers: Vec<(usize, usize)> = answers.collect();
		let correct = |answer: fn(&(usize, usize)) -> usize| {
			let labels = data.labels()?.iter().map(|label| usize::from(*label));
			Some(
				answers
					.iter()
					.zip(labels)
					.filter(|(answers, label)| answer(answers) == *label)
					.count(),
			)
		};
		Self {
			images: answers.len(),
			float_correct: correct(|(float, _)| *float),
			integer_correct: correct(|(_, integer)| *integer),
			agree: answers.iter().filter(|(float, integer)| float == integer).count(),
		}
	}

	/// Percentage points that the integer model loses against the float model; negative where it gains.
	pub fn drop_points(&self) -> Option<f64> {
		let lost = self.float_correct? as f64 - self.integer_correct? as f64;
		Some(100.0 * lost / self.images as f64)
	}
}

/// The index of the greatest logit, the first of equals.
pub fn class<T: PartialOrd>(logits: &[T]) -> usize {
	let better = |best: usize, index: usize| if logits[index] > logits[best] { index } else { best };
	(1..logits.len()).fold(0, better)
}

impl Display for Accuracy {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		let percent = |count: usize| 100.0 * count as f64 / self.images as f64;
		if let (Some(float), Some(integer)) = (self.float_correct, self.integer_correct) {
			write!(
				formatter,
				"float {:.2} %, integer {:.2} %, ",
				percent(float),
				percent(integer)
			)?;
		}
		write!(
			formatter,
			"same answer {:.2} % of {} images",
			percent(self.agree),
			self.images
		)
	}
}
