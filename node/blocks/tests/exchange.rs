//! Peers that exchange blocks over real sockets.

mod common;

use common::*;
use futures::StreamExt;
use litep2p::{
	config::ConfigBuilder,
	protocol::request_response::{self, DialOptions, RequestResponseEvent, RequestResponseHandle},
	transport::tcp,
	Litep2p,
};
use opensand_blocks::{
	wire, Cid, Codec, ConnectError, DhtError, FetchError, PeerFault, PeerId, StartError, MAX_BLOCK_BYTES,
};
use std::time::{Duration, Instant};
use tokio::{
	task::JoinHandle,
	time::{sleep, timeout},
};

/// A peer of the block protocol that this test drives by hand.
fn by_hand() -> (Litep2p, RequestResponseHandle) {
	let (config, handle) = request_response::ConfigBuilder::new(wire::PROTOCOL.into())
		.with_max_size(4 << 20)
		.with_timeout(LIMIT)
		.build();
	let tcp = tcp::config::Config {
		listen_addresses: vec![loopback()],
		..Default::default()
	};
	let config = ConfigBuilder::new()
		.with_tcp(tcp)
		.with_request_response_protocol(config)
		.with_keep_alive_timeout(LIMIT)
		.build();
	(Litep2p::new(config).expect("it starts"), handle)
}

/// A peer that answers every request in the same way, or never.
fn answering(answer: Option<Vec<u8>>) -> (PeerId, Vec<opensand_blocks::Multiaddr>, JoinHandle<()>) {
	let (mut network, mut requests) = by_hand();
	let peer = *network.local_peer_id();
	let addresses = network.listen_addresses().cloned().collect();
	let task = tokio::spawn(async move {
		loop {
			tokio::select! {
				event = network.next_event() => assert!(event.is_some()),
				event = requests.next() => if let Some(RequestResponseEvent::RequestReceived { request_id, .. }) = event {
					if let Some(answer) = &answer {
						requests.send_response(request_id, answer.clone());
					}
				},
			}
		}
	});
	(peer, addresses, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn fetches_blocks_that_are_there() {
	let mut held = blocks(1, 3, 1000);
	let longest = vec![5; MAX_BLOCK_BYTES];
	held.push((Codec::Raw.cid(&longest), longest));
	held.push((Codec::DagPb.cid(&[]), Vec::new()));
	let provider = start(config(), memory(&held));
	let client = start(dialer(), Memory::default());
	client.connect(&provider).await;
	assert_eq!(client.exchange.connected_peers(), [provider.id()]);
	for (cid, block) in &held {
		assert_eq!(client.fetch(cid, &provider).await.as_ref(), Ok(block));
	}
	let (absent, _) = blocks(2, 1, 10)[0];
	assert_eq!(
		client.fetch(&absent, &provider).await,
		Err(FetchError::NotFound {
			cid: absent,
			peers: 1
		})
	);
	assert_eq!(
		client.exchange.fetch(&absent, &[], LIMIT).await,
		Err(FetchError::NoPeers(absent))
	);
	let foreign = Cid::new_v1(0x71, *absent.hash());
	assert!(matches!(
		client.fetch(&foreign, &provider).await,
		Err(FetchError::Cid(_))
	));

	let stats = client.exchange.stats();
	assert_eq!(stats.blocks_fetched, 5);
	assert_eq!(stats.bytes_fetched, 3000 + MAX_BLOCK_BYTES as u64);
	// The provider learns that a block is out a moment after the client has it.
	let counted = async {
		while provider.exchange.stats().blocks_served < 5 {
			sleep(Duration::from_millis(10)).await;
		}
	};
	timeout(LIMIT, counted).await.expect("they are counted");
	assert_eq!(provider.exchange.stats().bytes_served, stats.bytes_fetched);
}

#[tokio::test(flavor = "multi_thread")]
async fn fetches_many_blocks_in_order() {
	let held = blocks(3, 256, LEAF_BYTES);
	let provider = start(config(), memory(&held));
	let client = start(dialer(), Memory::default());
	client.connect(&provider).await;
	let (absent, _) = blocks(4, 1, 10)[0];
	let mut wanted: Vec<_> = held.iter().map(|(cid, _)| *cid).collect();
	wanted.insert(100, absent);

	let begin = Instant::now();
	let got: Vec<_> = client
		.exchange
		.fetch_many(wanted.clone(), vec![provider.id()], LIMIT)
		.collect()
		.await;
	let seconds = begin.elapsed().as_secs_f64();
	println!(
		"{:.0} MB/s from one peer on loopback",
		(held.len() * LEAF_BYTES) as f64 / seconds / 1e6
	);

	assert_eq!(got.iter().map(|(cid, _)| *cid).collect::<Vec<_>>(), wanted);
	let mut expected = held.iter();
	for (cid, block) in got {
		if cid == absent {
			assert_eq!(block, Err(FetchError::NotFound { cid, peers: 1 }));
		} else {
			assert_eq!(block.as_ref(), Ok(&expected.next().expect("as many as wanted").1));
		}
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_that_fetch_from_each_other_do_not_stall() {
	let (of_one, of_other) = (blocks(5, 200, LEAF_BYTES), blocks(6, 200, LEAF_BYTES));
	let one = start(config(), memory(&of_one));
	let other = start(config(), memory(&of_other));
	one.connect(&other).await;
	let all = |peer: &Peer, from: &Peer, blocks: &[(Cid, Vec<u8>)]| {
		let cids: Vec<_> = blocks.iter().map(|(cid, _)| *cid).collect();
		peer.exchange
			.fetch_many(cids, vec![from.id()], LIMIT)
			.map(|(_, block)| block.expect("it is there").len())
			.collect::<Vec<_>>()
	};
	let begin = Instant::now();
	let (first, second) = futures::join!(all(&one, &other, &of_other), all(&other, &one, &of_one));
	let seconds = begin.elapsed().as_secs_f64();
	assert_eq!((first.len(), second.len()), (200, 200));
	println!(
		"{:.0} MB/s in both directions together",
		(400 * LEAF_BYTES) as f64 / seconds / 1e6
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_peer_is_found_out() {
	let held = blocks(7, 20, 5000);
	let liar = start(config(), Liar);
	let honest = start(config(), memory(&held));
	let client = start(dialer(), Memory::default());
	client.connect(&liar).await;
	client.connect(&honest).await;
	let (cid, _) = held[0];
	assert_eq!(
		client.fetch(&cid, &liar).await,
		Err(FetchError::Failed {
			cid,
			peer: liar.id(),
			fault: PeerFault::WrongBytes
		})
	);
	assert_eq!(client.exchange.stats().bad_responses, 1);
	// With somebody honest beside it, the block comes.
	for (cid, block) in &held {
		let got = client.exchange.fetch(cid, &[liar.id(), honest.id()], LIMIT).await;
		assert_eq!(got.as_ref(), Ok(block));
	}
	assert!(client.exchange.stats().bad_responses > 1);
	assert_eq!(client.exchange.stats().blocks_fetched, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_responses_are_refused() {
	let (cid, _) = blocks(8, 1, 100)[0];
	let mut long = wire::Response::Block(vec![0; MAX_BLOCK_BYTES]).encode();
	long.push(0);
	for answer in [vec![], vec![9], vec![1, 2, 3], long] {
		let shown = answer.len();
		let (peer, addresses, task) = answering(Some(answer));
		let client = start(dialer(), Memory::default());
		client
			.exchange
			.connect(peer, addresses)
			.await
			.expect("it listens");
		match client.exchange.fetch(&cid, &[peer], Duration::from_secs(3)).await {
			Err(FetchError::Failed {
				fault: PeerFault::Malformed(_),
				..
			}) => {}
			// The transport itself refuses frames that are too long, and takes empty ones for none.
			Err(FetchError::TimedOut {
				last: Some((_, PeerFault::BrokeOff(_))),
				..
			}) => {}
			other => panic!("{shown} bytes: {other:?}"),
		}
		task.abort();
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_peer_costs_its_share_of_the_time() {
	let held = blocks(9, 1, 100);
	let (cid, block) = &held[0];
	let (silent, addresses, _task) = answering(None);
	let honest = start(config(), memory(&held));
	let client = start(dialer(), Memory::default());
	client
		.exchange
		.connect(silent, addresses)
		.await
		.expect("it listens");
	client.connect(&honest).await;

	let begin = Instant::now();
	let limit = Duration::from_secs(2);
	let got = client.exchange.fetch(cid, &[silent], limit).await;
	assert_eq!(
		got,
		Err(FetchError::TimedOut {
			cid: *cid,
			waited: limit,
			last: Some((silent, PeerFault::TimedOut))
		})
	);
	assert!(begin.elapsed() < Duration::from_secs(5));
	for _ in 0..2 {
		let got = client.exchange.fetch(cid, &[silent, honest.id()], limit).await;
		assert_eq!(got.as_ref(), Ok(block));
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn another_peer_takes_over_from_one_that_goes() {
	let held = blocks(10, 120, 50_000);
	let going = start(config(), Slow(memory(&held), Duration::from_millis(5)));
	let staying = start(config(), Slow(memory(&held), Duration::from_millis(5)));
	let client = start(dialer(), Memory::default());
	client.connect(&going).await;
	client.connect(&staying).await;
	let cids: Vec<_> = held.iter().map(|(cid, _)| *cid).collect();
	let mut stream = Box::pin(
		client
			.exchange
			.fetch_many(cids, vec![going.id(), staying.id()], LIMIT),
	);
	for (number, (cid, block)) in held.iter().enumerate() {
		if number == 20 {
			going.exchange.shutdown().await;
		}
		assert_eq!(
			stream.next().await,
			Some((*cid, Ok(block.clone()))),
			"block {number}"
		);
	}
	assert!(
		going.exchange.stats().blocks_served > 0,
		"it had served some before"
	);
	assert_eq!(stream.next().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_only_dials_serves_blocks() {
	let held = blocks(11, 50, LEAF_BYTES);
	let provider = start(config(), Memory::default());
	let owner = start(dialer(), memory(&held));
	assert!(owner.exchange.listen_addresses().is_empty());

	// The provider asks before the owner is there, and waits for it.
	let waiting = {
		let (exchange, owner, (cid, _)) = (provider.exchange.clone(), owner.id(), held[0].clone());
		tokio::spawn(async move { exchange.fetch(&cid, &[owner], LIMIT).await })
	};
	assert!(
		!provider
			.exchange
			.wait_for_peer(owner.id(), Duration::from_millis(200))
			.await
	);
	owner.connect(&provider).await;
	assert!(provider.exchange.wait_for_peer(owner.id(), LIMIT).await);
	assert_eq!(waiting.await.expect("no panic").as_ref(), Ok(&held[0].1));

	let cids: Vec<_> = held.iter().map(|(cid, _)| *cid).collect();
	let got: Vec<_> = provider
		.exchange
		.fetch_many(cids, vec![owner.id()], LIMIT)
		.collect()
		.await;
	assert_eq!(
		got,
		held.into_iter()
			.map(|(cid, block)| (cid, Ok(block)))
			.collect::<Vec<_>>()
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_are_found_through_others() {
	let held = blocks(12, 1, 1000);
	let (cid, block) = &held[0];
	let first = start(config(), Memory::default());
	let join = |providing, source| {
		let mut config = config();
		config.bootstrap = first.addresses();
		config.provide = providing;
		start(config, source)
	};
	let provider = join(true, memory(&held));
	let between = join(true, Memory::default());
	let client = join(false, Memory::default());
	for peer in [&provider, &between, &client] {
		assert!(peer.exchange.wait_for_peer(first.id(), LIMIT).await);
	}
	assert_eq!(client.exchange.provide(cid).await, Err(DhtError::NotProviding));

	// Peers learn what the others are a moment after they are connected.
	let announced = async {
		while provider.exchange.provide(cid).await.is_err() {
			sleep(Duration::from_millis(50)).await;
		}
	};
	timeout(LIMIT, announced)
		.await
		.expect("somebody takes the record");
	let found = async {
		loop {
			match client.exchange.find_providers(cid).await {
				Ok(found) if !found.is_empty() => break found,
				_ => sleep(Duration::from_millis(50)).await,
			}
		}
	};
	let found = timeout(LIMIT, found).await.expect("the record is found");
	assert_eq!(found.len(), 1);
	assert_eq!(found[0].peer, provider.id());
	assert!(!found[0].addresses.is_empty());
	client
		.exchange
		.connect(found[0].peer, found[0].addresses.clone())
		.await
		.expect("the record's address is right");
	assert_eq!(client.fetch(cid, &provider).await.as_ref(), Ok(block));

	let (absent, _) = blocks(13, 1, 10)[0];
	assert_eq!(client.exchange.find_providers(&absent).await, Ok(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn alone_there_is_nobody_to_tell() {
	let mut config = config();
	config.provide = true;
	let peer = start(config, Memory::default());
	let (cid, _) = blocks(14, 1, 10)[0];
	assert_eq!(peer.exchange.provide(&cid).await, Err(DhtError::NoAnswer));
	let (absent, _) = blocks(17, 1, 10)[0];
	assert_eq!(
		peer.exchange.find_providers(&absent).await,
		Err(DhtError::NoAnswer)
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_are_turned_away() {
	let held = blocks(15, 1, 1000);
	let (cid, block) = &held[0];
	let provider = start(config(), Slow(memory(&held), Duration::from_millis(500)));
	let (mut network, mut requests) = by_hand();
	network.add_known_address(provider.id(), provider.addresses().into_iter());
	network.dial(&provider.id()).await.expect("it has an address");
	network.next_event().await.expect("it connects");
	tokio::spawn(async move { while network.next_event().await.is_some() {} });
	// The protocol learns of the connection a moment later than the network.
	sleep(Duration::from_millis(200)).await;

	let mut foreign = cid.to_bytes();
	foreign[1] = 0x71;
	let garbage = [
		vec![],
		vec![0; 36],
		foreign,
		cid.to_bytes()[1..].to_vec(),
		vec![0xff; 5000],
	];
	for request in &garbage {
		requests
			.send_request(provider.id(), request.clone(), DialOptions::Reject)
			.await
			.expect("sent");
	}
	for request in &garbage {
		let event = timeout(LIMIT, requests.next())
			.await
			.expect("an end")
			.expect("it runs");
		assert!(
			matches!(event, RequestResponseEvent::RequestFailed { .. }),
			"{request:?}: {event:?}"
		);
	}
	assert_eq!(provider.exchange.stats().malformed_requests, garbage.len() as u64);

	// More than a peer may ask at a time: the rest is told to come again.
	for _ in 0..40 {
		requests
			.send_request(provider.id(), wire::encode_request(cid), DialOptions::Reject)
			.await
			.expect("sent");
	}
	let (mut served, mut busy) = (0, 0);
	for _ in 0..40 {
		match timeout(LIMIT, requests.next())
			.await
			.expect("an answer")
			.expect("it runs")
		{
			RequestResponseEvent::ResponseReceived { response, .. } => match wire::Response::decode(response)
			{
				Ok(wire::Response::Block(bytes)) if bytes == *block => served += 1,
				Ok(wire::Response::Busy) => busy += 1,
				other => panic!("{other:?}"),
			},
			other => panic!("{other:?}"),
		}
	}
	assert!(served >= 16 && busy > 0, "{served} served, {busy} busy");
	assert_eq!(provider.exchange.stats().busy, busy);

	// Others are not harmed.
	let client = start(dialer(), Memory::default());
	client.connect(&provider).await;
	assert_eq!(client.fetch(cid, &provider).await.as_ref(), Ok(block));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_limited() {
	let mut config = config();
	config.max_incoming = 2;
	let provider = start(config, Memory::default());
	let clients: Vec<_> = (0..3).map(|_| start(dialer(), Memory::default())).collect();
	clients[0].connect(&provider).await;
	clients[1].connect(&provider).await;
	match clients[2]
		.exchange
		.connect(provider.id(), provider.addresses())
		.await
	{
		Err(ConnectError::Unreachable { peer, .. }) => assert_eq!(peer, provider.id()),
		other => panic!("{other:?}"),
	}
	// When one goes, there is room.
	clients[0].exchange.shutdown().await;
	let room = async {
		while clients[2]
			.exchange
			.connect(provider.id(), provider.addresses())
			.await
			.is_err()
		{
			sleep(Duration::from_millis(100)).await;
		}
	};
	timeout(LIMIT, room).await.expect("there is room");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_addresses_are_explained() {
	let peer = start(config(), Memory::default());
	let absent = PeerId::random();
	assert_eq!(
		peer.exchange.connect(absent, vec![]).await,
		Err(ConnectError::NoAddress(absent))
	);
	let udp = "/ip4/127.0.0.1/udp/1/quic-v1".parse().expect("a multiaddress");
	assert_eq!(
		peer.exchange.connect(absent, vec![udp]).await,
		Err(ConnectError::NoAddress(absent))
	);
	assert_eq!(
		peer.exchange.connect(peer.id(), peer.addresses()).await,
		Err(ConnectError::Myself(peer.id()))
	);
	// A port that was free a moment ago: nobody listens.
	let free = std::net::TcpListener::bind("127.0.0.1:0")
		.expect("a port")
		.local_addr()
		.expect("a port")
		.port();
	let nobody = format!("/ip4/127.0.0.1/tcp/{free}")
		.parse()
		.expect("a multiaddress");
	match peer.exchange.connect(absent, vec![nobody]).await {
		Err(ConnectError::Unreachable { peer, reason }) => {
			assert_eq!(peer, absent);
			assert!(reason.contains(&free.to_string()), "{reason}");
		}
		other => panic!("{other:?}"),
	}
	// Somebody else answers there.
	let other = start(config(), Memory::default());
	let address = other.addresses()[0]
		.iter()
		.take(2)
		.collect::<opensand_blocks::Multiaddr>();
	assert!(matches!(
		peer.exchange.connect(absent, vec![address]).await,
		Err(ConnectError::Unreachable { .. })
	));

	let mut taken = config();
	taken.listen = other
		.addresses()
		.iter()
		.map(|address| address.iter().take(2).collect())
		.collect();
	assert!(matches!(
		opensand_blocks::Exchange::start(taken, std::sync::Arc::new(Memory::default())),
		Err(StartError::NotListening(_))
	));
	let mut nameless = config();
	nameless.bootstrap = vec![loopback()];
	assert!(matches!(
		opensand_blocks::Exchange::start(nameless, std::sync::Arc::new(Memory::default())),
		Err(StartError::NoPeerInAddress(_))
	));
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_cleanly() {
	let held = blocks(16, 1, 100);
	let (cid, _) = held[0];
	let provider = start(config(), Slow(memory(&held), Duration::from_secs(2)));
	let client = start(with_ipfs(), Memory::default());
	client.connect(&provider).await;
	let under_way = {
		let (exchange, provider) = (client.exchange.clone(), provider.id());
		tokio::spawn(async move { exchange.fetch(&cid, &[provider], LIMIT).await })
	};
	sleep(Duration::from_millis(200)).await;
	client.exchange.shutdown().await;
	assert_eq!(under_way.await.expect("no panic"), Err(FetchError::Closed));
	let listened = client.addresses();
	timeout(LIMIT, client.task)
		.await
		.expect("it ends")
		.expect("no panic");

	// The ports are free again, and everything says that it is over.
	let mut again = config();
	again.listen = listened
		.iter()
		.map(|address| address.iter().take(2).collect())
		.collect();
	let again = start(again, Memory::default());
	let ports = |addresses: &[opensand_blocks::Multiaddr]| {
		addresses
			.iter()
			.map(|address| address.iter().nth(1).map(|port| port.to_string()))
			.collect::<Vec<_>>()
	};
	assert_eq!(ports(&again.addresses()), ports(&listened));
	let closed = client.exchange;
	assert_eq!(
		closed
			.fetch(&cid, &[provider.exchange.local_peer_id()], LIMIT)
			.await,
		Err(FetchError::Closed)
	);
	assert_eq!(
		closed.connect(provider.exchange.local_peer_id(), vec![]).await,
		Err(ConnectError::Closed)
	);
	assert_eq!(closed.find_providers(&cid).await, Err(DhtError::Closed));
	closed.shutdown().await;

	// A peer ends too when nobody holds it any more.
	let Peer { exchange, task } = start(config(), Memory::default());
	drop(exchange);
	timeout(LIMIT, task).await.expect("it ends").expect("no panic");
}
