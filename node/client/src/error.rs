//! Failures: what went wrong, why, what to do about it, and the exit code that says which kind it is.

use std::{io, path::PathBuf};

use opensand_primitives::{ListingId, OrderId, PurchaseId};
use thiserror::Error;

use crate::{
	access::AccessError, chain::ChainError, keys::KeyError, network::NetworkError, purchase::PurchaseError,
	staging::StagingError, transfer::TransferError,
};

/// Why a command failed.
#[derive(Debug, Error)]
pub enum Error {
	/// Flags or arguments contradict each other or make no sense.
	#[error("{what}")]
	Usage {
		/// What is wrong.
		what: String,
		/// What to write instead.
		remedy: String,
	},
	/// The account's key cannot be used.
	#[error(transparent)]
	Key(#[from] KeyError),
	/// The node or the chain.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// Blocks could not be exchanged.
	#[error(transparent)]
	Network(#[from] NetworkError),
	/// What an interrupted command left behind.
	#[error(transparent)]
	Staging(#[from] StagingError),
	/// Files could not be cut into shards or put together again.
	#[error(transparent)]
	Transfer(#[from] TransferError),
	/// Keys to data.
	#[error(transparent)]
	Access(#[from] AccessError),
	/// Purchases of licences.
	#[error(transparent)]
	Purchase(#[from] PurchaseError),
	/// The operating system refused something.
	#[error("cannot {action} {}: {source}", path.display())]
	File {
		/// What was tried, as a verb.
		action: &'static str,
		/// On which file or directory.
		path: PathBuf,
		/// The operating system's reason.
		source: io::Error,
	},
	/// Standard output or input failed.
	#[error("cannot use the terminal or pipe: {0}")]
	Stream(io::Error),
	/// No threads or sockets to work with.
	#[error("cannot start: {0}")]
	Runtime(io::Error),
	/// There is no such order.
	#[error("there is no order {0}, or no longer")]
	NoOrder(OrderId),
	/// There is no such listing.
	#[error("there is no listing {0}, or no longer")]
	NoListing(ListingId),
	/// There is no such purchase.
	#[error("there is no purchase {0}, or no longer: it was refunded or given up")]
	NoPurchase(PurchaseId),
	/// The account is no provider.
	#[error("{0} is not registered as a provider")]
	NoProvider(String),
	/// Too few shards can be reached or are intact.
	#[error("order {order} cannot be restored now: it takes {needed} shards, and {found} could be fetched")]
	Unrestorable {
		/// The order.
		order: OrderId,
		/// Shards that suffice.
		needed: u8,
		/// Shards that were found.
		found: usize,
		/// What happened to each of the others.
		reasons: Vec<String>,
	},
	/// The order was recorded as lost.
	#[error("order {0} is lost: more of its shards are gone than its code bears")]
	Lost(OrderId),
	/// Something did not happen in time.
	#[error("{what} did not happen in time")]
	TimedOut {
		/// What was waited for.
		what: String,
		/// How to go on.
		remedy: String,
	},
	/// The user said no.
	#[error("nothing was done")]
	Declined,
	/// Ctrl-C.
	#[error("interrupted")]
	Interrupted,
}

impl Error {
	/// An error about a file.
	pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
		let path = path.into();
		move |source| Self::File { action, path, source }
	}

	/// A contradiction in the command line.
	pub fn usage(what: impl Into<String>, remedy: impl Into<String>) -> Self {
		Self::Usage {
			what: what.into(),
			remedy: remedy.into(),
		}
	}

	/// The process's exit code.
	pub fn exit_code(&self) -> u8 {
		match self {
			Self::Usage { .. } => 2,
			Self::Key(error) => error.exit_code(),
			Self::Chain(error) if error.is_refusal() => 3,
			Self::NoOrder(_) | Self::NoListing(_) | Self::NoPurchase(_) | Self::NoProvider(_) => 3,
			Self::Purchase(error) => error.exit_code(),
			Self::Unrestorable { .. } | Self::Lost(_) => 4,
			Self::Transfer(error) if error.is_damage() => 4,
			Self::Chain(ChainError::Unconfirmed { .. }) | Self::TimedOut { .. } => 5,
			Self::Access(_) => 6,
			Self::Interrupted => 130,
			Self::Chain(_)
			| Self::Network(_)
			| Self::Staging(_)
			| Self::Transfer(_)
			| Self::File { .. }
			| Self::Stream(_)
			| Self::Runtime(_)
			| Self::Declined => 1,
		}
	}

	/// What to do about it, where that is known.
	pub fn remedy(&self) -> Option<String> {
		let text = match self {
			Self::Usage { remedy, .. } | Self::TimedOut { remedy, .. } => remedy.clone(),
			Self::Key(error) => return error.remedy(),
			Self::Chain(error) => return error.remedy(),
			Self::Network(error) => return error.remedy(),
			Self::Staging(error) => return error.remedy(),
			Self::Transfer(error) => return error.remedy(),
			Self::Access(error) => return error.remedy(),
			Self::Purchase(error) => return error.remedy(),
			Self::File { source, .. } => match source.kind() {
				io::ErrorKind::StorageFull => {
					"free some space, or choose another --cache-dir: a put needs total/data times the file's size there, \
					 a get the file's size"
				}
				io::ErrorKind::PermissionDenied => "run as the owner of the file, or choose another path",
				io::ErrorKind::AlreadyExists => "choose another path, or repeat with --force to replace it",
				_ => return None,
			}
			.to_owned(),
			Self::NoOrder(_) => "`opensand store ls` lists your orders".to_owned(),
			Self::NoListing(_) => "`opensand market browse` lists what is offered, `opensand market purchases` what you \
			                      bought"
				.to_owned(),
			Self::NoPurchase(_) => "`opensand market purchases` lists yours; `opensand access ls` with the order tells what \
			                       was done with the data"
				.to_owned(),
			Self::NoProvider(_) => "`opensand provider register` registers the account of --key".to_owned(),
			Self::Unrestorable { .. } => "run the same command again later: what was fetched is kept, and shards under \
			                              repair come back"
				.to_owned(),
			Self::Lost(_) => "the owner has been compensated from the providers' collateral".to_owned(),
			Self::Interrupted => "run the same command again to go on where it stopped".to_owned(),
			Self::Stream(_) | Self::Runtime(_) | Self::Declined => return None,
		};
		Some(text)
	}

	/// Details, a line each.
	pub fn details(&self) -> &[String] {
		match self {
			Self::Unrestorable { reasons, .. } => reasons,
			_ => &[],
		}
	}
}

/// The table of exit codes, as the help shows it.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failure: files, network, the node cannot be reached, or you answered no
  2    usage: flags, arguments, or a key that cannot be used as given
  3    the chain refused, or knows no such order, listing, purchase or provider
  4    the data cannot be restored now, or is damaged
  5    not in time; the command can be run again
  6    no access: no grant for this account, or none that its key opens; a wrong delivery
  130  interrupted; the command can be run again";

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn exit_codes_are_those_of_the_help() {
		let cases: [(Error, u8); 11] = [
			(Error::usage("a", "b"), 2),
			(Error::Declined, 1),
			(Error::NoOrder(1), 3),
			(Error::NoListing(1), 3),
			(PurchaseError::ForeignKey(1).into(), 6),
			(Error::Lost(1), 4),
			(
				Error::Unrestorable {
					order: 1,
					needed: 10,
					found: 9,
					reasons: Vec::new(),
				},
				4,
			),
			(
				Error::TimedOut {
					what: "placing".into(),
					remedy: "wait".into(),
				},
				5,
			),
			(Error::Interrupted, 130),
			(Error::Stream(io::ErrorKind::BrokenPipe.into()), 1),
			(Error::file("read", "a file")(io::ErrorKind::NotFound.into()), 1),
		];
		for (error, code) in cases {
			assert_eq!(error.exit_code(), code, "{error}");
			let line = EXIT_CODES
				.lines()
				.any(|line| line.trim_start().starts_with(&format!("{code} ")));
			assert!(line, "{code} is documented");
		}
	}

	#[test]
	fn a_full_disk_has_a_remedy() {
		let error = Error::file("write", "a file")(io::ErrorKind::StorageFull.into());
		assert!(error.remedy().unwrap().contains("--cache-dir"));
	}
}
