//! Statements as JSON files.

use crate::model_folder::Hash;
use opensand_zk_verifier::{Binding, Statement, StatementInput};
use serde::{Deserialize, Serialize};

/// The version of the file that this build writes and reads.
const VERSION: u32 = 1;

/// Bytes of a file at most: tensors have up to 2^20 elements of up to five characters.
pub const MAX_STATEMENT_BYTES: usize = 16 * 1024 * 1024;

/// A statement and the version of its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementFile {
	version: u32,
	binding: BindingFields,
	input: InputFields,
	output: Vec<i8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BindingFields {
	genesis: Hash,
	key: Hash,
	model: Hash,
	request: u64,
	worker: Hash,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum InputFields {
	Public(Vec<i8>),
	Hashed(Hash),
}

impl From<&Statement> for StatementFile {
	fn from(statement: &Statement) -> Self {
		let Binding {
			genesis,
			key,
			model,
			request,
			worker,
		} = statement.binding;
		Self {
			version: VERSION,
			binding: BindingFields {
				genesis: Hash(genesis),
				key: Hash(key),
				model: Hash(model),
				request,
				worker: Hash(worker),
			},
			input: match &statement.input {
				StatementInput::Public(input) => InputFields::Public(input.clone()),
				StatementInput::Hashed(hash) => InputFields::Hashed(Hash(*hash)),
			},
			output: statement.output.clone(),
		}
	}
}

impl StatementFile {
	/// Reads a file's bytes; the error says what is wrong.
	pub fn parse(bytes: &[u8]) -> Result<Statement, String> {
		let file: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
		if file.version != VERSION {
			return Err(format!(
				"it has version {}, this build reads version {VERSION}",
				file.version
			));
		}
		let BindingFields {
			genesis: Hash(genesis),
			key: Hash(key),
			model: Hash(model),
			request,
			worker: Hash(worker),
		} = file.binding;
		Ok(Statement {
			binding: Binding {
				genesis,
				key,
				model,
				request,
				worker,
			},
			input: match file.input {
				InputFields::Public(input) => StatementInput::Public(input),
				InputFields::Hashed(Hash(hash)) => StatementInput::Hashed(hash),
			},
			output: file.output,
		})
	}
}
