//! Everything that goes wrong for those who store and fetch: they are killed at each step of a put, nobody takes their
//! shards, providers are gone, access was not given, orders have ended. One network serves it all.

use std::{
	fs,
	path::{Path, PathBuf},
	time::Duration,
};

use anyhow::{bail, ensure, Context, Result};
use opensand_tests::{
	client::held_balance,
	eventually,
	node::Node,
	storage::{address_text, grantee, Files, Provider, StorageMarket, GRANTEE, OWNER},
};
use serde_json::Value as Json;
use subxt_signer::{sr25519::Keypair, SecretUri};
use tokio::time::{sleep, Instant};

/// Bytes of the file whose put is killed: its encoding takes long enough to be met.
const FILE_BYTES: usize = 16 * 1024 * 1024 + 321;
/// Bytes of the other files.
const SMALL_BYTES: usize = 300_000;
/// Owns public data.
const PUBLISHER: &str = "//Bob//stash";
/// Owns data whose order ends.
const PASSER_BY: &str = "//Charlie//stash";
/// Asks for what nobody offers.
const UNSERVED: &str = "//Eve//stash";
/// How long one step of a put, or the end of an order, may take.
const LIMIT: Duration = Duration::from_secs(300);
/// How often a put that is to be killed is looked at.
const GLANCE: Duration = Duration::from_millis(1);
/// Bytes of blocks with which a get is killed: some of them, and far from all.
const KEPT_BYTES: u64 = 1 << 20;
/// The steps of a put, as its state on disk names them.
const STEPS: [&str; 4] = ["encoding", "encoded", "placing", "placed"];
/// Those that wait for no block.
const BRIEF_STEPS: [&str; 2] = [STEPS[0], STEPS[1]];
/// How often a put is begun anew of which one of them has passed unseen.
const ATTEMPTS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn faults_cost_neither_data_nor_tokens() -> Result<()> {
	let files = Files::new()?;
	let chain = files.hurried_chain().await?;
	// It begins while there is no provider at all, and none ever comes to its region.
	let elsewhere = StorageMarket::join(&chain, 0).await?;
	let (unserved, served) = tokio::join!(nobody_takes_it(&elsewhere, &files), async {
		let market = StorageMarket::join(&chain, 4).await?;
		// So that the put that is killed sends one transaction, and before it none.
		market.opensand(OWNER, &["access", "register"]).await?;
		let (stored, public, ending, registered) = tokio::join!(
			killed_at_every_step(&chain, &market, &files),
			publish(&market, &files),
			store_briefly(&market, &files),
			market.opensand(GRANTEE, &["access", "register"])
		);
		registered?;
		let (order, data) = stored?;
		access_is_what_was_given(&market, &files, &order, &public?).await?;
		let rotated = rotated(&market, &files, order, &data).await?;
		providers_are_lost(market, &files, rotated, ending?, &data).await
	});
	unserved.context("an order that nobody takes")?;
	served
}

/// A put whose shards nobody takes says so at the deadline, and what was held is returned.
async fn nobody_takes_it(market: &StorageMarket, files: &Files) -> Result<()> {
	let (file, _) = files.noise("unserved", SMALL_BYTES, 1)?;
	let put = [
		"store",
		"put",
		&file,
		"--code",
		"2/3",
		"--windows",
		"5",
		"--regions",
		"ap-south",
	];
	let failure = market.failure(Some(UNSERVED), &put).await?;
	ensure!(failure.code == 5, "{failure:?}");
	ensure!(failure.message.contains("did not happen in time"), "{failure:?}");
	ensure!(
		failure.remedy.contains("run the same command again"),
		"{failure:?}"
	);
	let listed = market.opensand(UNSERVED, &["store", "ls"]).await?;
	ensure!(listed["orders"].as_array().is_some_and(Vec::is_empty), "{listed}");
	let at = market.client().at_best().await?;
	let held = held_balance(&at, &keypair(UNSERVED)?.public_key().0).await?;
	ensure!(held == 0, "{held} are still held of {UNSERVED}");
	Ok(())
}

/// A put is killed once at each of its steps, and the run after the last kill ends with one order. Returns it and what it
/// stores.
async fn killed_at_every_step(
	chain: &Node,
	market: &StorageMarket,
	files: &Files,
) -> Result<(String, Vec<u8>)> {
	let (file, data) = files.noise("killed", FILE_BYTES, 2)?;
	let put = ["store", "put", &file, "--code", "2/4", "--windows", "60"];
	for step in STEPS {
		kill_at(chain, market, &put, &file, step).await?;
	}
	let stored = market.opensand(OWNER, &put).await?;
	let order = id(&stored)?;
	let listed = market.opensand(OWNER, &["store", "ls"]).await?;
	let orders = listed["orders"].as_array().context("orders")?;
	ensure!(orders.len() == 1, "one order for one file: {listed}");
	ensure!(id(&orders[0])? == order, "{listed}");
	// Each step was of the same order: what is held is what one costs, besides its deposit.
	let shown = market.anybody(&["store", "show", &order]).await?;
	ensure!(shown["status"] == "active", "{shown}");
	ensure!(
		step_of(market.cache(), &file)?.is_none(),
		"nothing is left behind"
	);
	let restored = files.path("restored");
	market
		.opensand(OWNER, &["store", "get", &order, &restored])
		.await?;
	ensure!(fs::read(&restored)? == data, "the owner gets what it stored");
	Ok((order, data))
}

/// Runs a put until it is at `step`, and kills it there.
async fn kill_at(chain: &Node, market: &StorageMarket, put: &[&str], file: &str, step: &str) -> Result<()> {
	let place = |step: &str| STEPS.iter().position(|name| *name == step);
	let sent = transactions_of_owner(chain).await?;
	for _ in 0..ATTEMPTS {
		let mut client = market.start(OWNER, put)?;
		let began = Instant::now();
		while step_of(market.cache(), file)?.is_none_or(|at| place(&at) < place(step)) {
			if let Some(status) = client.try_wait()? {
				bail!("the put ended before it was {step}: {status}");
			}
			ensure!(began.elapsed() < LIMIT, "the put was never {step}");
			sleep(GLANCE).await;
		}
		client.kill().await?;
		let (staged, killed_at) = staged(market.cache(), file)?.context("a step")?;
		if killed_at == step {
			return Ok(());
		}
		// The first steps wait for no block, and can be over before the kill comes. As long as nothing has left the machine,
		// the put can be begun anew.
		ensure!(
			BRIEF_STEPS.contains(&step) && transactions_of_owner(chain).await? == sent,
			"killed when it was {killed_at}, not {step}"
		);
		fs::remove_dir_all(staged)?;
	}
	bail!("{step} passed unseen {ATTEMPTS} times")
}

/// How many transactions the owner has sent, those included that wait in the pool.
async fn transactions_of_owner(chain: &Node) -> Result<u64> {
	let account = keypair(OWNER)?.public_key().to_account_id().to_string();
	let next = chain.call("system_accountNextIndex", &[account.into()]).await?;
	next.as_u64().with_context(|| format!("a number, not {next}"))
}

fn keypair(uri: &str) -> Result<Keypair> {
	Ok(Keypair::from_uri(&uri.parse::<SecretUri>()?)?)
}

/// The step at which a put of `file` stands; `None` if none has begun.
fn step_of(cache: &Path, file: &str) -> Result<Option<String>> {
	Ok(staged(cache, file)?.map(|(_, step)| step))
}

/// Where a put of `file` is staged, and its step.
fn staged(cache: &Path, file: &str) -> Result<Option<(PathBuf, String)>> {
	let path = hex::encode(fs::canonicalize(file)?.to_string_lossy().as_bytes());
	let Ok(entries) = fs::read_dir(cache.join("put")) else {
		return Ok(None);
	};
	for entry in entries {
		// It may be replaced or removed at any moment.
		let directory = entry?.path();
		let Ok(text) = fs::read(directory.join("state.json")) else {
			continue;
		};
		let state: Json = serde_json::from_slice(&text)?;
		if state["source"]["file"]["path"] != path.as_str() {
			continue;
		}
		let step = &state["step"];
		let name = step
			.as_str()
			.or_else(|| step.as_object()?.keys().next().map(String::as_str));
		return Ok(Some((directory, name.context("a step")?.to_owned())));
	}
	Ok(None)
}

/// Stores data for one window. Returns the order.
async fn store_briefly(market: &StorageMarket, files: &Files) -> Result<String> {
	let (file, _) = files.noise("ending", SMALL_BYTES, 3)?;
	let put = ["store", "put", &file, "--code", "2/3", "--windows", "1"];
	id(&market.opensand(PASSER_BY, &put).await?)
}

/// Stores public data. Returns the order.
async fn publish(market: &StorageMarket, files: &Files) -> Result<String> {
	let (file, _) = files.noise("public", SMALL_BYTES, 4)?;
	let put = [
		"store",
		"put",
		&file,
		"--code",
		"2/3",
		"--windows",
		"60",
		"--visibility",
		"public",
	];
	id(&market.opensand(PUBLISHER, &put).await?)
}

/// Public data are read by anybody, private data by nobody without a grant.
async fn access_is_what_was_given(
	market: &StorageMarket,
	files: &Files,
	private: &str,
	public: &str,
) -> Result<()> {
	for (key, name) in [(None, "anybody's"), (Some(GRANTEE), "somebody's")] {
		let target = files.path(name);
		let get = ["store", "get", public, &target];
		match key {
			None => market.anybody(&get).await?,
			Some(key) => market.opensand(key, &get).await?,
		};
		ensure!(
			fs::read(&target)? == fs::read(files.path("public"))?,
			"public data are what was stored"
		);
		let target = files.path("nobody's");
		let failure = market.failure(key, &["store", "get", private, &target]).await?;
		ensure!(failure.code == 6, "{failure:?}");
		let remedy = match key {
			None => "--key",
			Some(_) => "opensand access grant",
		};
		ensure!(failure.remedy.contains(remedy), "{failure:?}");
		ensure!(!Path::new(&target).exists(), "nothing is written");
	}
	Ok(())
}

/// The owner rotates the key of data that another account may read, and cancels the old order. Returns the new order.
async fn rotated(market: &StorageMarket, files: &Files, order: String, data: &[u8]) -> Result<String> {
	let account = address_text(&grantee());
	market
		.opensand(OWNER, &["access", "grant", &order, &account])
		.await?;
	let rotate = ["store", "rotate", &order, "--cancel-old"];
	let result = market.opensand(OWNER, &rotate).await?;
	let new = id(&result)?;
	ensure!(new != order, "{result}");
	ensure!(
		result["granted"]
			.as_array()
			.is_some_and(|granted| granted.len() == 1),
		"{result}"
	);
	let target = files.path("rotated");
	market.opensand(GRANTEE, &["store", "get", &new, &target]).await?;
	ensure!(fs::read(&target)? == data, "who had access has it again");
	Ok(new)
}

/// Providers are killed until the data cannot be had, and come back. Meanwhile an order has ended.
async fn providers_are_lost(
	mut market: StorageMarket,
	files: &Files,
	order: String,
	ending: String,
	data: &[u8],
) -> Result<()> {
	let mut dead = Vec::new();
	for _ in 0..2 {
		dead.push(stop(market.providers.remove(0)).await?);
	}
	let target = files.path("from two");
	let get = ["store", "get", &order, &target];
	killed_while_fetching(&market, &get).await?;
	ensure!(
		!Path::new(&target).exists(),
		"nothing is written before all is there"
	);
	market.opensand(OWNER, &get).await?;
	ensure!(fs::read(&target)? == data, "two of four shards restore the file");

	// An order whose time is over is closed by whoever comes first, and then there is nothing any more.
	eventually("the order of one window is closed", LIMIT, || async {
		match market.opensand(PASSER_BY, &["store", "close", &ending]).await {
			Ok(_) => Ok(Some(())),
			Err(error) if error.to_string().contains("there is no order") => Ok(Some(())),
			Err(error) => Err(error),
		}
	})
	.await?;
	let target = files.path("ended");
	let get = ["store", "get", &ending, &target];
	let ended = market.failure(Some(PASSER_BY), &get).await?;
	ensure!(ended.code == 3, "{ended:?}");
	ensure!(ended.message.contains("there is no order"), "{ended:?}");
	ensure!(ended.remedy.contains("opensand store ls"), "{ended:?}");

	dead.push(stop(market.providers.remove(0)).await?);
	let target = files.path("from one");
	let get = ["store", "get", &order, &target, "--patience", "5s"];
	let failure = market.failure(Some(OWNER), &get).await?;
	ensure!(failure.code == 4, "{failure:?}");
	ensure!(
		failure
			.message
			.contains("it takes 2 shards, and 1 could be fetched"),
		"{failure:?}"
	);
	ensure!(
		failure.remedy.contains("run the same command again later"),
		"{failure:?}"
	);
	ensure!(failure.details.contains("shard"), "{failure:?}");
	ensure!(!Path::new(&target).exists(), "nothing is written");

	let back = dead.pop().context("a provider that was killed")?;
	let _node = back.start().await?;
	let get = ["store", "get", &order, &target];
	market.opensand(OWNER, &get).await?;
	ensure!(fs::read(&target)? == data, "what came back restores the file");
	Ok(())
}

/// Runs a get until it has kept some blocks, and kills it there.
async fn killed_while_fetching(market: &StorageMarket, get: &[&str]) -> Result<()> {
	let mut client = market.start(OWNER, get)?;
	let began = Instant::now();
	while kept(market)? < KEPT_BYTES {
		if let Some(status) = client.try_wait()? {
			bail!("the get ended before it was killed: {status}");
		}
		ensure!(began.elapsed() < LIMIT, "the get never began");
		sleep(GLANCE).await;
	}
	Ok(client.kill().await?)
}

/// Bytes of blocks that gets have kept.
fn kept(market: &StorageMarket) -> Result<u64> {
	let Ok(entries) = fs::read_dir(market.cache().join("get")) else {
		return Ok(0);
	};
	let mut bytes = 0;
	for entry in entries {
		bytes += fs::metadata(entry?.path().join("pack")).map_or(0, |pack| pack.len());
	}
	Ok(bytes)
}

/// Kills a provider.
async fn stop(provider: Provider) -> Result<opensand_tests::node::StoppedNode> {
	provider.node.kill().await
}

/// The order of a result.
fn id(result: &Json) -> Result<String> {
	let order = result["order"].as_u64();
	Ok(order
		.with_context(|| format!("an order in {result}"))?
		.to_string())
}
