// Starts the compiled node as a process of its own, on free ports and in a temporary directory.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_LIMIT_MS = 120_000;

/** The path of a compiled program of this project; `override` wins if it is set. */
export function binary(name, override) {
  const targetDirectory =
    process.env.CARGO_TARGET_DIR ?? path.join(homedir(), '.cache', 'opensand', 'target');
  const program = override ?? path.join(targetDirectory, 'release', name);
  if (!existsSync(program)) throw new Error(`no program at ${program}: build it first (make build)`);
  return program;
}

/**
 * A development chain of one validator that makes and finalises blocks alone.
 *
 * @param {string[]} extraArguments words to add to the command line
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>} the address of its RPC, and how to end it
 */
export async function startDevelopmentChain(extraArguments = []) {
  const program = binary('opensand-node', process.env.OPENSAND_NODE);
  const directory = await mkdtemp(path.join(tmpdir(), 'opensand-'));
  const logPath = path.join(directory, 'node.log');
  const log = await open(logPath, 'w');
  const child = spawn(
    program,
    [
      '--dev',
      '--base-path', directory,
      // Port 0 lets the system choose.
      '--rpc-port', '0',
      '--listen-addr', '/ip4/127.0.0.1/tcp/0',
      '--no-mdns',
      '--no-prometheus',
      '--no-telemetry',
      '--no-hardware-benchmarks',
      ...extraArguments,
    ],
    { stdio: ['ignore', log.fd, log.fd] },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));

  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await log.close();
    await rm(directory, { recursive: true, force: true });
  };

  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const text = await readFile(logPath, 'utf8');
    const port = /Running JSON-RPC server: addr=127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    if (port) return { url: `ws://127.0.0.1:${port}`, stop };
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`the node did not start:\n${text.slice(-4000)}`);
    }
    await sleep(200);
  }
}

/**
 * Looks at a condition until it yields something.
 *
 * @template T
 * @param {string} what what is awaited, for the error message
 * @param {number} limitMs how long to wait
 * @param {() => Promise<T | undefined | false | null>} probe the condition
 * @returns {Promise<T>} what the probe yielded
 */
export async function eventually(what, limitMs, probe) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not so after ${limitMs / 1000} s`);
    await sleep(500);
  }
}
