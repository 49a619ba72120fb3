import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const outDir = join(import.meta.dirname, '../dist/console');

/** Beside each file the same one packed, so that the server need not pack it again and again. */
const packed: Plugin = {
  name: 'packed',
  writeBundle(_options, bundle) {
    for (const name of Object.keys(bundle).filter((each) => /\.(js|css)$/.test(each)))
      writeFileSync(join(outDir, `${name}.gz`), gzipSync(readFileSync(join(outDir, name)), { level: 9 }));
  },
};

// `npm run build` writes the console to dist/console; src/http/console-page.ts serves it.
export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  oxc: { jsx: { runtime: 'automatic' } },
  plugins: [packed],
  build: {
    outDir,
    emptyOutDir: true,
    // The policy of its page allows no inline code or data.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
