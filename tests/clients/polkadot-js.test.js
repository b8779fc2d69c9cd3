// @polkadot/api, the library under the polkadot.js apps: accounts, staking and governance through a real node, and
// every block of the chain decoded.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';

import { digitsBundle, openMarket, request, send, settlement } from './market.js';
import { eventually, startDevelopmentChain } from './node.js';

const SAND = 10n ** 12n;
// A block comes in a third of the slots, so a handful of blocks may take long.
const BLOCKS_LIMIT_MS = 240_000;

let bundle;
let chain;
let provider;
let api;
let keyring;
let alice;
let bob;
let charlie;
let aliceStash;

before(async () => {
  bundle = await digitsBundle();
  chain = await startDevelopmentChain(['--worker', '--prover-bundles', bundle.store]);
  provider = new WsProvider(chain.url);
  api = await ApiPromise.create({ provider, noInitWarn: true });
  keyring = new Keyring({ type: 'sr25519', ss58Format: api.registry.chainSS58 });
  [alice, bob, charlie, aliceStash] = ['//Alice', '//Bob', '//Charlie', '//Alice//stash'].map((uri) =>
    keyring.addFromUri(uri),
  );
});

after(async () => {
  await api?.disconnect();
  await chain?.stop();
  await bundle?.remove();
});

const find = (events, section, method) => {
  const event = events.find((candidate) => candidate.section === section && candidate.method === method);
  assert.ok(event, `no event ${section}.${method} among ${events.map((e) => `${e.section}.${e.method}`)}`);
  return event;
};

test('the chain introduces itself as OpenSand', async () => {
  assert.deepEqual(api.registry.chainTokens, ['SAND']);
  assert.deepEqual(api.registry.chainDecimals, [12]);
  assert.equal(api.registry.chainSS58, api.consts.system.ss58Prefix.toNumber());
});

test('every RPC method that polkadot.js asks for is there', async () => {
  const { methods } = await api.rpc.rpc.methods();
  const served = new Set(methods.map((method) => method.toString()));
  for (const method of [
    'author_submitAndWatchExtrinsic',
    'babe_epochAuthorship',
    'chain_subscribeFinalizedHeads',
    'grandpa_roundState',
    'payment_queryInfo',
    'state_getMetadata',
    'state_subscribeStorage',
    'sync_state_genSyncSpec',
    'system_accountNextIndex',
    'chainHead_v1_follow',
    'chainSpec_v1_chainName',
    'transactionWatch_v1_submitAndWatch',
  ]) {
    assert.ok(served.has(method), method);
  }
});

test('a transfer moves money and pays a fee', async () => {
  const { data: before } = await api.query.system.account(bob.address);
  const { partialFee } = await api.tx.balances
    .transferKeepAlive(bob.address, 5n * SAND)
    .paymentInfo(alice.address);
  assert.ok(partialFee.toBigInt() > 0n);

  const events = await send(api, api.tx.balances.transferKeepAlive(bob.address, 5n * SAND), alice);
  assert.equal(find(events, 'balances', 'Transfer').data.amount.toBigInt(), 5n * SAND);
  assert.ok(find(events, 'transactionPayment', 'TransactionFeePaid').data.actualFee.toBigInt() > 0n);

  const { data: after } = await api.query.system.account(bob.address);
  assert.equal(after.free.toBigInt() - before.free.toBigInt(), 5n * SAND);
});

test('a refused transfer names its reason', async () => {
  const transfer = api.tx.balances.transferKeepAlive(bob.address, 2n ** 100n);
  await assert.rejects(send(api, transfer, alice), /Underflow/);
});

test('bond and nominate', async () => {
  await send(api, api.tx.staking.bond(1_000n * SAND, 'Staked'), bob);
  await send(api, api.tx.staking.nominate([aliceStash.address]), bob);

  const ledger = (await api.query.staking.ledger(bob.address)).unwrap();
  assert.equal(ledger.active.toBigInt(), 1_000n * SAND);
  const nominations = (await api.query.staking.nominators(bob.address)).unwrap();
  assert.deepEqual(
    nominations.targets.map((target) => target.toString()),
    [aliceStash.address],
  );
});

test('a referendum on a custom track is decided and enacted', { timeout: 2 * BLOCKS_LIMIT_MS }, async () => {
  const track = api.consts.referenda.tracks.find(([, info]) => info.name.toString().startsWith('network_parameters'));
  assert.ok(track, 'the track network_parameters');

  const before = (await api.query.nominationPools.minJoinBond()).toBigInt();
  const minJoinBond = before + SAND;
  const call = api.tx.nominationPools.setConfigs(
    { Set: minJoinBond },
    'Noop',
    'Noop',
    'Noop',
    'Noop',
    'Noop',
  ).method;

  const noted = await send(api, api.tx.preimage.notePreimage(call.toHex()), alice);
  const hash = find(noted, 'preimage', 'Noted').data[0];
  assert.equal(hash.toHex(), call.hash.toHex());

  const submitted = await send(
    api,
    api.tx.referenda.submit(
      { Origins: 'NetworkParameters' },
      { Lookup: { hash, len: call.encodedLength } },
      { After: 1 },
    ),
    alice,
  );
  const index = find(submitted, 'referenda', 'Submitted').data.index;
  assert.equal(find(submitted, 'referenda', 'Submitted').data.track.toString(), track[0].toString());
  await send(api, api.tx.referenda.placeDecisionDeposit(index), alice);

  const aye = { Standard: { vote: { aye: true, conviction: 'Locked1x' }, balance: 800_000n * SAND } };
  const vote = () => api.tx.convictionVoting.vote(index, aye);
  await Promise.all([alice, bob, charlie].map((voter) => send(api, vote(), voter)));

  await eventually('the referendum is approved', BLOCKS_LIMIT_MS, async () => {
    const info = (await api.query.referenda.referendumInfoFor(index)).unwrap();
    assert.ok(info.isOngoing || info.isApproved, `the referendum ended as ${info.type}`);
    return info.isApproved;
  });
  await eventually('its call is enacted', BLOCKS_LIMIT_MS, async () => {
    return (await api.query.nominationPools.minJoinBond()).toBigInt() === minJoinBond;
  });
});

test('a paid inference is proven, verified and settled', { timeout: 2 * BLOCKS_LIMIT_MS }, async () => {
  const model = await openMarket(api, provider, bundle, { owner: charlie, worker: bob });
  const quote = (await api.call.inferenceApi.quote(model, null)).unwrap();
  assert.equal(quote.worker.toString(), bob.address);

  const from = (await api.rpc.chain.getHeader()).number.toNumber();
  const id = await request(api, alice, model, quote.total.toBigInt());
  const { block, data } = await settlement(api, id, from, BLOCKS_LIMIT_MS);
  assert.equal(data.worker.toString(), bob.address);
  assert.equal(data.workerPaid.toBigInt(), quote.fee.worker.toBigInt());
  assert.equal(data.ownerPaid.toBigInt(), quote.fee.royalty.toBigInt());
  assert.equal(data.output.length, 10);

  // The result came as a general transaction, which has no signer.
  const signed = await api.rpc.chain.getBlock(await api.rpc.chain.getBlockHash(block));
  const result = signed.block.extrinsics.find(({ method }) => method.method === 'submitResult');
  assert.ok(result, 'the block has the result');
  assert.equal(result.isSigned, false);
});

test('every block decodes', async () => {
  const head = (await api.rpc.chain.getHeader()).number.toNumber();
  for (let number = 1; number <= head; number += 1) {
    const hash = await api.rpc.chain.getBlockHash(number);
    const { block } = await api.rpc.chain.getBlock(hash);
    for (const extrinsic of block.extrinsics) {
      assert.ok(extrinsic.method.section, `block ${number}`);
      assert.ok(extrinsic.toHuman(), `block ${number}`);
    }
    const events = await (await api.at(hash)).query.system.events();
    assert.ok(events.length > 0, `block ${number} has events`);
  }
});
