//! The side that stock IPFS software sees: Bitswap on a port of its own. `tests/clients/helia.test.js` drives it with Helia.

mod common;

use common::*;
use futures::StreamExt;
use litep2p::{
	codec::ProtocolCodec,
	config::ConfigBuilder,
	protocol::{
		libp2p::{
			bitswap::{self, BitswapEvent, BlockPresenceType, ResponseType, WantType},
			identify,
			kademlia::{self, KademliaEvent},
		},
		Direction, TransportEvent, TransportService, UserProtocol,
	},
	transport::tcp,
	Litep2p, PeerId, ProtocolName,
};
use opensand_blocks::{Cid, Codec, FetchError, MAX_BLOCK_BYTES};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Fetches by Bitswap.
async fn bitswap_fetch(
	client: &Peer,
	cid: &Cid,
	from: &Peer,
	limit: Duration,
) -> Result<Vec<u8>, FetchError> {
	let addresses = from.exchange.ipfs_addresses().to_vec();
	client.exchange.fetch_ipfs(cid, from.id(), addresses, limit).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bitswap_carries_blocks() {
	let mut held = blocks(1, 100, LEAF_BYTES);
	let longest = vec![5; MAX_BLOCK_BYTES];
	held.push((Codec::Raw.cid(&longest), longest));
	let provider = start(with_ipfs(), memory(&held));
	let client = start(with_ipfs(), Memory::default());
	assert_ne!(
		provider.exchange.ipfs_addresses(),
		provider.exchange.listen_addresses()
	);
	let fetches = held
		.iter()
		.map(|(cid, _)| bitswap_fetch(&client, cid, &provider, LIMIT));
	let begin = Instant::now();
	let got = futures::future::join_all(fetches).await;
	let bytes: usize = held.iter().map(|(_, block)| block.len()).sum();
	println!(
		"{:.0} MB/s by Bitswap on loopback",
		bytes as f64 / begin.elapsed().as_secs_f64() / 1e6
	);
	for ((_, block), got) in held.iter().zip(got) {
		assert_eq!(got.as_ref(), Ok(block));
	}
	let (absent, _) = blocks(2, 1, 10)[0];
	assert_eq!(
		bitswap_fetch(&client, &absent, &provider, LIMIT).await,
		Err(FetchError::NotFound {
			cid: absent,
			peers: 1
		})
	);
	let stats = provider.exchange.stats();
	assert_eq!(stats.ipfs_blocks_served, 101);
	assert_eq!(
		stats.ipfs_bytes_served,
		(100 * LEAF_BYTES + MAX_BLOCK_BYTES) as u64
	);

	let without = start(dialer(), Memory::default());
	assert!(without.exchange.ipfs_addresses().is_empty());
	assert_eq!(
		bitswap_fetch(&without, &absent, &provider, LIMIT).await,
		Err(FetchError::NoIpfs)
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_bytes_are_not_taken_for_the_block() {
	let liar = start(with_ipfs(), Liar);
	let client = start(with_ipfs(), Memory::default());
	let (cid, _) = blocks(3, 1, 100)[0];
	let limit = Duration::from_secs(2);
	match bitswap_fetch(&client, &cid, &liar, limit).await {
		Err(FetchError::TimedOut { .. }) => {}
		other => panic!("{other:?}"),
	}
	// litep2p names what comes by its hash, so it is a block that nobody asked for.
	assert!(client.exchange.stats().ipfs_unwanted_blocks >= 1);
}

/// A Bitswap peer that the test drives by hand.
fn by_hand() -> (Litep2p, bitswap::BitswapHandle) {
	let (config, handle) = bitswap::Config::new();
	let config = ConfigBuilder::new()
		.with_tcp(Default::default())
		.with_libp2p_bitswap(config)
		.with_keep_alive_timeout(LIMIT)
		.build();
	(Litep2p::new(config).expect("it starts"), handle)
}

#[tokio::test(flavor = "multi_thread")]
async fn says_what_it_has() {
	let held = blocks(4, 1, 100);
	let (cid, block) = &held[0];
	let (absent, _) = blocks(5, 1, 100)[0];
	let provider = start(with_ipfs(), memory(&held));
	let (mut network, mut bitswap) = by_hand();
	let addresses = provider.exchange.ipfs_addresses().to_vec();
	network.add_known_address(provider.id(), addresses.into_iter());
	tokio::spawn(async move { while network.next_event().await.is_some() {} });

	// A hash that is not kept here is answered too, and so is version 0.
	let foreign = Cid::new_v1(0x71, *cid.hash());
	let version_0 = Cid::new_v0(*cid.hash()).expect("SHA2-256 fits");
	let wants = vec![
		(*cid, WantType::Have),
		(absent, WantType::Have),
		(absent, WantType::Block),
		(foreign, WantType::Block),
		(version_0, WantType::Block),
		(*cid, WantType::Block),
	];
	bitswap.send_request(provider.id(), wants).await;
	let (mut have, mut lacks, mut got) = (vec![], vec![], vec![]);
	while have.len() + lacks.len() + got.len() < 6 {
		match timeout(LIMIT, bitswap.next())
			.await
			.expect("an answer")
			.expect("it runs")
		{
			BitswapEvent::Response { peer, responses } => {
				assert_eq!(peer, provider.id());
				for response in responses {
					match response {
						ResponseType::Block { cid, block } => got.push((cid, block)),
						ResponseType::Presence {
							cid,
							presence: BlockPresenceType::Have,
						} => have.push(cid),
						ResponseType::Presence { cid, .. } => lacks.push(cid),
					}
				}
			}
			other => panic!("{other:?}"),
		}
	}
	assert_eq!(have, [*cid]);
	assert_eq!(got, [(*cid, block.clone())]);
	lacks.sort_unstable();
	let mut expected = vec![absent, absent, foreign, version_0];
	expected.sort_unstable();
	assert_eq!(lacks, expected);

	// The first want after a block is taken for its cancellation, the next is served.
	for _ in 0..2 {
		bitswap
			.send_request(provider.id(), vec![(*cid, WantType::Block)])
			.await;
		sleep(Duration::from_millis(300)).await;
	}
	let event = timeout(LIMIT, bitswap.next())
		.await
		.expect("an answer")
		.expect("it runs");
	assert!(matches!(event, BitswapEvent::Response { .. }));
	assert_eq!(provider.exchange.stats().ipfs_blocks_served, 2);
}

/// Asks for blocks by Bitswap, and never reads what comes.
struct NeverReads {
	peer: PeerId,
	wantlist: Vec<u8>,
}

#[async_trait::async_trait]
impl UserProtocol for NeverReads {
	fn protocol(&self) -> ProtocolName {
		"/ipfs/bitswap/1.2.0".into()
	}

	fn codec(&self) -> ProtocolCodec {
		ProtocolCodec::UnsignedVarint(Some(4 << 20))
	}

	async fn run(self: Box<Self>, mut service: TransportService) -> litep2p::Result<()> {
		// Streams are kept and left alone.
		let mut streams = Vec::new();
		while let Some(event) = service.next().await {
			match event {
				TransportEvent::ConnectionEstablished { .. } => {
					service.open_substream(self.peer)?;
				}
				TransportEvent::SubstreamOpened {
					mut substream,
					direction,
					..
				} => {
					if matches!(direction, Direction::Outbound(_)) {
						substream.send_framed(self.wantlist.clone().into()).await?;
					}
					streams.push(substream);
				}
				_ => {}
			}
		}
		Ok(())
	}
}

/// A Bitswap message (protobuf) that wants these blocks.
fn wantlist(cids: &[Cid]) -> Vec<u8> {
	let mut list = Vec::new();
	for cid in cids {
		let cid = cid.to_bytes();
		// Field 1 (entry), whose field 1 is the CID. All lengths are below 128.
		list.extend([0x0a, cid.len() as u8 + 2, 0x0a, cid.len() as u8]);
		list.extend(cid);
	}
	assert!((128..16384).contains(&list.len()));
	// Field 1 (wantlist) with a length of two bytes.
	let mut message = vec![0x0a, list.len() as u8 | 0x80, (list.len() >> 7) as u8];
	message.extend(list);
	message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_read_is_cut_off() {
	let held = blocks(6, 40, 2 * LEAF_BYTES);
	let provider = start(with_ipfs(), memory(&held));
	let wanted: Vec<_> = held.iter().map(|(cid, _)| *cid).collect();
	let config = ConfigBuilder::new()
		.with_tcp(Default::default())
		.with_user_protocol(Box::new(NeverReads {
			peer: provider.id(),
			wantlist: wantlist(&wanted),
		}))
		.with_keep_alive_timeout(LIMIT)
		.build();
	let mut network = Litep2p::new(config).expect("it starts");
	network
		.dial_address(provider.exchange.ipfs_addresses()[0].clone())
		.await
		.expect("it has an address");
	tokio::spawn(async move { while network.next_event().await.is_some() {} });
	let begun = async {
		while provider.exchange.stats().ipfs_blocks_served == 0 {
			sleep(Duration::from_millis(10)).await;
		}
	};
	timeout(LIMIT, begun).await.expect("it is served");
	// No more is taken into memory than fits the window.
	sleep(Duration::from_secs(1)).await;
	let served = provider.exchange.stats().ipfs_blocks_served;
	assert!(
		served <= 5,
		"{served} blocks of 512 KiB wait for a peer that does not read"
	);

	// Others wait for a while, and storage traffic does not.
	let client = start(with_ipfs(), Memory::default());
	let (cid, block) = &held[0];
	client.connect(&provider).await;
	let begin = Instant::now();
	assert_eq!(client.fetch(cid, &provider).await.as_ref(), Ok(block));
	assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
	assert_eq!(
		bitswap_fetch(&client, cid, &provider, LIMIT).await.as_ref(),
		Ok(block)
	);
	println!(
		"an honest IPFS peer waited {:.1} s for one that does not read",
		begin.elapsed().as_secs_f64()
	);
	assert_eq!(provider.exchange.stats().ipfs_stalled, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_announced_in_the_public_network() {
	let held = blocks(8, 1, 1000);
	let (cid, block) = &held[0];
	// A node of the public Kademlia network, with litep2p's own settings.
	let (kademlia_config, mut kademlia) = kademlia::ConfigBuilder::new().build();
	let (identify_config, mut identified) = identify::Config::new("/ipfs/0.1.0".into(), None);
	let tcp = tcp::config::Config {
		listen_addresses: vec![loopback()],
		..Default::default()
	};
	let config = ConfigBuilder::new()
		.with_tcp(tcp)
		.with_libp2p_kademlia(kademlia_config)
		.with_libp2p_identify(identify_config)
		.build();
	let mut network = Litep2p::new(config).expect("it starts");
	let address = network.listen_addresses().next().expect("it listens").clone();
	tokio::spawn(async move {
		loop {
			tokio::select! {
				event = network.next_event() => if event.is_none() { return },
				_ = identified.next() => {}
			}
		}
	});

	let mut config = with_ipfs();
	config.provide = true;
	let ipfs = config.ipfs.as_mut().expect("it is set");
	ipfs.public_dht = true;
	ipfs.bootstrap = vec![address];
	let provider = start(config, memory(&held));
	let announced = async {
		loop {
			// The storage network has nobody to tell, which is no concern of the public one.
			let _ = provider.exchange.provide(cid).await;
			match timeout(Duration::from_millis(200), kademlia.next()).await {
				Ok(Some(KademliaEvent::IncomingProvider {
					provided_key,
					provider,
				})) => break (provided_key, provider),
				Ok(None) => panic!("the network ended"),
				_ => {}
			}
		}
	};
	let (key, record) = timeout(LIMIT, announced).await.expect("the record arrives");
	assert_eq!(key.to_vec(), cid.hash().to_bytes());
	assert_eq!(record.peer, provider.id());
	assert_eq!(record.addresses, provider.exchange.ipfs_addresses());

	let client = start(with_ipfs(), Memory::default());
	let got = client
		.exchange
		.fetch_ipfs(cid, record.peer, record.addresses, LIMIT)
		.await;
	assert_eq!(got.as_ref(), Ok(block));
	provider.exchange.stop_providing(cid).await.expect("it runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_does_no_harm() {
	let held = blocks(7, 1, 1000);
	let provider = start(with_ipfs(), memory(&held));
	for message in [
		vec![],
		vec![0xff; 100],
		vec![0x0a, 0x80, 0x80, 0x80, 0x80, 0x80],
		wantlist(&[held[0].0; 300]),
	] {
		let config = ConfigBuilder::new()
			.with_tcp(Default::default())
			.with_user_protocol(Box::new(NeverReads {
				peer: provider.id(),
				wantlist: message,
			}))
			.build();
		let mut network = Litep2p::new(config).expect("it starts");
		network
			.dial_address(provider.exchange.ipfs_addresses()[0].clone())
			.await
			.expect("it has an address");
		timeout(Duration::from_secs(1), async {
			while network.next_event().await.is_some() {}
		})
		.await
		.expect_err("nothing more happens");
	}
	let client = start(with_ipfs(), Memory::default());
	let (cid, block) = &held[0];
	assert_eq!(
		bitswap_fetch(&client, cid, &provider, LIMIT).await.as_ref(),
		Ok(block)
	);
}
