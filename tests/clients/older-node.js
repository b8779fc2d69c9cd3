// What libp2p and Helia take for granted and Node.js before version 22 (`Promise.withResolvers`), 20 (`crypto`) or 19
// (`CustomEvent`) lacks. Debian 12 has version 18. Import it first.

import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;

globalThis.CustomEvent ??= class CustomEvent extends Event {
  constructor(type, options = {}) {
    super(type, options);
    this.detail = options.detail ?? null;
  }
};

Promise.withResolvers ??= function withResolvers() {
  let resolve;
  let reject;
  const promise = new Promise((...functions) => ([resolve, reject] = functions));
  return { promise, resolve, reject };
};
