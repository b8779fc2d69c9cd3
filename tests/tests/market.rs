//! A licence for stored data is sold: delivered and paid, wrongly delivered and refunded, and not delivered at all.

use std::{fs, path::Path, time::Duration};

use anyhow::{ensure, Context, Result};
use codec::{DecodeAll, Encode};
use opensand_primitives::market::Purchase;
use opensand_slices::{seal_key, Context as SealingContext, FileKey};
use opensand_tests::{
	client::{address, free_balance, storage, submit, Call, Client, SAND},
	eventually,
	node::Node,
	storage::{address_text, Scene, StorageMarket, GRANTEE, OWNER},
};
use serde_json::{json, Value as Json};
use subxt::dynamic::{At, Value};
use subxt_signer::{
	sr25519::{dev, Keypair},
	SecretUri,
};
use tokio::{
	io::{AsyncBufReadExt, AsyncReadExt, BufReader},
	process::Child,
};

/// Bytes of the dataset.
const FILE_BYTES: usize = 1024 * 1024 + 77;
/// What a licence costs.
const PRICE: u128 = 25 * SAND;
/// More than the fees and deposits of a few calls, and what a window of storage costs; far less than the price.
const MARGIN: u128 = SAND / 4;
/// What buyers get besides those that the development chain knows.
const FUNDS: u128 = 1_000 * SAND;
/// How long a deadline of the fast runtime may take to pass: 20 blocks of 6 s on average.
const DEADLINE_LIMIT: Duration = Duration::from_secs(600);

/// Who buys, and gets what was promised.
const BOB: &str = GRANTEE;
/// Who buys, and gets another key.
const CHARLIE: &str = "//Eve";
/// Who buys, and gets nothing.
const DAVE: &str = "//Ferdie//buyer";

#[tokio::test(flavor = "multi_thread")]
async fn licences_are_sold_delivered_disputed_and_refunded() -> Result<()> {
	let scene = Scene::open(FILE_BYTES, 3, 3).await?;
	let Scene {
		market,
		chain,
		data,
		file,
		files,
	} = scene;
	let (restored, terms) = (files.path("restored.bin"), files.path("licence.txt"));
	fs::write(&terms, "Use it well.")?;
	let client = chain.client().await?;
	fund(&client, DAVE).await?;

	// The seller stores the data, and offers licences.
	let put = [
		"store",
		"put",
		&file,
		"--code",
		"2/3",
		"--windows",
		"60",
		"--visibility",
		"licensed",
	];
	let stored = market.opensand(OWNER, &put).await?;
	let order = stored["order"].to_string();
	let list = ["market", "list", &order, "--price", "25", "--terms", &terms];
	let listing = market.opensand(OWNER, &list).await?["listing"].to_string();
	let offers = market.anybody(&["market", "browse"]).await?;
	let hash = hex::encode(sp_crypto_hashing::blake2_256(&fs::read(&terms)?));
	ensure!(offers["listings"].as_array().map(Vec::len) == Some(1), "{offers}");
	let offer = &offers["listings"][0];
	ensure!(offer["price"] == PRICE.to_string(), "{offer}");
	ensure!(offer["terms"] == format!("0x{hash}"), "{offer}");

	// The one who will get nothing pays first, so that time runs out while the others are served.
	let before = Balances::now(&client).await?;
	let buy = ["market", "buy", &listing, "--max-price", "25", "--terms", &terms];
	let no_wait = [&buy[..], &["--no-wait"]].concat();
	let unserved = market.opensand(DAVE, &no_wait).await?;
	ensure!(unserved["status"] == "paid", "{unserved}");
	let unserved_id = unserved["purchase"].to_string();
	let early = refused(&market, BOB, &["market", "finish", &unserved_id], 5).await?;
	ensure!(early.contains("cannot be finished"), "{early}");

	let too_dear = ["market", "buy", &listing, "--max-price", "24"];
	refused(&market, BOB, &too_dear, 2).await?;
	let other_terms = ["market", "buy", &listing, "--terms", &file];
	refused(&market, BOB, &other_terms, 2).await?;

	// One buyer gets a key that opens, and is another: its client finds out, and the chain agrees.
	let mut deceived = market.start(CHARLIE, &buy)?;
	let wrong = purchase_event(&mut deceived).await?;
	let wrong_id = wrong["purchase"].to_string();
	let sealed = wrongly_sealed(&chain, wrong["purchase"].as_u64().context("an id")?).await?;
	let deliver = vec![
		Value::u128(u128::from(wrong["purchase"].as_u64().context("an id")?)),
		Value::from_bytes(sealed),
	];
	submit(&client, Call::new("Dsm", "deliver", deliver), &dev::ferdie()).await?;
	let mut told = String::new();
	let status = deceived.wait().await?;
	let mut stderr = deceived.stderr.take().context("a pipe")?;
	stderr.read_to_string(&mut told).await?;
	ensure!(status.code() == Some(6), "{status}: {told}");
	ensure!(told.contains(&format!("market dispute {wrong_id}")), "{told}");
	refused(&market, CHARLIE, &["market", "confirm", &wrong_id], 6).await?;
	let proven = market
		.opensand(CHARLIE, &["market", "dispute", &wrong_id])
		.await?;
	ensure!(proven["status"] == "refunded", "{proven}");
	ensure!(proven["reason"] == "wrong_delivery", "{proven}");

	// Another is interrupted, is served by the command line, and goes on with the same purchase. Nothing makes it disclose
	// the secret of a right delivery.
	let mut interrupted = market.start(BOB, &buy)?;
	let bought = purchase_event(&mut interrupted).await?;
	interrupted.kill().await?;
	let bought_id = bought["purchase"].to_string();
	let unread = refused(&market, BOB, &["store", "get", &order, &restored], 6).await?;
	ensure!(unread.contains("is not settled"), "{unread}");
	let served = market.opensand(OWNER, &["market", "deliver", &bought_id]).await?;
	ensure!(served["delivered"][0]["status"] == "delivered", "{served}");
	let right = refused(&market, BOB, &["market", "dispute", &bought_id], 2).await?;
	ensure!(right.contains("is right"), "{right}");
	let licensed = market.opensand(BOB, &buy).await?;
	ensure!(licensed["status"] == "licensed", "{licensed}");
	ensure!(licensed["purchase"] == bought["purchase"], "{licensed}");
	market.opensand(BOB, &["store", "get", &order, &restored]).await?;
	ensure!(
		fs::read(Path::new(&restored))? == data,
		"the licensee gets what was sold"
	);
	let bob = address_text(&keypair(BOB)?);
	let sold = market.opensand(OWNER, &["access", "revoke", &order, &bob]).await;
	let sold = format!("{:#}", sold.err().context("a sold grant was revoked")?);
	ensure!(sold.contains("GrantWasSold"), "{sold}");
	let after = Balances::now(&client).await?;
	ensure!(near(after.bob, before.bob - PRICE), "{before:?} {after:?}");

	// The wrong delivery has cost its bond, and the right one has earned the price.
	let bond = delivery_bond(&client).await?;
	let after = Balances::now(&client).await?;
	ensure!(bond > 2 * MARGIN, "a bond of {bond} would not be told from fees");
	ensure!(near(after.charlie, before.charlie + bond), "{before:?} {after:?}");
	ensure!(
		near(after.seller, before.seller + PRICE - bond),
		"{before:?} {after:?}"
	);

	// The third has its money back when the time for a delivery is over; anybody sees to it.
	let deliver_by = unserved["deliver_by"].as_u64().context("a deadline")?;
	eventually("the deadline passes", DEADLINE_LIMIT, || async {
		Ok((u64::from(chain.best_number().await?) >= deliver_by).then_some(()))
	})
	.await?;
	let refunded = market.opensand(BOB, &["market", "finish", &unserved_id]).await?;
	ensure!(refunded["reason"] == "undelivered", "{refunded}");
	let after = Balances::now(&client).await?;
	ensure!(near(after.dave, before.dave), "{before:?} {after:?}");
	let purchases = market.opensand(DAVE, &["market", "purchases"]).await?;
	ensure!(purchases["purchases"] == json!([]), "{purchases}");

	let record = market.anybody(&["access", "ls", &order]).await?;
	let count = |name: &str| {
		let events = record["events"].as_array().into_iter().flatten();
		events.filter(|event| event["operation"] == name).count()
	};
	let counts = ["listed", "bought", "delivered", "licensed", "refunded"].map(|name| (name, count(name)));
	let expected = [
		("listed", 1),
		("bought", 3),
		("delivered", 2),
		("licensed", 1),
		("refunded", 2),
	];
	ensure!(counts == expected, "{record}");
	Ok(())
}

/// What the parties have, held tokens included.
#[derive(Debug)]
struct Balances {
	seller: u128,
	bob: u128,
	charlie: u128,
	dave: u128,
}

impl Balances {
	async fn now(client: &Client) -> Result<Self> {
		Ok(Self {
			seller: total(client, OWNER).await?,
			bob: total(client, BOB).await?,
			charlie: total(client, CHARLIE).await?,
			dave: total(client, DAVE).await?,
		})
	}
}

/// Whether two amounts differ by fees only.
fn near(amount: u128, wanted: u128) -> bool {
	amount.abs_diff(wanted) < MARGIN
}

/// What an account has, free and held.
async fn total(client: &Client, uri: &str) -> Result<u128> {
	let account = keypair(uri)?.public_key().0;
	let at = client.at_best().await?;
	let info = storage(&at, "System", "Account", vec![Value::from_bytes(account)])
		.await?
		.with_context(|| format!("{uri} has no account"))?;
	let held = info
		.at("data")
		.at("reserved")
		.and_then(Value::as_u128)
		.with_context(|| format!("no held balance in {info}"))?;
	Ok(free_balance(&at, &account).await? + held)
}

fn keypair(uri: &str) -> Result<Keypair> {
	Ok(Keypair::from_uri(&uri.parse::<SecretUri>()?)?)
}

/// Gives an account that the chain does not know something to pay with.
async fn fund(client: &Client, uri: &str) -> Result<()> {
	let transfer = vec![address(&keypair(uri)?), Value::u128(FUNDS)];
	let call = Call::new("Balances", "transfer_keep_alive", transfer);
	submit(client, call, &dev::alice()).await?;
	Ok(())
}

/// Runs the client, which has to fail with this exit code, and returns what it said.
async fn refused(market: &StorageMarket, key: &str, arguments: &[&str], code: i32) -> Result<String> {
	let what = arguments.join(" ");
	let outcome = market.opensand(key, arguments).await;
	let said = format!(
		"{:#}",
		outcome.err().with_context(|| format!("{what}: it was done"))?
	);
	ensure!(said.contains(&format!("exit status: {code}\n")), "{said}");
	Ok(said)
}

/// What a client that buys says of its purchase.
async fn purchase_event(client: &mut Child) -> Result<Json> {
	let mut lines = BufReader::new(client.stdout.take().context("a pipe")?).lines();
	while let Some(line) = lines.next_line().await? {
		let event: Json = serde_json::from_str(&line)?;
		if event["event"] == "purchase" {
			// The client goes on to write into the pipe.
			tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
			return Ok(event);
		}
	}
	anyhow::bail!("the client ended without a purchase")
}

/// Another file's key, sealed as a purchase wants it.
async fn wrongly_sealed(chain: &Node, purchase: u64) -> Result<Vec<u8>> {
	let arguments = format!("0x{}", hex::encode(purchase.encode()));
	let parameters = ["StorageApi_purchase".into(), arguments.into()];
	let answer = chain.call("state_call", &parameters).await?;
	let answer = answer.as_str().context("an answer")?.trim_start_matches("0x");
	let answer = hex::decode(answer)?;
	let purchase = Option::<Purchase>::decode_all(&mut &answer[..])?.context("a purchase")?;
	let genesis = chain.block_hash(0).await?.context("a first block")?;
	let context = SealingContext {
		genesis: hex::decode(genesis.trim_start_matches("0x"))?
			.try_into()
			.ok()
			.context("a hash")?,
		manifest: purchase.manifest,
		grantee: *purchase.buyer.as_ref(),
	};
	Ok(seal_key(&context, &FileKey::generate(), &purchase.key.public)?.to_vec())
}

/// What a delivery holds from its seller.
async fn delivery_bond(client: &Client) -> Result<u128> {
	let at = client.at_best().await?;
	let bond = at
		.metadata_ref()
		.pallet_by_name("Dsm")
		.and_then(|pallet| pallet.constant_by_name("DeliveryBond"))
		.context("the bond")?;
	Ok(u128::decode_all(&mut bond.value())?)
}
