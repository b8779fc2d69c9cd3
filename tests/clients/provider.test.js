// A provider's node that was paid to store a shard, over a real order from the command line, serves it to Helia, IPFS in
// JavaScript, by its CID.

import './older-node.js';

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { unixfs } from '@helia/unixfs';
import * as dagPb from '@ipld/dag-pb';
import { multiaddr } from '@multiformats/multiaddr';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { u8aToHex } from '@polkadot/util';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { CID } from 'multiformats/cid';

import { cat, LEAF_BYTES, LIMIT_MS, startHelia, within } from './helia.js';
import { send } from './market.js';
import { binary, eventually, startDevelopmentChain } from './node.js';

const SAND = 10n ** 12n;
const OWNER = '//Ferdie';
const PROVIDER = '//Bob';
const AGENT = '//Bob//agent';
// Some blocks, in each of which there may be none for a while.
const STORE_LIMIT_MS = 300_000;
// Each of the three shards has a few leaves and a tail.
const FILE_BYTES = 5 * LEAF_BYTES + 4321;

let directory;
let chain;
let provider;
let put;
let shard;
let shardBytes;
const nodes = [];

/** A port that nothing listens on now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The words that every command of the client needs. */
const words = (key) => [
  '--json', '--yes', '--url', chain.url, '--key', key, '--cache-dir', path.join(directory, 'cache'),
];

/** Runs the client and returns its result. */
async function opensand(key, ...rest) {
  const { stdout } = await promisify(execFile)(binary('opensand'), [...words(key), ...rest]);
  const lines = stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return lines.find(({ event }) => event === 'result');
}

/** Registers the node as //Bob's, with an agent that has funds for fees. */
async function register() {
  provider = new WsProvider(chain.url);
  const api = await ApiPromise.create({ provider, noInitWarn: true });
  const keyring = new Keyring({ type: 'sr25519' });
  const agent = keyring.addFromUri(AGENT);
  await provider.send('author_insertKey', ['stor', AGENT, u8aToHex(agent.publicKey)]);
  await send(api, api.tx.balances.transferKeepAlive(agent.address, 100n * SAND), keyring.addFromUri(PROVIDER));
  await eventually('the node names its agent', LIMIT_MS, async () =>
    (await provider.send('storage_status', [])).agent);
  await opensand(PROVIDER, 'provider', 'register', '--collateral', '100', '--quota', '1GiB');
}

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'opensand-provider-'));
  chain = await startDevelopmentChain([
    '--storage', path.join(directory, 'storage'),
    '--storage-quota', '1GiB',
    '--storage-listen', `/ip4/127.0.0.1/tcp/${await freePort()}`,
    '--storage-ipfs-listen', '/ip4/127.0.0.1/tcp/0',
  ]);
  await register();
  const file = path.join(directory, 'file');
  await writeFile(file, randomBytes(FILE_BYTES));
  // The two other shards find nobody, so the put goes on until it is stopped.
  put = spawn(binary('opensand'), [...words(OWNER), 'store', 'put', file, '--code', '2/3', '--windows', '60'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  shard = await eventually('the node has proven a shard', STORE_LIMIT_MS, async () => {
    const { orders } = await opensand(OWNER, 'store', 'ls');
    if (orders.length === 0) return undefined;
    const shown = await opensand(OWNER, 'store', 'show', String(orders[0].order));
    shardBytes = shown.shard_bytes;
    return shown.shards.find(({ status }) => status === 'active');
  });
}, { timeout: 2 * STORE_LIMIT_MS });

after(async () => {
  put?.kill('SIGKILL');
  for (const { helia, libp2p } of nodes) {
    await helia.stop();
    await libp2p.stop();
  }
  await provider?.disconnect();
  await chain?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** A Helia node that is connected to the provider's node, and knows nothing else. */
async function connectedHelia() {
  const node = await startHelia();
  nodes.push(node);
  const { ipfsAddresses } = await provider.send('storage_status', []);
  assert.equal(ipfsAddresses.length, 1, 'the node says where it serves IPFS');
  await node.libp2p.dial(multiaddr(ipfsAddresses[0]));
  return node.helia;
}

test('a provider serves a stored block to Helia', { timeout: 2 * LIMIT_MS }, async () => {
  const helia = await connectedHelia();
  const root = CID.parse(shard.cid);
  assert.equal(root.code, 0x70, 'the root is a dag-pb node');
  const { Links: links } = dagPb.decode(await helia.blockstore.get(root, { signal: within(LIMIT_MS) }));
  const leaf = await helia.blockstore.get(links[0].Hash, { signal: within(LIMIT_MS) });
  assert.equal(leaf.length, LEAF_BYTES);
});

test('a provider serves a whole shard to Helia', { timeout: 2 * LIMIT_MS }, async () => {
  const helia = await connectedHelia();
  const root = CID.parse(shard.cid);
  const bytes = await cat(helia, root);
  assert.equal(bytes.length, shardBytes);
  // What was read is what the order names: added to another node, it has the same CID.
  const other = await startHelia();
  nodes.push(other);
  const added = await unixfs(other.helia).addBytes(bytes, {
    cidVersion: 1,
    rawLeaves: true,
    reduceSingleLeafToSelf: false,
    chunker: fixedSize({ chunkSize: LEAF_BYTES }),
  });
  assert.equal(added.toString(), root.toString());
});

test('a provider does not serve what it was not given', { timeout: LIMIT_MS }, async () => {
  const helia = await connectedHelia();
  const absent = CID.parse('bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq');
  await assert.rejects(helia.blockstore.get(absent, { signal: within(2000) }));
  const root = CID.parse(shard.cid);
  assert.ok(await helia.blockstore.get(root, { signal: within(LIMIT_MS) }), 'it serves on');
});
