# In place of the official images of Postgres and Redis, where they cannot be pulled. serve.sh takes the same settings.
ARG BASE_IMAGE
FROM $BASE_IMAGE
COPY certs/ /usr/local/share/ca-certificates/host/
RUN update-ca-certificates \
    && apt-get update -q \
    && apt-get install -q -y --no-install-recommends postgresql redis-server \
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql \
    && install -d -o postgres -g postgres /var/lib/postgresql \
    && install -d -o redis -g redis /data
COPY serve.sh /usr/local/bin/
ENTRYPOINT ["sh", "/usr/local/bin/serve.sh"]
CMD ["postgres"]
