//! `subxt`, by names and values: a transfer, its events, and every block of the chain decoded.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result};
use opensand_tests::{
	client::{address, event, field, free_balance, submit, Call, Client, SAND},
	digits::Digits,
	inference::wait_for_settlement,
	market::{Market, PRICE, ROYALTY},
	node::Node,
};
use opensand_zk_cli::accuracy::class;
use subxt::dynamic::Value;
use subxt_signer::sr25519::dev;

/// How long an answer may take: two blocks and a proof, with a long tail.
const SETTLEMENT_LIMIT: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_moves_money_and_every_block_decodes() -> Result<()> {
	let node = Node::dev().await?;
	let client = node.client().await?;
	let (alice, bob) = (dev::alice(), dev::bob());
	let before = free_balance(&client.at_best().await?, &bob.public_key().0).await?;

	let call = Call::new(
		"Balances",
		"transfer_keep_alive",
		vec![address(&bob), Value::u128(7 * SAND)],
	);
	let events = submit(&client, call, &alice).await?;
	let transfer = event(&events, "Balances", "Transfer")?;
	assert_eq!(field(&transfer, "amount")?.as_u128(), Some(7 * SAND));
	event(&events, "TransactionPayment", "TransactionFeePaid")?;

	let after = free_balance(&client.at_best().await?, &bob.public_key().0).await?;
	assert_eq!(after - before, 7 * SAND);

	let refused = Call::new(
		"Balances",
		"transfer_keep_alive",
		vec![address(&bob), Value::u128(u128::MAX)],
	);
	let error = submit(&client, refused, &alice)
		.await
		.err()
		.context("nobody owns that much")?;
	assert!(format!("{error:?}").contains("Underflow"), "{error:?}");

	decode_every_block(&node, &client).await?;
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_inference_is_settled_and_every_block_decodes() -> Result<()> {
	let directory = tempfile::tempdir()?;
	let digits = Digits::import(&directory.path().join("digits"))?;
	let market = Market::open(&digits).await?;
	let request = market.ask(&digits.input(0)?).await?;
	let settlement = wait_for_settlement(&market.node, &market.client, request, 1, SETTLEMENT_LIMIT).await?;
	assert_eq!(settlement.worker, (market.worker.public_key().0, PRICE));
	assert_eq!(settlement.owner, (market.owner.public_key().0, ROYALTY));
	assert_eq!(class(&settlement.output), usize::from(digits.label(0)?));

	// The result is a general transaction: it authorises itself and nobody signs it.
	let calls = decode_every_block(&market.node, &market.client).await?;
	assert!(
		calls.contains(&("Inference.submit_result".into(), false)),
		"{calls:?}"
	);
	Ok(())
}

/// Decodes every extrinsic and every event of every block, and returns which calls there were and whether somebody
/// signed them.
async fn decode_every_block(node: &Node, client: &Client) -> Result<BTreeSet<(String, bool)>> {
	let mut calls = BTreeSet::new();
	for number in 1..=node.best_number().await? {
		let at = client.at_block(number).await?;
		for extrinsic in at.extrinsics().fetch().await?.iter() {
			let extrinsic = extrinsic?;
			let call = format!("{}.{}", extrinsic.pallet_name(), extrinsic.call_name());
			extrinsic
				.decode_call_data_as::<Value>()
				.with_context(|| format!("block {number}: {call}"))?;
			calls.insert((call, extrinsic.is_signed()));
			for extension in extrinsic
				.transaction_extensions()
				.iter()
				.flat_map(|extensions| extensions.iter())
			{
				extension
					.decode_unchecked_as::<Value>()
					.with_context(|| format!("block {number}: {}", extension.name()))?;
			}
		}
		for event in at.events().fetch().await?.iter() {
			event?
				.decode_as::<Value>()
				.with_context(|| format!("an event of block {number}"))?;
		}
	}
	Ok(calls)
}
