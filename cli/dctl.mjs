#!/usr/bin/env node
// What `npx dctl` and `npm link` run. Plain JavaScript with nothing but built-ins: an older Node hands over to the one that
// `npm start` fetched, and a clone without a build says what is missing.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url);
const built = new URL('dist/cli/main.js', root);
const fetchedNode = new URL(`.dctl/node/node_modules/node-linux-${process.arch}/bin/node`, root);
const usageExitCode = 3;

process.exitCode = await start();

async function start() {
  if (!existsSync(built)) return refuse(`dctl is not built yet: cd ${fileURLToPath(root)} && npm run build`);
  if (Number(process.versions.node.split('.')[0]) < 22) {
    if (existsSync(fetchedNode)) return handOver(fileURLToPath(fetchedNode));
    return refuse(`dctl needs Node 22 or newer; this is ${process.versions.node}.`);
  }
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  const { main } = await import(built.href);
  return main(process.argv.slice(2), version);
}

/** Ctrl-C reaches both of us: how it ends is the other one's to say. */
function handOver(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(refuse(`${node} could not be started: ${error.message}`)));
    child.on('exit', (code) => resolve(code ?? 130));
  });
}

function refuse(sentence) {
  console.error(sentence);
  return usageExitCode;
}
