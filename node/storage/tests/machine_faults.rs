//! What can happen to a provider's machine: it is killed at any moment, its disk is full, its files are damaged.

mod common;

use std::{
	collections::HashSet,
	fs,
	io::{BufRead, BufReader, Write},
	path::{Path, PathBuf},
	process::{Command, Stdio},
	time::Duration,
};

use common::{account, Owner, Upload, World, ACTIVATION_BLOCKS, WINDOW_BLOCKS};
use opensand_blocks::{BlockStore, Cid};
use opensand_primitives::{
	storage::{ErasureCode, ShardStatus},
	OrderId,
};
use opensand_storage::{
	record::{blocks_from_file, Blocks, Phase, Records, ShardRecord},
	ServiceError, ShardId, StorageService,
};
use rand::{rngs::StdRng, Rng, SeedableRng};

/// Tells a process that it is the provider to be killed, and where it has its files.
const DIRECTORY: &str = "OPENSAND_STORAGE_FAULTS_DIRECTORY";
/// Tells it how many leaves the owner gives away in its life.
const LEAVES: &str = "OPENSAND_STORAGE_FAULTS_LEAVES";
/// Tells it by what its disk is full.
const DISK: &str = "OPENSAND_STORAGE_FAULTS_DISK";

const TWO_OF_THREE: ErasureCode = ErasureCode { data: 2, total: 3 };
const PRICE: u128 = 50;
/// Windows of an order that is not to end during a test.
const LONG: u32 = 10_000;
const QUOTA: u64 = 1 << 30;
/// Shards that the provider that is killed has to fetch, and bytes of their files: each is made durable in two batches.
const SHARDS: u64 = 2;
const FILE_BYTES: usize = 20 << 20;
/// Bytes of the files that come while the disk is full.
const SMALL_FILE_BYTES: usize = 2 << 20;
/// How often the processes look.
const GLANCE: Duration = Duration::from_millis(5);

fn first_shard(order: OrderId) -> ShardId {
	ShardId { order, shard: 0 }
}

fn is_proven(world: &World, order: OrderId) -> bool {
	matches!(world.chain.shard(order, 0), ShardStatus::Active { .. })
}

/// Places an order whose first shard provider 1 has accepted.
fn place(world: &World, owner: &Owner, bytes: usize, seed: u64) -> (Upload, OrderId) {
	let upload = Upload::new(bytes, TWO_OF_THREE, seed);
	let order = owner.place(&world.chain, &upload, PRICE, LONG, vec![]);
	world.chain.accept(&account(1), first_shard(order));
	(upload, order)
}

/// Says something to the parent in one write, so that a kill leaves no half line.
fn say(line: &str) {
	std::io::stderr()
		.lock()
		.write_all(format!("{line}\n").as_bytes())
		.expect("the parent listens");
}

fn block_on(work: impl std::future::Future<Output = ()>) {
	tokio::runtime::Builder::new_multi_thread()
		.enable_all()
		.build()
		.expect("threads")
		.block_on(work);
}

/// Not a test of its own: the process that [`what_a_killed_provider_has_proven_is_there`] kills runs it. It fetches
/// shards, says how many blocks it has got in its life, and which shards it has proven.
#[test]
fn provider() {
	let (Ok(directory), Ok(leaves)) = (std::env::var(DIRECTORY), std::env::var(LEAVES)) else {
		return;
	};
	block_on(async {
		let mut world = World::new();
		world.add_stopped(1, Path::new(&directory), |_| {});
		let owner = Owner::new(account(100));
		owner.give_only(leaves.parse().expect("the parent gives a number"));
		let orders: Vec<OrderId> = (0..SHARDS)
			.map(|seed| place(&world, &owner, FILE_BYTES, seed).1)
			.collect();
		let before = world.nodes[0].block_names().len();
		world.start(0).await;
		owner.dial(&world.nodes).await;
		world.advance(2).await;
		let (mut blocks, mut proven) = (0, HashSet::new());
		loop {
			let now = world.nodes[0].block_names().len().saturating_sub(before);
			if now > blocks {
				say(&format!("blocks {now}"));
				blocks = now;
			}
			for order in &orders {
				if is_proven(&world, *order) && proven.insert(*order) {
					say(&format!("proven {order}"));
				}
			}
			if proven.len() == orders.len() {
				say("complete");
			}
			// No deadline passes while it fetches, however long that takes.
			if world.nodes[0].shards("stored") > proven.len() as u64 {
				world.advance(1).await;
			} else {
				tokio::time::sleep(GLANCE).await;
			}
		}
	});
}

/// Runs the provider until it has got so many blocks or is complete, and kills it. Answers what it has proven, and
/// whether it was complete.
fn run_and_kill(directory: &Path, leaves: usize, blocks: usize) -> (Vec<OrderId>, bool) {
	let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
		.args(["--exact", "provider", "--nocapture"])
		.env(DIRECTORY, directory)
		.env(LEAVES, leaves.to_string())
		.stdout(Stdio::null())
		.stderr(Stdio::piped())
		.spawn()
		.expect("it starts");
	let mut lines = BufReader::new(child.stderr.take().expect("it is piped"))
		.lines()
		.map_while(Result::ok)
		.inspect(|line| assert!(!line.contains("panicked"), "{line}"));
	let mut said: Vec<String> = Vec::new();
	for line in lines.by_ref() {
		let got: Option<usize> = line.strip_prefix("blocks ").and_then(|count| count.parse().ok());
		let is_enough = line == "complete" || got.is_some_and(|got| got >= blocks);
		said.push(line);
		if is_enough {
			break;
		}
	}
	// SIGKILL: nothing of the process runs after it.
	child.kill().expect("it runs until it is killed");
	child.wait().expect("it ends");
	said.extend(lines);
	let proven = said
		.iter()
		.filter_map(|line| line.strip_prefix("proven ")?.parse().ok())
		.collect();
	(proven, said.iter().any(|line| line == "complete"))
}

/// What is on the disk of a provider that does not run.
struct Left {
	records: Records,
	/// Shards that are complete.
	stored: HashSet<ShardId>,
	/// Blocks of shards that are not.
	begun: usize,
}

/// Reads everything: each block is whole and accounted to a shard, and a shard that counts as stored has all its blocks.
fn inspect(directory: &Path) -> Left {
	let store = BlockStore::open(directory.join("blocks"), QUOTA).expect("the store opens after every crash");
	let records = Records::open(directory.join("shards")).expect("the records open after every crash");
	let mut held = HashSet::new();
	for cid in store.iter() {
		let cid = cid.expect("readable");
		store.get(&cid).expect("intact").expect("listed");
		held.insert(cid);
	}
	let (mut accounted, mut stored, mut begun) = (HashSet::new(), HashSet::new(), 0);
	for (id, record) in records.all() {
		let blocks = match records.blocks(id).expect("readable") {
			Blocks::Known(blocks) => blocks,
			Blocks::None => Vec::new(),
			Blocks::Damaged => panic!("the blocks of shard {id} are not known any more"),
		};
		if record.phase == Phase::Stored {
			let lost: Vec<&Cid> = blocks.iter().filter(|cid| !held.contains(cid)).collect();
			assert!(!blocks.is_empty() && lost.is_empty(), "shard {id} lacks {lost:?}");
			stored.insert(id);
		} else {
			begun += blocks.iter().filter(|cid| held.contains(cid)).count();
		}
		accounted.extend(blocks);
	}
	let stray: Vec<&Cid> = held.difference(&accounted).collect();
	assert!(stray.is_empty(), "no shard accounts for {stray:?}");
	Left {
		records,
		stored,
		begun,
	}
}

#[test]
fn what_a_killed_provider_has_proven_is_there() {
	let mut random = StdRng::seed_from_u64(5);
	let mut directory = tempfile::tempdir().expect("a temporary directory");
	let mut acknowledged = HashSet::new();
	let (mut in_the_middle, mut completed) = (0, 0);
	for round in 0..14 {
		let blocks = random.gen_range(1..60);
		// Every other time the owner falls silent, so that no shard can be complete when the kill comes.
		let leaves = if round % 2 == 0 { blocks } else { usize::MAX };
		let (proven, is_complete) = run_and_kill(directory.path(), leaves, blocks);
		acknowledged.extend(proven.into_iter().map(first_shard));

		let left = inspect(directory.path());
		let lost: Vec<_> = acknowledged.difference(&left.stored).collect();
		assert!(lost.is_empty(), "round {round}: {lost:?} were proven");
		assert!(left.records.all().len() <= SHARDS as usize);
		in_the_middle += usize::from(left.begun > 0);
		if is_complete {
			completed += 1;
			directory = tempfile::tempdir().expect("a temporary directory");
			acknowledged.clear();
		}
	}
	assert!(
		in_the_middle >= 3,
		"killed while it fetched: {in_the_middle} times"
	);
	// After the last kill it comes to its end as well.
	let (proven, is_complete) = run_and_kill(directory.path(), usize::MAX, usize::MAX);
	assert!(is_complete, "it was {completed} times before");
	assert_eq!(proven.len(), SHARDS as usize);
	assert_eq!(inspect(directory.path()).stored.len(), SHARDS as usize);
}

/// By what a disk can be full.
enum Disk {
	/// Files cannot grow beyond 64 KiB.
	Limited,
	/// A file takes nearly all of a small file system.
	Filled(PathBuf),
}

impl Disk {
	/// The longest file that can still be written: records and lists fit, blocks do not.
	const ROOM: u64 = 64 << 10;

	fn fill(&self) {
		match self {
			Self::Limited => limit_files(&Self::ROOM.to_string()),
			Self::Filled(path) => {
				let mut file = fs::File::create(path).expect("a file");
				let piece = vec![1; Self::ROOM as usize];
				while file.write_all(&piece).is_ok() {}
				// What was written of the last piece goes, and room for some small files.
				let whole = file.metadata().expect("its length").len() / Self::ROOM * Self::ROOM;
				file.set_len(whole - 2 * Self::ROOM).expect("shorter");
				file.sync_all().expect("written");
			}
		}
	}

	fn free(&self) {
		match self {
			Self::Limited => limit_files("unlimited"),
			Self::Filled(path) => fs::remove_file(path).expect("it can be removed"),
		}
	}
}

/// Sets how long files of this process may grow.
fn limit_files(bytes: &str) {
	let status = Command::new("prlimit")
		.args(["--pid", &std::process::id().to_string()])
		.arg(format!("--fsize={bytes}:"))
		.status()
		.expect("prlimit, of util-linux, is there");
	assert!(status.success());
}

/// Not a test of its own: [`a_full_disk_costs_no_proven_shard`] runs it where its disk can be full.
#[test]
fn provider_on_a_full_disk() {
	let (Ok(directory), Ok(disk)) = (std::env::var(DIRECTORY), std::env::var(DISK)) else {
		return;
	};
	let directory = PathBuf::from(directory);
	let disk = match disk.as_str() {
		"limited" => Disk::Limited,
		_ => Disk::Filled(directory.join("filler")),
	};
	block_on(async {
		let mut world = World::new();
		world.add_stopped(1, &directory.join("provider"), |_| {});
		let owner = Owner::new(account(100));
		let (_, first) = place(&world, &owner, SMALL_FILE_BYTES, 1);
		world.start(0).await;
		owner.dial(&world.nodes).await;
		world
			.until(ACTIVATION_BLOCKS, "there is room for the first", |world| {
				is_proven(world, first)
			})
			.await;

		disk.fill();
		let (upload, second) = place(&world, &owner, SMALL_FILE_BYTES, 2);
		world
			.until(ACTIVATION_BLOCKS + 10, "the slot is given back", |world| {
				world.chain.shard(second, 0) == ShardStatus::Open
			})
			.await;
		assert!(owner.most_given(&upload) >= 2, "it has tried again meanwhile");
		assert!(!is_proven(&world, second));
		assert_eq!(
			world.chain.missed(&account(1)),
			0,
			"the first is proven all the while"
		);
		assert_eq!(world.nodes[0].shards("stored"), 1);
		assert_eq!(world.nodes[0].handle().status().trouble, None);

		disk.free();
		let (_, third) = place(&world, &owner, SMALL_FILE_BYTES, 3);
		world
			.until(ACTIVATION_BLOCKS, "there is room for the third", |world| {
				is_proven(world, third)
			})
			.await;
		world.advance(WINDOW_BLOCKS).await;
		assert_eq!(world.chain.missed(&account(1)), 0);
		assert_eq!(world.chain.wrong_proofs(), 0);
		world.nodes[0].kill().await;
		// The blocking threads of a killed service let go of the store a moment later.
		tokio::time::sleep(Duration::from_millis(500)).await;
		let left = inspect(&directory.join("provider"));
		assert!(left.stored.contains(&first_shard(first)));
		assert!(left.stored.contains(&first_shard(third)));
	});
}

/// Runs the provider above behind a command that gives it its disk.
fn run_on(disk: &str, shell: &[&str], directory: &Path) {
	let (program, arguments) = shell.split_first().expect("a command");
	let output = Command::new(program)
		.args(arguments)
		.arg(std::env::current_exe().expect("this program has a path"))
		.args(["--exact", "provider_on_a_full_disk"])
		.env(DIRECTORY, directory)
		.env(DISK, disk)
		.output()
		.expect("a shell starts");
	let text =
		String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
	assert!(output.status.success(), "{text}");
	assert!(text.contains("1 passed"), "{text}");
}

#[test]
fn a_full_disk_costs_no_proven_shard() {
	let directory = tempfile::tempdir().expect("a temporary directory");
	// The signal is ignored, so that the write fails instead of the process.
	let shell = ["bash", "-c", "trap '' XFSZ; exec \"$@\"", "limited"];
	run_on("limited", &shell, directory.path());

	// The same on a file system of its own, where the kernel lets this user mount one.
	let directory = tempfile::tempdir().expect("a temporary directory");
	let mount = format!("mount -t tmpfs -o size=8m tmpfs \"${DIRECTORY}\" && ");
	let unshare = ["unshare", "--map-root-user", "--mount", "bash", "-c"];
	let allowed = Command::new(unshare[0])
		.args(&unshare[1..])
		.arg(format!("{mount} true"))
		.env(DIRECTORY, directory.path())
		.stderr(Stdio::null())
		.status()
		.is_ok_and(|status| status.success());
	if allowed {
		let script = format!("{mount} exec \"$@\"");
		let shell: Vec<_> = unshare
			.iter()
			.copied()
			.chain([script.as_str(), "filled"])
			.collect();
		run_on("filled", &shell, directory.path());
	} else {
		println!("no file system can be mounted here: only the limit on files was tried");
	}
}

/// Changes the bytes of a file.
type Damage = fn(&mut Vec<u8>);

/// What a disk, or somebody, can do to a file.
const DAMAGES: [(&str, Damage); 4] = [
	("emptied", |bytes| bytes.clear()),
	("cut", |bytes| bytes.truncate(bytes.len() / 2)),
	("flipped", |bytes| {
		let middle = bytes.len() / 2;
		bytes[middle] ^= 0x10;
	}),
	("grown", |bytes| bytes.resize(3 << 20, 0xff)),
];

#[tokio::test(flavor = "multi_thread")]
async fn damaged_files_are_made_anew_from_the_chain_and_the_blocks() {
	let mut world = World::new();
	world
		.add(1, |config| config.scrub_bytes_per_second = 1 << 30)
		.await;
	let owner = Owner::new(account(100));
	owner.dial(&world.nodes).await;
	let (upload, order) = place(&world, &owner, 600_000, 14);
	world
		.until(ACTIVATION_BLOCKS, "the shard is proven", |world| {
			is_proven(world, order)
		})
		.await;
	// Nobody else could help: what is on disk has to do.
	owner.leave().await;
	world.nodes[0].kill().await;
	let directory = world.nodes[0].path().join(format!("shards/{order}-0"));
	let is_whole = |name: &str| {
		let bytes = fs::read(directory.join(name)).unwrap_or_default();
		match name {
			"record" => ShardRecord::from_file(&bytes).is_ok_and(|record| record.phase == Phase::Stored),
			"blocks" => {
				blocks_from_file(&bytes).is_ok_and(|blocks| blocks.len() == upload.shards[0].len() + 1)
			}
			_ => true,
		}
	};
	for name in ["record", "blocks", "levels"] {
		for (what, damage) in DAMAGES {
			let path = directory.join(name);
			let mut bytes = fs::read(&path).expect("the file is there");
			damage(&mut bytes);
			fs::write(&path, bytes).expect("writable");
			world.start(0).await;
			world
				.until(60, &format!("{name}, which was {what}, is made anew"), |world| {
					is_whole(name) && world.nodes[0].shards("stored") == 1
				})
				.await;
			let window = world.chain.window();
			// Its hashes are used by proofs only.
			if name == "levels" {
				world
					.until(
						WINDOW_BLOCKS * 3,
						&format!("levels were {what}: they are not used"),
						|world| world.chain.provider(&account(1)).proven > window,
					)
					.await;
			}
			world.nodes[0].kill().await;
		}
	}
	assert_eq!(world.chain.wrong_proofs(), 0);
	assert!(is_proven(&world, order), "it was not given up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_peer_key_is_told_and_not_replaced() {
	let mut world = World::new();
	let directory = tempfile::tempdir().expect("a temporary directory");
	let index = world.add_stopped(1, directory.path(), |_| {});
	world.start(index).await;
	world.nodes[index].kill().await;
	let path = directory.path().join("peer-key");
	for (what, damage) in DAMAGES {
		let mut bytes = fs::read(&path).expect("the key is there");
		let whole = bytes.clone();
		damage(&mut bytes);
		// A flipped bit may make another hexadecimal digit; a letter beyond them cannot be one.
		if what == "flipped" {
			bytes[0] = b'g';
		}
		fs::write(&path, &bytes).expect("writable");
		let chain = world.chain.of(account(1));
		let mut opened = StorageService::open(world.nodes[index].config.clone(), chain.clone(), None).await;
		for _ in 0..100 {
			// The blocking threads of a killed service let go of the store a moment later.
			if !matches!(opened, Err(ServiceError::Store(_))) {
				break;
			}
			tokio::time::sleep(Duration::from_millis(50)).await;
			opened = StorageService::open(world.nodes[index].config.clone(), chain.clone(), None).await;
		}
		match opened.map(drop) {
			Err(error @ ServiceError::Key { .. }) => {
				assert!(
					error.to_string().contains("64 hexadecimal digits"),
					"{what}: {error}"
				)
			}
			other => panic!("{what}: {other:?}"),
		}
		assert_eq!(fs::read(&path).expect("still there"), bytes, "{what}");
		fs::write(&path, whole).expect("writable");
	}
}
