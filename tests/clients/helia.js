// Helia, IPFS in JavaScript, as the tests drive it.
//
// It is assembled from its packages, with TCP as the only transport: the package `helia` adds WebRTC and the public
// network, which bring native code and reach outside.

import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';

import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { bitswap } from '@helia/block-brokers';
import { unixfs } from '@helia/unixfs';
import { Helia } from '@helia/utils';
import { identify } from '@libp2p/identify';
import { tcp } from '@libp2p/tcp';
import { MemoryBlockstore } from 'blockstore-core';
import { MemoryDatastore } from 'datastore-core';
import { createLibp2p } from 'libp2p';

/** How long a request may take. */
export const LIMIT_MS = 60_000;
/** Bytes of a shard's leaves. */
export const LEAF_BYTES = 256 * 1024;

/** A Helia node with nothing in it. */
export async function startHelia() {
  const datastore = new MemoryDatastore();
  const libp2p = await createLibp2p({
    datastore,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  });
  const helia = new Helia({
    libp2p,
    datastore,
    blockstore: new MemoryBlockstore(),
    blockBrokers: [bitswap()],
  });
  await helia.start();
  return { helia, libp2p };
}

/** A time-out that all the requests of a file may listen to. */
export function within(milliseconds) {
  const signal = AbortSignal.timeout(milliseconds);
  setMaxListeners(0, signal);
  return signal;
}

/** The bytes of a UnixFS file, read through Helia. */
export async function cat(helia, root) {
  const begin = performance.now();
  const parts = [];
  for await (const chunk of unixfs(helia).cat(root, { signal: within(LIMIT_MS) })) parts.push(chunk);
  const bytes = Buffer.concat(parts);
  const seconds = (performance.now() - begin) / 1000;
  console.log(`# Helia read ${(bytes.length / 1e6).toFixed(1)} MB at ${(bytes.length / 1e6 / seconds).toFixed(1)} MB/s`);
  return bytes;
}

/** The SHA-256 of bytes, in hex. */
export const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
