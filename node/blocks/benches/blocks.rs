//! Times of the store, and of transfers over loopback.

use criterion::{criterion_group, criterion_main, BatchSize, Criterion, Throughput};
use futures::StreamExt;
use opensand_blocks::{BlockSource, BlockStore, Cid, Codec, Exchange, ExchangeConfig};
use rand::{rngs::StdRng, RngCore, SeedableRng};
use std::{
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
	time::Duration,
};
use tokio::runtime::Runtime;

/// The length of a leaf in a stored file.
const LEAF_BYTES: usize = 256 << 10;
const QUOTA: u64 = 1 << 40;
const LIMIT: Duration = Duration::from_secs(60);

/// Random blocks that no other call returned.
fn blocks(count: usize) -> Vec<(Cid, Vec<u8>)> {
	static SEED: AtomicU64 = AtomicU64::new(0);
	let mut random = StdRng::seed_from_u64(SEED.fetch_add(1, Ordering::Relaxed));
	(0..count)
		.map(|_| {
			let mut block = vec![0; LEAF_BYTES];
			random.fill_bytes(&mut block);
			(Codec::Raw.cid(&block), block)
		})
		.collect()
}

fn store(criterion: &mut Criterion) {
	let directory = tempfile::tempdir().expect("a temporary directory");
	let store = BlockStore::open(directory.path(), QUOTA).expect("opens");
	let mut group = criterion.benchmark_group("store");
	group.sample_size(10);
	for count in [1, 64] {
		group.throughput(Throughput::Bytes((count * LEAF_BYTES) as u64));
		group.bench_function(format!("put {count} blocks of 256 KiB, durable"), |bencher| {
			let put = |blocks: Vec<_>| {
				store.put_batch(&blocks).expect("stored");
				blocks
			};
			let remove = |blocks: Vec<(Cid, Vec<u8>)>| {
				for (cid, _) in blocks {
					store.remove(&cid).expect("removable");
				}
			};
			bencher.iter_batched(
				|| blocks(count),
				|blocks| remove(put(blocks)),
				BatchSize::PerIteration,
			);
		});
	}
	let held = blocks(64);
	store.put_batch(&held).expect("stored");
	group.throughput(Throughput::Bytes((held.len() * LEAF_BYTES) as u64));
	group.bench_function(
		"get 64 blocks of 256 KiB from the page cache, checked",
		|bencher| {
			bencher.iter(|| {
				for (cid, _) in &held {
					store.get(cid).expect("readable").expect("held");
				}
			});
		},
	);
	group.finish();
}

fn start(seed: u8, listen: bool, source: Arc<dyn BlockSource>) -> Exchange {
	let mut config = ExchangeConfig::new([seed; 32]);
	if listen {
		config.listen = vec!["/ip4/127.0.0.1/tcp/0".parse().expect("a multiaddress")];
	}
	Exchange::start(config, source).expect("starts").0
}

fn transfer(criterion: &mut Criterion) {
	let runtime = Runtime::new().expect("a runtime");
	let _inside = runtime.enter();
	let directory = tempfile::tempdir().expect("a temporary directory");
	let empty = tempfile::tempdir().expect("a temporary directory");
	let store = Arc::new(BlockStore::open(directory.path(), QUOTA).expect("opens"));
	let held = blocks(128);
	store.put_batch(&held).expect("stored");
	let cids: Vec<_> = held.iter().map(|(cid, _)| *cid).collect();
	let provider = start(1, true, store);
	let client = start(
		2,
		false,
		Arc::new(BlockStore::open(empty.path(), QUOTA).expect("opens")),
	);
	let peer = provider.local_peer_id();
	runtime
		.block_on(client.connect(peer, provider.listen_addresses().to_vec()))
		.expect("connects");

	let mut group = criterion.benchmark_group("loopback");
	group.sample_size(10);
	group.throughput(Throughput::Bytes((held.len() * LEAF_BYTES) as u64));
	group.bench_function("fetch 128 blocks of 256 KiB from a store", |bencher| {
		bencher.to_async(&runtime).iter(|| async {
			let mut blocks = client.fetch_many(cids.clone(), vec![peer], LIMIT);
			while let Some((_, block)) = blocks.next().await {
				block.expect("held");
			}
		});
	});
	group.finish();
}

criterion_group!(benches, store, transfer);
criterion_main!(benches);
