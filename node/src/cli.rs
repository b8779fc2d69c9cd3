//! The command line.

use clap::Parser;
use sc_cli::{CliConfiguration, OffchainWorkerEnabled, SubstrateCli};
use sc_storage_monitor::StorageMonitorParams;

use crate::{
	chain_spec,
	prover::{cli::ProverCmd, params::ProverParams},
	session_keys::SetKeysCallCmd,
	storage::params::StorageParams,
};

/// The whole command line: a subcommand, or the flags of a running node.
#[derive(Debug, Parser)]
pub struct Cli {
	/// What to do instead of running a node.
	#[command(subcommand)]
	pub subcommand: Option<Subcommand>,

	/// How to run the node.
	#[command(flatten)]
	pub run: RunCmd,
}

/// Flags of a running node.
#[derive(Debug, Parser)]
pub struct RunCmd {
	/// Flags that every node of this kind has.
	#[command(flatten)]
	pub base: sc_cli::RunCmd,

	/// Serve inference requests: run off-chain workers whatever the node's role.
	///
	/// Without this flag they run on validators only.
	#[arg(long)]
	pub worker: bool,

	/// How to prove.
	#[command(flatten)]
	pub prover: ProverParams,

	/// What to store for others.
	#[command(flatten)]
	pub storage: StorageParams,

	/// Start without measuring the machine. On development and local chains it is not measured anyway.
	#[arg(long)]
	pub no_hardware_benchmarks: bool,

	/// When to stop for lack of disk space.
	#[command(flatten)]
	pub storage_monitor: StorageMonitorParams,
}

/// What a running node mutes to warnings.
const CHATTY_TARGETS: [&str; 4] = [
	"sc_basic_authorship=warn",
	"sc_service::config=warn",
	"sub-authority-discovery=warn",
	"txpool=warn",
];

/// What a command on the database mutes as well: all its tasks end with it, which the task manager calls a failure.
const COMMAND_TARGETS: [&str; 2] = ["sc_service::task_manager=off", "txpool=warn"];

impl RunCmd {
	/// Whether `--worker` contradicts `--offchain-worker never`.
	pub fn worker_is_forbidden(&self) -> bool {
		self.worker
			&& matches!(
				self.base.offchain_worker_params.enabled,
				OffchainWorkerEnabled::Never
			)
	}
}

impl Cli {
	/// Mutes log targets that tell an operator nothing, unless `--log` says what to print.
	pub fn quieten(&mut self) {
		let (log, targets) = match &mut self.subcommand {
			None => (&mut self.run.base.shared_params.log, &CHATTY_TARGETS[..]),
			Some(Subcommand::CheckBlock(command)) => (&mut command.shared_params.log, &COMMAND_TARGETS[..]),
			Some(Subcommand::ExportBlocks(command)) => (&mut command.shared_params.log, &COMMAND_TARGETS[..]),
			Some(Subcommand::ExportState(command)) => (&mut command.shared_params.log, &COMMAND_TARGETS[..]),
			Some(Subcommand::ImportBlocks(command)) => (&mut command.shared_params.log, &COMMAND_TARGETS[..]),
			Some(Subcommand::Revert(command)) => (&mut command.shared_params.log, &COMMAND_TARGETS[..]),
			Some(_) => return,
		};
		if log.is_empty() {
			log.extend(targets.iter().copied().map(String::from));
		}
	}

	/// Lets an authority of a development or local chain make its own node key, as other nodes do.
	///
	/// On a live chain an authority without one is refused: its peers rely on a stable identity.
	///
	/// # Errors
	///
	/// When the chain specification does not load.
	pub fn relax_node_key_on_test_chains(&mut self) -> sc_cli::Result<()> {
		let base = &mut self.run.base;
		let is_dev = base.shared_params.dev;
		if !base.role(is_dev)?.is_authority() {
			return Ok(());
		}
		let spec = chain_spec::load(&base.shared_params.chain_id(is_dev))?;
		if chain_spec::is_for_tests(&*spec) {
			base.network_params
				.node_key_params
				.unsafe_force_node_key_generation = true;
		}
		Ok(())
	}
}

/// Everything but running a node.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
	/// Generate, inspect, insert and register keys.
	#[command(subcommand)]
	Key(KeySubcommand),

	/// Look after the node's prover.
	#[command(subcommand)]
	Prover(ProverCmd),

	/// Sign a message with a secret key.
	Sign(sc_cli::SignCmd),

	/// Verify a signature of a message.
	Verify(sc_cli::VerifyCmd),

	/// Search for a key whose address contains a given pattern.
	Vanity(sc_cli::VanityCmd),

	/// Print a chain specification, with the node's boot node address if asked.
	BuildSpec(sc_cli::BuildSpecCmd),

	/// Write a chain specification to a file.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),

	/// Look a stored block up, and execute it again if its state is not there.
	CheckBlock(sc_cli::CheckBlockCmd),

	/// Write blocks to a file.
	ExportBlocks(sc_cli::ExportBlocksCmd),

	/// Write a block's state as a chain specification.
	ExportState(sc_cli::ExportStateCmd),

	/// Import blocks from a file.
	ImportBlocks(sc_cli::ImportBlocksCmd),

	/// Delete the chain's database.
	PurgeChain(sc_cli::PurgeChainCmd),

	/// Take back the newest unfinalised blocks.
	Revert(sc_cli::RevertCmd),

	/// Print best block, finalised block and genesis of the database.
	ChainInfo(sc_cli::ChainInfoCmd),
}

/// What can be done with keys.
#[derive(Debug, clap::Subcommand)]
pub enum KeySubcommand {
	/// The tools that every node of this kind has.
	#[command(flatten)]
	Standard(sc_cli::KeySubcommand),

	/// Print the call that registers a validator's session keys.
	SetKeysCall(SetKeysCallCmd),
}

impl SubstrateCli for Cli {
	fn impl_name() -> String {
		"OpenSand Node".into()
	}

	fn impl_version() -> String {
		env!("SUBSTRATE_CLI_IMPL_VERSION").into()
	}

	fn executable_name() -> String {
		env!("CARGO_PKG_NAME").into()
	}

	fn description() -> String {
		env!("CARGO_PKG_DESCRIPTION").into()
	}

	fn author() -> String {
		env!("CARGO_PKG_AUTHORS").into()
	}

	fn support_url() -> String {
		"the issue tracker of the OpenSand repository".into()
	}

	fn copyright_start_year() -> i32 {
		2026
	}

	fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
		chain_spec::load(id)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::CommandFactory;

	fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
		Cli::try_from_iter(std::iter::once("opensand-node").chain(arguments.iter().copied()))
	}

	#[test]
	fn command_line_is_consistent() {
		Cli::setup_command(Cli::command()).debug_assert();
	}

	#[test]
	fn runs_a_node_without_a_subcommand() {
		let cli = parse(&["--dev", "--worker", "--database", "paritydb", "--rpc-port", "0"]).expect("valid");
		assert!(cli.subcommand.is_none());
		assert!(cli.run.worker);
		assert!(cli.run.base.shared_params.dev);
		assert_eq!(cli.run.base.rpc_params.rpc_port, Some(0));
	}

	#[test]
	fn worker_contradicts_disabled_offchain_workers() {
		assert!(!parse(&["--dev", "--worker"])
			.expect("valid")
			.run
			.worker_is_forbidden());
		assert!(!parse(&["--dev", "--offchain-worker", "never"])
			.expect("valid")
			.run
			.worker_is_forbidden());
		assert!(parse(&["--dev", "--worker", "--offchain-worker", "never"])
			.expect("valid")
			.run
			.worker_is_forbidden());
	}

	#[test]
	fn log_is_quiet_unless_asked() {
		let log = |arguments: &[&str]| {
			let mut cli = parse(arguments).expect("valid");
			cli.quieten();
			match cli.subcommand {
				None => cli.run.base.shared_params.log,
				Some(Subcommand::Revert(command)) => command.shared_params.log,
				Some(other) => panic!("{other:?}"),
			}
		};
		assert_eq!(log(&["--dev"]), CHATTY_TARGETS);
		assert_eq!(log(&["--dev", "--log", "info"]), ["info"]);
		assert_eq!(log(&["revert", "--chain", "local"]), COMMAND_TARGETS);
		assert_eq!(log(&["revert", "--chain", "local", "--log", "info"]), ["info"]);
	}

	#[test]
	fn authorities_of_test_chains_make_their_node_key() {
		let relaxed = |arguments: &[&str]| {
			let mut cli = parse(arguments).expect("valid");
			cli.relax_node_key_on_test_chains().expect("the chain loads");
			cli.run
				.base
				.network_params
				.node_key_params
				.unsafe_force_node_key_generation
		};
		assert!(relaxed(&["--chain", "local", "--alice"]));
		assert!(relaxed(&["--chain", "dev", "--validator"]));
		assert!(!relaxed(&["--chain", "testnet", "--validator"]));
		assert!(!relaxed(&["--chain", "local"]), "no authority");
	}

	#[test]
	fn every_subcommand_parses() {
		let account = "0xd43593c715fdd31c61141abd04a99fd6822c8560054c9c5d21c9a1c1b1b1b1b1";
		for arguments in [
			&["key", "generate"][..],
			&["key", "generate-node-key"],
			&["key", "inspect", "//Alice"],
			&[
				"key",
				"insert",
				"--key-type",
				"babe",
				"--scheme",
				"sr25519",
				"--suri",
				"//Alice",
			],
			&["key", "set-keys-call", "--account", account],
			&[
				"key",
				"set-keys-call",
				"--account",
				account,
				"--keystore",
				"--chain",
				"local",
			],
			&["prover", "devices", "--json"],
			&[
				"prover",
				"devices",
				"--prover",
				"cuda",
				"--prover-plugin",
				"plug-in.so",
			],
			&["prover", "install", "bundle", "--base-path", "data"],
			&["prover", "bundles", "--prover-bundles", "bundles"],
			&["prover", "keys", "--base-path", "data"],
			&["prover", "queue", "list", "--dev", "--json"],
			&["sign", "--suri", "//Alice"],
			&["build-spec", "--chain", "local", "--raw"],
			&["export-chain-spec", "--chain", "local", "--raw"],
			&["check-block", "1", "--chain", "local"],
			&["export-blocks", "--chain", "local"],
			&["export-state", "--chain", "local"],
			&["import-blocks", "--chain", "local"],
			&["purge-chain", "--chain", "local", "-y"],
			&["revert", "10", "--chain", "local"],
			&["chain-info", "--chain", "local"],
		] {
			let cli = parse(arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
			assert!(cli.subcommand.is_some(), "{arguments:?}");
		}
	}

	#[test]
	fn unknown_flags_are_refused() {
		assert!(parse(&["--no-such-flag"]).is_err());
		assert!(
			parse(&["key", "set-keys-call"]).is_err(),
			"the account is required"
		);
	}
}
