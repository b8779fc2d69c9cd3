// Makes a chain ready for paid inference with @polkadot/api: registers the digits model, a worker and its offer.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Keyring } from '@polkadot/api';
import { u8aToHex } from '@polkadot/util';
import { blake2AsHex } from '@polkadot/util-crypto';

import { binary, eventually } from './node.js';

const SAND = 10n ** 12n;
const DIGITS = fileURLToPath(new URL('../../zk/models/digits/', import.meta.url));
const WORKER_KEY = '//Worker';
const TURNAROUND = 5;
const TIMEOUT = 50;
// An image of 8×8 pixels, as the digits model takes it.
const IMAGE = new Uint8Array(64).map((_, index) => index % 64);

/**
 * Imports the digits model and makes development keys for it.
 *
 * @returns {Promise<{ store: string, architecture: string, weightsHash: string, verifyingKey: string,
 *   remove: () => Promise<void> }>} the bundle's parts in hex, the folder for `--prover-bundles`, and how to delete it
 */
export async function digitsBundle() {
  const directory = await mkdtemp(path.join(tmpdir(), 'opensand-'));
  const model = path.join(directory, 'model');
  const store = path.join(directory, 'bundles');
  const zk = (...words) => promisify(execFile)(binary('opensand-zk'), words);
  const images = ['--calibration', path.join(DIGITS, 'calibration.images.npy')];
  await zk('import', path.join(DIGITS, 'digits.onnx'), ...images, '--out', model);
  await zk('setup', '--model', model, '--bundles', store);
  const [bundle] = await readdir(store);
  const file = (name) => readFile(path.join(store, bundle, name));
  return {
    store,
    architecture: u8aToHex(await file('architecture.bin')),
    weightsHash: blake2AsHex(await file('weights.bin')),
    verifyingKey: u8aToHex(await file('verifying.key')),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Signs, submits and waits for a block; resolves with the transaction's events, rejects with the pallet's error. */
export function send(api, transaction, signer) {
  return new Promise((resolve, reject) => {
    transaction
      .signAndSend(signer, { nonce: -1 }, ({ status, dispatchError, events, isError }) => {
        if (isError) return reject(new Error(`transaction ${status.type}`));
        if (!status.isInBlock) return undefined;
        if (!dispatchError) return resolve(events.map(({ event }) => event));
        if (!dispatchError.isModule) return reject(new Error(dispatchError.toString()));
        const { section, name } = api.registry.findMetaError(dispatchError.asModule);
        return reject(new Error(`${section}.${name}`));
      })
      .catch(reject);
  });
}

/**
 * Registers the model of `bundle` and offers it.
 *
 * @returns {Promise<string>} the model's id
 */
export async function openMarket(api, provider, bundle, { owner, worker }) {
  const data = (events, method) => events.find((event) => event.method === method).data;
  const { models, inference } = api.tx;
  let events = await send(api, models.registerArchitecture(bundle.architecture), owner);
  const { architecture } = data(events, 'ArchitectureRegistered');
  events = await send(
    api,
    models.registerModel(architecture, bundle.weightsHash, 'Public', SAND / 2n, '0x'),
    owner,
  );
  const model = data(events, 'ModelRegistered').model.toHex();
  await send(api, models.registerKey(model, bundle.verifyingKey), owner);

  const key = u8aToHex(new Keyring({ type: 'sr25519' }).addFromUri(WORKER_KEY).publicKey);
  await provider.send('author_insertKey', ['work', WORKER_KEY, key]);
  const sealingKey = await provider.send('prover_publicKey', []);
  await send(api, inference.registerWorker(key, sealingKey, 1_000n * SAND, 8), worker);
  await send(api, inference.offerModel(model, 2n * SAND, TURNAROUND), worker);
  return model;
}

/**
 * Asks `model` about an image.
 *
 * @returns {Promise<bigint>} the request's id
 */
export async function request(api, requester, model, maxFee) {
  const input = { Public: u8aToHex(IMAGE) };
  const events = await send(
    api,
    api.tx.inference.requestInference(model, input, null, maxFee, TIMEOUT),
    requester,
  );
  return events.find(({ method }) => method === 'InferenceRequested').data.request.toBigInt();
}

/**
 * Waits until a request that was made after block `from` is settled.
 *
 * @returns {Promise<{ block: number, data: object }>} the block and the data of its `InferenceSettled` event
 */
export async function settlement(api, id, from, limitMs) {
  let next = from;
  return eventually(`request ${id} is settled`, limitMs, async () => {
    const best = (await api.rpc.chain.getHeader()).number.toNumber();
    for (; next <= best; next += 1) {
      const at = await api.at(await api.rpc.chain.getBlockHash(next));
      const events = (await at.query.system.events()).map(({ event }) => event);
      const end = events.find(
        ({ section, method, data }) =>
          section === 'inference' && method !== 'InferenceRequested' && data.request?.toBigInt() === id,
      );
      if (end?.method === 'InferenceSettled') return { block: next, data: end.data };
      if (end) throw new Error(`request ${id} ended with ${end.method}`);
    }
    return undefined;
  });
}
