//! Why the chain refuses a call, in the words of its own documentation.

use std::fmt;

use subxt::error::{DispatchError, TokenError};

/// A refusal: the error's name, and what the runtime's metadata say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
	/// The error, such as `Dsm.PriceTooLow`.
	pub name: String,
	/// Its documentation: what it means and what the caller can do.
	pub documentation: String,
}

impl Refusal {
	/// The refusal that failed a call in a block.
	pub fn of(error: &DispatchError) -> Self {
		if let DispatchError::Module(module) = error {
			if let Ok(details) = module.details() {
				return Self {
					name: format!("{}.{}", details.pallet.name(), details.variant.name),
					documentation: sentence(&details.variant.docs),
				};
			}
		}
		let name = match error {
			DispatchError::Token(TokenError::FundsUnavailable | TokenError::BelowMinimum) => {
				"FundsUnavailable".to_owned()
			}
			error => error.to_string().trim_end_matches('.').to_owned(),
		};
		Self {
			name,
			documentation: String::new(),
		}
	}

	/// The refusal of the transaction pool, in its own words.
	pub fn of_pool(reason: &str) -> Self {
		Self {
			name: reason.to_owned(),
			documentation: String::new(),
		}
	}

	/// Whether the pool already has a transaction of this account with this nonce, or a block has.
	pub fn is_superseded(&self) -> bool {
		[
			"Priority is too low",
			"priority is too low",
			"Already Imported",
			"already imported",
			"outdated",
			"Stale",
		]
		.iter()
		.any(|words| self.name.contains(words))
	}

	/// What to do about it, where the chain's documentation does not say it.
	pub fn remedy(&self) -> Option<String> {
		let knows = |words: &[&str]| words.iter().any(|words| self.name.contains(words));
		if knows(&["FundsUnavailable", "pay some fees", "InsufficientBalance"]) {
			return Some(
				"transfer tokens to the account: its free balance has to cover what is held and the fee"
					.to_owned(),
			);
		}
		if knows(&["bad signature", "BadProof"]) {
			return Some("update this client to the release of the node".to_owned());
		}
		if self.is_superseded() {
			return Some(
				"another transaction of this account is under way: wait for it and repeat the command"
					.to_owned(),
			);
		}
		None
	}
}

impl fmt::Display for Refusal {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		formatter.write_str(&self.name)?;
		if !self.documentation.is_empty() {
			write!(formatter, ": {}", self.documentation)?;
		}
		Ok(())
	}
}

/// Lines of documentation as running text.
fn sentence(lines: &[String]) -> String {
	let words: Vec<&str> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
	words.join(" ")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn documentation_is_running_text() {
		let lines = [
			" The price is below the floor.".to_owned(),
			String::new(),
			" Offer   more.".to_owned(),
		];
		assert_eq!(sentence(&lines), "The price is below the floor. Offer more.");
		let refusal = Refusal {
			name: "Dsm.PriceTooLow".into(),
			documentation: sentence(&lines),
		};
		assert_eq!(
			refusal.to_string(),
			"Dsm.PriceTooLow: The price is below the floor. Offer more."
		);
	}

	#[test]
	fn an_empty_account_is_told_to_get_tokens() {
		let refusal = Refusal::of(&DispatchError::Token(TokenError::FundsUnavailable));
		assert!(refusal.remedy().unwrap().contains("transfer tokens"));
		let pool = Refusal::of_pool(
			"Invalid Transaction: Inability to pay some fees (e.g. account balance too low)",
		);
		assert!(pool.remedy().unwrap().contains("transfer tokens"));
		assert_eq!(Refusal::of(&DispatchError::BadOrigin).name, "Bad origin");
	}

	#[test]
	fn a_taken_nonce_is_recognised() {
		for words in [
			"Priority is too low: (1 vs 1)",
			"Transaction Already Imported",
			"Invalid Transaction: Transaction is outdated",
		] {
			assert!(Refusal::of_pool(words).is_superseded(), "{words}");
		}
		assert!(!Refusal::of_pool("Inability to pay some fees").is_superseded());
	}
}
