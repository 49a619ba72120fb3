import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
});
afterAll(() => system.stop());

const fetched = async (path: string) => {
  const response = await fetch(system.url + path);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

test('the API page is shown to anybody, and is made of nothing but what this server serves', async () => {
  const page = await fetched('/api/docs');
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  const parts = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
  expect(parts.length).toBeGreaterThan(2);
  for (const address of parts) {
    expect(address).toMatch(/^\/api\/docs\//);
    const part = await fetched(address);
    expect([address, part.status, part.headers.get('x-content-type-options')]).toEqual([
      address,
      200,
      'nosniff',
    ]);
  }
  const { text: start } = await fetched('/api/docs/start.js');
  expect(start).toContain("url: '/api/openapi.json'");
  expect(start).toContain('validatorUrl: null');
});

test('its policy lets the API page ask no other server, run no script of a stranger, and be framed by nobody', async () => {
  const { headers } = await fetched('/api/docs/');
  const policy = new Map(
    headers
      .get('content-security-policy')!
      .split('; ')
      .map((part) => [part.split(' ')[0]!, part.split(' ').slice(1).join(' ')]),
  );
  expect(policy.get('default-src')).toBe("'none'");
  expect(policy.get('script-src')).toBe("'self'");
  expect(policy.get('connect-src')).toBe("'self'");
  expect(policy.get('frame-ancestors')).toBe("'none'");
  for (const allowed of policy.values()) expect(allowed).not.toMatch(/https?:|\*|unsafe-eval/);
});
