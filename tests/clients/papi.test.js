// polkadot-api (PAPI): follows the chain through chainHead_v1, queries storage and sends a transaction, with the
// metadata that the node serves and no generated descriptors.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { getExtrinsicDecoder } from '@polkadot-api/tx-utils';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { createClient, Enum } from 'polkadot-api';
import { getPolkadotSigner } from 'polkadot-api/signer';
import { getWsProvider } from 'polkadot-api/ws';
import WebSocket from 'ws';

import { digitsBundle, openMarket, request, settlement } from './market.js';
import { eventually, startDevelopmentChain } from './node.js';

const SAND = 10n ** 12n;
// A block comes in a third of the slots, so a handful of blocks may take long.
const LIMIT_MS = 300_000;

let bundle;
let chain;
let client;
let api;
let alice;
let bob;

before(async () => {
  bundle = await digitsBundle();
  chain = await startDevelopmentChain(['--worker', '--prover-bundles', bundle.store]);
  client = createClient(getWsProvider(chain.url, { websocketClass: WebSocket }));
  api = client.getUnsafeApi();
  const keyring = new Keyring({ type: 'sr25519', ss58Format: await api.constants.System.SS58Prefix() });
  [alice, bob] = ['//Alice', '//Bob'].map((uri) => keyring.addFromUri(uri));
});

after(async () => {
  client?.destroy();
  await chain?.stop();
  await bundle?.remove();
});

const signer = (pair) => getPolkadotSigner(pair.publicKey, 'Sr25519', (input) => pair.sign(input));

/** The first `count` blocks that the client's observable of blocks yields. */
function follow(blocks, count) {
  return new Promise((resolve, reject) => {
    const seen = [];
    const subscription = blocks.subscribe({
      next: (block) => {
        seen.push(block);
        if (seen.length === count) {
          resolve(seen);
          queueMicrotask(() => subscription.unsubscribe());
        }
      },
      error: reject,
      complete: () => reject(new Error('the chain stopped being followed')),
    });
  });
}

test('chainHead follows the chain without gaps', async () => {
  const blocks = await follow(client.blocks$, 4);
  const known = new Set([blocks[0].hash]);
  for (const block of blocks.slice(1)) {
    assert.ok(known.has(block.parent), `the parent of block ${block.number} was seen`);
    known.add(block.hash);
  }
  const { properties } = await client.getChainSpecData();
  assert.equal(properties.tokenSymbol, 'SAND');
});

test('storage, constants and runtime calls', async () => {
  const account = await api.query.System.Account.getValue(alice.address);
  assert.ok(account.data.free > 0n);
  assert.equal(await api.constants.Babe.ExpectedBlockTime(), 6_000n);
  const version = await api.apis.Core.version();
  assert.equal(version.spec_name, (await api.constants.System.Version()).spec_name);
});

test('a transfer is finalised', async () => {
  const before = await api.query.System.Account.getValue(bob.address, { at: 'best' });
  const result = await api.tx.Balances.transfer_keep_alive({
    dest: Enum('Id', bob.address),
    value: 3n * SAND,
  }).signAndSubmit(signer(alice));
  assert.ok(result.ok, JSON.stringify(result.dispatchError));
  assert.ok(result.events.some(({ type, value }) => type === 'Balances' && value.type === 'Transfer'));

  const after = await api.query.System.Account.getValue(bob.address, { at: result.block.hash });
  assert.equal(after.data.free - before.data.free, 3n * SAND);
});

test('a settled inference is queried, and its block decodes', { timeout: LIMIT_MS }, async () => {
  const provider = new WsProvider(chain.url);
  const other = await ApiPromise.create({ provider, noInitWarn: true });
  try {
    const model = await openMarket(other, provider, bundle, { owner: alice, worker: bob });
    // The two clients follow the chain each on its own: what one has seen in a block, the other may see later.
    const quote = await eventually('the offer is seen', LIMIT_MS, () =>
      api.apis.InferenceApi.quote(model, undefined, { at: 'best' }));
    assert.equal(quote.worker, bob.address);

    const best = (await client.getBestBlocks())[0].number;
    const id = await request(other, alice, model, quote.total);
    const { block } = await settlement(other, id, best, LIMIT_MS);
    const hash = (await other.rpc.chain.getBlockHash(block)).toHex();
    const state = await eventually('the settlement is seen', LIMIT_MS, async () => {
      const seen = await api.apis.InferenceApi.request(id, { at: 'best' });
      return seen?.type === 'Closed' ? seen : undefined;
    });
    assert.equal(state.value.outcome.type, 'Settled');

    const decode = getExtrinsicDecoder(await client.getMetadata(hash));
    const extrinsics = (await client.getBlockBody(hash)).map((extrinsic) => decode(extrinsic));
    assert.ok(
      extrinsics.some(({ type, call }) => type === 'general' && call.type === 'Inference'),
      'the block has the result as a general transaction',
    );
    assert.ok(await api.query.System.Events.getValue({ at: hash }), `events of block ${block}`);
  } finally {
    await other.disconnect();
  }
});
