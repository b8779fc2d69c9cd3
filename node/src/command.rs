//! From the command line to an action.

use std::sync::Arc;

use opensand_runtime::constants::identity::SS58_PREFIX;
use sc_cli::{Result, SubstrateCli};
use sc_service::Configuration;
use sp_core::crypto::{set_default_ss58_version, Ss58AddressFormat};

use crate::{
	chain_spec,
	cli::{Cli, KeySubcommand, RunCmd, Subcommand},
	service::{self, new_partial, Block, FullBackend, FullClient, PartialComponents},
};

/// Does what the process's arguments ask for. Returns when that is done; a node runs until it is told to stop.
///
/// # Errors
///
/// Whatever stopped the action; [`crate::errors::report`] words it for people.
pub fn run() -> Result<()> {
	set_default_ss58_version(Ss58AddressFormat::custom(SS58_PREFIX));
	let mut cli = Cli::from_args();
	cli.quieten();
	if cli.subcommand.is_none() {
		cli.relax_node_key_on_test_chains()?;
	}

	match &cli.subcommand {
		None => run_node(&cli, &cli.run),
		Some(Subcommand::Key(KeySubcommand::Standard(command))) => command.run(&cli),
		Some(Subcommand::Key(KeySubcommand::SetKeysCall(command))) => command.run(&cli),
		Some(Subcommand::Prover(command)) => command.run(&cli),
		Some(Subcommand::Sign(command)) => command.run(),
		Some(Subcommand::Verify(command)) => command.run(),
		Some(Subcommand::Vanity(command)) => command.run(),
		Some(Subcommand::BuildSpec(command)) => cli
			.create_runner(command)?
			.sync_run(|config| command.run(config.chain_spec, config.network)),
		Some(Subcommand::ExportChainSpec(command)) => command.run(cli.load_spec(&command.chain)?),
		Some(Subcommand::CheckBlock(command)) => cli.create_runner(command)?.async_run(|config| {
			let node = open(&config)?;
			Ok((command.run(node.client, node.import_queue), node.task_manager))
		}),
		Some(Subcommand::ExportBlocks(command)) => cli.create_runner(command)?.async_run(|config| {
			let node = open(&config)?;
			Ok((command.run(node.client, config.database), node.task_manager))
		}),
		Some(Subcommand::ExportState(command)) => cli.create_runner(command)?.async_run(|config| {
			let node = open(&config)?;
			Ok((command.run(node.client, config.chain_spec), node.task_manager))
		}),
		Some(Subcommand::ImportBlocks(command)) => cli.create_runner(command)?.async_run(|config| {
			let node = new_partial(&config)?;
			Ok((command.run(node.client, node.import_queue), node.task_manager))
		}),
		Some(Subcommand::PurgeChain(command)) => cli
			.create_runner(command)?
			.sync_run(|config| command.run(config.database)),
		Some(Subcommand::Revert(command)) => cli.create_runner(command)?.async_run(|config| {
			let node = open(&config)?;
			let revert = command.run(node.client, node.backend, Some(Box::new(revert_consensus)));
			Ok((revert, node.task_manager))
		}),
		Some(Subcommand::ChainInfo(command)) => cli.create_runner(command)?.sync_run(|config| {
			ensure_database(&config)?;
			command.run::<Block>(&config)
		}),
	}
}

fn run_node(cli: &Cli, command: &RunCmd) -> Result<()> {
	if command.worker_is_forbidden() {
		return Err(
			"--worker needs off-chain workers: leave out one of --worker and --offchain-worker never".into(),
		);
	}
	cli.create_runner(&command.base)?
		.run_node_until_exit(|mut config| async move {
			config.offchain_worker.enabled |= command.worker;
			let prover = match command.worker {
				true => Some(service::start_prover(&config, &command.prover)?),
				false => None,
			};
			let options = service::Options {
				storage_monitor: command.storage_monitor.clone(),
				measure_hardware: !command.no_hardware_benchmarks
					&& !chain_spec::is_for_tests(&*config.chain_spec),
				prover,
				storage: command.storage.config(),
			};
			service::new_full(config, options).await.map_err(Into::into)
		})
}

/// Opens a database that must exist already, and builds on it what needs no network.
fn open(config: &Configuration) -> Result<PartialComponents> {
	ensure_database(config)?;
	Ok(new_partial(config)?)
}

/// Refuses to make an empty database where an existing one is asked about.
fn ensure_database(config: &Configuration) -> Result<()> {
	match config.database.path() {
		Some(path) if !path.exists() => Err(format!(
			"there is no database at {}: name the node's --chain, --base-path and --database",
			path.display()
		)
		.into()),
		_ => Ok(()),
	}
}

/// Takes back what BABE and GRANDPA noted beside the blocks that are about to be reverted.
fn revert_consensus(client: Arc<FullClient>, backend: Arc<FullBackend>, blocks: u32) -> Result<()> {
	sc_consensus_babe::revert(client.clone(), backend, blocks)?;
	sc_consensus_grandpa::revert(client, blocks)?;
	Ok(())
}
