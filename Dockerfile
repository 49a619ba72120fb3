# The images of dctl's two processes: `--target api` and `--target worker`. What runs execute in is runner/Dockerfile.
# Written for every Docker from 20.10 on, so without BuildKit's syntax.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM $NODE_IMAGE AS base
# Certificates to trust beside the public ones (certs/README.md): for npm while building, for webhooks and Docker later.
COPY certs/ /usr/local/share/ca-certificates/host/
ENV NODE_ENV=production \
    NODE_USE_SYSTEM_CA=1 \
    SSL_CERT_DIR=/usr/local/share/ca-certificates/host
WORKDIR /app

FROM base AS dependencies
# Another registry than npm's own, when the build is given one. It stays in this stage.
ARG NPM_CONFIG_REGISTRY
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev --no-audit --no-fund --no-progress

FROM dependencies AS build
COPY tsconfig.json tsconfig.build.json prisma.config.ts ./
COPY prisma/ prisma/
RUN node node_modules/prisma/build/index.js generate
COPY src/ src/
COPY worker/ worker/
COPY client/ client/
COPY console/ console/
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json --sourceMap false \
    && node node_modules/vite/bin/vite.js build -c console/vite.config.ts

FROM dependencies AS production
# Optional packages are the embedded Postgres and native accelerators. Of Prisma's query compilers one is used:
# for Postgres, the fast one.
RUN npm prune --omit=dev --omit=optional --no-audit --no-fund \
    && find node_modules/@prisma/client/runtime -name 'query_compiler_*' ! -name 'query_compiler_fast_bg.postgresql.*' -delete \
    && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

FROM base AS runtime
# The user's number differs from the one that runs have (65532): they share a machine, and no files.
RUN groupadd --gid 10001 dctl \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin dctl \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/dctl \
    && for command in bootstrap operate; do \
      printf '#!/bin/sh\nexec node /app/dist/src/%s.js "$@"\n' "$command" >"/usr/local/bin/$command" \
      && chmod 0755 "/usr/local/bin/$command"; \
    done
COPY --from=production /app/node_modules node_modules/
COPY package.json ./
COPY prisma/migrations/ prisma/migrations/
COPY --from=build /app/dist/src dist/src/
# Why so many threads and so small a young generation is said in scripts/setup/processes.ts.
ENV UV_THREADPOOL_SIZE=256 \
    DCTL_HOST=0.0.0.0 \
    DCTL_STORAGE_DIR=/var/lib/dctl
USER 10001:10001

FROM runtime AS api
COPY --from=build /app/dist/console dist/console/
ENV DCTL_PORT=3000
EXPOSE 3000
# Over https where it speaks that, whoever its certificate names: nobody else is at this address.
HEALTHCHECK --interval=5s --timeout=10s --start-period=60s --retries=6 \
  CMD ["node", "-e", "const { DCTL_PORT: port, DCTL_TLS_CERT, DCTL_TLS_CERT_FILE } = process.env; const scheme = DCTL_TLS_CERT || DCTL_TLS_CERT_FILE ? 'https' : 'http'; require(scheme).get({ host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=4", "dist/src/main.js"]

FROM runtime AS worker
COPY --from=build /app/dist/worker dist/worker/
COPY runner/shim*.py runner/
ENV DCTL_WORKER_PORT=3001
EXPOSE 3001
HEALTHCHECK --interval=5s --timeout=10s --start-period=60s --retries=6 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.DCTL_WORKER_PORT}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=4", "dist/worker/main.js"]
