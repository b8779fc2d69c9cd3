use super::*;
use crate::block::Codec;
use rand::{rngs::StdRng, Rng, RngCore, SeedableRng};
use std::{collections::HashMap, os::unix::fs::MetadataExt, sync::Arc, thread};
use tempfile::TempDir;

const QUOTA: u64 = 64 << 20;

fn block(seed: u64, bytes: usize) -> (Cid, Vec<u8>) {
	let mut block = vec![0; bytes];
	StdRng::seed_from_u64(seed).fill_bytes(&mut block);
	(Codec::Raw.cid(&block), block)
}

fn open(directory: &TempDir) -> BlockStore {
	BlockStore::open(directory.path(), QUOTA).expect("the store opens")
}

fn empty() -> (TempDir, BlockStore) {
	let directory = TempDir::new().expect("a temporary directory");
	let store = open(&directory);
	(directory, store)
}

fn temporary_files(store: &BlockStore) -> usize {
	fs::read_dir(store.root.join(TEMPORARY))
		.expect("it is there")
		.count()
}

/// The account, the files and the listing agree.
fn assert_consistent(store: &BlockStore, expected: &HashMap<Cid, Vec<u8>>) {
	let mut listed: Vec<_> = store.iter().map(|cid| cid.expect("readable")).collect();
	listed.sort_unstable();
	let mut wanted: Vec<_> = expected.keys().copied().collect();
	wanted.sort_unstable();
	assert_eq!(listed, wanted);
	assert_eq!(
		store.used_bytes(),
		expected.values().map(|block| block.len() as u64).sum::<u64>()
	);
	assert_eq!(store.used_bytes(), store.count_used().expect("readable"));
	assert_eq!(temporary_files(store), 0);
}

#[test]
fn keeps_blocks_across_opens() {
	let (directory, store) = empty();
	let blocks: HashMap<_, _> = (0..40).map(|seed| block(seed, 1000 * seed as usize)).collect();
	let mut list: Vec<_> = blocks.clone().into_iter().collect();
	let (cid, bytes) = list.pop().expect("there are some");
	store.put(&cid, &bytes).expect("put");
	store.put_batch(&list).expect("put many");
	let node = b"\x0a\x02\x08\x01".to_vec();
	let node_cid = Codec::DagPb.cid(&node);
	store.put(&node_cid, &node).expect("put a node");
	let mut expected = blocks;
	expected.insert(node_cid, node);
	assert_consistent(&store, &expected);

	drop(store);
	let store = open(&directory);
	assert_consistent(&store, &expected);
	for (cid, bytes) in &expected {
		assert_eq!(store.get(cid).expect("readable").as_ref(), Some(bytes));
		assert!(store.has(cid).expect("readable"));
	}
	let (absent, _) = block(1000, 5);
	assert_eq!(store.get(&absent).expect("readable"), None);
	assert!(!store.has(&absent).expect("readable"));
}

#[test]
fn counts_a_block_once_and_gives_its_bytes_back() {
	let (_directory, store) = empty();
	let (cid, bytes) = block(1, 5000);
	store.put(&cid, &bytes).expect("put");
	store.put(&cid, &bytes).expect("put again");
	store
		.put_batch(&[(cid, bytes.clone()), (cid, bytes.clone())])
		.expect("put twice at once");
	assert_consistent(&store, &HashMap::from([(cid, bytes)]));
	assert!(store.remove(&cid).expect("removable"));
	assert!(!store.remove(&cid).expect("removable"));
	assert_eq!(store.get(&cid).expect("readable"), None);
	assert_consistent(&store, &HashMap::new());
	// The same block twice in one batch, when it is not there yet.
	let (cid, bytes) = block(2, 700);
	store
		.put_batch(&[(cid, bytes.clone()), (cid, bytes.clone())])
		.expect("put twice at once");
	assert_consistent(&store, &HashMap::from([(cid, bytes)]));
}

#[test]
fn refuses_what_is_no_block() {
	let (_directory, store) = empty();
	let (cid, bytes) = block(1, 100);
	let mut wrong = bytes.clone();
	wrong[7] ^= 1;
	assert!(matches!(store.put(&cid, &wrong), Err(StoreError::WrongHash(named)) if named == cid));
	// One wrong block keeps the whole batch out.
	let other = block(2, 100);
	assert!(matches!(
		store.put_batch(&[other.clone(), (cid, wrong)]),
		Err(StoreError::WrongHash(_))
	));
	assert_consistent(&store, &HashMap::new());

	let long = vec![0; MAX_BLOCK_BYTES + 1];
	let long_cid = Codec::Raw.cid(&long);
	assert!(
		matches!(store.put(&long_cid, &long), Err(StoreError::TooLong { bytes, .. }) if bytes == long.len())
	);
	let longest = vec![0; MAX_BLOCK_BYTES];
	store
		.put(&Codec::Raw.cid(&longest), &longest)
		.expect("the longest block fits");

	let foreign = Cid::new_v1(0x71, *cid.hash());
	for result in [
		store.put(&foreign, &bytes).err(),
		store.get(&foreign).err(),
		store.has(&foreign).err(),
		store.remove(&foreign).err(),
	] {
		assert!(matches!(result, Some(StoreError::Cid(CidError::Codec(0x71)))));
	}
}

#[test]
fn keeps_the_quota() {
	let directory = TempDir::new().expect("a temporary directory");
	let store = BlockStore::open(directory.path(), 10_000).expect("opens");
	let first = block(1, 6000);
	store.put(&first.0, &first.1).expect("fits");
	let second = block(2, 4001);
	match store.put(&second.0, &second.1) {
		Err(StoreError::QuotaExceeded {
			needed: 4001,
			used: 6000,
			quota: 10_000,
		}) => {}
		other => panic!("{other:?}"),
	}
	// A batch is refused as a whole.
	assert!(matches!(
		store.put_batch(&[block(3, 3000), block(4, 1001)]),
		Err(StoreError::QuotaExceeded { needed: 4001, .. })
	));
	store
		.put_batch(&[block(3, 3000), block(4, 1000)])
		.expect("exactly the quota");
	// What is there already needs no room, and an empty block needs none either.
	store.put(&first.0, &first.1).expect("is there");
	store.put(&Codec::Raw.cid(&[]), &[]).expect("is empty");
	assert_eq!(store.used_bytes(), 10_000);
	assert!(store.remove(&first.0).expect("removable"));
	store.put(&second.0, &second.1).expect("fits now");

	// A smaller quota than what is held: everything stays, and nothing is taken.
	drop(store);
	let store = BlockStore::open(directory.path(), 5000).expect("opens");
	assert_eq!(store.used_bytes(), 8001);
	assert_eq!(store.get(&second.0).expect("readable"), Some(second.1));
	let (cid, bytes) = block(5, 1);
	assert!(matches!(
		store.put(&cid, &bytes),
		Err(StoreError::QuotaExceeded { .. })
	));
}

#[test]
fn many_writers_keep_the_quota_together() {
	let directory = TempDir::new().expect("a temporary directory");
	let store = Arc::new(BlockStore::open(directory.path(), 50_000).expect("opens"));
	let threads: Vec<_> = (0..8)
		.map(|thread| {
			let store = store.clone();
			thread::spawn(move || {
				// Half of the blocks are the same for all threads.
				(0..20u64)
					.filter(|number| {
						let seed = if number % 2 == 0 {
							*number
						} else {
							1000 * (thread + 1) + number
						};
						let (cid, bytes) = block(seed, 1000);
						store.put(&cid, &bytes).is_ok()
					})
					.count()
			})
		})
		.collect();
	let stored: usize = threads
		.into_iter()
		.map(|thread| thread.join().expect("no panic"))
		.sum();
	assert!(stored >= 50, "{stored}");
	assert!(store.used_bytes() <= 50_000);
	assert_eq!(store.used_bytes(), store.count_used().expect("readable"));
	assert_eq!(temporary_files(&store), 0);
}

#[test]
fn a_damaged_block_is_reported_once_and_never_served() {
	let (directory, store) = empty();
	let good = block(1, 3000);
	let bad = block(2, 4000);
	store.put_batch(&[good.clone(), bad.clone()]).expect("put");
	let path = store.path(&bad.0);
	let mut rng = StdRng::seed_from_u64(9);
	let mut flip = || {
		let mut bytes = fs::read(&path).expect("it is there");
		let at = rng.gen_range(0..bytes.len());
		bytes[at] ^= 1 << rng.gen_range(0..8);
		fs::write(&path, bytes).expect("writable");
	};
	flip();
	assert!(matches!(store.get(&bad.0), Err(StoreError::Corrupt(cid)) if cid == bad.0));
	assert_eq!(store.get(&bad.0).expect("readable"), None);
	assert_consistent(&store, &HashMap::from([good.clone()]));
	assert_eq!(
		fs::read_dir(directory.path().join(QUARANTINE))
			.expect("there")
			.count(),
		1
	);

	// Stored again, it is served again; and a put finds damage by itself.
	store.put(&bad.0, &bad.1).expect("put");
	assert_eq!(store.get(&bad.0).expect("readable"), Some(bad.1.clone()));
	flip();
	store.put(&bad.0, &bad.1).expect("replaced");
	assert_eq!(store.get(&bad.0).expect("readable"), Some(bad.1.clone()));
	flip();
	assert_eq!(BlockSource::get(&store, &bad.0), None);
	assert_eq!(BlockSource::get(&store, &good.0), Some(good.1.clone()));
	assert_consistent(&store, &HashMap::from([good]));
}

#[test]
fn what_power_loss_can_leave_is_dealt_with() {
	let (directory, store) = empty();
	let whole = block(1, 3000);
	let cut = block(2, 4000);
	let emptied = block(3, 5000);
	let swollen = block(4, 6000);
	store
		.put_batch(&[whole.clone(), cut.clone(), emptied.clone(), swollen.clone()])
		.expect("put");
	let root = store.root.clone();
	fs::write(store.path(&cut.0), &cut.1[..100]).expect("writable");
	fs::write(store.path(&emptied.0), []).expect("writable");
	File::options()
		.write(true)
		.open(store.path(&swollen.0))
		.and_then(|file| file.set_len(1 << 40))
		.expect("a hole of a tebibyte");
	fs::write(root.join(TEMPORARY).join("17"), [1; 500]).expect("writable");
	fs::write(root.join(BLOCKS).join("000").join("notes.txt"), [2; 10]).expect("writable");
	drop(store);

	let store = open(&directory);
	for (cid, _) in [&cut, &emptied, &swollen] {
		assert!(matches!(store.get(cid), Err(StoreError::Corrupt(_))));
		assert_eq!(store.get(cid).expect("readable"), None);
	}
	assert_consistent(&store, &HashMap::from([whole]));
	assert!(
		root.join(BLOCKS).join("000").join("notes.txt").exists(),
		"foreign files are left alone"
	);
}

#[test]
fn the_quarantine_is_bounded() {
	let (directory, store) = empty();
	let blocks: Vec<_> = (0..MAX_QUARANTINED as u64 + 5)
		.map(|seed| block(seed, 64))
		.collect();
	store.put_batch(&blocks).expect("put");
	for (cid, _) in &blocks {
		fs::write(store.path(cid), b"damaged").expect("writable");
		assert!(matches!(store.get(cid), Err(StoreError::Corrupt(_))));
	}
	let kept = fs::read_dir(directory.path().join(QUARANTINE))
		.expect("there")
		.count();
	assert_eq!(kept, MAX_QUARANTINED);
}

#[test]
fn one_process_at_a_time() {
	let (directory, store) = empty();
	assert!(matches!(
		BlockStore::open(directory.path(), QUOTA),
		Err(StoreError::Locked(_))
	));
	drop(store);
	open(&directory);
}

#[test]
fn only_stores_are_opened() {
	let directory = TempDir::new().expect("a temporary directory");
	fs::write(directory.path().join("letter.txt"), "hello").expect("writable");
	assert!(matches!(
		BlockStore::open(directory.path(), QUOTA),
		Err(StoreError::NotAStore(_))
	));
	assert!(directory.path().join("letter.txt").exists());

	let (directory, store) = empty();
	drop(store);
	fs::write(directory.path().join(VERSION_FILE), "opensand-blocks 2\n").expect("writable");
	assert!(matches!(
		BlockStore::open(directory.path(), QUOTA),
		Err(StoreError::NotAStore(_))
	));

	// A crash while the store was made.
	let directory = TempDir::new().expect("a temporary directory");
	fs::write(directory.path().join("VERSION.new"), "opensa").expect("writable");
	open(&directory);
}

#[test]
fn errors_of_the_file_system_are_reported() {
	let (directory, store) = empty();
	let (cid, bytes) = block(1, 100);
	let shard = store.shard_directory(shard_of(&cid));
	fs::remove_dir(&shard).expect("it is empty");
	match store.put(&cid, &bytes) {
		Err(StoreError::Io { path, .. }) => assert!(path.starts_with(&shard), "{}", path.display()),
		other => panic!("{other:?}"),
	}
	assert_eq!((store.used_bytes(), temporary_files(&store)), (0, 0));
	// Opening makes it again.
	drop(store);
	let store = open(&directory);
	store.put(&cid, &bytes).expect("put");
	let files = fs::metadata(store.path(&cid)).expect("there").nlink();
	assert_eq!(files, 1);
}

#[test]
fn names_say_where_a_block_belongs() {
	let (cid, _) = block(1, 10);
	let shard = shard_of(&cid);
	assert!(shard < SHARDS);
	assert_eq!(block_of_name(&cid.to_string(), shard), Some(cid));
	assert_eq!(block_of_name(&cid.to_string(), (shard + 1) % SHARDS), None);
	assert_eq!(block_of_name(&cid.to_string().to_uppercase(), shard), None);
	assert_eq!(block_of_name("17", shard), None);
	assert_eq!(shard_name(SHARDS - 1), "3ff");
}
