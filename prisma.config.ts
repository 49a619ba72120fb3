import { defineConfig } from 'prisma/config';

// The CLI looks for a native engine that it would download; generating the client does not use it.
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= '/bin/true';

export default defineConfig({ schema: 'prisma/schema.prisma' });
