//! A question that nobody but the worker can read, on a running node.

use std::time::Duration;

use anyhow::Result;
use opensand_tests::{
	digits::Digits,
	inference::wait_for_settlement,
	market::{Market, PRICE, ROYALTY},
};
use opensand_zk_cli::accuracy::class;

/// How long an answer may take: two blocks and a proof, with a long tail.
const SETTLEMENT_LIMIT: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_input_reaches_the_worker_alone_and_is_answered() -> Result<()> {
	let directory = tempfile::tempdir()?;
	let digits = Digits::import(&directory.path().join("digits"))?;
	let market = Market::open_hidden(&digits).await?;
	let input = digits.input(0)?;
	let salt = sp_crypto_hashing::blake2_256(b"only the requester and the worker know it");
	let request = market.ask_hidden(&input, &salt).await?;
	let settlement = wait_for_settlement(&market.node, &market.client, request, 1, SETTLEMENT_LIMIT).await?;
	assert_eq!(settlement.worker, (market.worker.public_key().0, PRICE));
	assert_eq!(settlement.owner, (market.owner.public_key().0, ROYALTY));
	assert_eq!(class(&settlement.output), usize::from(digits.label(0)?));

	let shown: Vec<u8> = input.iter().map(|value| value.cast_unsigned()).collect();
	for number in 1..=market.node.best_number().await? {
		let at = market.client.at_block(number).await?;
		for extrinsic in at.extrinsics().fetch().await?.iter() {
			let extrinsic = extrinsic?;
			let finds = |secret: &[u8]| extrinsic.bytes().windows(secret.len()).any(|part| part == secret);
			assert!(!finds(&shown), "block {number} shows the input");
			assert!(!finds(&salt), "block {number} shows the salt");
		}
	}
	Ok(())
}
