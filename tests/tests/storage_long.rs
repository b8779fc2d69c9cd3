//! Providers are lost for good: another rebuilds what one held; where too many are, the owner is compensated.

use std::{fs, time::Duration};

use anyhow::{ensure, Context, Result};
use opensand_tests::{
	client::{free_balance, held_balance},
	eventually, hurried,
	storage::{Scene, StorageMarket, GRANTEE, OWNER},
};
use subxt_signer::{sr25519::Keypair, SecretUri};

/// Bytes of the file.
const FILE_BYTES: usize = 3 * 1024 * 1024;
/// How long it may take until a silent provider is jailed, its shard auctioned, rebuilt and proven.
const REPAIR_LIMIT: Duration = Duration::from_secs(900);

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_shard_is_rebuilt_by_another_provider() -> Result<()> {
	let scene = Scene::open(FILE_BYTES, 2, 4).await?;
	let Scene {
		mut market,
		chain: _chain,
		data,
		file,
		files,
	} = scene;
	let restored = files.path("restored.bin");

	let put = ["store", "put", &file, "--code", "2/3", "--windows", "120"];
	let stored = market.opensand(OWNER, &put).await?;
	let order = stored["order"].as_u64().context("an order")?;
	let id = order.to_string();
	let shown = market.wait_until_whole(order, REPAIR_LIMIT).await?;

	let first = shown["shards"][0]["provider"]
		.as_str()
		.context("a provider")?
		.to_owned();
	let mut lost = None;
	for (position, provider) in market.providers.iter().enumerate() {
		let status = provider.status().await?;
		if status["provider"]["account"] == first.as_str() {
			lost = Some(position);
		}
	}
	let lost = market
		.providers
		.remove(lost.context("the provider is one of ours")?);
	drop(lost.node.kill().await?);

	// With one shard of three gone the file can still be read.
	market.opensand(OWNER, &["store", "get", &id, &restored]).await?;
	ensure!(
		fs::read(&restored)? == data,
		"two of three shards restore the file"
	);

	let whole = market
		.wait_until_whole_and(order, REPAIR_LIMIT, |shown| {
			shown["shards"][0]["provider"] != first.as_str()
		})
		.await?;
	ensure!(whole["status"] == "active", "{whole}");
	market
		.opensand(OWNER, &["store", "get", &id, &restored, "--force"])
		.await?;
	ensure!(fs::read(&restored)? == data, "the repaired file is the file");
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_lost_is_paid_for_by_those_who_lost_it() -> Result<()> {
	order_is_lost_with(2, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_provider_is_left_anybody_has_the_order_found_lost() -> Result<()> {
	order_is_lost_with(3, Some(GRANTEE)).await
}

/// Kills so many of an order's three providers, of which two have to be left. `rescuer` tells the chain, or whoever is
/// left.
async fn order_is_lost_with(killed: usize, rescuer: Option<&str>) -> Result<()> {
	let scene = Scene::open_hurried(FILE_BYTES, 3, 3).await?;
	let Scene {
		mut market,
		chain: _chain,
		file,
		files,
		..
	} = scene;

	let put = ["store", "put", &file, "--code", "2/3", "--windows", "120"];
	let stored = market.opensand(OWNER, &put).await?;
	let order = stored["order"].as_u64().context("an order")?;
	let id = order.to_string();
	let shown = market.wait_until_whole(order, REPAIR_LIMIT).await?;
	let shard_mib = u128::from(
		shown["shard_bytes"]
			.as_u64()
			.context("a length")?
			.div_ceil(1 << 20),
	);

	let before = belongings(&market).await?;
	for provider in market.providers.drain(..killed) {
		drop(provider.node.kill().await?);
	}
	eventually("the order is found lost", REPAIR_LIMIT, || async {
		let shown = match rescuer {
			Some(key) => market.opensand(key, &["store", "rescue", &id]).await?,
			None => market.anybody(&["store", "show", &id]).await?,
		};
		ensure!(shown["status"] == "lost", "{shown}");
		Ok(Some(()))
	})
	.await?;
	let after = belongings(&market).await?;
	// Faults have cost those who were lost a few hundredths of it before they were in jail, and the windows that all have
	// proven are paid. Two lost shards are one more than the code bears: a third provider may be silent without being in
	// jail yet.
	let shard = shard_mib * u128::from(hurried::COLLATERAL_PER_MIB);
	let gain = after.checked_sub(before).context("the owner has gained")?;
	ensure!(
		gain > 2 * shard * 9 / 10 && gain <= killed as u128 * shard,
		"the owner got {gain}, of {shard} that stood for each of {killed} shards"
	);

	let restored = files.path("restored.bin");
	let failure = market
		.failure(Some(OWNER), &["store", "get", &id, &restored])
		.await?;
	ensure!(failure.code == 4, "{failure:?}");
	ensure!(failure.message.contains("is lost"), "{failure:?}");
	ensure!(failure.remedy.contains("compensated"), "{failure:?}");
	market.opensand(OWNER, &["store", "close", &id]).await?;
	let at = market.client().at_best().await?;
	let held = held_balance(&at, &owner()?).await?;
	ensure!(held == 0, "{held} are still held");
	Ok(())
}

/// What the owner has, free and held.
async fn belongings(market: &StorageMarket) -> Result<u128> {
	let at = market.client().at_best().await?;
	let account = owner()?;
	Ok(free_balance(&at, &account).await? + held_balance(&at, &account).await?)
}

fn owner() -> Result<[u8; 32]> {
	Ok(Keypair::from_uri(&OWNER.parse::<SecretUri>()?)?.public_key().0)
}
