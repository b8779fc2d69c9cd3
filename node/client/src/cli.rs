//! The command line.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use opensand_primitives::{
	storage::{ErasureCode, Region, Visibility, WindowIndex, MAX_REGIONS},
	AccountId, ListingId, OrderId, PurchaseId,
};
use opensand_slices::Code;
use sp_core::crypto::Ss58Codec;

use crate::{
	amounts::{duration, Amount, Size},
	error::EXIT_CODES,
};

/// Stores files with the OpenSand network's providers, fetches, shares and sells them, and manages providers.
///
/// A file is encrypted and erasure-coded on this machine; nothing but ciphertext leaves it. Providers that take its
/// shards prove window after window that they still hold them, and are paid for proven windows only.
#[derive(Debug, Parser)]
#[command(name = "opensand", version, propagate_version = true, after_long_help = EXIT_CODES)]
pub struct Cli {
	/// What concerns every command.
	#[command(flatten)]
	pub global: Global,

	/// What to do.
	#[command(subcommand)]
	pub command: Command,
}

/// What concerns every command.
#[derive(Debug, Args)]
pub struct Global {
	/// WebSocket address of a node. Other machines are only asked over wss://.
	#[arg(
		long,
		global = true,
		env = "OPENSAND_URL",
		default_value = "ws://127.0.0.1:9944",
		help_heading = "Node and key"
	)]
	pub url: String,

	/// Key of the account: a file, or //Alice on development chains.
	///
	/// The file is JSON as polkadot.js exports it (sr25519, with a password), or text with the recovery phrase and
	/// optionally a derivation path; the latter has to have mode 600. Secrets on the command line are refused, because
	/// every process of the machine could read them.
	#[arg(
		long,
		global = true,
		env = "OPENSAND_KEY",
		hide_env_values = true,
		help_heading = "Node and key"
	)]
	pub key: Option<String>,

	/// File (mode 600) with the password of an exported key; asked for on the terminal without it.
	#[arg(
		long,
		global = true,
		value_name = "FILE",
		env = "OPENSAND_PASSWORD_FILE",
		help_heading = "Node and key"
	)]
	pub password_file: Option<PathBuf>,

	/// Directory of unfinished transfers [default: opensand in the user's cache directory].
	///
	/// A put needs total/data times the file's size there (1.6 times with 10/16), a get the file's size.
	#[arg(long, global = true, value_name = "DIR", env = "OPENSAND_CACHE_DIR")]
	pub cache_dir: Option<PathBuf>,

	/// Do not ask before tokens are held or something ends.
	#[arg(long, short, global = true)]
	pub yes: bool,

	/// Print one JSON object a line on standard output: progress, and at the end `result` or `error`.
	#[arg(long, global = true)]
	pub json: bool,

	/// Print results and warnings only.
	#[arg(long, short, global = true)]
	pub quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
	/// Store, fetch and keep files.
	#[command(subcommand)]
	Store(StoreCommand),
	/// Say who can read a file.
	#[command(subcommand)]
	Access(AccessCommand),
	/// Sell and buy licences for stored data.
	///
	/// A buyer pays into escrow on chain. The seller delivers the file's key, sealed to a key that the buyer made for this
	/// purchase alone. The buyer's client opens it and compares it with the commitment that stands in the order: if it is
	/// right, it confirms, and the seller is paid; if it is wrong, `dispute` proves that to the chain, which returns the
	/// price. What is not delivered, or not disputed, in time, `finish` settles.
	#[command(subcommand)]
	Market(MarketCommand),
	/// Offer storage: for operators of nodes that run with --storage.
	#[command(subcommand)]
	Provider(ProviderCommand),
}

/// Orders and their data.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
	/// Store a file.
	///
	/// The file is encrypted and cut into shards in the cache directory, an order is placed, and the shards are served to
	/// the providers that take them. The command ends when all shards are held and proven. Interrupted, it goes on when
	/// it is run again: under the same key, and without a second order.
	#[command(after_long_help = "\
Examples:
  Store a file for 30 days of one-hour windows at the going price:
    opensand --key key.json store put data.tar
  Any 4 of 8 shards shall restore it, in Europe, for 90 days, at most 0.5 uSAND per MiB and window:
    opensand --key key.json store put data.tar --code 4/8 --regions eu-west,eu-north --windows 2160 --price 0.5uSAND
  Data that everybody may read and train models on:
    opensand --key key.json store put data.tar --visibility public --training")]
	Put(PutArguments),
	/// Fetch a file: as its owner, with a grant, or anybody if it is public.
	///
	/// Blocks are fetched from several providers at once and checked; they are kept in the cache directory until the file
	/// is complete, so that an interrupted get goes on where it stopped. The output appears under its name only when it
	/// is complete.
	#[command(after_long_help = "\
Examples:
    opensand --key key.json store get 42 data.tar
    opensand --key key.json store get 42 - | tar x
    opensand store get 42 data.tar        (public data need no key)")]
	Get(GetArguments),
	/// List your orders.
	Ls,
	/// Show an order and its shards.
	Show {
		/// The order.
		order: OrderId,
	},
	/// Pay for more windows.
	Renew {
		/// The order.
		order: OrderId,
		/// Windows to add.
		#[arg(long, value_parser = clap::value_parser!(WindowIndex).range(1..))]
		windows: WindowIndex,
	},
	/// Tip the providers of an order, in equal parts.
	Topup {
		/// The order.
		order: OrderId,
		/// The tip, such as 1.5 or 20mSAND.
		tip: Amount,
	},
	/// End an order. What is not used up is returned; providers delete the data.
	Cancel {
		/// The order.
		order: OrderId,
	},
	/// Clear an order that has expired or whose shards were not all taken in time; anyone may.
	Close {
		/// The order.
		order: OrderId,
	},
	/// Tell the chain which of an order's shards are lost; anyone may.
	///
	/// Providers do this for the orders that they meet. Where none is left, this puts the shards of jailed providers up for
	/// repair, and once that time is over and too few shards are held, has the order found lost: its owner is
	/// compensated from the collateral of those who lost it. Run it again after the time that it names.
	Rescue {
		/// The order.
		order: OrderId,
	},
	/// Store the same data under a new key, as an order that supersedes the old one.
	///
	/// Those who have access now get the new key. Whoever was revoked before keeps what it has read, and cannot read what
	/// comes. The old order goes on until it ends or is cancelled.
	Rotate(RotateArguments),
}

/// What an order asks for.
#[derive(Debug, Args)]
pub struct OrderArguments {
	/// Shards that suffice / shards in all.
	#[arg(long, value_name = "K/N", default_value = "10/16", value_parser = code)]
	pub code: ErasureCode,
	/// Windows to pay for (windows have an hour on the main network).
	#[arg(long, value_name = "N", default_value_t = 720, value_parser = clap::value_parser!(WindowIndex).range(1..))]
	pub windows: WindowIndex,
	/// What a provider is paid for each proven window, per MiB [default: the market's floor].
	#[arg(long, value_name = "AMOUNT")]
	pub price: Option<Amount>,
	/// Regions in which shards may be, such as eu-west,eu-north [default: anywhere].
	#[arg(long, value_name = "REGION,…", value_delimiter = ',', value_parser = region)]
	pub regions: Vec<Region>,
}

/// `store put`.
#[derive(Debug, Args)]
pub struct PutArguments {
	/// The file.
	pub file: PathBuf,
	/// The order.
	#[command(flatten)]
	pub order: OrderArguments,
	/// Who may be given the key.
	#[arg(long, value_enum, default_value_t = VisibilityArgument::Private)]
	pub visibility: VisibilityArgument,
	/// Those with access may train models on it.
	#[arg(long)]
	pub training: bool,
	/// Its media type, such as text/csv; stored encrypted.
	#[arg(long, value_name = "TYPE", default_value = "")]
	pub media_type: String,
	/// Also write the file's key to this new file, so that the data can be read without the account.
	#[arg(long, value_name = "FILE")]
	pub key_file: Option<PathBuf>,
	/// Forget what an earlier run left behind, and start over.
	#[arg(long)]
	pub discard: bool,
	/// Address on which to listen for providers besides dialling them, such as /ip4/0.0.0.0/tcp/30500.
	#[arg(long, value_name = "MULTIADDR")]
	pub listen: Vec<String>,
}

/// `store get`.
#[derive(Debug, Args)]
pub struct GetArguments {
	/// The order.
	pub order: OrderId,
	/// Where to write it: a file, a directory (the stored name is used), or - for standard output.
	pub output: PathBuf,
	/// Read the file's key from here instead of from the chain.
	#[arg(long, value_name = "FILE")]
	pub key_file: Option<PathBuf>,
	/// Replace the output if it exists.
	#[arg(long)]
	pub force: bool,
	/// Give up when providers have sent nothing new for this long.
	#[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
	pub patience: Duration,
}

/// `store rotate`.
#[derive(Debug, Args)]
pub struct RotateArguments {
	/// The order whose data get a new key.
	pub order: OrderId,
	/// Windows to pay for [default: those that the old order has left].
	#[arg(long, value_name = "N", value_parser = clap::value_parser!(WindowIndex).range(1..))]
	pub windows: Option<WindowIndex>,
	/// What a provider is paid for each proven window, per MiB [default: the market's floor].
	#[arg(long, value_name = "AMOUNT")]
	pub price: Option<Amount>,
	/// Cancel the old order once the new one is active.
	#[arg(long)]
	pub cancel_old: bool,
	/// Forget what an earlier run left behind, and start over.
	#[arg(long)]
	pub discard: bool,
	/// Address on which to listen for providers besides dialling them.
	#[arg(long, value_name = "MULTIADDR")]
	pub listen: Vec<String>,
	/// Give up when providers have sent nothing new for this long.
	#[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
	pub patience: Duration,
}

/// Who can read what.
#[derive(Debug, Subcommand)]
pub enum AccessCommand {
	/// Publish the key to which others seal file keys for you. Once for each account.
	///
	/// It follows from the account's key, so it needs no backup of its own.
	Register,
	/// Give an account the key to a file.
	///
	/// The account has to have run `opensand access register`.
	#[command(after_long_help = "\
Example:
    opensand --key key.json access grant 42 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --training")]
	Grant {
		/// The order.
		order: OrderId,
		/// The account's address.
		#[arg(value_parser = account)]
		account: AccountId,
		/// It may train models on the data.
		#[arg(long)]
		training: bool,
	},
	/// Withdraw an account's access.
	///
	/// It keeps what it has read. To protect what comes, rotate the key: `opensand store rotate`.
	Revoke {
		/// The order.
		order: OrderId,
		/// The account's address.
		#[arg(value_parser = account)]
		account: AccountId,
	},
	/// Say who may be given a file's key, and whether models may be trained on it.
	///
	/// Making data public publishes their key, for good. Data that were public can be made private again only for those
	/// who have not read the key: rotate it.
	Set {
		/// The order.
		order: OrderId,
		/// Who may be given the key [default: as it is].
		#[arg(long, value_enum)]
		visibility: Option<VisibilityArgument>,
		/// Whether those with access may train models on it [default: as it is].
		#[arg(long, value_enum)]
		training: Option<Training>,
	},
	/// Show who has access to a file and everything that was done with it.
	Ls {
		/// The order.
		order: OrderId,
	},
}

/// Sale and purchase of licences.
#[derive(Debug, Subcommand)]
pub enum MarketCommand {
	/// Offer licences for data that you store.
	///
	/// The order has to be active and its visibility `licensed` (`opensand access set`). An offer cannot be changed:
	/// withdraw it and make another. Buyers are served by `opensand market deliver`, which has to run within the time that
	/// the chain gives for deliveries, or they get their money back.
	#[command(after_long_help = "\
Example:
    opensand --key key.json market list 42 --price 25 --training --terms licence.txt
    opensand --key key.json market deliver --watch")]
	List(ListArguments),
	/// Take no more purchases of a listing. Those that are paid go on.
	Withdraw {
		/// The listing.
		listing: ListingId,
	},
	/// Show what is offered.
	Browse {
		/// All that this seller has listed, also what is withdrawn and not settled yet.
		#[arg(long, value_name = "ACCOUNT", value_parser = account)]
		seller: Option<AccountId>,
	},
	/// Buy a licence: pay into escrow, wait for the key, compare it, and confirm.
	///
	/// Interrupted, or after --no-wait, run it again: it goes on with the purchase that there is. If the seller delivers
	/// nothing in time, the price is returned. The key is made from the account's own, so that nothing has to be kept but
	/// that. Ask a node that you trust: the client believes it what stands on chain.
	#[command(after_long_help = "\
Example:
    opensand --key key.json market buy 7 --max-price 25 --terms licence.txt
    opensand --key key.json store get 42 data.tar")]
	Buy(BuyArguments),
	/// List what you bought.
	Purchases,
	/// Deliver the keys that buyers have paid for.
	///
	/// Only purchases in finalised blocks are served. Each delivery holds a bond from the account until the purchase is
	/// settled; the buyer gets it if the delivery is proven wrong.
	Deliver(DeliverArguments),
	/// Compare a delivery and settle the purchase: the seller is paid, and you have the licence.
	Confirm {
		/// The purchase.
		purchase: PurchaseId,
	},
	/// Settle a purchase whose time is over; anyone may.
	///
	/// One that was not delivered is refunded. One that was delivered and not disputed is paid.
	Finish {
		/// The purchase.
		purchase: PurchaseId,
	},
	/// Prove that a delivery is wrong: the price is returned, and the seller's bond is yours.
	///
	/// This discloses the purchase's one-time secret, so that the chain itself can open the delivery. The delivery is
	/// opened here first: if it is right, nothing is sent, because whoever has the secret could then read the dataset's
	/// key.
	Dispute {
		/// The purchase.
		purchase: PurchaseId,
	},
	/// Give a licence up, for good. Its deposit is returned; the price is not.
	Surrender {
		/// The purchase.
		purchase: PurchaseId,
	},
}

/// `market list`.
#[derive(Debug, Args)]
pub struct ListArguments {
	/// The order whose data are offered.
	pub order: OrderId,
	/// What a licence costs, such as 25 or 500mSAND.
	#[arg(long, value_name = "AMOUNT")]
	pub price: Amount,
	/// Licensees may train models on the data.
	#[arg(long)]
	pub training: bool,
	/// The licence's text. Its BLAKE2-256 hash stands in the offer; publish the text where buyers find it.
	#[arg(long, value_name = "FILE")]
	pub terms: PathBuf,
}

/// `market buy`.
#[derive(Debug, Args)]
pub struct BuyArguments {
	/// The listing.
	pub listing: ListingId,
	/// Refuse to pay more than this.
	#[arg(long, value_name = "AMOUNT")]
	pub max_price: Option<Amount>,
	/// The licence's text as you know it: refuse to pay for a listing with other terms.
	#[arg(long, value_name = "FILE")]
	pub terms: Option<PathBuf>,
	/// Pay, and do not wait for the delivery.
	#[arg(long)]
	pub no_wait: bool,
}

/// `market deliver`.
#[derive(Debug, Args)]
pub struct DeliverArguments {
	/// The purchases to serve [default: all that are due].
	#[arg(value_name = "PURCHASE")]
	pub purchases: Vec<PurchaseId>,
	/// Go on serving buyers until it is interrupted, and finish what was not disputed in time.
	#[arg(long, conflicts_with = "purchases")]
	pub watch: bool,
}

/// What providers do.
#[derive(Debug, Subcommand)]
pub enum ProviderCommand {
	/// Register the account of --key as a provider.
	///
	/// Peer key, addresses and agent are asked of the node at --url, which should be your own node, running with
	/// --storage; flags replace what it says.
	#[command(after_long_help = "\
Example:
    opensand --key key.json provider register --collateral 1000 --quota 2TiB --region eu-west \\
        --address /dns4/storage.example.org/tcp/30500")]
	Register(RegisterArguments),
	/// Change what the provider says of itself. What is not given stays.
	Update(TermsArguments),
	/// Put more tokens at stake, or take back what no shard needs.
	#[command(subcommand)]
	Collateral(CollateralCommand),
	/// Take no new shards. What is held goes on to be proven until it has moved or expired.
	Drain,
	/// Leave, once drained and holding nothing, and get the collateral back.
	Exit,
	/// Come back from jail, once its time is over.
	Unjail,
	/// Show a provider and its shards.
	Show {
		/// The provider's address [default: the account of --key].
		#[arg(value_parser = account)]
		provider: Option<AccountId>,
	},
}

/// `provider register`.
#[derive(Debug, Args)]
pub struct RegisterArguments {
	/// Tokens to put at stake; each shard reserves part of them.
	#[arg(long, value_name = "AMOUNT")]
	pub collateral: Amount,
	/// The rest, of which the quota is needed.
	#[command(flatten)]
	pub terms: TermsArguments,
}

/// What a provider says of itself.
#[derive(Debug, Default, Args)]
pub struct TermsArguments {
	/// Bytes to hold at most, such as 2TiB.
	#[arg(long, value_name = "SIZE")]
	pub quota: Option<Size>,
	/// Region in which its disks are; may be repeated.
	#[arg(long = "region", value_name = "REGION", value_parser = region)]
	pub regions: Vec<Region>,
	/// Address at which it can be reached, such as /dns4/storage.example.org/tcp/30500; may be repeated.
	#[arg(long = "address", value_name = "MULTIADDR")]
	pub addresses: Vec<String>,
	/// Its peer id, such as 12D3KooW….
	#[arg(long, value_name = "PEER_ID")]
	pub peer: Option<String>,
	/// Address of its agent's account.
	#[arg(long, value_name = "ACCOUNT", value_parser = account)]
	pub agent: Option<AccountId>,
}

/// `provider collateral`.
#[derive(Debug, Subcommand)]
pub enum CollateralCommand {
	/// Put more tokens at stake.
	Add {
		/// How many.
		amount: Amount,
	},
	/// Take back tokens that no shard needs.
	Withdraw {
		/// How many.
		amount: Amount,
	},
}

/// Who may be given a file's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VisibilityArgument {
	/// Those whom the owner grants access.
	Private,
	/// Those who hold a licence.
	Licensed,
	/// Everybody: the key stands on chain.
	Public,
}

/// Whether models may be trained on data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Training {
	/// Those with access may.
	Allowed,
	/// Nobody but the owner may.
	Forbidden,
}

impl From<VisibilityArgument> for Visibility {
	fn from(argument: VisibilityArgument) -> Self {
		match argument {
			VisibilityArgument::Private => Self::Private,
			VisibilityArgument::Licensed => Self::Licensed,
			VisibilityArgument::Public => Self::Public,
		}
	}
}

fn code(text: &str) -> Result<ErasureCode, String> {
	let number = |text: &str| text.parse::<u8>().ok();
	let (data, total) = text
		.split_once('/')
		.and_then(|(data, total)| Some((number(data)?, number(total)?)))
		.ok_or("write the shards that suffice and the shards in all, such as 10/16")?;
	let code = Code::new(data, total).map_err(|error| error.to_string())?;
	Ok(ErasureCode {
		data: code.data(),
		total: code.total(),
	})
}

fn region(text: &str) -> Result<Region, String> {
	Region::new(text).ok_or_else(|| {
		"a region has 1 to 8 lower-case letters, digits and hyphens, such as eu-west".to_owned()
	})
}

/// The account that an address names: SS58 of whatever network, since the key behind it is the same, or hexadecimal.
///
/// # Errors
/// What is wrong with it, for people.
pub fn account(text: &str) -> Result<AccountId, String> {
	if text.starts_with("0x") {
		return AccountId::from_str(text).map_err(|_| "write 0x and 64 hexadecimal digits".to_owned());
	}
	AccountId::from_ss58check_with_version(text)
		.map(|(account, _)| account)
		.map_err(|_| "write an address such as 5Grw… or os7…, or 0x and 64 hexadecimal digits".to_owned())
}

/// Refuses what the types of the arguments cannot.
///
/// # Errors
/// The text of a clap error.
pub fn check_regions(regions: &[Region]) -> Result<(), String> {
	if regions.len() > MAX_REGIONS as usize {
		return Err(format!(
			"{} regions are given, and at most {MAX_REGIONS} are allowed",
			regions.len()
		));
	}
	let mut sorted = regions.to_vec();
	sorted.sort();
	if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
		return Err("a region is given twice".to_owned());
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use clap::{error::ErrorKind, CommandFactory};

	use super::*;

	fn parse(arguments: &str) -> Result<Cli, clap::Error> {
		Cli::try_parse_from(["opensand"].into_iter().chain(arguments.split_whitespace()))
	}

	#[test]
	fn accounts_of_every_network_are_taken() {
		let alice = account("0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d").unwrap();
		assert_eq!(
			account("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY").unwrap(),
			alice
		);
		let own = alice.to_ss58check_with_version(sp_core::crypto::Ss58AddressFormat::custom(11_689));
		assert_eq!(account(&own).unwrap(), alice);
		for bad in [
			"",
			"0x",
			"0x00",
			"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ",
		] {
			assert!(account(bad).is_err(), "{bad}");
		}
	}

	fn put(arguments: &str) -> PutArguments {
		match parse(arguments).unwrap().command {
			Command::Store(StoreCommand::Put(put)) => put,
			other => panic!("{other:?}"),
		}
	}

	#[test]
	fn the_definition_is_consistent() {
		Cli::command().debug_assert();
	}

	#[test]
	fn a_put_has_defaults() {
		let put = put("store put data.tar");
		assert_eq!(put.order.code, ErasureCode::DEFAULT);
		assert_eq!(put.order.windows, 720);
		assert_eq!(put.order.price, None);
		assert!(put.order.regions.is_empty() && !put.training && !put.discard);
		assert_eq!(Visibility::from(put.visibility), Visibility::Private);
	}

	#[test]
	fn a_put_takes_all_of_its_options() {
		let put = put(
			"--json --key key.json store put data.tar --code 29/80 --windows 5 --price 2nSAND --regions eu-west,us \
			 --visibility public --training --key-file data.key --discard --yes",
		);
		assert_eq!(put.order.code, ErasureCode { data: 29, total: 80 });
		assert_eq!(put.order.price, Some(Amount(2_000)));
		assert_eq!(
			put.order.regions,
			["eu-west", "us"].map(|text| Region::new(text).unwrap())
		);
		assert_eq!(Visibility::from(put.visibility), Visibility::Public);
		assert_eq!(put.key_file, Some("data.key".into()));
	}

	#[test]
	fn global_flags_stand_anywhere() {
		for arguments in ["--json --url wss://a store ls", "store ls --json --url wss://a"] {
			let global = parse(arguments).unwrap().global;
			assert!(global.json);
			assert_eq!(global.url, "wss://a");
		}
		assert_eq!(parse("store ls").unwrap().global.url, "ws://127.0.0.1:9944");
	}

	#[test]
	fn nonsense_is_a_usage_error() {
		for arguments in [
			"store put data.tar --code 16/10",
			"store put data.tar --code 10/81",
			"store put data.tar --code 1/3",
			"store put data.tar --code 10",
			"store put data.tar --windows 0",
			"store put data.tar --price -1",
			"store put data.tar --price 1DOT",
			"store put data.tar --regions EU",
			"store put data.tar --visibility secret",
			"store get x out",
			"store get 1 out --patience 5",
			"store renew 1",
			"access grant 1 5Nobody",
			"access set 1 --training perhaps",
			"provider register --quota 1TiB",
			"provider register --collateral 1 --quota 1.5TiB",
			"market list",
			"market list 1 --price 5",
			"market list 1 --terms licence.txt",
			"market buy",
			"market buy 1 --max-price 1DOT",
			"market browse --seller 5Nobody",
			"market deliver 7 --watch",
			"market dispute",
		] {
			let error = parse(arguments).unwrap_err();
			assert_eq!(error.exit_code(), 2, "{arguments}");
		}
	}

	#[test]
	fn sellers_and_buyers_say_what_they_want() {
		let market = |arguments: &str| match parse(arguments).unwrap().command {
			Command::Market(command) => command,
			other => panic!("{other:?}"),
		};
		let MarketCommand::List(list) = market("market list 42 --price 25 --training --terms licence.txt")
		else {
			panic!("an offer")
		};
		assert_eq!((list.order, list.price), (42, Amount(25_000_000_000_000)));
		assert!(list.training && list.terms.as_os_str() == "licence.txt");
		let MarketCommand::Buy(buy) = market("market buy 7 --no-wait") else {
			panic!("a purchase")
		};
		assert!(buy.no_wait && buy.max_price.is_none() && buy.terms.is_none());
		let MarketCommand::Deliver(deliver) = market("market deliver 1 2") else {
			panic!("a delivery")
		};
		assert!(deliver.purchases == [1, 2] && !deliver.watch);
	}

	#[test]
	fn accounts_are_addresses_or_keys() {
		let address = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
		let key = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";
		assert_eq!(account(address), account(key));
		assert!(account("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ").is_err());
	}

	#[test]
	fn regions_are_few_and_different() {
		let regions = |texts: &[&str]| {
			texts
				.iter()
				.map(|text| Region::new(text).unwrap())
				.collect::<Vec<_>>()
		};
		assert!(check_regions(&regions(&["a", "b"])).is_ok());
		assert!(check_regions(&regions(&["a", "b", "a"])).is_err());
		assert!(check_regions(&regions(&["a", "b", "c", "d", "e", "f", "g", "h", "i"])).is_err());
	}

	#[test]
	fn the_help_has_examples_and_exit_codes() {
		let help = |arguments: &str| {
			let error = parse(arguments).unwrap_err();
			assert_eq!(error.kind(), ErrorKind::DisplayHelp);
			error.to_string()
		};
		assert!(help("--help").contains("Exit codes:"));
		for command in [
			"store put",
			"store get",
			"access grant",
			"market list",
			"market buy",
			"provider register",
		] {
			assert!(
				help(&format!("{command} --help")).contains("Example"),
				"{command}"
			);
		}
	}
}
