# In place of node:24-bookworm-slim, where it cannot be pulled: this machine's own Node on a Debian.
ARG BASE_IMAGE
FROM $BASE_IMAGE
COPY node /usr/local/bin/
COPY npm/ /usr/local/lib/node_modules/npm/
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
