//! The service against a chain with the market's rules: real stores, networks, shards and proofs.

mod common;

use common::{
	account, Call, Owner, Upload, World, ACTIVATION_BLOCKS, COLLATERAL_PER_MIB, REPAIR_BLOCKS, REPAIR_REWARD,
	WINDOW_BLOCKS,
};
use opensand_blocks::Cid;
use opensand_primitives::storage::{ErasureCode, OrderStatus, ProviderStatus, Region, ShardStatus};
use opensand_slices::{raw_cid, shard_cid, Manifest};
use opensand_storage::{Config, StorageCall};

const TWO_OF_FOUR: ErasureCode = ErasureCode { data: 2, total: 4 };
const TWO_OF_THREE: ErasureCode = ErasureCode { data: 2, total: 3 };
const PRICE: u128 = 50;
/// Windows of an order that is not to end during a test.
const LONG: u32 = 10_000;

fn is_declare_lost(call: &StorageCall) -> bool {
	matches!(call, StorageCall::DeclareLost(_))
}

fn is_accept(call: &StorageCall) -> bool {
	matches!(call, StorageCall::Accept(_))
}

fn is_first_proof(call: &StorageCall) -> bool {
	matches!(call, StorageCall::FirstProof { .. })
}

fn is_possession(call: &StorageCall) -> bool {
	matches!(call, StorageCall::SubmitPossession { .. })
}

fn is_take_repair(call: &StorageCall) -> bool {
	matches!(call, StorageCall::TakeRepair(_))
}

fn is_find_lost(call: &StorageCall) -> bool {
	matches!(call, StorageCall::FindLost(_))
}

/// A leaf of a shard that is stored.
fn leaf_of(upload: &Upload, shard: usize) -> Cid {
	let mut leaves: Vec<&Cid> = upload.shards[shard]
		.keys()
		.filter(|cid| cid.codec() == 0x55)
		.collect();
	leaves.sort();
	**leaves.first().expect("every shard has a leaf")
}

/// A world in which an order of `upload` is active and its owner still online.
async fn active(world: &World, upload: &Upload) -> (Owner, u64) {
	let owner = Owner::new(account(100));
	owner.dial(&world.nodes).await;
	let order = owner.place(&world.chain, upload, PRICE, LONG, vec![]);
	world
		.until(ACTIVATION_BLOCKS, "the order is active", |world| {
			world.chain.is_active(order)
		})
		.await;
	(owner, order)
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_are_taken_fetched_and_proven_window_after_window() {
	let world = World::with_providers(4).await;
	let upload = Upload::new(1_300_000, TWO_OF_FOUR, 1);
	let (owner, order) = active(&world, &upload).await;
	owner.leave().await;

	let mut holders: Vec<_> = world
		.chain
		.active(order)
		.into_iter()
		.map(|(_, provider)| provider)
		.collect();
	holders.sort();
	assert_eq!(holders, [1, 2, 3, 4].map(account), "each provider has one shard");
	for (shard, provider) in world.chain.active(order) {
		let node = world.node(&provider);
		for cid in upload.shards[shard].keys() {
			assert!(node.block_path(cid).is_some(), "block {cid} of shard {shard}");
		}
		assert!(node.block_path(&upload.manifest.cid()).is_some(), "the manifest");
	}

	let began = world.chain.window();
	world
		.until(WINDOW_BLOCKS * 5, "three windows pass", |world| {
			world.chain.window() >= began + 4
		})
		.await;
	for node in &world.nodes {
		assert_eq!(world.chain.missed(&node.account), 0);
		let record = world.chain.provider(&node.account);
		assert!(record.proven >= began + 3, "{}", record.proven);
		let status = node.handle().status();
		assert_eq!(status.shards["stored"], 1);
		assert_eq!(status.trouble, None);
		let provider = status.provider.expect("it is registered");
		assert!(provider.peer_matches);
		assert_eq!(provider.status, "active");
		assert_eq!(provider.faults, 0);
	}
	assert_eq!(world.chain.wrong_proofs(), 0);
	// One call for each need: nothing is sent twice while the chain answers.
	assert_eq!(world.chain.count(is_first_proof, true), 4);
	assert_eq!(world.chain.count(is_first_proof, false), 0);
	assert_eq!(world.chain.count(is_possession, false), 0);
	// Proofs come at different blocks of the first half of the window.
	let places: Vec<u32> = world
		.chain
		.log()
		.iter()
		.filter(|call| is_possession(&call.call))
		.map(|call| call.block % WINDOW_BLOCKS)
		.collect();
	assert!(
		places.iter().all(|place| *place <= WINDOW_BLOCKS / 2 + 3),
		"{places:?}"
	);
}

/// Blocks that may pass between a bid that another provider was faster with and the next. One is enough; a call that has
/// no effect is waited for longer.
const NEXT_BID_BLOCKS: u32 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_bid_is_followed_by_another_at_once() {
	const PROVIDERS: u8 = 12;
	let world = World::with_providers(PROVIDERS).await;
	let code = ErasureCode {
		data: 4,
		total: PROVIDERS,
	};
	let upload = Upload::new(300_000, code, 20);
	let owner = Owner::new(account(100));
	owner.dial(&world.nodes).await;
	let order = owner.place(&world.chain, &upload, PRICE, LONG, vec![]);
	// Each block that has bids for open slots takes one of them at least.
	let bound = NEXT_BID_BLOCKS * u32::from(PROVIDERS) + 2;
	world
		.until(bound, "every slot is taken", |world| {
			(0..PROVIDERS).all(|shard| world.chain.shard(order, shard.into()) != ShardStatus::Open)
		})
		.await;
	let bids: Vec<Call> = world
		.chain
		.log()
		.into_iter()
		.filter(|call| is_accept(&call.call))
		.collect();
	for lost in bids.iter().filter(|bid| bid.result.is_err()) {
		let again = bids
			.iter()
			.filter(|bid| bid.provider == lost.provider && bid.block > lost.block)
			.map(|bid| bid.block)
			.min()
			.expect("as many slots as providers");
		assert!(
			again <= lost.block + NEXT_BID_BLOCKS,
			"lost in block {}, and bid again in block {again} only",
			lost.block
		);
	}
	let won = bids.iter().filter(|bid| bid.result.is_ok()).count();
	assert_eq!(won, usize::from(PROVIDERS));
}

/// Orders of an owner that delivers nothing.
fn undelivered(world: &World, owner: u8, orders: u64) -> Vec<u64> {
	let owner = Owner::new(account(owner));
	(0..orders)
		.map(|order| {
			let upload = Upload::new(100_000, TWO_OF_FOUR, 1_000 + order);
			owner.place(&world.chain, &upload, PRICE, LONG, vec![])
		})
		.collect()
}

/// Of how many of the orders a provider has taken a slot.
fn taken(world: &World, orders: &[u64], provider: u8) -> usize {
	let is_taken = |order: &&u64| {
		(0..4).any(|shard| world.chain.shard(**order, shard).provider() == Some(&account(provider)))
	};
	orders.iter().filter(is_taken).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_delivers_nothing_leaves_room_for_others() {
	let world = World::with_providers(1).await;
	let orders = undelivered(&world, 101, 8);
	world
		.until(20, "some of its slots are taken", |world| {
			taken(world, &orders, 1) > 0
		})
		.await;
	world.advance(20).await;
	let most = world.nodes[0].config.max_fetches_of_owner();
	assert_eq!(taken(&world, &orders, 1), most);

	// Long before those slots lapse, another owner is served.
	let upload = Upload::new(100_000, TWO_OF_THREE, 21);
	let owner = Owner::new(account(100));
	owner.dial(&world.nodes).await;
	owner.place(&world.chain, &upload, PRICE, LONG, vec![]);
	world
		.until(
			ACTIVATION_BLOCKS / 2,
			"the other owner's shard is proven",
			|world| world.chain.count(is_first_proof, true) == 1,
		)
		.await;
	assert_eq!(taken(&world, &orders, 1), most, "they are waited for still");
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_that_deliver_nothing_do_not_stop_repairs() {
	let mut world = World::new();
	for number in 1..=3 {
		world.add(number, |config| config.policy.hand_over = true).await;
	}
	let upload = Upload::new(700_000, TWO_OF_THREE, 22);
	let (owner, order) = active(&world, &upload).await;
	owner.leave().await;
	let (shard, leaving) = world.chain.active(order)[0].clone();
	let index = world.add(4, |_| {}).await;
	// All that it fetches at once, for owners that it waits for in vain.
	let most = world.nodes[index].config.max_fetches;
	let orders: Vec<u64> = [101, 102]
		.into_iter()
		.flat_map(|owner| undelivered(&world, owner, 2))
		.collect();
	assert_eq!(orders.len(), most);
	world
		.until(60, "it waits for as much as it may", |world| {
			taken(world, &orders, 4) == most
		})
		.await;
	world
		.chain
		.update(&leaving, |record| record.status = ProviderStatus::Draining);
	// The slots lapse later than that.
	world
		.until(ACTIVATION_BLOCKS - 90, "it has rebuilt the shard", |world| {
			world.chain.active(order).contains(&(shard, account(4)))
		})
		.await;
	assert_eq!(taken(&world, &orders, 4), most, "they are waited for still");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_mid_fetch_fetches_the_rest_only() {
	let mut world = World::with_providers(3).await;
	// 2 MiB in each shard: 8 leaves and more.
	let upload = Upload::new(4 << 20, TWO_OF_THREE, 2);
	let owner = Owner::new(account(100));
	owner.give_only(9);
	owner.dial(&world.nodes).await;
	let order = owner.place(&world.chain, &upload, PRICE, LONG, vec![]);
	world
		.until(ACTIVATION_BLOCKS, "all that is given is stored", |world| {
			let names = world.nodes.iter().flat_map(|node| node.block_names());
			// Raw blocks, which manifests are, too.
			names.filter(|name| name.starts_with("bafkrei")).count() == 9
		})
		.await;
	for index in 0..3 {
		world.nodes[index].kill().await;
	}
	owner.give_only(usize::MAX);
	for index in 0..3 {
		world.start(index).await;
	}
	owner.dial(&world.nodes).await;
	world
		.until(ACTIVATION_BLOCKS, "the order is active", |world| {
			world.chain.is_active(order)
		})
		.await;
	assert_eq!(owner.most_given(&upload), 1, "no leaf is fetched twice");
	assert_eq!(world.chain.wrong_proofs(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_block_is_healed_from_the_others() {
	let world = World::with_providers(4).await;
	let upload = Upload::new(1_300_000, TWO_OF_FOUR, 3);
	let (owner, order) = active(&world, &upload).await;
	owner.leave().await;

	let (shard, provider) = world.chain.active(order)[0].clone();
	let node = world.node(&provider);
	// All leaves, so that the next challenge meets one for certain.
	for cid in upload.shards[shard].keys().filter(|cid| cid.codec() == 0x55) {
		node.corrupt(cid);
	}
	let seen = world.chain.window();
	world
		.until(
			WINDOW_BLOCKS * 4,
			"the damage was met and the window after it is proven",
			|world| world.chain.provider(&provider).proven >= seen + 2,
		)
		.await;
	for (cid, bytes) in &upload.shards[shard] {
		let path = node.block_path(cid).expect("the block is back");
		assert_eq!(&std::fs::read(path).unwrap(), bytes);
	}
	assert_eq!(world.chain.count(is_declare_lost, true), 0);
	assert_eq!(world.chain.missed(&provider), 0);
	assert_eq!(world.chain.wrong_proofs(), 0);
	assert_eq!(node.shards("stored"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scrubber_finds_damage_that_no_challenge_has_met() {
	let mut world = World::new();
	for number in 1..=4 {
		world
			.add(number, |config| config.scrub_bytes_per_second = 1 << 30)
			.await;
	}
	let upload = Upload::new(1_300_000, TWO_OF_FOUR, 4);
	let owner = Owner::new(account(100));
	owner.dial(&world.nodes).await;
	let order = owner.place(&world.chain, &upload, PRICE, LONG, vec![]);
	world
		.until(ACTIVATION_BLOCKS, "the order is active", |world| {
			world.chain.is_active(order)
		})
		.await;
	owner.leave().await;
	let (shard, provider) = world.chain.active(order)[1].clone();
	let index = world
		.nodes
		.iter()
		.position(|node| node.account == provider)
		.unwrap();
	// The round after the next start begins at once; no block is made meanwhile, so no challenge finds it first.
	world.nodes[index].kill().await;
	let leaf = leaf_of(&upload, shard);
	world.nodes[index].corrupt(&leaf);
	world.start(index).await;
	let whole = &upload.shards[shard][&leaf];
	for _ in 0..200 {
		let path = world.nodes[index].block_path(&leaf);
		if path.is_some_and(|path| std::fs::read(path).is_ok_and(|bytes| bytes == *whole)) {
			assert_eq!(world.chain.count(is_declare_lost, true), 0);
			return;
		}
		tokio::time::sleep(std::time::Duration::from_millis(100)).await;
	}
	panic!("the block was not healed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_healed_is_given_up_and_the_rest_is_proven() {
	let mut world = World::with_providers(3).await;
	let first = Upload::new(300_000, TWO_OF_THREE, 5);
	let (owner, order) = active(&world, &first).await;
	let second = Upload::new(300_000, TWO_OF_THREE, 6);
	let other = owner.place(&world.chain, &second, PRICE, LONG, vec![]);
	world
		.until(ACTIVATION_BLOCKS, "both are active", |world| {
			world.chain.is_active(other)
		})
		.await;
	owner.leave().await;

	// The other providers are gone, so there is nobody to heal from.
	let (shard, provider) = world.chain.active(order)[0].clone();
	let index = world
		.nodes
		.iter()
		.position(|node| node.account == provider)
		.unwrap();
	for other in (0..3).filter(|other| *other != index) {
		world.nodes[other].kill().await;
	}
	for cid in first.shards[shard].keys() {
		world.nodes[index].corrupt(cid);
	}
	let seen = world.chain.window();
	world
		.until(WINDOW_BLOCKS * 4, "the shard is given up", |world| {
			world.chain.count(is_declare_lost, true) == 1
		})
		.await;
	world
		.until(WINDOW_BLOCKS * 4, "the rest is proven", |world| {
			world.chain.provider(&provider).proven >= seen + 2
		})
		.await;
	assert_eq!(world.chain.missed(&provider), 0);
	assert!(matches!(
		world.chain.shard(order, shard),
		ShardStatus::Repair { .. }
	));

	// Now everything else as well. That there is nothing left to show must be said in the window that asks for it.
	let (rest, _) = world
		.chain
		.active(other)
		.into_iter()
		.find(|(_, holder)| *holder == provider)
		.unwrap();
	for cid in second.shards[rest].keys() {
		world.nodes[index].corrupt(cid);
	}
	world
		.until(WINDOW_BLOCKS * 4, "the rest is given up", |world| {
			world.chain.count(is_declare_lost, true) == 2
		})
		.await;
	let window = world.chain.window();
	world
		.until(WINDOW_BLOCKS * 2, "the window ends", |world| {
			world.chain.window() > window
		})
		.await;
	assert_eq!(world.chain.missed(&provider), 0);
	assert_eq!(world.chain.wrong_proofs(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_provider_is_replaced_by_another() {
	let mut world = World::with_providers(4).await;
	let upload = Upload::new(1_300_000, TWO_OF_FOUR, 7);
	let (owner, order) = active(&world, &upload).await;
	owner.leave().await;
	let (shard, lost) = world.chain.active(order)[2].clone();
	let index = world.nodes.iter().position(|node| node.account == lost).unwrap();
	world.nodes[index].kill().await;
	world.add(5, |_| {}).await;

	world
		.until(WINDOW_BLOCKS * 8, "the new provider holds the shard", |world| {
			world.chain.active(order).contains(&(shard, account(5)))
		})
		.await;
	assert_eq!(
		world.chain.provider(&lost).status,
		ProviderStatus::Jailed { until: u32::MAX }
	);
	let node = world.node(&account(5));
	for (cid, bytes) in &upload.shards[shard] {
		let path = node.block_path(cid).expect("it was rebuilt");
		assert_eq!(&std::fs::read(path).unwrap(), bytes);
	}
	let opened = world
		.chain
		.log()
		.iter()
		.filter(|call| matches!(call.call, StorageCall::OpenRepair(_)) && call.result.is_ok())
		.count();
	assert_eq!(opened, 1);
}

/// Until no provider owes a proof: who stops then is found out in the same window as the others.
async fn all_proven(world: &World) {
	world
		.until(WINDOW_BLOCKS * 2, "nobody owes a proof", |world| {
			let window = world.chain.window();
			let mut nodes = world.nodes.iter();
			nodes.all(|node| world.chain.provider(&node.account).proven == window)
		})
		.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_nobody_can_restore_is_found_lost_and_its_owner_compensated() {
	let mut world = World::with_providers(4).await;
	let upload = Upload::new(700_000, TWO_OF_FOUR, 16);
	let (owner, order) = active(&world, &upload).await;
	let owner_account = owner.account.clone();
	owner.leave().await;
	let (_, survivor) = world.chain.active(order)[0].clone();
	all_proven(&world).await;
	// One shard more than the code bears is lost for good.
	for index in 0..4 {
		if world.nodes[index].account != survivor {
			world.nodes[index].kill().await;
		}
	}
	// It has room, but nothing to rebuild the shards from.
	world.add(5, |_| {}).await;

	world
		.until(
			WINDOW_BLOCKS * 5 + REPAIR_BLOCKS,
			"the order is found lost",
			|world| {
				world
					.chain
					.order(order)
					.is_some_and(|order| order.status == OrderStatus::Lost)
			},
		)
		.await;
	assert_eq!(world.chain.compensated(&owner_account), 3 * REPAIR_REWARD);
	assert_eq!(
		world.chain.count(is_take_repair, true),
		0,
		"nobody puts collateral at stake for what cannot be rebuilt"
	);
	assert_eq!(
		world.chain.count(is_find_lost, false),
		0,
		"nobody pays for a call that comes too early"
	);
	world
		.until(60, "what is of no use any more is removed", |world| {
			world.node(&survivor).block_names().is_empty()
		})
		.await;
	assert_eq!(world.chain.missed(&survivor), 0);
	assert_eq!(world.chain.provider(&survivor).reserved, 0);
	// When the window is over that asked for it, nothing is called any more.
	let window = world.chain.window();
	world
		.until(WINDOW_BLOCKS * 2, "the window is over", |world| {
			world.chain.window() > window
		})
		.await;
	let calls = world.chain.log().len();
	world.advance(20).await;
	assert_eq!(world.chain.log().len(), calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_saved_by_those_who_have_parted_with_its_shards() {
	let mut world = World::new();
	for number in 1..=3 {
		world
			.add(number, |config| {
				config.policy.hand_over = true;
				config.grace_blocks = 10_000;
			})
			.await;
	}
	let upload = Upload::new(700_000, TWO_OF_THREE, 17);
	let (owner, order) = active(&world, &upload).await;
	owner.leave().await;
	all_proven(&world).await;
	let leaving: Vec<_> = world.chain.active(order)[..2].to_vec();
	for (_, provider) in &leaving {
		world
			.chain
			.update(provider, |record| record.status = ProviderStatus::Draining);
	}
	world
		.until(WINDOW_BLOCKS * 2, "both have handed over", |world| {
			world.chain.active(order).len() == 1
		})
		.await;
	// One shard is held where two are needed, but those who come meet somebody who has another still.
	let peers: Vec<String> = leaving
		.iter()
		.map(|(_, provider)| {
			let status = world.node(provider).handle().status();
			format!("{}/p2p/{}", status.addresses[0], world.node(provider).peer())
		})
		.collect();
	for number in [4, 5] {
		let peers = peers.clone();
		world.add(number, |config| config.bootstrap = peers).await;
	}
	world
		.until(REPAIR_BLOCKS, "the others hold what was handed over", |world| {
			world.chain.active(order).len() == 3
		})
		.await;
	for (shard, _) in &leaving {
		let holder = world
			.chain
			.shard(order, *shard)
			.provider()
			.cloned()
			.expect("it is held");
		assert!([account(4), account(5)].contains(&holder));
		for (cid, bytes) in &upload.shards[*shard] {
			let path = world.node(&holder).block_path(cid).expect("it has come");
			assert_eq!(&std::fs::read(path).unwrap(), bytes);
		}
	}
	assert_eq!(world.chain.count(is_find_lost, true), 0);
	assert_eq!(world.chain.wrong_proofs(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn price_quota_regions_and_own_orders_are_respected() {
	let mut world = World::new();
	let upload = Upload::new(6 << 20, TWO_OF_THREE, 8);
	let eu = Region::new("eu-west").unwrap();
	let us = Region::new("us-east").unwrap();
	let here = |config: &mut Config| config.policy.regions = vec![eu];
	world
		.add(1, |config| {
			here(config);
			config.policy.price_floor = PRICE + 1;
		})
		.await;
	world
		.add(2, |config| {
			here(config);
			// A shard has 3 MiB, and its manifest may take one.
			config.quota = 4 << 20;
		})
		.await;
	world.add(3, |config| config.policy.regions = vec![us]).await;
	world
		.add(4, |config| {
			here(config);
			config.policy.refused_owners = vec![account(100)];
		})
		.await;
	let poor = world.add(5, here).await;
	// The shard has a little more than 3 MiB.
	let collateral = 4 * COLLATERAL_PER_MIB - 1;
	world.chain.update(&world.nodes[poor].account, |record| {
		record.collateral = collateral
	});

	let owner = Owner::new(account(100));
	owner.dial(&world.nodes).await;
	owner.place(&world.chain, &upload, PRICE, LONG, vec![eu]);
	world.advance(WINDOW_BLOCKS).await;
	assert_eq!(world.chain.count(is_accept, true), 0, "{:?}", world.chain.log());
	assert_eq!(world.chain.count(is_accept, false), 0, "it does not even try");

	// With what was missing, the last one takes the slot, and only one of the order's.
	world
		.chain
		.update(&world.nodes[poor].account, |record| record.collateral = 1_000_000);
	world
		.until(ACTIVATION_BLOCKS, "the fitting provider proves", |world| {
			world.chain.count(is_first_proof, true) == 1
		})
		.await;
	world.advance(10).await;
	let accepted: Vec<Call> = world
		.chain
		.log()
		.into_iter()
		.filter(|call| is_accept(&call.call))
		.collect();
	assert_eq!(accepted.len(), 1, "{accepted:?}");
	assert_eq!(accepted[0].provider, account(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_commitments_are_not_proven() {
	let world = World::with_providers(1).await;
	let owner = Owner::new(account(100));
	owner.dial(&world.nodes).await;
	// The manifest agrees with the chain, but the shards have other segment roots: all were changed in it.
	let mut upload = Upload::new(600_000, TWO_OF_THREE, 9);
	let mut bytes = upload.manifest.to_bytes();
	for shard in upload.commitments() {
		let root = shard.1[0];
		let at = bytes
			.windows(32)
			.position(|window| window == root)
			.expect("the manifest has the root");
		bytes[at] ^= 1;
	}
	upload.manifest = Manifest::from_bytes(&bytes).expect("only the owner can tell");
	let wrong_roots = owner.place(&world.chain, &upload, PRICE, LONG, vec![]);
	// The manifest says one thing, and the chain another.
	let upload = Upload::new(600_000, TWO_OF_THREE, 19);
	owner.stage(&upload);
	let mut commitments = upload.commitments();
	for (_, roots) in &mut commitments {
		roots[0][0] ^= 1;
	}
	let wrong_manifest = world.chain.place(
		owner.account.clone(),
		upload.manifest.digest(),
		TWO_OF_THREE,
		upload.manifest.shard_bytes(),
		PRICE,
		LONG,
		vec![],
		commitments,
	);
	world
		.until(ACTIVATION_BLOCKS, "both shards are refused", |world| {
			world.nodes[0].shards("refused") == 2
		})
		.await;
	world
		.until(ACTIVATION_BLOCKS * 2, "the slots have lapsed", |world| {
			[wrong_roots, wrong_manifest]
				.iter()
				.all(|order| (0..3).all(|shard| world.chain.shard(*order, shard) == ShardStatus::Open))
		})
		.await;
	world.advance(20).await;
	assert_eq!(
		world.chain.count(is_accept, true),
		2,
		"what was refused is not taken again"
	);
	assert_eq!(world.chain.count(is_first_proof, true), 0);
	assert_eq!(world.chain.count(is_first_proof, false), 0);
	// When the orders are gone, so is what was fetched of them.
	world.chain.cancel(wrong_roots);
	world.chain.cancel(wrong_manifest);
	world
		.until(60, "nothing is left", |world| {
			world.nodes[0].block_names().is_empty()
		})
		.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_wanted_any_more_is_removed_and_what_is_shared_stays() {
	let world = World::with_providers(3).await;
	let upload = Upload::new(700_000, TWO_OF_THREE, 10);
	let (owner, order) = active(&world, &upload).await;
	// The same manifest again: a provider may get the same shard for both orders, or each another.
	let again = owner.place(&world.chain, &upload, PRICE, LONG, vec![]);
	world
		.until(ACTIVATION_BLOCKS, "both are active", |world| {
			world.chain.is_active(again)
		})
		.await;
	world.chain.cancel(order);
	world
		.until(60, "the first order's shards are removed", |world| {
			world
				.nodes
				.iter()
				.all(|node| node.shards("released") == 0 && node.shards("stored") == 1)
		})
		.await;
	for (shard, provider) in world.chain.active(again) {
		let node = world.node(&provider);
		let mut expected: Vec<String> = upload.shards[shard].keys().map(Cid::to_string).collect();
		expected.push(raw_cid(upload.manifest.digest()).to_string());
		expected.sort();
		assert_eq!(
			node.block_names(),
			expected,
			"exactly the other order's blocks are left"
		);
		assert!(node
			.block_path(&shard_cid(upload.manifest.shards()[shard].cid))
			.is_some());
	}
	let window = world.chain.window();
	world
		.until(WINDOW_BLOCKS * 3, "the other order is still proven", |world| {
			world
				.nodes
				.iter()
				.all(|node| world.chain.provider(&node.account).proven > window)
		})
		.await;
	world.chain.cancel(again);
	world
		.until(60, "nothing is left", |world| {
			world.nodes.iter().all(|node| {
				node.block_names().is_empty()
					&& std::fs::read_dir(node.path().join("shards")).is_ok_and(|entries| entries.count() == 0)
			})
		})
		.await;
	for node in &world.nodes {
		assert_eq!(world.chain.missed(&node.account), 0);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_has_ended_is_closed_by_its_providers() {
	let world = World::with_providers(3).await;
	let upload = Upload::new(100_000, TWO_OF_THREE, 11);
	let owner = Owner::new(account(100));
	owner.dial(&world.nodes).await;
	let order = owner.place(&world.chain, &upload, PRICE, 2, vec![]);
	world
		.until(ACTIVATION_BLOCKS, "the order is active", |world| {
			world.chain.is_active(order)
		})
		.await;
	world
		.until(WINDOW_BLOCKS * 5, "the order is closed and removed", |world| {
			world.chain.order(order).is_none() && world.nodes.iter().all(|node| node.block_names().is_empty())
		})
		.await;
	for node in &world.nodes {
		let record = world.chain.provider(&node.account);
		assert_eq!((record.committed, record.reserved), (0, 0));
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_calls_are_sent_again() {
	let world = World::with_providers(3).await;
	let upload = Upload::new(100_000, TWO_OF_THREE, 12);
	let owner = Owner::new(account(100));
	owner.dial(&world.nodes).await;
	// All acceptances, and then all first proofs, are lost once.
	world.chain.lose_calls(6);
	let order = owner.place(&world.chain, &upload, PRICE, LONG, vec![]);
	world
		.until(ACTIVATION_BLOCKS, "the order is active", |world| {
			world.chain.is_active(order)
		})
		.await;
	assert_eq!(world.chain.wrong_proofs(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_is_followed() {
	let world = World::with_providers(3).await;
	let upload = Upload::new(100_000, TWO_OF_THREE, 13);
	let owner = Owner::new(account(100));
	owner.dial(&world.nodes).await;
	let order = owner.place(&world.chain, &upload, PRICE, LONG, vec![]);
	world.advance(2).await;
	// The acceptances are undone, and the leaves of first proofs are others.
	world.chain.fork(2);
	world
		.until(ACTIVATION_BLOCKS, "the order is active", |world| {
			world.chain.is_active(order)
		})
		.await;
	// The first proofs are undone.
	world.chain.fork(3);
	world
		.until(ACTIVATION_BLOCKS, "the order is active again", |world| {
			world.chain.is_active(order)
		})
		.await;
	let window = world.chain.window();
	world
		.until(WINDOW_BLOCKS * 3, "windows are proven", |world| {
			world
				.nodes
				.iter()
				.all(|node| world.chain.provider(&node.account).proven >= window + 2)
		})
		.await;
	for node in &world.nodes {
		assert_eq!(world.chain.missed(&node.account), 0);
		assert_eq!(node.shards("stored"), 1);
		assert_eq!(node.shards("released"), 0);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_is_found_out_anew() {
	let mut world = World::with_providers(3).await;
	let upload = Upload::new(600_000, TWO_OF_THREE, 14);
	let (owner, order) = active(&world, &upload).await;
	owner.leave().await;
	let shard = world
		.chain
		.active(order)
		.into_iter()
		.find(|(_, provider)| *provider == account(1))
		.unwrap()
		.0;
	// Nobody else could help: what is on disk has to do.
	for node in &mut world.nodes {
		node.kill().await;
	}
	let directory = world.nodes[0].path().join(format!("shards/{order}-{shard}"));
	for name in ["record", "levels"] {
		std::fs::write(directory.join(name), b"damaged").unwrap();
	}
	world.start(0).await;
	world
		.until(40, "the shard is stored again", |world| {
			world.nodes[0].shards("stored") == 1
		})
		.await;
	let window = world.chain.window();
	world
		.until(WINDOW_BLOCKS * 3, "it is proven", |world| {
			world.chain.provider(&account(1)).proven > window
		})
		.await;
	assert_eq!(world.chain.count(is_declare_lost, true), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_provider_hands_its_shards_over() {
	let mut world = World::new();
	for number in 1..=3 {
		world.add(number, |config| config.policy.hand_over = true).await;
	}
	let upload = Upload::new(700_000, TWO_OF_THREE, 15);
	let (owner, order) = active(&world, &upload).await;
	owner.leave().await;
	let (shard, leaving) = world.chain.active(order)[0].clone();
	world
		.chain
		.update(&leaving, |record| record.status = ProviderStatus::Draining);
	world.add(4, |_| {}).await;
	world
		.until(WINDOW_BLOCKS * 4, "the new provider holds the shard", |world| {
			world.chain.active(order).contains(&(shard, account(4)))
		})
		.await;
	world
		.until(60, "it is removed from where it was", |world| {
			world.node(&leaving).block_names().is_empty()
		})
		.await;
	assert_eq!(world.chain.provider(&leaving).committed, 0);
	assert_eq!(world.chain.active(order).len(), 3, "the others stay");
	assert_eq!(world.chain.count(is_declare_lost, true), 0);
	assert_eq!(world.chain.wrong_proofs(), 0);
}
