import { join } from 'node:path';
import { defineConfig } from 'vite';

// `npm run build` writes the console to dist/console; src/http/console-page.ts serves it.
export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  oxc: { jsx: { runtime: 'automatic' } },
  build: {
    outDir: join(import.meta.dirname, '../dist/console'),
    emptyOutDir: true,
    // The policy of its page allows no inline code or data.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
