//! Rows of a table of constants, chosen by tokens.
//!
//! A token x is written as indicators o_v = [x = v]: all are 0 or 1, at most one of those for v ≥ 1 is set because 1 − Σ o_v is 0 or 1
//! too, and Σ v·o_v = x. So a token outside the vocabulary has none, and an element of a row is a linear combination of the indicators.

use crate::{
	builder::{Builder, Result},
	linear::{Lc, Variable},
	wire::Wire,
};
use opensand_nn::{Embedding, Interval, LayerWeights};

impl Builder {
	/// The rows of all tokens.
	pub(crate) fn embedding(
		&mut self,
		embedding: &Embedding,
		weights: &LayerWeights,
		tokens: &[Wire],
	) -> Result<Vec<Wire>> {
		let width = embedding.width as usize;
		let rows: Vec<&[i8]> = weights.weights.chunks(width).collect();
		let mut outputs = Vec::with_capacity(tokens.len() * width);
		for token in tokens {
			let indicators = self.indicators(token, rows.len())?;
			// Without an execution the token is anything.
			let row = usize::try_from(token.value)
				.ok()
				.and_then(|token| rows.get(token));
			let row = row.copied().unwrap_or(rows[0]);
			for (column, value) in row.iter().enumerate() {
				let entries: Vec<i64> = rows.iter().map(|row| row[column].into()).collect();
				outputs.push(self.entry(&indicators, &entries, (*value).into())?);
			}
		}
		Ok(outputs)
	}

	/// The indicators of 1, 2, … below `vocabulary`.
	fn indicators(&mut self, token: &Wire, vocabulary: usize) -> Result<Vec<Variable>> {
		let mut indicators = Vec::with_capacity(vocabulary - 1);
		for index in 1..vocabulary {
			let indicator = self.commit((token.value == index as i64).into());
			self.enforce_boolean(|| indicator.into())?;
			indicators.push(indicator);
		}
		if vocabulary > 1 {
			self.enforce_boolean(|| Lc::integers(1, indicators.iter().map(|indicator| (-1, *indicator))))?;
		}
		self.enforce_zero(|| {
			let indices = (1i64..).map(|index| -index);
			token.lc().plus(0, indices.zip(indicators.iter().copied()))
		})?;
		Ok(indicators)
	}

	/// One element of a row: entries[0] + Σ (entries[v] − entries[0])·o_v.
	fn entry(&mut self, indicators: &[Variable], entries: &[i64], value: i64) -> Result<Wire> {
		let lower = entries.iter().copied().min().unwrap_or(0);
		let upper = entries.iter().copied().max().unwrap_or(0);
		if lower == upper {
			return Ok(Wire::constant(lower as i32));
		}
		let variable = self.commit(value - lower);
		self.enforce_zero(|| {
			let differences = entries[1..].iter().map(|entry| entry - entries[0]);
			let terms = differences.zip(indicators.iter().copied());
			Lc::integers(entries[0] - lower, terms.chain([(-1, variable)]))
		})?;
		Ok(Wire {
			variable: Some(variable),
			offset: lower,
			interval: Interval::new(lower as i32, upper as i32),
			value,
		})
	}
}
