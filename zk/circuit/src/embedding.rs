//! Rows of a table, chosen by tokens.
//!
//! A token x is written as indicators o_v = [x = v]: all are 0 or 1, at most one of those for v ≥ 1 is set because 1 − Σ o_v is 0 or 1
//! too, and Σ v·o_v = x. So a token outside the vocabulary has none, and an element of a row is a linear combination of the indicators.
//! A table that is committed to is the weights of that linear combination; see the module `packing`.

use crate::{
	builder::{Builder, Result},
	linear::{Lc, Variable},
	logup::TableId,
	wire::Wire,
};
use opensand_nn::{Embedding, Interval, LayerWeights};

impl Builder {
	/// The rows of all tokens, of a table of constants.
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

	/// Wires that are claimed to be the rows of all tokens, each proven to be a small integer, and the indicators of every row of the
	/// table for every token: the inputs of the linear layer that the claimed rows are outputs of.
	pub(crate) fn committed_embedding(
		&mut self,
		embedding: &Embedding,
		weights: &LayerWeights,
		tokens: &[Wire],
		range: Option<TableId>,
	) -> Result<(Vec<Wire>, Vec<Wire>)> {
		let [width, vocabulary] = [embedding.width, embedding.vocabulary].map(|len| len as usize);
		let offset = i64::from(Interval::INT8.lower);
		let mut outputs = Vec::with_capacity(tokens.len() * width);
		let mut indicators = Vec::with_capacity(tokens.len() * vocabulary);
		for token in tokens {
			let others = self.indicators(token, vocabulary)?;
			indicators.push(self.first_indicator(token, &others)?);
			indicators.extend((1i64..).zip(&others).map(|(index, indicator)| Wire {
				variable: Some(*indicator),
				offset: 0,
				interval: Interval::new(0, 1),
				value: (token.value == index).into(),
			}));
			// Without an execution the token is anything.
			let token = usize::try_from(token.value)
				.ok()
				.filter(|token| *token < vocabulary);
			let row = &weights.weights[token.unwrap_or(0) * width..][..width];
			for value in row.iter().copied().map(i64::from) {
				let variable = self.commit(value - offset);
				self.at_least(range, || variable.into(), value - offset, 8)?;
				outputs.push(Wire {
					variable: Some(variable),
					offset,
					interval: Interval::INT8,
					value,
				});
			}
		}
		Ok((outputs, indicators))
	}

	/// The indicator of 0, from those of all others, as a wire that can be packed.
	fn first_indicator(&mut self, token: &Wire, others: &[Variable]) -> Result<Wire> {
		if others.is_empty() {
			return Ok(Wire::constant(1));
		}
		let value = i64::from(token.value == 0);
		let first = self.commit(value);
		self.enforce_zero(|| {
			Lc::integers(1, others.iter().chain([&first]).map(|indicator| (-1, *indicator)))
		})?;
		Ok(Wire {
			variable: Some(first),
			offset: 0,
			interval: Interval::new(0, 1),
			value,
		})
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
