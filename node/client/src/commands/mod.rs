//! What the commands do.

mod access;
mod get;
mod market;
mod orders;
pub mod provider;
mod put;
mod rescue;
mod rotate;

use std::path::PathBuf;

use opensand_primitives::{
	storage::{OrderRecord, OrderStatus, StorageTerms, Visibility},
	OrderId,
};
use serde_json::{json, Value};

use crate::{
	chain::{Chain, View},
	cli::{Cli, Command, Global, StoreCommand},
	error::Error,
	keys::{AccountKey, KeyError, KeySource},
	output::Output,
	places,
};

/// Does what the command line says.
///
/// # Errors
/// Whatever goes wrong; the text and the exit code say what it was.
pub async fn run(cli: Cli, output: Output) -> Result<(), Error> {
	let context = Context {
		global: cli.global,
		output,
	};
	match cli.command {
		Command::Store(command) => match command {
			StoreCommand::Put(arguments) => put::put(&context, arguments).await,
			StoreCommand::Get(arguments) => get::get(&context, arguments).await,
			StoreCommand::Ls => orders::list(&context).await,
			StoreCommand::Show { order } => orders::show(&context, order).await,
			StoreCommand::Renew { order, windows } => orders::renew(&context, order, windows).await,
			StoreCommand::Topup { order, tip } => orders::top_up(&context, order, tip.0).await,
			StoreCommand::Cancel { order } => orders::cancel(&context, order).await,
			StoreCommand::Close { order } => orders::close(&context, order).await,
			StoreCommand::Rescue { order } => rescue::rescue(&context, order).await,
			StoreCommand::Rotate(arguments) => rotate::rotate(&context, arguments).await,
		},
		Command::Access(command) => access::run(&context, command).await,
		Command::Market(command) => market::run(&context, command).await,
		Command::Provider(command) => provider::run(&context, command).await,
	}
}

/// What every command has at hand.
pub struct Context {
	global: Global,
	/// Where to talk to the user.
	pub output: Output,
}

impl Context {
	/// Whether questions count as answered.
	pub fn yes(&self) -> bool {
		self.global.yes
	}

	/// Connects to the node.
	async fn chain(&self) -> Result<Chain, Error> {
		Ok(Chain::connect(&self.global.url).await?)
	}

	/// Connects to the node and loads the account's key, which has to be fit for the chain.
	async fn chain_and_key(&self) -> Result<(Chain, AccountKey), Error> {
		// What is wrong with the key is said before a password is asked for, and before the node is waited for.
		let source = self.key_source()?.ok_or(KeyError::Missing)?;
		let chain = self.chain().await?;
		let key = self.load(&source, &chain)?;
		Ok((chain, key))
	}

	/// The same where a key may, but need not, be given.
	async fn chain_and_optional_key(&self) -> Result<(Chain, Option<AccountKey>), Error> {
		let source = self.key_source()?;
		let chain = self.chain().await?;
		let key = source.map(|source| self.load(&source, &chain)).transpose()?;
		Ok((chain, key))
	}

	fn key_source(&self) -> Result<Option<KeySource>, KeyError> {
		self.global.key.as_deref().map(KeySource::parse).transpose()
	}

	fn load(&self, source: &KeySource, chain: &Chain) -> Result<AccountKey, KeyError> {
		if let KeySource::Development(uri) = source {
			if !chain.is_development() {
				return Err(KeyError::Development(uri.clone()));
			}
		}
		source.load(self.global.password_file.as_deref())
	}

	/// The directory of unfinished transfers.
	fn cache(&self) -> Result<PathBuf, Error> {
		places::cache(self.global.cache_dir.clone())
	}
}

/// The order, which has to be there.
async fn order(view: &View<'_>, order: OrderId) -> Result<OrderRecord, Error> {
	view.order(order).await?.ok_or(Error::NoOrder(order))
}

/// An order as programs read it.
fn order_json(chain: &Chain, id: OrderId, record: &OrderRecord, terms: &StorageTerms) -> Value {
	let (status, start, end) = match record.status {
		OrderStatus::Placing { .. } => ("placing", None, None),
		OrderStatus::Active { start, end } if terms.window >= end => ("expired", Some(start), Some(end)),
		OrderStatus::Active { start, end } => ("active", Some(start), Some(end)),
		OrderStatus::Lost => ("lost", None, None),
	};
	json!({
		"order": id,
		"owner": chain.address(&record.owner),
		"status": status,
		"deadline": match record.status {
			OrderStatus::Placing { deadline } => Some(deadline),
			_ => None,
		},
		"start_window": start,
		"end_window": end,
		"windows_left": end.map(|end| end.saturating_sub(terms.window)),
		"manifest": opensand_slices::raw_cid(record.terms.manifest).to_string(),
		"data": record.terms.code.data,
		"total": record.terms.code.total,
		"shard_bytes": record.terms.shard_bytes,
		"price": record.terms.price.to_string(),
		"windows": record.terms.windows,
		"escrow": record.escrow.to_string(),
		"regions": record.terms.regions.iter().map(region_text).collect::<Vec<_>>(),
		"visibility": visibility_name(record.terms.visibility),
		"training": record.terms.training,
		"placed_at": record.placed_at,
		"supersedes": record.supersedes,
	})
}

/// A visibility as it is written on the command line.
fn visibility_name(visibility: Visibility) -> &'static str {
	match visibility {
		Visibility::Private => "private",
		Visibility::Licensed => "licensed",
		Visibility::Public => "public",
	}
}

/// A region's text.
fn region_text(region: &opensand_primitives::storage::Region) -> String {
	let text: Vec<u8> = region.0.iter().copied().take_while(|byte| *byte != 0).collect();
	String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
	use opensand_primitives::storage::Region;

	use super::*;

	#[test]
	fn regions_are_shown_as_they_are_written() {
		for text in ["a", "eu-west", "us-east1"] {
			assert_eq!(region_text(&Region::new(text).unwrap()), text);
		}
	}
}
