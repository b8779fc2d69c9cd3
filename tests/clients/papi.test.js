// polkadot-api (PAPI): follows the chain through chainHead_v1, queries storage and sends a transaction, with the
// metadata that the node serves and no generated descriptors.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { getExtrinsicDecoder } from '@polkadot-api/tx-utils';
import { Keyring } from '@polkadot/api';
import { createClient, Enum } from 'polkadot-api';
import { getPolkadotSigner } from 'polkadot-api/signer';
import { getWsProvider } from 'polkadot-api/ws';
import WebSocket from 'ws';

import { startDevelopmentChain } from './node.js';

const SAND = 10n ** 12n;

let chain;
let client;
let api;
let alice;
let bob;

before(async () => {
  chain = await startDevelopmentChain();
  client = createClient(getWsProvider(chain.url, { websocketClass: WebSocket }));
  api = client.getUnsafeApi();
  const keyring = new Keyring({ type: 'sr25519', ss58Format: await api.constants.System.SS58Prefix() });
  [alice, bob] = ['//Alice', '//Bob'].map((uri) => keyring.addFromUri(uri));
});

after(async () => {
  client?.destroy();
  await chain?.stop();
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

test('every block that is followed decodes', async () => {
  const { hash } = await client.getFinalizedBlock();
  const decode = getExtrinsicDecoder(await client.getMetadata(hash));
  for (const block of await follow(client.finalizedBlock$, 2)) {
    for (const extrinsic of await client.getBlockBody(block.hash)) {
      assert.ok(decode(extrinsic).callData, `block ${block.number}`);
    }
    assert.ok(await api.query.System.Events.getValue({ at: block.hash }), `events of block ${block.number}`);
  }
});
