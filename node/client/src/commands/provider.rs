//! `provider register`, `update`, `collateral`, `drain`, `exit`, `unjail` and `show`.

use std::str::FromStr;

use opensand_blocks::{public_key_of, PeerId};
use opensand_primitives::{
	storage::{
		AddressBytes, ProviderRecord, ProviderStatus, ProviderTerms, Region, ShardView, MAX_ADDRESSES,
		MAX_ADDRESS_BYTES, MAX_REGIONS,
	},
	AccountId,
};
use serde::Deserialize;
use serde_json::{json, Value};
use sp_core::{bounded::BoundedVec, ConstU32};

use super::{region_text, Context};
use crate::{
	amounts::{Amount, Size},
	chain::{Call, Chain, View},
	cli::{account, check_regions, CollateralCommand, ProviderCommand, RegisterArguments, TermsArguments},
	error::Error,
	fetch::status_name,
	network::address,
	output::table,
};

/// Does what the command says.
pub async fn run(context: &Context, command: ProviderCommand) -> Result<(), Error> {
	match command {
		ProviderCommand::Register(arguments) => register(context, arguments).await,
		ProviderCommand::Update(arguments) => update(context, arguments).await,
		ProviderCommand::Collateral(CollateralCommand::Add { amount }) => {
			let question = format!("{} are put at stake", amount);
			call(context, Some(&question), &Call::add_collateral(amount.0)).await
		}
		ProviderCommand::Collateral(CollateralCommand::Withdraw { amount }) => {
			call(context, None, &Call::withdraw_collateral(amount.0)).await
		}
		ProviderCommand::Drain => {
			let question = "The provider takes no new shards any more, for good";
			call(context, Some(question), &Call::drain()).await
		}
		ProviderCommand::Exit => exit(context).await,
		ProviderCommand::Unjail => call(context, None, &Call::unjail()).await,
		ProviderCommand::Show { provider } => show(context, provider).await,
	}
}

/// What a node says of its storage service.
#[derive(Debug, Default, Deserialize)]
struct NodeStatus {
	/// Its peer id.
	peer: Option<String>,
	/// Where it can be reached.
	#[serde(default)]
	addresses: Vec<String>,
	/// Its agent's address.
	agent: Option<String>,
}

async fn register(context: &Context, arguments: RegisterArguments) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let status = node_status(&chain).await?;
	let terms = new_terms(arguments.terms, &status)?;
	context.output.confirm(
		&format!(
			"{} are put at stake for offering {} as {}",
			arguments.collateral,
			Size(terms.quota),
			chain.address(&key.account()),
		),
		context.yes(),
	)?;
	let after = chain
		.submit(
			&key,
			&Call::register_provider(&terms, arguments.collateral.0),
			None,
		)
		.await?;
	report(context, &chain, &after, &key.account()).await
}

async fn update(context: &Context, arguments: TermsArguments) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let account = key.account();
	let record = provider(&chain, &chain.best().await?, &account).await?;
	let terms = changed_terms(record.terms, arguments)?;
	let after = chain.submit(&key, &Call::update_provider(&terms), None).await?;
	report(context, &chain, &after, &account).await
}

/// Sends a call of the provider's and reports how it stands then.
async fn call(context: &Context, question: Option<&str>, call: &Call) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let account = key.account();
	provider(&chain, &chain.best().await?, &account).await?;
	if let Some(question) = question {
		context.output.confirm(question, context.yes())?;
	}
	let after = chain.submit(&key, call, None).await?;
	report(context, &chain, &after, &account).await
}

async fn exit(context: &Context) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let record = provider(&chain, &chain.best().await?, &key.account()).await?;
	let after = chain.submit(&key, &Call::exit(), None).await?;
	let address = chain.address(&key.account());
	context.output.result(
		json!({ "provider": address, "returned": record.collateral.to_string(), "block": after.number() }),
		|| {
			format!(
				"{address} is no provider any more; {} of collateral are returned",
				Amount(record.collateral)
			)
		},
	)
}

async fn show(context: &Context, chosen: Option<AccountId>) -> Result<(), Error> {
	let (chain, account) = match chosen {
		Some(account) => (context.chain().await?, account),
		None => {
			let (chain, key) = context.chain_and_key().await?;
			(chain, key.account())
		}
	};
	let view = chain.best().await?;
	report(context, &chain, &view, &account).await
}

async fn provider(chain: &Chain, view: &View<'_>, account: &AccountId) -> Result<ProviderRecord, Error> {
	let record = view.provider(account).await?;
	record.ok_or_else(|| Error::NoProvider(chain.address(account)))
}

/// What the node says of its storage service; nothing if it has none.
async fn node_status(chain: &Chain) -> Result<NodeStatus, Error> {
	let answer = chain.optional_method("storage_status").await?;
	// A node of another release may say something else; flags then give what is missing.
	Ok(answer
		.and_then(|answer| serde_json::from_value(answer).ok())
		.unwrap_or_default())
}

/// The terms of a new provider: flags, and what the node says where there is none.
fn new_terms(arguments: TermsArguments, status: &NodeStatus) -> Result<ProviderTerms, Error> {
	let missing = |what: &str, flag: &str| {
		Error::usage(
			format!("{what} is not known"),
			format!("give {flag}, or ask your own node, running with --storage, by --url"),
		)
	};
	let peer = arguments
		.peer
		.as_ref()
		.or(status.peer.as_ref())
		.ok_or_else(|| missing("the peer id", "--peer"))?;
	let agent = match (&arguments.agent, &status.agent) {
		(Some(agent), _) => agent.clone(),
		(None, Some(agent)) => account(agent).map_err(|error| {
			Error::usage(
				format!("the node names no agent: {agent}: {error}"),
				"give --agent",
			)
		})?,
		(None, None) => return Err(missing("the agent's account", "--agent")),
	};
	let quota = arguments
		.quota
		.ok_or_else(|| Error::usage("the quota is not known", "give --quota, such as 2TiB"))?;
	let told = if arguments.addresses.is_empty() {
		&status.addresses
	} else {
		&arguments.addresses
	};
	if told.is_empty() {
		return Err(missing("an address", "--address"));
	}
	Ok(ProviderTerms {
		agent,
		peer: peer_key(peer)?,
		addresses: bounded_addresses(told)?,
		regions: bounded_regions(&arguments.regions)?,
		quota: quota.0,
	})
}

/// The terms with what the flags change.
fn changed_terms(mut terms: ProviderTerms, arguments: TermsArguments) -> Result<ProviderTerms, Error> {
	if let Some(quota) = arguments.quota {
		terms.quota = quota.0;
	}
	if let Some(peer) = &arguments.peer {
		terms.peer = peer_key(peer)?;
	}
	if let Some(agent) = arguments.agent {
		terms.agent = agent;
	}
	if !arguments.addresses.is_empty() {
		terms.addresses = bounded_addresses(&arguments.addresses)?;
	}
	if !arguments.regions.is_empty() {
		terms.regions = bounded_regions(&arguments.regions)?;
	}
	Ok(terms)
}

/// The Ed25519 key of a peer id.
///
/// # Errors
/// When it is none, or of a peer with another kind of key.
pub fn peer_key(text: &str) -> Result<[u8; 32], Error> {
	PeerId::from_str(text)
		.ok()
		.and_then(|peer| public_key_of(&peer))
		.ok_or_else(|| {
			Error::usage(
				format!("{text} is not the id of a peer with an Ed25519 key"),
				"such ids begin with 12D3KooW; the node prints its own when it starts with --storage",
			)
		})
}

/// Addresses as the chain has them: without the peer's id at the end, which stands beside them.
///
/// # Errors
/// When one is none or too long, or there are too many.
pub fn bounded_addresses(
	texts: &[String],
) -> Result<BoundedVec<AddressBytes, ConstU32<MAX_ADDRESSES>>, Error> {
	let mut addresses: Vec<AddressBytes> = Vec::with_capacity(texts.len());
	for text in texts {
		let text = text.split("/p2p/").next().unwrap_or_default();
		address(text)?;
		let bytes = text.as_bytes().to_vec().try_into().map_err(|_| {
			Error::usage(
				format!("the address {text} is too long"),
				format!("addresses have at most {MAX_ADDRESS_BYTES} characters"),
			)
		})?;
		if !addresses.contains(&bytes) {
			addresses.push(bytes);
		}
	}
	addresses.try_into().map_err(|_| {
		Error::usage(
			format!(
				"{} addresses are given or known to the node, and at most {MAX_ADDRESSES} are recorded",
				texts.len()
			),
			"name those at which others reach the provider with --address",
		)
	})
}

fn bounded_regions(regions: &[Region]) -> Result<BoundedVec<Region, ConstU32<MAX_REGIONS>>, Error> {
	check_regions(regions).map_err(|what| Error::usage(what, "name each region once, and at most 8"))?;
	regions
		.to_vec()
		.try_into()
		.map_err(|_| Error::usage("too many regions are given", "give at most 8"))
}

async fn report(context: &Context, chain: &Chain, view: &View<'_>, account: &AccountId) -> Result<(), Error> {
	let record = provider(chain, view, account).await?;
	let shards = view.shards_of(account).await?;
	let terms = &record.terms;
	let peer =
		opensand_blocks::peer_id_of(&terms.peer).map_or_else(|_| "none".to_owned(), |peer| peer.to_string());
	let addresses: Vec<String> = terms
		.addresses
		.iter()
		.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
		.collect();
	let regions: Vec<String> = terms.regions.iter().map(region_text).collect();
	let (status, until) = match record.status {
		ProviderStatus::Active => ("active", None),
		ProviderStatus::Draining => ("draining", None),
		ProviderStatus::Jailed { until } => ("jailed", Some(until)),
	};
	let fields = json!({
		"provider": chain.address(account),
		"status": status,
		"jailed_until": until,
		"agent": chain.address(&terms.agent),
		"peer": peer,
		"addresses": addresses,
		"regions": regions,
		"quota": terms.quota,
		"committed": record.committed,
		"collateral": record.collateral.to_string(),
		"reserved": record.reserved.to_string(),
		"proven_window": record.proven,
		"faults": record.faults,
		"shards": shards.iter().map(shard_json).collect::<Vec<_>>(),
	});
	context.output.result(fields, || {
		let rows = [
			("provider", chain.address(account)),
			(
				"status",
				until.map_or_else(
					|| status.to_owned(),
					|until| format!("jailed until block {until}"),
				),
			),
			("agent", chain.address(&terms.agent)),
			("peer", peer),
			("addresses", addresses.join(" ")),
			("regions", regions.join(", ")),
			(
				"quota",
				format!(
					"{}, of which {} are committed",
					Size(terms.quota),
					Size(record.committed)
				),
			),
			(
				"collateral",
				format!(
					"{}, of which {} are reserved",
					Amount(record.collateral),
					Amount(record.reserved)
				),
			),
			(
				"proven",
				format!("window {}; {} faults in a row", record.proven, record.faults),
			),
			("shards", shards.len().to_string()),
		];
		let rows: Vec<Vec<String>> = rows
			.into_iter()
			.map(|(name, value)| vec![name.to_owned(), value])
			.collect();
		let heading = ["order", "shard", "status"];
		let mut shard_rows = vec![heading.map(str::to_owned).to_vec()];
		shard_rows.extend(shards.iter().map(|shard| {
			vec![
				shard.order.to_string(),
				shard.index.to_string(),
				status_name(&shard.status).to_owned(),
			]
		}));
		match shards.is_empty() {
			true => table(&rows),
			false => format!("{}\n{}", table(&rows), table(&shard_rows)),
		}
	})
}

fn shard_json(shard: &ShardView) -> Value {
	json!({ "order": shard.order, "shard": shard.index, "status": status_name(&shard.status) })
}

#[cfg(test)]
mod tests {
	use opensand_blocks::peer_id_of;
	use sp_core::Pair;

	use super::*;

	fn peer(seed: u8) -> (String, [u8; 32]) {
		let key = sp_core::ed25519::Pair::from_seed(&[seed; 32]).public().0;
		(peer_id_of(&key).unwrap().to_string(), key)
	}

	fn arguments() -> TermsArguments {
		TermsArguments {
			quota: Some(Size(1 << 40)),
			..TermsArguments::default()
		}
	}

	fn status() -> NodeStatus {
		let text = json!({
			"peer": peer(1).0,
			"addresses": [format!("/ip4/192.0.2.7/tcp/30500/p2p/{}", peer(1).0)],
			"agent": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
			"used_bytes": 7,
		});
		serde_json::from_value(text).unwrap()
	}

	fn texts(terms: &ProviderTerms) -> Vec<String> {
		terms
			.addresses
			.iter()
			.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
			.collect()
	}

	#[test]
	fn the_node_says_what_no_flag_does() {
		let terms = new_terms(arguments(), &status()).unwrap();
		assert_eq!(terms.peer, peer(1).1);
		assert_eq!(texts(&terms), ["/ip4/192.0.2.7/tcp/30500"]);
		assert_eq!(terms.quota, 1 << 40);

		let flags = TermsArguments {
			peer: Some(peer(2).0),
			addresses: vec!["/dns4/storage.example.org/tcp/30500".into()],
			regions: vec![Region::new("eu-west").unwrap()],
			..arguments()
		};
		let terms = new_terms(flags, &status()).unwrap();
		assert_eq!(terms.peer, peer(2).1);
		assert_eq!(texts(&terms), ["/dns4/storage.example.org/tcp/30500"]);
	}

	#[test]
	fn what_nobody_says_is_asked_for() {
		for (arguments, status, flag) in [
			(TermsArguments::default(), status(), "--quota"),
			(
				arguments(),
				NodeStatus {
					peer: None,
					..status()
				},
				"--peer",
			),
			(
				arguments(),
				NodeStatus {
					agent: None,
					..status()
				},
				"--agent",
			),
			(
				arguments(),
				NodeStatus {
					agent: Some("nobody".into()),
					..status()
				},
				"--agent",
			),
			(
				arguments(),
				NodeStatus {
					addresses: Vec::new(),
					..status()
				},
				"--address",
			),
			(
				arguments(),
				NodeStatus {
					peer: Some("Qm".into()),
					..status()
				},
				"12D3KooW",
			),
			(
				TermsArguments {
					addresses: vec!["host:1".into()],
					..arguments()
				},
				status(),
				"free port",
			),
			(
				TermsArguments {
					addresses: vec![format!("/dns4/{}/tcp/1", "a".repeat(130))],
					..arguments()
				},
				status(),
				"128",
			),
		] {
			let error = new_terms(arguments, &status).unwrap_err();
			assert!(error.remedy().unwrap().contains(flag), "{flag}: {error}");
		}
		let many: Vec<String> = (0..5).map(|port| format!("/ip4/192.0.2.7/tcp/{port}")).collect();
		assert!(bounded_addresses(&many).is_err());
		assert_eq!(
			bounded_addresses(&[many[0].clone(), many[0].clone()])
				.unwrap()
				.len(),
			1
		);
	}

	#[test]
	fn an_update_leaves_what_is_not_named() {
		let terms = new_terms(arguments(), &status()).unwrap();
		let same = changed_terms(terms.clone(), TermsArguments::default()).unwrap();
		assert_eq!(same, terms);
		let change = TermsArguments {
			quota: Some(Size(5)),
			..TermsArguments::default()
		};
		let changed = changed_terms(terms.clone(), change).unwrap();
		assert_eq!(changed, ProviderTerms { quota: 5, ..terms });
	}
}
