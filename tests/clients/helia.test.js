// Exchanges blocks between OpenSand's block server and Helia, IPFS in JavaScript, in both directions.

import './older-node.js';

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import { unixfs } from '@helia/unixfs';
import * as dagPb from '@ipld/dag-pb';
import { multiaddr } from '@multiformats/multiaddr';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { CID } from 'multiformats/cid';

import { cat, digest, LEAF_BYTES, LIMIT_MS, startHelia, within } from './helia.js';

/** The compiled block server: as `make build` leaves it, or a debug build. */
function serverProgram() {
  if (process.env.OPENSAND_BLOCKS_SERVE) return process.env.OPENSAND_BLOCKS_SERVE;
  const targetDirectory =
    process.env.CARGO_TARGET_DIR ?? path.join(homedir(), '.cache', 'opensand', 'target');
  const candidates = ['release', 'debug'].map((profile) =>
    path.join(targetDirectory, profile, 'examples', 'opensand-blocks-serve'));
  const program = candidates.find((candidate) => existsSync(candidate));
  if (!program) throw new Error(`no program at ${candidates.join(' or ')}: build it first (make build)`);
  return program;
}

/** Starts the block server with these files, each as one raw block. */
async function startServer(directory, files) {
  const child = spawn(serverProgram(), [path.join(directory, 'store'), ...files], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the block server ended');
    return value;
  };
  const blocks = [];
  let address;
  for (let line = await next(); line !== 'ready'; line = await next()) {
    const [kind, first] = line.split(' ');
    if (kind === 'block') blocks.push(CID.parse(first));
    if (kind === 'ipfs') address ??= multiaddr(first);
  }
  return {
    address,
    blocks,
    /** Gives the server an order, and returns its answer. */
    async order(...words) {
      child.stdin.write(`${words.join(' ')}\n`);
      return next();
    },
    async stop() {
      child.stdin.end();
      await ended;
      return child.exitCode;
    },
  };
}

let directory;
let server;
let leaf;
const nodes = [];

async function helia() {
  const node = await startHelia();
  nodes.push(node);
  return node;
}

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'opensand-blocks-'));
  leaf = randomBytes(LEAF_BYTES);
  const file = path.join(directory, 'leaf');
  await writeFile(file, leaf);
  server = await startServer(directory, [file]);
});

after(async () => {
  const code = await server?.stop();
  for (const { helia, libp2p } of nodes) {
    await helia.stop();
    await libp2p.stop();
  }
  await rm(directory, { recursive: true, force: true });
  assert.equal(code, 0, 'the server ends cleanly with its input');
});

test('Helia fetches a raw block', { timeout: LIMIT_MS }, async () => {
  const { helia: client, libp2p } = await helia();
  const connection = await libp2p.dial(server.address);
  assert.equal(connection.multiplexer, '/yamux/1.0.0');
  assert.equal(connection.encryption, '/noise');
  const [cid] = server.blocks;
  const block = await client.blockstore.get(cid, { signal: within(LIMIT_MS) });
  assert.equal(digest(block), digest(leaf));
});

test('Helia reads whole shards by their root CIDs', { timeout: 2 * LIMIT_MS }, async () => {
  const file = path.join(directory, 'file');
  await writeFile(file, randomBytes(60_000_000));
  const answer = await server.order('encode', 2, 3, file);
  assert.match(answer, /^encoded( \S+:\d+:[0-9a-f]{64}){3}$/);
  const { helia: client, libp2p } = await helia();
  await libp2p.dial(server.address);
  for (const shard of answer.split(' ').slice(1)) {
    const [cid, length, expected] = shard.split(':');
    const root = CID.parse(cid);
    assert.equal(root.code, 0x70, 'the root is a dag-pb node');
    const got = await cat(client, root);
    assert.equal(got.length, Number(length));
    assert.equal(digest(got), expected);
  }
});

test('a file travels from Helia to the server and to another Helia', { timeout: 2 * LIMIT_MS }, async () => {
  const file = randomBytes(40 * LEAF_BYTES + 12345);
  const first = await helia();
  const root = await unixfs(first.helia).addBytes(file, {
    cidVersion: 1,
    rawLeaves: true,
    chunker: fixedSize({ chunkSize: LEAF_BYTES }),
  });
  assert.equal(root.code, 0x70, 'the root is a dag-pb node');
  const [address] = first.libp2p.getMultiaddrs();

  // Every block of the file, fetched by the server from Helia.
  const { Links: links } = dagPb.decode(await first.helia.blockstore.get(root));
  assert.equal(links.length, 41);
  for (const cid of [root, ...links.map((link) => link.Hash)]) {
    const answer = await server.order('fetch', cid, address);
    assert.match(answer, new RegExp(`^fetched ${cid} \\d+$`));
  }
  await first.helia.stop();
  await first.libp2p.stop();

  // And from there by somebody who has nothing but the root's CID and the server's address.
  const second = await helia();
  await second.libp2p.dial(server.address);
  const got = await cat(second.helia, root);
  assert.equal(got.length, file.length);
  assert.equal(digest(got), digest(file));
});

test('a block that is nowhere ends with an error on both sides', { timeout: LIMIT_MS }, async () => {
  const { helia: client, libp2p } = await helia();
  await libp2p.dial(server.address);
  const absent = CID.parse('bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq');
  await assert.rejects(client.blockstore.get(absent, { signal: within(2000) }));
  assert.match(await server.order('fetch', absent, libp2p.getMultiaddrs()[0]), /^failed .*(none of 1 peers|did not come)/);
  // The server lives on.
  const [cid] = server.blocks;
  assert.equal(digest(await client.blockstore.get(cid, { signal: within(LIMIT_MS) })), digest(leaf));
});
