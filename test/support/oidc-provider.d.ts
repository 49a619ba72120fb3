/** What the tests use of it; it brings no types. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  export class Provider {
    constructor(issuer: string, settings: object);
    callback(): RequestListener;
    on(event: string, listener: (...given: unknown[]) => void): void;
  }
}
